//! `cargo xtask lint`: checks that every vendor document is valid OpenAPI, that its annotations have the documented form,
//! and that its examples match its own schemas. Prints all problems, one on each line.
//!
//! Uses the contract reader and the JSON Schema of the annotations. It never changes a document.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use otp_contract::Contract;
use serde_json::Value;

use crate::{document, repository};

mod schema;

/// One problem of a document, with what is expected instead.
struct Problem {
    file: String,
    /// The keys that lead to the place, outermost first.
    place: Vec<String>,
    /// `expected …, found …`
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.place.is_empty() {
            write!(f, "at {}: ", self.place.join(" > "))?;
        }
        f.write_str(&self.text)
    }
}

/// Checks `files`, or all documents of the repository if `files` is empty; false if there is a problem.
pub(crate) fn run(root: &Path, files: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<bool> {
    let annotations = annotation_schema(root)?;
    let mut clean = true;
    for (file, text) in texts(root, files)? {
        let problems = problems(&annotations, &file, &text)?;
        if problems.is_empty() {
            // Without this remark a document that has lost its annotations would look like a checked contract.
            let rest =
                if is_contract(&document::parse(&text)?) { "" } else { " (not a contract: no annotations)" };
            writeln!(out, "{:>12} {file}{rest}", "Clean")?;
        }
        for problem in problems {
            clean = false;
            writeln!(out, "{problem}")?;
        }
    }
    Ok(clean)
}

fn texts(root: &Path, files: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    if files.is_empty() {
        return document::texts(root);
    }
    files
        .iter()
        .map(|path| {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.display().to_string(), text))
        })
        .collect()
}

fn annotation_schema(root: &Path) -> anyhow::Result<Value> {
    let path = repository::annotation_schema(root);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn problems(annotations: &Value, file: &str, text: &str) -> anyhow::Result<Vec<Problem>> {
    let problem = |place: Vec<String>, text: String| Problem { file: file.to_owned(), place, text };
    let value = match document::parse(text) {
        Ok(value) => value,
        Err(error) => return Ok(vec![problem(Vec::new(), format!("{error:#}"))]),
    };

    let mut found = Vec::new();
    if let Err(error) = serde_json::from_value::<openapiv3::OpenAPI>(value.clone()) {
        found.push(problem(Vec::new(), format!("expected a valid OpenAPI 3.0 document, found: {error}")));
    }
    // A document without annotations is not a contract; only OpenAPI applies to it.
    if !is_contract(&value) {
        return Ok(found);
    }
    // The reader stops at the first problem, but has the better messages. The schema finds the others, so its message for
    // the same place is left out.
    let mut reported = Vec::new();
    if let Err(error) = Contract::from_yaml(file, text) {
        reported.clone_from(&error.place);
        found.push(problem(error.place, error.problem.to_string()));
    }
    let mut check = |place: &[String], schema: &Value, value: &Value| -> anyhow::Result<()> {
        for (inner, text) in schema::violations(schema, value)? {
            let place: Vec<String> = place.iter().cloned().chain(inner).collect();
            if place != reported {
                found.push(problem(place, text));
            }
        }
        Ok(())
    };
    for (definition, place, annotation) in annotated(&value) {
        check(&place, &schema::of_annotation(annotations, definition), annotation)?;
    }
    for (place, schema, example) in examples(&value) {
        check(&place, &schema::of_body(&value, schema), example)?;
    }
    Ok(found)
}

/// Whether the document has any annotation.
fn is_contract(document: &Value) -> bool {
    !annotated(document).is_empty()
}

/// Every annotation, with its place and the name of its definition in the annotation schema.
fn annotated(document: &Value) -> Vec<(&'static str, Vec<String>, &Value)> {
    let mut found = Vec::new();
    if let Some(vendor) = document.get("x-otp-vendor") {
        found.push(("vendor", vec!["x-otp-vendor".to_owned()], vendor));
    }
    for (place, operation) in operations(document) {
        if let Some(annotation) = operation.get("x-otp") {
            found.push(("operation", with(&place, &["x-otp"]), annotation));
        }
        for (place, media) in bodies(document, &place, operation) {
            for (name, example) in entries(media.get("examples")) {
                if let Some(annotation) = example.get("x-otp") {
                    found.push(("example", with(&place, &["examples", name, "x-otp"]), annotation));
                }
            }
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
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];
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
        let response =
            match response.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#')) {
                Some(pointer) => document.pointer(pointer).unwrap_or(response),
                None => response,
            };
        for (name, media) in entries(response.get("content")) {
            found.push((with(place, &["responses", status, "content", name]), media));
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

#[cfg(test)]
mod tests;
