//! openapi-typescript: the types that it generates accept every body that the contract accepts.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::bodies::{AcceptedBody, accepted};
use super::context::{Context, Verdict};
use super::openapi::{Operation, described_schema, operations};
use super::process::{command, run, run_successfully};
use crate::document::Document;

/// The file in which each body is assigned to the type for its status.
const FILE: &str = "check.ts";

/// A line of the file that the compiler may reject.
struct Line {
    /// The index of the document.
    document: usize,
    label: String,
}

/// Generates types from all documents, and compiles a file that assigns every body to its type.
pub(super) fn check(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let folder = context.scratch.join("typescript");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    // With this file one process generates the types of all documents.
    let apis: serde_json::Map<String, Value> = context
        .documents
        .iter()
        .map(|document| {
            let (vendor, root) = (&document.contract.vendor, context.root.join(&document.file));
            (vendor.clone(), json!({ "root": root, "x-openapi-ts": { "output": format!("{vendor}.ts") } }))
        })
        .collect();
    write("redocly.yaml", &json!({ "apis": apis }).to_string())?;
    run_successfully(&mut command(
        context.tools.node.join("openapi-typescript"),
        &context.tools.node,
        &folder,
    ))?;

    let (text, lines) = program(context.documents)?;
    write(FILE, &text)?;
    // Strict, but for the type of an empty list.
    let arguments =
        ["--noEmit", "--strict", "--noImplicitAny", "false", "--pretty", "false", "--target", "es2022"];
    let output = run(command(context.tools.node.join("tsc"), &context.tools.node, &folder)
        .args(arguments)
        .args(["--module", "esnext", "--moduleResolution", "bundler", FILE]))?;
    let errors = errors(&output.stdout);
    if !output.success && errors.is_empty() {
        anyhow::bail!("the TypeScript compiler failed:\n{}", output.text().trim_end());
    }
    let verdict = |(index, document): (usize, &Document)| {
        let problems = errors
            .iter()
            .filter_map(|(number, message)| {
                let line = lines.get(number.checked_sub(1)?)?.as_ref()?;
                (line.document == index).then(|| format!("{}: {message}", line.label))
            })
            .collect();
        let count = lines.iter().flatten().filter(|line| line.document == index).count();
        Verdict { file: document.file.clone(), extent: format!("{count} bodies have their type"), problems }
    };
    let verdicts: Vec<Verdict> = context.documents.iter().enumerate().map(verdict).collect();
    // An error elsewhere, such as in the generated types, must not get lost.
    if verdicts.iter().map(|verdict| verdict.problems.len()).sum::<usize>() < errors.len() {
        anyhow::bail!("the generated types do not compile:\n{}", output.stdout.trim_end());
    }
    Ok(verdicts)
}

/// The program, and for each of its lines the body that it assigns.
fn program(documents: &[Document]) -> anyhow::Result<(String, Vec<Option<Line>>)> {
    let (mut text, mut lines) = (String::new(), Vec::new());
    for (index, document) in documents.iter().enumerate() {
        let vendor = &document.contract.vendor;
        writeln!(text, "import type * as {vendor} from \"./{vendor}\";")?;
        lines.push(None);
        for operation in operations(&document.value) {
            for body in accepted(document.contract.verify(), &operation.statuses()) {
                // A variable, because an object literal may have no members that its type lacks.
                let number = lines.len();
                writeln!(text, "const body{number} = {};", body.value)?;
                lines.push(None);
                for (count, expected) in types(document, &operation, &body)?.into_iter().enumerate() {
                    writeln!(text, "const typed{number}_{count}: {expected} = body{number};")?;
                    let label = format!("{}: {}", body.label, body.value);
                    lines.push(Some(Line { document: index, label }));
                }
            }
        }
    }
    Ok((text, lines))
}

/// The type of a response with the body's status, and the type that describes the body, if that is another one.
fn types(document: &Document, operation: &Operation<'_>, body: &AcceptedBody) -> anyhow::Result<Vec<String>> {
    let vendor = &document.contract.vendor;
    let (key, media_type, schema) = operation.response(body.status).with_context(|| {
        format!("{}: expected a response with status {} for {}", document.file, body.status, body.label)
    })?;
    let key = if key.parse::<u16>().is_ok() { key } else { format!("\"{key}\"") };
    let mut found = vec![format!(
        "{vendor}.operations[\"{}\"][\"responses\"][{key}][\"content\"][\"{media_type}\"]",
        operation.id()
    )];
    if let (true, Some(described)) = (body.is_described, described_schema(&document.value, schema)) {
        found.push(format!("{vendor}.components[\"schemas\"][\"{described}\"]"));
    }
    Ok(found)
}

/// The errors in the file: the number of the line, and the message.
fn errors(output: &str) -> Vec<(usize, &str)> {
    let error = |line: &str| -> Option<(usize, usize)> {
        let place = line.strip_prefix(FILE)?.strip_prefix('(')?;
        let end = place.find("): ")?;
        Some((place[..end].split(',').next()?.parse().ok()?, FILE.len() + 1 + end + 3))
    };
    let mut found = Vec::new();
    for line in output.lines() {
        match error(line) {
            Some((number, start)) => found.push((number, &line[start..])),
            // Errors in other files count, with a line that does not exist; what follows indented belongs to the last.
            None if line.contains("error TS") => found.push((0, line)),
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_line() {
        let output = "check.ts(12,7): error TS2322: Type 'string' is not assignable.\n  Types differ.\nd7.ts(3,1): error TS1005: x\n";
        assert_eq!(
            errors(output),
            [(12, "error TS2322: Type 'string' is not assignable."), (0, "d7.ts(3,1): error TS1005: x")]
        );
    }
}
