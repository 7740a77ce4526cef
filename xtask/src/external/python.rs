//! openapi-python-client and openapi-generator: the clients that they generate accept every body that the contract
//! accepts.
//!
//! `check_clients.py` feeds the bodies to the clients.

use std::path::Path;

use anyhow::Context as _;
use heck::ToSnakeCase as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bodies::accepted;
use super::context::{Context, Verdict};
use super::openapi::{Operation, operations};
use super::process::{command, run, run_successfully};
use crate::document::Document;

const SCRIPT: &str = include_str!("check_clients.py");

/// A body that a client does not accept.
#[derive(Deserialize)]
struct Problem {
    file: String,
    text: String,
}

/// Generates both clients from all documents, and has each parse every body.
pub(super) fn check(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let folder = context.scratch.join("python");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut problems = attrs_clients(context, &folder)?;
    pydantic_clients(context, &folder)?;

    let mut plan = Vec::new();
    for document in context.documents {
        for operation in operations(&document.value) {
            plan.extend(["attrs", "pydantic"].map(|kind| plan_of(document, &operation, kind)));
        }
    }
    let (script, file) = (folder.join("check_clients.py"), folder.join("plan.json"));
    std::fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
    std::fs::write(&file, Value::from(plan.clone()).to_string())
        .with_context(|| format!("cannot write {}", file.display()))?;
    let python = command(context.tools.python.join("python"), &context.tools.python, &folder);
    let output = run_successfully({ python }.arg(script).arg(file))?;
    let found: Vec<Problem> = serde_json::from_str(&output.stdout)
        .with_context(|| format!("check_clients.py prints no JSON:\n{}", output.text()))?;
    problems.extend(found);

    Ok(context
        .documents
        .iter()
        .map(|document| {
            let own = plan.iter().filter(|part| part["file"] == document.file.as_str());
            let count: usize = own.filter_map(|part| part["bodies"].as_array()).map(Vec::len).sum();
            Verdict {
                file: document.file.clone(),
                extent: format!("{count} bodies parsed by two clients"),
                problems: problems
                    .iter()
                    .filter(|problem| problem.file == document.file)
                    .map(|problem| problem.text.clone())
                    .collect(),
            }
        })
        .collect())
}

/// Generates the clients of openapi-python-client, whose models are attrs classes. A warning is a problem: with one, it
/// leaves out a part of the client.
fn attrs_clients(context: &Context<'_>, folder: &Path) -> anyhow::Result<Vec<Problem>> {
    let settings = folder.join("settings.yaml");
    // The generated code need not be formatted.
    std::fs::write(&settings, "post_hooks: []\n")
        .with_context(|| format!("cannot write {}", settings.display()))?;
    let mut problems = Vec::new();
    for document in context.documents {
        let program = context.tools.python.join("openapi-python-client");
        let output = run(command(program, &context.tools.python, folder)
            .args(["generate", "--meta", "none", "--fail-on-warning", "--config"])
            .arg(&settings)
            .arg("--path")
            .arg(context.root.join(&document.file))
            .arg("--output-path")
            .arg(package(document, "attrs")))?;
        if !output.success {
            let text = format!("openapi-python-client: {}", output.text().trim());
            problems.push(Problem { file: document.file.clone(), text });
        }
    }
    Ok(problems)
}

/// Generates the clients of openapi-generator, whose models are pydantic classes, in one process.
fn pydantic_clients(context: &Context<'_>, folder: &Path) -> anyhow::Result<()> {
    let mut configurations = Vec::new();
    for document in context.documents {
        let name = package(document, "pydantic");
        let path = folder.join(format!("{name}.json"));
        let configuration = json!({
            "generatorName": "python",
            "inputSpec": context.root.join(&document.file),
            "outputDir": folder.join(format!("{name}_project")),
            "additionalProperties": { "packageName": name },
        });
        std::fs::write(&path, configuration.to_string())
            .with_context(|| format!("cannot write {}", path.display()))?;
        configurations.push(path);
    }
    let program = context.tools.python.join("openapi-generator-cli");
    run_successfully(
        command(program, &context.tools.python, folder)
            .args(["batch", "--fail-fast", "--threads", "1", "--"])
            .args(configurations),
    )
    .map(drop)
}

/// What `check_clients.py` does with one operation of one client.
fn plan_of(document: &Document, operation: &Operation<'_>, kind: &str) -> Value {
    let bodies: Vec<Value> = accepted(document.contract.verify(), &operation.statuses())
        .into_iter()
        .map(|body| {
            json!({ "label": body.label, "status": body.status, "value": body.value, "is_described": body.is_described })
        })
        .collect();
    let arguments: Map<String, Value> = ["path", "query"]
        .into_iter()
        .flat_map(|place| operation.parameters(place))
        .map(|(name, example)| (name.to_snake_case(), example.clone()))
        .collect();
    json!({
        "file": document.file,
        "kind": kind,
        "package": package(document, kind),
        "operation": operation.id().to_snake_case(),
        "arguments": arguments,
        "request": operation.body(),
        "bodies": bodies,
    })
}

fn package(document: &Document, kind: &str) -> String {
    format!("{}_{kind}", document.contract.vendor)
}
