//! What there is to check and to find, as lists: for reading, for a document, or for a program.

use clap::ValueEnum;
use otp_contract::{Cell, Contract, Coverage, Statement};
use otp_sandbox::FAULTS;
use serde_json::json;

use crate::check::{Check, Making, Tier, allowed, checks};
use crate::faults;
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
            Some(situation) => {
                contract.verify().cells.iter().filter(|cell| cell.answers(situation)).collect()
            }
            None => Vec::new(),
        },
    }
}

/// What of a document no check can see.
struct Unseen<'c> {
    id: String,
    statement: &'c Statement,
    reason: &'c str,
}

/// The word for them in ids, where a check has its area.
const UNSEEN: &str = "unseen";

/// The sentences of the document that no check can see, numbered in its order.
fn unseen(contract: &Contract) -> Vec<Unseen<'_>> {
    let statements = contract.statements.iter().filter_map(|statement| match &statement.coverage {
        Coverage::Untestable(reason) => Some((statement, reason)),
        Coverage::Situations(_) => None,
    });
    statements
        .zip(1..)
        .map(|((statement, reason), number)| Unseen {
            id: format!("{}/{UNSEEN}/{number}", contract.vendor),
            statement,
            reason,
        })
        .collect()
}

/// The sentences of the document that show in the situation which a check brings about.
fn shown_by<'c>(contract: &'c Contract, check: &Check) -> Vec<&'c str> {
    let situation = match check.making {
        Making::Answer { situation, .. } => Some(situation),
        Making::Probe(probe) => probe.says,
    };
    let statements = contract.statements.iter().filter(|statement| match &statement.coverage {
        Coverage::Situations(situations) => {
            situation.is_some_and(|situation| situations.contains(&situation))
        }
        Coverage::Untestable(_) => false,
    });
    statements.map(|statement| statement.text.as_str()).collect()
}

/// Every check of every contract, and what none of them can see.
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
            .chain(contracts.iter().flat_map(unseen).map(|unseen| {
                let Statement { text, source, .. } = unseen.statement;
                format!(
                    "{:<44}{:<10}{text}\n{:54}{}: {}\n{:54}no check can see it: {}\n",
                    unseen.id, "none", "", source.document, source.section, "", unseen.reason
                )
            }))
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
                        "statements": shown_by(contract, &check),
                    })
                })
                .chain(contracts.iter().flat_map(unseen).map(|unseen| {
                    json!({
                        "id": unseen.id,
                        "area": UNSEEN,
                        "tier": "none",
                        "statement": unseen.statement.text,
                        "citation": unseen.statement.source,
                        "reason": unseen.reason,
                    })
                }))
                .collect();
            format!("{:#}\n", serde_json::Value::from(rows))
        }
    }
}

/// What the check of that id asserts, who says so, and what it accepts; `None` where the contract has no such check.
pub(crate) fn explain(contract: &Contract, id: &str) -> Option<String> {
    if let Some(unseen) = unseen(contract).into_iter().find(|unseen| unseen.id == id) {
        let Statement { text, source, .. } = unseen.statement;
        return Some(format!(
            "{id}\n  says      {}: {}: {text}\n  no check  {}\n",
            source.document, source.section, unseen.reason
        ));
    }
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
    for says in shown_by(contract, &check) {
        text.push_str(&format!("  in words  {says}\n"));
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
    let may_find: Vec<_> = FAULTS
        .iter()
        .filter(|fault| faults::applies(fault, contract) && faults::can_find(id, fault))
        .map(|fault| fault.name)
        .collect();
    if !may_find.is_empty() {
        text.push_str(&format!("  may find  {}\n", may_find.join(", ")));
    }
    Some(text)
}

/// Every fault and the checks that find it. The page in Markdown also lists the vendors that a fault applies to.
pub(crate) fn list_faults(contracts: &[Contract], format: TableFormat) -> String {
    match format {
        TableFormat::Text => FAULTS
            .iter()
            .map(|fault| {
                format!(
                    "{:<36}{}\n{:36}found by {}\n",
                    fault.name,
                    fault.summary,
                    "",
                    faults::found_by(fault).join(", ")
                )
            })
            .collect(),
        TableFormat::Markdown => fault_page(contracts),
        TableFormat::Json => {
            let rows: Vec<_> = FAULTS
                .iter()
                .map(|fault| {
                    json!({"name": fault.name, "summary": fault.summary, "found_by": faults::found_by(fault)})
                })
                .collect();
            format!("{:#}\n", serde_json::Value::from(rows))
        }
    }
}

/// What precedes the table of faults in its page.
const FAULT_PAGE_HEADER: &str = "\
<!-- Generated by `cargo run -- faults --format markdown`; do not edit. -->

# Faults

The sandbox can misbehave on purpose, to show what the suite finds: `cargo run -- check --fault <fault>`. For each vendor
that the fault applies to, at least one of the checks in the last column fails, and no other check does. A fault applies
to a vendor if a client that sees only responses can distinguish the faulty server from a correct one.

| fault | what the server does wrong | applies to | found by one or more of |
|---|---|---|---|
";

fn fault_page(contracts: &[Contract]) -> String {
    let mut page = FAULT_PAGE_HEADER.to_owned();
    let mut pairs = 0;
    for fault in FAULTS {
        let vendors: Vec<_> = contracts
            .iter()
            .filter(|contract| faults::applies(fault, contract))
            .map(|contract| contract.vendor.as_str())
            .collect();
        pairs += vendors.len();
        let vendors = if vendors.len() == contracts.len() { "all".to_owned() } else { vendors.join(" ") };
        let checks: Vec<_> = faults::found_by(fault).iter().map(|check| format!("`{check}`")).collect();
        page.push_str(&format!(
            "| `{}` | {} | {vendors} | {} |\n",
            fault.name,
            fault.summary.replace('|', "\\|"),
            checks.join(" ")
        ));
    }
    page.push_str(&format!("\n{} faults, {pairs} pairs of fault and vendor.\n", FAULTS.len()));
    page
}
