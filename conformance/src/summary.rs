//! The report for a terminal: every vendor's matrix with verdicts, what is wrong in full, and one last line that says it
//! all. Colour is written always and taken out by the stream where it is not wanted.

use std::io::{self, Write};
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use otp_contract::Contract;

use crate::check::Area;
use crate::finding::{Finding, ShownResponse};
use crate::report::{CheckReport, CheckResult, Report, VendorReport, Verdict};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Writes the report; only its last line where `quiet`. `whole` is how many checks there are without a selection.
pub(crate) fn render(
    report: &Report,
    contracts: &[Arc<Contract>],
    whole: usize,
    quiet: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !quiet {
        for vendor in &report.vendors {
            if let Some(contract) = contracts.iter().find(|contract| contract.vendor == vendor.vendor) {
                render_vendor(vendor, contract, out)?;
            }
        }
        for vendor in &report.vendors {
            render_findings(vendor, out)?;
        }
    }
    let style = verdict_style(report.verdict);
    let summary = &report.summary;
    let made: usize = report.vendors.iter().map(|vendor| vendor.checks.len()).sum();
    let selection = if made < whole { format!("of {made} of {whole} checks, ") } else { String::new() };
    writeln!(
        out,
        "{style}{}{style:#}: {}{} passed, {} failed, {} skipped, {} in error; {} requests in {:.2} s, seed {}",
        report.verdict.as_str(),
        selection,
        summary.passed,
        summary.failed,
        summary.skipped,
        summary.error,
        report.requests,
        seconds(report.duration_ms),
        report.seed,
    )
}

#[expect(clippy::cast_precision_loss, reason = "a run does not take 2^53 milliseconds")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

fn render_vendor(vendor: &VendorReport, contract: &Contract, out: &mut dyn Write) -> io::Result<()> {
    let style = verdict_style(vendor.verdict);
    let operation = &contract.verify();
    writeln!(
        out,
        "{STRONG}{}{STRONG:#}  {} {}  {style}{}{style:#}",
        contract.name,
        operation.method,
        operation.path,
        vendor.verdict.as_str(),
    )?;
    // The matrix row by row; of the other areas what passed in one line each, and what did not in full.
    let mut passed: Vec<(&str, usize)> = Vec::new();
    for check in &vendor.checks {
        let area = check.id.split('/').nth(1).unwrap_or_default();
        if area == Area::Matrix.as_str() || check.result != CheckResult::Passed {
            render_check(check, contract, out)?;
            continue;
        }
        match passed.iter_mut().find(|(known, _)| *known == area) {
            Some((_, count)) => *count += 1,
            None => passed.push((area, 1)),
        }
    }
    if !passed.is_empty() {
        let areas: Vec<_> = passed.iter().map(|(area, count)| format!("{area} {count}")).collect();
        writeln!(out, "  {GOOD}pass  {GOOD:#}{}", areas.join(", "))?;
    }
    let unseen: Vec<_> = vendor
        .cells
        .iter()
        .filter(|cell| cell.alternative && cell.seen == 0)
        .map(|cell| cell.cell.as_str())
        .collect();
    if !unseen.is_empty() {
        writeln!(out, "  {QUIET}also allowed, and not given here: {}{QUIET:#}", unseen.join(", "))?;
    }
    writeln!(out)
}

fn render_check(check: &CheckReport, contract: &Contract, out: &mut dyn Write) -> io::Result<()> {
    let (style, word) = match check.result {
        CheckResult::Passed => (GOOD, "pass"),
        CheckResult::Failed => (BAD, "FAIL"),
        CheckResult::Skipped => (UNSURE, "skip"),
        CheckResult::Error => (BAD, "error"),
    };
    let name = check.id.split_once('/').map_or(check.id.as_str(), |(_, name)| name);
    let name = name.strip_prefix("matrix/").unwrap_or(name);
    let given: Vec<_> = check.given.iter().filter_map(|name| contract.verify().cell(name)).collect();
    let mut statuses: Vec<_> = given.iter().map(|cell| cell.status.to_string()).collect();
    statuses.dedup();
    let certainty = given.first().map_or("", |cell| cell.certainty.as_str());
    writeln!(
        out,
        "  {style}{word:<6}{style:#}{name:<29}{:<5}{certainty:<12}{QUIET}{}{QUIET:#}",
        statuses.join(" "),
        check.citation.section,
    )?;
    if let Some(reason) = &check.reason {
        writeln!(out, "        {UNSURE}{reason}{UNSURE:#}")?;
    }
    Ok(())
}

/// What is wrong with a vendor: each cause in full, and the checks that it broke as well by name. The JSON report has
/// every finding in full.
fn render_findings(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let found = vendor.checks.iter().filter_map(|check| Some((check, check.finding.as_ref()?)));
    let mut also = Vec::new();
    for (check, finding) in found.filter(|(check, _)| check.cause.is_none()) {
        render_finding(check, finding, out)?;
        also.extend(check.also.iter().map(String::as_str));
    }
    if !also.is_empty() {
        writeln!(out, "{BAD}FAIL{BAD:#} also {}", also.join(", "))?;
        writeln!(out, "  {QUIET}--only one of them, or --report json=PATH, tells each in full{QUIET:#}")?;
        writeln!(out)?;
    }
    Ok(())
}

fn render_finding(check: &CheckReport, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BAD}FAIL{BAD:#} {STRONG}{}{STRONG:#}: {}", check.id, check.statement)?;
    writeln!(out, "  says      {}: {}", check.citation.document, check.citation.section)?;
    for (index, line) in finding.expected.lines().enumerate() {
        writeln!(out, "  {:<10}{line}", if index == 0 { "expected" } else { "" })?;
    }
    writeln!(out, "  actual    {BAD}{}{BAD:#}", finding.actual)?;
    for (index, difference) in finding.differences.iter().enumerate() {
        writeln!(
            out,
            "  {:<10}{}: expected {}, found {}",
            if index == 0 { "differs" } else { "" },
            difference.place,
            difference.expected,
            difference.actual,
        )?;
    }
    for (index, (exchange, curl)) in finding.exchanges.iter().zip(&finding.curl).enumerate() {
        writeln!(out, "  {:<10}{curl}", if index == 0 { "exchange" } else { "" })?;
        let answer = exchange.response.as_ref().map_or_else(|| "no answer".to_owned(), ShownResponse::line);
        writeln!(out, "  {:<10}{QUIET}→ {answer}{QUIET:#}", "")?;
    }
    writeln!(out)
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Conformant => GOOD,
        Verdict::Nonconformant => BAD,
        Verdict::Inconclusive => UNSURE,
    }
}
