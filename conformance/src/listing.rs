//! What there is to check and to find, as lists: for reading, for a document, or for a program.

use clap::ValueEnum;
use otp_contract::{Cell, Contract};
use otp_sandbox::FAULTS;
use serde_json::json;

use crate::check::{Check, Making, Tier, allowed, checks};
use crate::table::TableFormat;

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Lines of text.
    Text,
    /// A list of objects in JSON.
    Json,
}

/// The cells of the contract that a check is about.
fn covers<'c>(contract: &'c Contract, check: &Check) -> Vec<&'c Cell> {
    match check.making {
        Making::Answer { situation, mode } => allowed(contract, situation, mode),
        Making::Probe(probe) => match probe.says {
            Some(situation) => contract.cells.iter().filter(|cell| cell.answers(situation)).collect(),
            None => Vec::new(),
        },
    }
}

/// Every check of every contract.
pub(crate) fn list_checks(contracts: &[Contract], format: ListFormat) -> String {
    let all = || {
        contracts.iter().flat_map(|contract| checks(contract).into_iter().map(move |check| (contract, check)))
    };
    match format {
        ListFormat::Text => all()
            .map(|(_, check)| {
                format!(
                    "{:<44}{:<10}{}\n{:54}{}: {} ({})\n",
                    check.id,
                    check.tier.as_str(),
                    check.statement,
                    "",
                    check.citation.document,
                    check.citation.section,
                    check.certainty.as_str(),
                )
            })
            .collect(),
        ListFormat::Json => {
            let rows: Vec<_> = all()
                .map(|(contract, check)| {
                    let cells: Vec<_> =
                        covers(contract, &check).iter().map(|cell| cell.name.as_str()).collect();
                    json!({
                        "id": check.id,
                        "area": check.area.as_str(),
                        "tier": check.tier.as_str(),
                        "statement": check.statement,
                        "citation": check.citation,
                        "certainty": check.certainty.as_str(),
                        "cells": cells,
                    })
                })
                .collect();
            format!("{:#}\n", serde_json::Value::from(rows))
        }
    }
}

/// What the check of that id asserts, who says so, and what it accepts; `None` where the contract has no such check.
pub(crate) fn explain(contract: &Contract, id: &str) -> Option<String> {
    let check = checks(contract).into_iter().find(|check| check.id == id)?;
    let weight = match check.tier {
        Tier::Contract => "the vendor's document has an answer for it, so a failure gates",
        Tier::Baseline => "a standard asks for it, so a failure is advisory unless the run is strict",
    };
    let mut text =
        format!("{id}\n  asserts   {}\n  tier      {}: {weight}\n", check.statement, check.tier.as_str());
    text.push_str(&format!(
        "  says      {}: {} ({})\n",
        check.citation.document,
        check.citation.section,
        check.certainty.as_str()
    ));
    if let Making::Probe(probe) = check.making {
        let (document, section) = probe.standard;
        text.push_str(&format!("  also      {document}: {section}\n"));
    }
    for (index, cell) in covers(contract, &check).into_iter().enumerate() {
        let body = if cell.body_specified {
            cell.body.to_string()
        } else {
            "any body that claims no success".to_owned()
        };
        let word = if index == 0 { "accepts" } else { "or" };
        text.push_str(&format!(
            "  {word:<10}HTTP {} {body} ({}, {})\n",
            cell.status,
            cell.name,
            cell.certainty.as_str()
        ));
        if let Some(note) = &cell.note {
            text.push_str(&format!("  {:<10}{note}\n", ""));
        }
    }
    let faults: Vec<_> = FAULTS
        .iter()
        .filter(|fault| fault.applies(contract) && names(fault.found_by, id))
        .map(|fault| fault.name)
        .collect();
    if !faults.is_empty() {
        text.push_str(&format!("  may find  {}\n", faults.join(", ")));
    }
    Some(text)
}

fn names(patterns: &[&str], id: &str) -> bool {
    let name = id.split_once('/').map_or(id, |(_, name)| name);
    patterns.iter().any(|pattern| glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(name)))
}

/// Every fault, and the checks that find it.
pub(crate) fn list_faults(format: TableFormat) -> String {
    match format {
        TableFormat::Text => FAULTS
            .iter()
            .map(|fault| {
                format!(
                    "{:<36}{}\n{:36}found by {}\n",
                    fault.name,
                    fault.summary,
                    "",
                    fault.found_by.join(", ")
                )
            })
            .collect(),
        TableFormat::Markdown => {
            let rows: String = FAULTS
                .iter()
                .map(|fault| {
                    let checks: Vec<_> = fault.found_by.iter().map(|check| format!("`{check}`")).collect();
                    format!(
                        "| `{}` | {} | {} |\n",
                        fault.name,
                        fault.summary.replace('|', "\\|"),
                        checks.join(" ")
                    )
                })
                .collect();
            format!("| fault | what the server does wrong | found by one or more of |\n|---|---|---|\n{rows}")
        }
        TableFormat::Json => {
            let rows: Vec<_> = FAULTS
                .iter()
                .map(
                    |fault| json!({"name": fault.name, "summary": fault.summary, "found_by": fault.found_by}),
                )
                .collect();
            format!("{:#}\n", serde_json::Value::from(rows))
        }
    }
}
