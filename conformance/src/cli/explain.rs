//! `explain`: what a check asserts, what backs it, and what it accepts.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use otp_contract::{Contract, Statement};
use otp_sandbox::FAULTS;

use super::checks::{accepted_cells, sentences, untestable};
use super::subject::contracts;
use crate::checks::{Area, checks, current_id};
use crate::error::Failure;
use crate::faults;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The check's id, such as exotel/matrix/expired, or matrix/expired for every vendor
    id: String,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
    /// Name the faults of the sandbox that the check can find
    #[arg(long, value_parser = BoolishValueParser::new())]
    verbose: bool,
}

pub(super) fn run(arguments: &Arguments, err: &mut dyn Write) -> Result<String, Failure> {
    let requested = &arguments.id;
    let current = current_id(requested);
    if let Some(current) = &current {
        let _ = writeln!(err, "note: `{requested}` is now called `{current}`");
    }
    let id = current.as_deref().unwrap_or(requested);
    let vendor = id.split('/').next().unwrap_or_default();
    // An id as reports print it has no vendor, but starts with an area.
    let is_without_vendor = Area::ALL.iter().any(|area| area.as_str() == vendor);
    let vendors = if is_without_vendor { Vec::new() } else { vec![vendor.to_owned()] };
    let contracts = contracts(&vendors, &arguments.contract)?;
    let explained: Vec<String> = contracts
        .iter()
        .filter_map(|contract| match is_without_vendor {
            true => explain(contract, &format!("{}/{id}", contract.vendor), arguments.verbose),
            false => explain(contract, id, arguments.verbose),
        })
        .collect();
    if explained.is_empty() {
        let list =
            vendors.iter().fold("otp-conformance checks".to_owned(), |list, vendor| list + " " + vendor);
        let problem = format!("there is no check `{id}`; `{list}` lists the existing ones");
        return Err(Failure::Option { option: "explain", problem });
    }
    Ok(explained.join("\n"))
}

/// The explanation of the check with this id; `None` if the contract has no such check.
fn explain(contract: &Contract, id: &str, verbose: bool) -> Option<String> {
    if let Some(sentence) = untestable(contract).into_iter().find(|sentence| sentence.id == id) {
        let Statement { text, source, .. } = sentence.statement;
        return Some(format!(
            "{id}\n  source    {}: {}: {text}\n  no check  {}\n",
            source.document, source.section, sentence.reason
        ));
    }
    let check = checks(contract).into_iter().find(|check| check.id == id)?;
    let weight = check.basis.in_words();
    let mut text =
        format!("{id}\n  asserts   {}\n  tier      {}: {weight}\n", check.statement, check.tier().as_str());
    text.push_str(&format!(
        "  source    {}: {} ({})\n",
        check.citation.document,
        check.citation.section,
        check.certainty().as_str()
    ));
    if let Some((document, section)) = check.standard() {
        text.push_str(&format!("  also      {document}: {section}\n"));
    }
    for sentence in sentences(contract, &check) {
        text.push_str(&format!("  quote     {sentence}\n"));
    }
    for (index, cell) in accepted_cells(contract, &check).into_iter().enumerate() {
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
        .filter(|fault| faults::applies(fault, contract) && faults::can_find(id, fault))
        .map(|fault| fault.name)
        .collect();
    if verbose && !faults.is_empty() {
        text.push_str(&format!("  may find  {}\n", faults.join(", ")));
    }
    Some(text)
}
