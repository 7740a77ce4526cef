//! Prism: the mock server returns every named example of a document when it is asked for it.

use super::context::{Context, Verdict};
use super::credentials;
use super::http::{self, Request};
use super::openapi::{Example, Operation, operations};
use super::process::{command, free_port, start};
use crate::document::Document;

/// Serves each document, and requests every example.
pub(super) fn check(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    context.documents.iter().map(|document| check_document(context, document)).collect()
}

fn check_document(context: &Context<'_>, document: &Document) -> anyhow::Result<Verdict> {
    let port = free_port()?;
    let _server = start(
        command(context.tools.node.join("prism"), &context.tools.node, context.root).args([
            "mock",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            &document.file,
        ]),
        port,
    )?;
    let (mut count, mut problems) = (0, Vec::new());
    for operation in operations(&document.value) {
        for example in operation.examples() {
            count += 1;
            problems.extend(problem(port, document, &operation, &example)?);
        }
    }
    Ok(Verdict { file: document.file.clone(), extent: format!("{count} examples served"), problems })
}

fn problem(
    port: u16,
    document: &Document,
    operation: &Operation<'_>,
    example: &Example<'_>,
) -> anyhow::Result<Option<String>> {
    let mut headers = credentials::placeholders(&document.contract);
    headers.push(("prefer".to_owned(), format!("example={}, code={}", example.name, example.status)));
    let request = Request {
        method: &operation.method,
        target: &operation.target(),
        headers,
        body: operation.body().map(ToString::to_string),
    };
    let (status, body) = http::send(port, &request)?;
    let is_served = status == example.status
        && serde_json::from_slice(&body).is_ok_and(|body: serde_json::Value| body == *example.value);
    Ok((!is_served).then(|| {
        format!(
            "{} {}: expected the example {} with status {}, found status {status} with {}",
            operation.method,
            operation.path,
            example.name,
            example.status,
            String::from_utf8_lossy(&body)
        )
    }))
}
