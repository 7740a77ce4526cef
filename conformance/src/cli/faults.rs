//! `faults`: every fault that the sandbox can be started with, and the checks that find it.

use otp_sandbox::FAULTS;
use serde_json::json;

use super::format::{TableFormat, pretty};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The format
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
}

pub(super) fn run(arguments: &Arguments) -> String {
    match arguments.format {
        TableFormat::Text => FAULTS
            .iter()
            .map(|fault| {
                let checks = fault.found_by.join(", ");
                format!("{:<36}{}\n{:36}found by {checks}\n", fault.name, fault.summary, "")
            })
            .collect(),
        TableFormat::Markdown => {
            let rows: String = FAULTS
                .iter()
                .map(|fault| {
                    let checks: Vec<_> = fault.found_by.iter().map(|check| format!("`{check}`")).collect();
                    let summary = fault.summary.replace('|', "\\|");
                    format!("| `{}` | {summary} | {} |\n", fault.name, checks.join(" "))
                })
                .collect();
            format!("| fault | what the server does wrong | found by one or more of |\n|---|---|---|\n{rows}")
        }
        TableFormat::Json => pretty(
            FAULTS
                .iter()
                .map(
                    |fault| json!({"name": fault.name, "summary": fault.summary, "found_by": fault.found_by}),
                )
                .collect(),
        ),
    }
}
