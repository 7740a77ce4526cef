//! One validator and two linters, each run once on all documents.
//!
//! Translates their reports; it has no rules of its own.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::context::{Context, Verdict};
use super::process::{Output, command, run};

/// openapi-spec-validator: whether the documents are valid OpenAPI.
pub(super) fn openapi_spec_validator(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let validate = |files: &[&str]| {
        let program = context.tools.python.join("openapi-spec-validator");
        let arguments = ["--validation-errors", "all"];
        run(command(program, &context.tools.python, context.root).args(arguments).args(files))
    };
    // It ends at the first document with an error, so one run is enough only if there is none.
    let all = validate(&files(context))?;
    verdicts(context, "valid OpenAPI", |file| {
        if all.success {
            return Ok(Vec::new());
        }
        let one = validate(&[file])?;
        Ok(if one.success { Vec::new() } else { vec![one.text().trim_end().to_owned()] })
    })
}

/// Redocly with its strict recommendations, which have rules for everything, including the `info` of a document.
pub(super) fn redocly(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let rules = ruleset(context, "redocly.yaml", "extends: [recommended-strict]\n")?;
    let arguments = ["lint", "--format", "json", "--max-problems", "1000", "--config"];
    let output = run(command(context.tools.node.join("redocly"), &context.tools.node, context.root)
        .args(arguments)
        .arg(rules)
        .args(files(context)))?;
    // One JSON document for each file, one after another.
    let reports = serde_json::Deserializer::from_str(&output.stdout)
        .into_iter::<Value>()
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|reports| reports.len() == context.documents.len())
        .with_context(|| unreadable("Redocly", &output))?;
    let problems: Vec<&Value> =
        reports.iter().filter_map(|report| report["problems"].as_array()).flatten().collect();
    verdicts(context, "no problem, no warning", |file| {
        let own = problems.iter().filter(|problem| is_at(&problem["location"][0]["source"]["ref"], file));
        Ok(own
            .map(|problem| {
                let place = text(&problem["location"][0]["pointer"]);
                format!("{}: {} ({})", place, text(&problem["message"]), text(&problem["ruleId"]))
            })
            .collect())
    })
}

/// Spectral with its rules for OpenAPI; a hint is a problem too.
pub(super) fn spectral(context: &Context<'_>) -> anyhow::Result<Vec<Verdict>> {
    let rules = ruleset(context, "spectral.yaml", "extends: [\"spectral:oas\"]\n")?;
    let arguments = ["lint", "--quiet", "--format", "json", "--fail-severity", "hint", "--ruleset"];
    let output = run(command(context.tools.node.join("spectral"), &context.tools.node, context.root)
        .args(arguments)
        .arg(rules)
        .args(files(context)))?;
    let report: Value =
        serde_json::from_str(&output.stdout).with_context(|| unreadable("Spectral", &output))?;
    let problems = report.as_array().with_context(|| unreadable("Spectral", &output))?;
    verdicts(context, "no problem, no warning, no hint", |file| {
        let own = problems.iter().filter(|problem| is_at(&problem["source"], file));
        Ok(own
            .map(|problem| {
                let place: Vec<String> = problem["path"].as_array().into_iter().flatten().map(text).collect();
                format!("{}: {} ({})", place.join(" > "), text(&problem["message"]), text(&problem["code"]))
            })
            .collect())
    })
}

fn files<'a>(context: &Context<'a>) -> Vec<&'a str> {
    context.documents.iter().map(|document| document.file.as_str()).collect()
}

fn verdicts(
    context: &Context<'_>,
    extent: &str,
    problems: impl Fn(&str) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<Vec<Verdict>> {
    let of = |file: &str| {
        Ok(Verdict { file: file.to_owned(), extent: extent.to_owned(), problems: problems(file)? })
    };
    context.documents.iter().map(|document| of(&document.file)).collect()
}

fn ruleset(context: &Context<'_>, name: &str, text: &str) -> anyhow::Result<std::path::PathBuf> {
    let path = context.scratch.join(name);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Whether a tool means this document; some print a relative path and some an absolute one.
fn is_at(source: &Value, file: &str) -> bool {
    source.as_str().is_some_and(|source| Path::new(source).ends_with(file))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn unreadable(tool: &str, output: &Output) -> String {
    format!("the report of {tool} has another form:\n{}", output.text().trim_end())
}
