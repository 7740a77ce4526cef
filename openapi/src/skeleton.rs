//! The skeleton of a contract: a plain OpenAPI document with annotations to be completed.
//!
//! Only adds to the text, so that the author's comments and layout stay. What it cannot know is `TODO`, which `lint` reports.
//! Uses the document nodes and `guess`. It must not read a contract, or decide anything that only the vendor's page can.

use serde_json::{Value, json};

use crate::document_node::DocumentNode;
use crate::is_json;
use crate::problem::{ContractError, Problem};
use crate::reader::METHODS;
use crate::yaml::Tree;
use guess::TODO;
use insertion::{Entry, Insertions};

mod guess;
mod insertion;

/// A document with annotations to be completed.
#[derive(Debug, Clone)]
pub struct Skeleton {
    /// The text of the document.
    pub text: String,
    /// What the author has to do beside replacing each `TODO`, one sentence for each place.
    pub remarks: Vec<String>,
}

/// Adds annotations to the plain OpenAPI document `text`, whose verify operation is `verify`, such as `POST /verify/{id}`.
/// Errors refer to the document as `file`.
///
/// # Errors
/// If the text is not YAML, has no such operation, or is annotated already.
pub fn skeleton(file: &str, text: &str, verify: &str) -> Result<Skeleton, ContractError> {
    let failed = |problems| ContractError { file: file.to_owned(), problems };
    let (tree, problems) = Tree::parse(text);
    match tree {
        Some(tree) if problems.is_empty() => {
            annotate(&tree, text, verify).map_err(|problem| failed(vec![problem]))
        }
        _ => Err(failed(problems)),
    }
}

fn annotate(tree: &Tree, text: &str, verify: &str) -> Result<Skeleton, Problem> {
    let root = DocumentNode::new(tree);
    if let Some(vendor) = root.optional("x-otp-vendor")? {
        return Err(vendor.unexpected("a document without annotations"));
    }
    let (path, operation) = find_operation(&root, verify)?;
    if let Some(annotation) = operation.optional("x-otp")? {
        return Err(annotation.unexpected("an operation without annotations"));
    }
    let mut insertions = Insertions::new(text);
    insertions.add_modeline(&root);
    insertions.add_before(
        &root,
        &before_paths(&root)?,
        &[Entry::new("x-otp-vendor", guess::vendor(&root), "")],
    );
    let mut entries = Vec::new();
    if operation.optional("operationId")?.is_none() {
        entries.push(Entry::new("operationId", json!("verify"), ""));
    }
    entries.push(Entry::nested("x-otp", guess::operation(&path, &operation)?));
    insertions.add(&operation, &entries);
    for response in operation.member("responses", "the responses of the operation")?.members()? {
        annotate_response(&response, &operation, &mut insertions)?;
    }
    Ok(insertions.into_skeleton())
}

/// The operation that `verify` names, and its path.
fn find_operation<'a>(
    root: &DocumentNode<'a>,
    verify: &str,
) -> Result<(DocumentNode<'a>, DocumentNode<'a>), Problem> {
    let paths = root.member("paths", "the operations of the API")?;
    let mut words = verify.split_whitespace();
    let (method, wanted) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut known = Vec::new();
    for path in paths.members()? {
        for name in METHODS {
            let Some(operation) = path.optional(name)? else { continue };
            if name.eq_ignore_ascii_case(method) && path.key() == wanted {
                return Ok((path, operation));
            }
            known.push(format!("{} {}", name.to_ascii_uppercase(), path.key()));
        }
    }
    Err(paths.unexpected(format!("the operation `{verify}` among {}", known.join(", "))))
}

/// The member of the document before which the vendor belongs.
fn before_paths<'a>(root: &DocumentNode<'a>) -> Result<DocumentNode<'a>, Problem> {
    match root.optional("servers")? {
        Some(servers) => Ok(servers),
        None => root.member("paths", "the operations of the API"),
    }
}

fn annotate_response(
    response: &DocumentNode<'_>,
    operation: &DocumentNode<'_>,
    insertions: &mut Insertions<'_>,
) -> Result<(), Problem> {
    let status = response.key().to_owned();
    if status == "default" || response.optional("x-otp")?.is_some() {
        return Ok(());
    }
    let id = operation.optional("operationId")?;
    let id = id.as_ref().and_then(|id| id.value().as_str()).unwrap_or("verify").to_owned();
    let description = response.optional("description")?;
    let description = description.as_ref().and_then(|text| text.value().as_str()).unwrap_or_default();
    let alone = |body: &Value| {
        let mut entries = vec![("name".to_owned(), json!(format!("{id}_{}", status.to_lowercase())))];
        entries.extend(guess::example(&status, description, body));
        Entry::nested(
            "x-otp",
            entries.into_iter().map(|(name, value)| Entry::new(&name, value, "")).collect(),
        )
    };
    let Some(content) = response.optional("content")? else {
        let mut annotation = alone(&Value::Null);
        // Only these never have a body; elsewhere a document that shows none says nothing.
        if !["204", "205"].contains(&status.as_str()) {
            annotation = annotation.with(Entry::new("body", json!("unspecified"), ""));
        }
        insertions.add(response, &[annotation]);
        return Ok(());
    };
    for media in content.members()?.into_iter().filter(|media| is_json(media.key())) {
        let examples = match media.optional("examples")? {
            Some(examples) => examples.members()?,
            None => Vec::new(),
        };
        for example in &examples {
            if example.optional("x-otp")?.is_some() {
                continue;
            }
            let summary = example.optional("summary")?;
            let summary = summary.as_ref().and_then(|text| text.value().as_str()).unwrap_or_default();
            let body = example.optional("value")?.map_or(&Value::Null, |value| value.value());
            let words = format!("{} {summary}", example.key());
            let entries = guess::example(&status, &words, body);
            let entries = entries.into_iter().map(|(name, value)| Entry::new(&name, value, "")).collect();
            insertions.add(example, &[Entry::nested("x-otp", entries)]);
        }
        match media.optional("example")? {
            Some(_) if media.optional("x-otp")?.is_some() => {}
            Some(example) => insertions.add(&media, &[alone(example.value())]),
            None if examples.is_empty() => insertions.remark(format!(
                "the response {status} has no example of {}: add one, with x-otp as in the others",
                media.key()
            )),
            None => {}
        }
    }
    Ok(())
}

/// Whether a value was left to be completed.
pub(crate) fn is_todo(value: &Value) -> bool {
    value.as_str() == Some(TODO)
}
