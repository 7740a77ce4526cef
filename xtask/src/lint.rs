//! `cargo xtask lint`: every vendor document is valid OpenAPI, carries the annotations in their documented form, and
//! prints no example that its own schema refuses. All problems are collected and told one a line.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use otp_contract::Contract;
use serde_json::Value;

use crate::{document, repository};

mod schema;

/// One thing that is wrong, in words that say what would be right.
struct Problem {
    file: String,
    /// The keys that lead to it, outermost first.
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

/// Checks `files`, or all documents of the repository where there are none; false where anything is wrong.
pub(crate) fn run(root: &Path, files: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<bool> {
    let annotations = annotation_schema(root)?;
    let mut clean = true;
    for (file, text) in texts(root, files)? {
        let problems = problems(&annotations, &file, &text)?;
        if problems.is_empty() {
            // Said aloud, so that a document which lost its annotations is not taken for one that has them.
            let rest = if is_contract(&document::parse(&text)?) { "" } else { ", which is no contract" };
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
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
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
    // A document without annotations is another kind of document, and none for a contract.
    if !is_contract(&value) {
        return Ok(found);
    }
    // The reader stops at the first thing that is wrong with the annotations, in the better words; the schema finds the
    // rest, and is not asked about that place again.
    let mut told = Vec::new();
    if let Err(error) = Contract::from_yaml(file, text) {
        told.clone_from(&error.place);
        found.push(problem(error.place, error.problem.to_string()));
    }
    let mut check = |place: &[String], schema: &Value, value: &Value| -> anyhow::Result<()> {
        for (inner, text) in schema::violations(schema, value)? {
            let place: Vec<String> = place.iter().cloned().chain(inner).collect();
            if place != told {
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

/// Whether the document has any annotation at all.
fn is_contract(document: &Value) -> bool {
    !annotated(document).is_empty()
}

/// Every annotation, with the definition that describes it and its place.
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

/// Every example of a body, with its place and the schema that the document gives it.
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

/// The media types of every answer of an operation.
fn bodies<'a>(document: &'a Value, place: &[String], operation: &'a Value) -> Vec<(Vec<String>, &'a Value)> {
    let mut found = Vec::new();
    for (status, answer) in entries(operation.get("responses")) {
        let answer = match answer.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'))
        {
            Some(pointer) => document.pointer(pointer).unwrap_or(answer),
            None => answer,
        };
        for (name, media) in entries(answer.get("content")) {
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
