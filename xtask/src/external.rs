//! `cargo xtask lint --external`: other people's tools read the vendor documents, and none of them may report anything.
//!
//! Installs the tools into a folder of the build, runs each on every document, and prints what it reports. Uses one module
//! for each tool; it knows no tool itself. It never changes a document.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::document;
use context::{Context, Verdict};

mod bodies;
mod context;
mod credentials;
mod http;
mod install;
mod linters;
mod openapi;
mod prism;
mod process;
mod python;
mod sandbox;
mod schemathesis;
mod typescript;

/// Checks all documents with one tool.
type Check = fn(&Context<'_>) -> anyhow::Result<Vec<Verdict>>;

/// Every tool, with what it does for us. The fastest come first.
const CHECKS: [(&str, Check); 7] = [
    ("openapi-spec-validator", linters::openapi_spec_validator),
    ("Redocly", linters::redocly),
    ("Spectral", linters::spectral),
    ("Prism", prism::check),
    ("openapi-typescript", typescript::check),
    ("Python generators", python::check),
    ("Schemathesis", schemathesis::check),
];

/// Runs every tool on all documents of the repository; false if one of them reports anything.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let documents = document::of_repository(root)?;
    let tools = install::install(root, out)?;
    let scratch = tempfile::tempdir()?;
    let context = Context { root, tools: &tools, scratch: scratch.path(), documents: &documents };
    let mut clean = true;
    for (tool, check) in CHECKS {
        let start = Instant::now();
        writeln!(out, "{:>12} {tool}", "Running")?;
        out.flush()?;
        for verdict in check(&context)? {
            clean &= print(tool, &verdict, out)?;
        }
        writeln!(out, "{:>12} {tool} in {:.1} s", "Finished", start.elapsed().as_secs_f64())?;
    }
    Ok(clean)
}

/// Prints what a tool reports for one document; whether that is nothing.
fn print(tool: &str, verdict: &Verdict, out: &mut dyn Write) -> anyhow::Result<bool> {
    if verdict.problems.is_empty() {
        writeln!(out, "{:>12} {}: {}", "Clean", verdict.file, verdict.extent)?;
    }
    for problem in &verdict.problems {
        writeln!(out, "{}: {tool}: {problem}", verdict.file)?;
    }
    Ok(verdict.problems.is_empty())
}
