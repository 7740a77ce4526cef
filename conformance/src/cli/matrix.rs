//! `matrix`: every documented response of the contracts.

use std::path::PathBuf;

use otp_contract::{Backing, Cell, Contract, Fact, Operation, Source};
use serde_json::json;

use super::format::{TableFormat, pretty};
use super::subject::contracts;
use crate::error::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The vendors; all if none is named
    vendors: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<String, Failure> {
    let contracts = contracts(&arguments.vendors, &arguments.contract)?;
    let operations = || {
        let of = |contract| Contract::operations(contract).iter().map(move |operation| (contract, operation));
        contracts.iter().flat_map(of)
    };
    Ok(match arguments.format {
        TableFormat::Text => operations()
            .map(|(contract, operation)| as_text(contract, operation))
            .collect::<Vec<_>>()
            .join("\n"),
        TableFormat::Markdown => operations()
            .map(|(contract, operation)| as_markdown(contract, operation))
            .collect::<Vec<_>>()
            .join("\n"),
        TableFormat::Json => pretty(
            operations()
                .flat_map(|(contract, operation)| operation.cells.iter().map(|cell| row(contract, cell)))
                .collect(),
        ),
    })
}

fn as_text(contract: &Contract, operation: &Operation) -> String {
    let mut table = format!("{}  {} {}\n", contract.vendor, operation.method, operation.path);
    for cell in &operation.cells {
        table.push_str(&format!(
            "  {:<28}{:<20}{:<5}{:<12}{:<6}{}\n",
            cell.name,
            cell.outcome,
            cell.status,
            cell.certainty_in_words(),
            if cell.alternative { "or" } else { "" },
            cell.source.section,
        ));
    }
    for (name, backing) in facts(contract, operation) {
        table.push_str(&format!(
            "  {name:<53}{:<18}{}\n",
            backing.certainty.as_str(),
            backing.source.section
        ));
    }
    table
}

fn as_markdown(contract: &Contract, operation: &Operation) -> String {
    let mut table = format!(
        "### {}\n\n`{} {}`\n\n| cell | outcome | HTTP | body | certainty | source |\n|---|---|---|---|---|---|\n",
        contract.name, operation.method, operation.path
    );
    for cell in &operation.cells {
        let body = if cell.body_specified { format!("`{}`", cell.body) } else { "any".to_owned() };
        table.push_str(&format!(
            "| `{}`{} | {} | {} | {} | {} | {} |\n",
            cell.name,
            if cell.alternative { " (or)" } else { "" },
            cell.outcome,
            cell.status,
            body.replace('|', "\\|"),
            cell.certainty_in_words(),
            cited(&cell.source),
        ));
    }
    table.push_str("\n| fact | certainty | source |\n|---|---|---|\n");
    for (name, backing) in facts(contract, operation) {
        table.push_str(&format!(
            "| {name} | {} | {} |\n",
            backing.certainty.as_str(),
            cited(&backing.source)
        ));
    }
    table
}

/// The document and the section, as a table cell.
fn cited(source: &Source) -> String {
    format!("{}: {}", source.document, source.section).replace('|', "\\|")
}

/// The facts of the request and the numbers of the policy, with what stands behind them.
fn facts(contract: &Contract, operation: &Operation) -> Vec<(String, Backing)> {
    let policy = &contract.policy;
    let lifetime =
        (format!("lifetime of {} seconds", policy.lifetime.seconds), policy.lifetime.backing.clone());
    let limit = policy
        .attempts
        .as_ref()
        .map(|limit| (format!("limit of {} wrong codes", limit.limit), limit.backing.clone()));
    let request = Fact::ALL.into_iter().filter_map(|fact| {
        let backing = operation.facts.get(&fact)?.clone();
        Some((fact.as_str().replace('_', " "), backing))
    });
    request.chain([lifetime]).chain(limit).collect()
}

fn row(contract: &Contract, cell: &Cell) -> serde_json::Value {
    let situations: Vec<_> = cell.situations.iter().map(|situation| situation.as_str()).collect();
    json!({
        "vendor": contract.vendor,
        "cell": cell.name,
        "outcome": cell.outcome,
        "status": cell.status.to_string(),
        "body": cell.body_specified.then_some(&cell.body),
        "situations": situations,
        "mode": cell.mode,
        "alternative": cell.alternative,
        "certainty": cell.certainty,
        "facts": {
            "status": cell.facts.status.certainty,
            "body": cell.facts.body.certainty,
            "situations": cell
                .facts
                .situations
                .iter()
                .map(|(situation, backing)| (situation.to_string(), json!(backing.certainty)))
                .collect::<serde_json::Map<_, _>>(),
        },
        "source": cell.source,
        "note": cell.note,
    })
}
