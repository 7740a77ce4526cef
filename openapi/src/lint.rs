//! Everything that is wrong with a document at once: YAML, OpenAPI, the annotations, and the examples.
//!
//! Uses the reader, whose problems come first because they say most, and JSON Schema. It never changes a document, and
//! it must not know a rule that neither the reader nor a schema has.

use serde_json::Value;

use crate::pointer::keys;
use crate::problem::{Problem, ProblemKind, in_order};
use crate::reader::{self, METHODS};
use crate::skeleton::is_todo;
use crate::yaml::Tree;

mod schema;

/// The JSON Schema of contracts, for editors and other tools.
pub const SCHEMA: &str = include_str!("../x-otp.schema.json");

/// Every problem of a contract, in the order of the text.
pub fn contract(text: &str) -> Vec<Problem> {
    let (tree, mut found) = Tree::parse(text);
    if let Some(tree) = &tree {
        found.extend(openapi_problems(tree));
        found.extend(annotation_problems(tree));
        found.extend(example_problems(tree));
        let places: Vec<_> = found.iter().map(|problem| problem.place.clone()).collect();
        found.extend(todos(tree).into_iter().filter(|todo| !places.contains(&todo.place)));
    }
    in_order(found)
}

/// Every problem of a document that is OpenAPI and need not be a contract, in the order of the text.
pub fn openapi(text: &str) -> Vec<Problem> {
    let (tree, mut found) = Tree::parse(text);
    if let Some(tree) = &tree {
        found.extend(openapi_problems(tree));
        found.extend(example_problems(tree));
    }
    in_order(found)
}

/// A problem at `place`, with its position.
fn problem(tree: &Tree, place: Vec<String>, kind: ProblemKind) -> Problem {
    let position = tree.position(place.iter().map(String::as_str));
    Problem { place, position: Some(position), kind }
}

/// Whether the document is valid OpenAPI 3.0. For 3.1, whose schemas are JSON Schema, no library reads more than the reader
/// needs.
fn openapi_problems(tree: &Tree) -> Option<Problem> {
    let is_newer = |version: &str| version.starts_with("3.1.");
    if tree.value.get("openapi").and_then(Value::as_str).is_some_and(is_newer) {
        return None;
    }
    let error = serde_path_to_error::deserialize::<_, openapiv3::OpenAPI>(&tree.value).err()?;
    let place = error.path().iter().map(ToString::to_string).collect();
    Some(problem(tree, place, ProblemKind::NotOpenApi(error.into_inner().to_string())))
}

/// What the reader and the schema of contracts say. Where both speak of one place, the more precise of them does.
fn annotation_problems(tree: &Tree) -> Vec<Problem> {
    let (_, read) = reader::read(tree);
    let violations = match serde_json::from_str(SCHEMA) {
        Ok(schema) => schema::violations(&schema, &tree.value),
        Err(error) => vec![(Vec::new(), schema::Violation::of_schema(&error.to_string()))],
    };
    let is_within = |inner: &[String], outer: &[String]| inner.starts_with(outer);
    // The message of a deserializer names one of the values that are wrong, and the schema all of them; but where the
    // schema has alternatives, it can only say that none fits.
    let is_repeated = |problem: &Problem| {
        matches!(problem.kind, ProblemKind::Annotation(_))
            && violations.iter().any(|(place, violation)| {
                !violation.is_vague && (is_within(place, &problem.place) || is_within(&problem.place, place))
            })
    };
    let mut found: Vec<Problem> = read.into_iter().filter(|problem| !is_repeated(problem)).collect();
    let said: Vec<Vec<String>> = found.iter().map(|problem| problem.place.clone()).collect();
    let missing = |place: &[String], violation: &schema::Violation| {
        found.iter().any(|problem| match (&problem.kind, &violation.missing) {
            (ProblemKind::Missing { member, .. }, Some(name)) => problem.place == place && member == name,
            _ => false,
        })
    };
    let new: Vec<Problem> = violations
        .iter()
        .filter(|(place, violation)| match violation.missing {
            Some(_) => !missing(place, violation),
            None => !said.iter().any(|said| said == place || violation.is_vague && is_within(said, place)),
        })
        .map(|(place, violation)| problem(tree, place.clone(), ProblemKind::Schema(violation.text.clone())))
        .collect();
    found.extend(new);
    found
}

