//! The matrix of contracts as a table: for reading, for a document, or for a program.

use clap::ValueEnum;
use otp_contract::{Cell, Contract};
use serde_json::json;

/// How the matrix is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Columns of text.
    Text,
    /// A table in Markdown.
    Markdown,
    /// A list of objects in JSON.
    Json,
}

/// Every cell of every contract.
pub fn matrix_table(contracts: &[Contract], format: TableFormat) -> String {
    match format {
        TableFormat::Text => contracts.iter().map(text).collect::<Vec<_>>().join("\n"),
        TableFormat::Markdown => contracts.iter().map(markdown).collect::<Vec<_>>().join("\n"),
        TableFormat::Json => {
            let rows: Vec<_> = contracts
                .iter()
                .flat_map(|contract| contract.verify().cells.iter().map(|cell| row(contract, cell)))
                .collect();
            format!("{:#}\n", serde_json::Value::from(rows))
        }
    }
}

fn text(contract: &Contract) -> String {
    let operation = &contract.verify();
    let mut table = format!("{}  {} {}\n", contract.vendor, operation.method, operation.path);
    for cell in &contract.verify().cells {
        table.push_str(&format!(
            "  {:<28}{:<20}{:<5}{:<12}{:<6}{}\n",
            cell.name,
            cell.outcome,
            cell.status,
            cell.certainty.as_str(),
            if cell.alternative { "or" } else { "" },
            cell.source.section,
        ));
    }
    table
}

fn markdown(contract: &Contract) -> String {
    let operation = &contract.verify();
    let mut table = format!(
        "### {}\n\n`{} {}`\n\n| cell | outcome | HTTP | body | certainty | source |\n|---|---|---|---|---|---|\n",
        contract.name, operation.method, operation.path
    );
    for cell in &contract.verify().cells {
        let body = if cell.body_specified { format!("`{}`", cell.body) } else { "any".to_owned() };
        table.push_str(&format!(
            "| `{}`{} | {} | {} | {} | {} | {} |\n",
            cell.name,
            if cell.alternative { " (or)" } else { "" },
            cell.outcome,
            cell.status,
            body.replace('|', "\\|"),
            cell.certainty.as_str(),
            cell.source.section.replace('|', "\\|"),
        ));
    }
    table
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
        "source": cell.source,
        "note": cell.note,
    })
}
