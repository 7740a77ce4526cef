//! `checks`: every check, and the sentences of the documents that no check can test.

use std::path::PathBuf;

use otp_contract::{Cell, Contract, Coverage, Statement};
use serde_json::json;

use super::format::{ListFormat, pretty};
use super::subject::contracts;
use crate::checks::{Check, CheckKind, checks};
use crate::error::Failure;
use crate::oracle::expected_cells;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The vendors; all if none is named
    vendors: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<String, Failure> {
    let contracts = contracts(&arguments.vendors, &arguments.contract)?;
    Ok(match arguments.format {
        ListFormat::Text => as_text(&contracts),
        ListFormat::Json => as_json(&contracts),
    })
}

/// The area that stands in the ids of sentences that no check can test.
const UNTESTABLE: &str = "untestable";

/// A sentence of a document that no check can test.
pub(super) struct UntestableSentence<'c> {
    pub(super) id: String,
    pub(super) statement: &'c Statement,
    pub(super) reason: &'c str,
}

/// The sentences of a document that no check can test, numbered in its order.
pub(super) fn untestable(contract: &Contract) -> Vec<UntestableSentence<'_>> {
    let statements = contract.statements.iter().filter_map(|statement| match &statement.coverage {
        Coverage::Untestable(reason) => Some((statement, reason)),
        Coverage::Situations(_) => None,
    });
    statements
        .zip(1..)
        .map(|((statement, reason), number)| UntestableSentence {
            id: format!("{}/{UNTESTABLE}/{number}", contract.vendor),
            statement,
            reason,
        })
        .collect()
}

/// The sentences of a document that a check tests.
pub(super) fn sentences<'c>(contract: &'c Contract, check: &Check) -> Vec<&'c str> {
    let situation = check.situation();
    let statements = contract.statements.iter().filter(|statement| match &statement.coverage {
        Coverage::Situations(situations) => {
            situation.is_some_and(|situation| situations.contains(&situation))
        }
        Coverage::Untestable(_) => false,
    });
    statements.map(|statement| statement.text.as_str()).collect()
}

/// The documented responses that a check is about.
pub(super) fn accepted_cells<'c>(contract: &'c Contract, check: &Check) -> Vec<&'c Cell> {
    let Some(operation) = contract.operation(check.role) else { return Vec::new() };
    match check.kind {
        CheckKind::Matrix { situation, mode } => expected_cells(operation, situation, mode),
        CheckKind::Probe(_) => match check.situation() {
            Some(situation) => operation.cells.iter().filter(|cell| cell.answers(situation)).collect(),
            None => Vec::new(),
        },
    }
}

fn all(contracts: &[Contract]) -> impl Iterator<Item = (&Contract, Check)> {
    contracts.iter().flat_map(|contract| checks(contract).into_iter().map(move |check| (contract, check)))
}

fn as_text(contracts: &[Contract]) -> String {
    let rows = all(contracts).map(|(_, check)| {
        format!(
            "{:<44}{:<10}{}\n{:54}{}: {} ({})\n",
            check.id,
            check.tier().as_str(),
            check.statement,
            "",
            check.citation.document,
            check.citation.section,
            check.certainty().as_str(),
        )
    });
    let sentences = contracts.iter().flat_map(untestable).map(|sentence| {
        let Statement { text, source, .. } = sentence.statement;
        format!(
            "{:<44}{:<10}{text}\n{:54}{}: {}\n{:54}no check can test it: {}\n",
            sentence.id, "none", "", source.document, source.section, "", sentence.reason
        )
    });
    rows.chain(sentences).collect()
}

fn as_json(contracts: &[Contract]) -> String {
    let rows = all(contracts).map(|(contract, check)| {
        let cells: Vec<_> = accepted_cells(contract, &check).iter().map(|cell| cell.name.as_str()).collect();
        json!({
            "id": check.id,
            "area": check.area.as_str(),
            "tier": check.tier().as_str(),
            "basis": check.basis.as_str(),
            "statement": check.statement,
            "citation": check.citation,
            "certainty": check.certainty().as_str(),
            "cells": cells,
            "statements": sentences(contract, &check),
        })
    });
    let sentences = contracts.iter().flat_map(untestable).map(|sentence| {
        json!({
            "id": sentence.id,
            "area": UNTESTABLE,
            "tier": "none",
            "statement": sentence.statement.text,
            "citation": sentence.statement.source,
            "reason": sentence.reason,
        })
    });
    pretty(rows.chain(sentences).collect())
}
