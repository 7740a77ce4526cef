//! `lint`: every problem of a contract, with its line and column.
//!
//! Uses the lint of the contract crate, and must not have a rule of its own.

use std::io::Write;
use std::path::PathBuf;

use otp_contract::{Problem, ProblemKind, lint};
use serde_json::json;

use super::format::{ListFormat, pretty};
use crate::error::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The annotated documents
    #[arg(required_unless_present = "schema", value_name = "FILE.yaml")]
    files: Vec<PathBuf>,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// Print the JSON Schema of contracts, for editors and other tools
    #[arg(long, conflicts_with = "files")]
    schema: bool,
}

/// Prints the problems of each file. A file with a problem counts as wrong usage.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    if arguments.schema {
        return super::print(out, lint::SCHEMA);
    }
    let found: Vec<(String, Vec<Problem>)> = arguments
        .files
        .iter()
        .map(|path| {
            let problems = match std::fs::read_to_string(path) {
                Ok(text) => lint::contract(&text),
                Err(error) => vec![Problem {
                    place: Vec::new(),
                    position: None,
                    kind: ProblemKind::Unreadable(error.to_string()),
                }],
            };
            (path.display().to_string(), problems)
        })
        .collect();
    let text = match arguments.format {
        ListFormat::Text => found.iter().map(|(file, problems)| as_text(file, problems)).collect(),
        ListFormat::Json => {
            let rows =
                found.iter().flat_map(|(file, problems)| problems.iter().map(|problem| row(file, problem)));
            pretty(rows.collect())
        }
    };
    super::print(out, &text);
    let problems: usize = found.iter().map(|(_, problems)| problems.len()).sum();
    if problems == 0 {
        return Exit::Conformant;
    }
    let _ = match problems {
        1 => writeln!(err, "1 problem"),
        _ => writeln!(err, "{problems} problems"),
    };
    Exit::Usage
}

fn as_text(file: &str, problems: &[Problem]) -> String {
    if problems.is_empty() {
        return format!("{file}: no problems\n");
    }
    problems.iter().map(|problem| format!("{}\n", problem.in_file(file))).collect()
}

fn row(file: &str, problem: &Problem) -> serde_json::Value {
    json!({
        "file": file,
        "line": problem.position.map(|position| position.line),
        "column": problem.position.map(|position| position.column),
        "pointer": problem.pointer(),
        "message": problem.kind.to_string(),
    })
}