/// What the author of an annotation has left to do; see [`skeleton`](crate::skeleton()).
fn todos(tree: &Tree) -> Vec<Problem> {
    fn walk(value: &Value, place: &mut Vec<String>, is_annotation: bool, found: &mut Vec<Vec<String>>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    place.push(name.clone());
                    walk(member, place, is_annotation || name.starts_with("x-otp"), found);
                    place.pop();
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    place.push(index.to_string());
                    walk(element, place, is_annotation, found);
                    place.pop();
                }
            }
            _ if is_annotation && is_todo(value) => found.push(place.clone()),
            _ => {}
        }
    }
    let mut places = Vec::new();
    walk(&tree.value, &mut Vec::new(), false, &mut places);
    let kind = ProblemKind::Unexpected {
        expected: "what the vendor's documentation says".to_owned(),
        found: "TODO".to_owned(),
    };
    places.into_iter().map(|place| problem(tree, place, kind.clone())).collect()
}

/// The examples of bodies that do not match the schema beside them.
fn example_problems(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (place, schema, example) in examples(&tree.value) {
        let Some(schema) = schema::of_body(&tree.value, &schema::described(&tree.value, schema)) else {
            let text = "expected a schema whose parts are used less often in one another".to_owned();
            found.push(problem(tree, place, ProblemKind::Schema(text)));
            continue;
        };
        for (inner, violation) in schema::violations(&schema, example) {
            let place = place.iter().cloned().chain(inner).collect();
            found.push(problem(tree, place, ProblemKind::Schema(violation.text)));
        }
    }
    found
}

/// Every example of a body, with its place and its schema in the document.
fn examples(document: &Value) -> Vec<(Vec<String>, &Value, &Value)> {
    let mut found = Vec::new();
    for (place, operation) in operations(document) {
        let mut media: Vec<_> = bodies(document, &place, operation);
        for (name, request) in entries(operation.pointer("/requestBody/content")) {
            media.push((with(&place, &["requestBody", "content", name]), request));
        }
        for (place, media) in media {
            let Some(schema) = media.get("schema") else { continue };
            if let Some(example) = media.get("example") {
                found.push((with(&place, &["example"]), schema, example));
            }
            for (name, example) in entries(media.get("examples")) {
                if let Some(value) = example.get("value") {
                    found.push((with(&place, &["examples", name, "value"]), schema, value));
                }
            }
        }
    }
    found
}

fn operations(document: &Value) -> Vec<(Vec<String>, &Value)> {
    let mut found = Vec::new();
    for (path, item) in entries(document.get("paths")) {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push((vec!["paths".to_owned(), path.to_owned(), method.to_owned()], operation));
            }
        }
    }
    found
}

/// The media types of every response of an operation.
fn bodies<'a>(document: &'a Value, place: &[String], operation: &'a Value) -> Vec<(Vec<String>, &'a Value)> {
    let mut found = Vec::new();
    for (status, response) in entries(operation.get("responses")) {
        let reference = response.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| {
            let pointer = reference.strip_prefix('#')?;
            Some((keys(pointer)?, document.pointer(pointer)?))
        });
        let (place, response) = target.unwrap_or_else(|| (with(place, &["responses", status]), response));
        for (name, media) in entries(response.get("content")) {
            found.push((with(&place, &["content", name]), media));
        }
    }
    found
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn with(place: &[String], more: &[&str]) -> Vec<String> {
    place.iter().cloned().chain(more.iter().map(|key| (*key).to_owned())).collect()
}
