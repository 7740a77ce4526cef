//! Renders a report for the terminal: each vendor's matrix, the findings, and the verdict in the last line.
//!
//! It always writes colours; the stream removes them where they are not wanted. What a server or a document said is data: no
//! control character of it reaches the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use otp_contract::Source;

use super::text::one_line;
use super::{
    CheckReport, CheckResult, Finding, Report, Reporter, ShownResponse, Stopped, VendorReport, Verdict,
};
use crate::checks::Area;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// The format for a terminal.
pub(crate) struct Terminal {
    /// Whether to write the last line only.
    pub(crate) quiet: bool,
}

impl Reporter for Terminal {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if !self.quiet {
            for vendor in &report.vendors {
                write_vendor(vendor, out)?;
            }
            for vendor in &report.vendors {
                write_findings(vendor, out)?;
            }
            for vendor in &report.vendors {
                write_untried(vendor, out)?;
            }
        }
        write_verdict(report, out)
    }
}

/// The documented responses that nobody looked at, by the reason.
fn write_untried(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    if vendor.untried.is_empty() {
        return Ok(());
    }
    writeln!(out, "{UNSURE}not tried{UNSURE:#} of what {} documents:", one_line(&vendor.name))?;
    for untried in &vendor.untried {
        writeln!(out, "  {}: {}", untried.check, one_line(&untried.reason))?;
    }
    writeln!(out)
}

fn write_verdict(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    match report.stopped {
        None => {}
        Some(Stopped::Signal) => {
            writeln!(out, "{UNSURE}stopped{UNSURE:#} by a signal; the other checks have not run")?;
        }
        Some(Stopped::FailFast) => {
            writeln!(out, "{UNSURE}stopped{UNSURE:#} by --fail-fast; the other checks have not run")?;
        }
    }
    let style = verdict_style(report.verdict);
    let summary = &report.summary;
    let ran: usize = report.vendors.iter().map(|vendor| vendor.checks.len()).sum();
    let selection = match ran < report.available {
        true => format!("of {ran} of {} checks, ", report.available),
        false => String::new(),
    };
    let advisory = match summary.advisory {
        0 => String::new(),
        count => format!("{count} advisory, "),
    };
    writeln!(
        out,
        "{style}{}{style:#}: {}{} passed, {} failed, {advisory}{} skipped, {} in error; {} requests in {:.2} s, seed {}",
        report.verdict.as_str(),
        selection,
        summary.passed,
        summary.failed - summary.advisory,
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

fn write_vendor(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let style = verdict_style(vendor.verdict);
    let calls: Vec<_> = vendor
        .operations
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    writeln!(
        out,
        "{STRONG}{}{STRONG:#}  {}  {style}{}{style:#}",
        vendor.name,
        calls.join(", "),
        vendor.verdict.as_str(),
    )?;
    // One line per matrix check. In the other areas, passed checks are counted and the rest have a line each.
    let mut passed: Vec<(&str, usize)> = Vec::new();
    for check in &vendor.checks {
        if check.area == Area::Matrix || check.result != CheckResult::Passed {
            write_check(check, vendor, out)?;
            continue;
        }
        let area = check.area.as_str();
        match passed.iter_mut().find(|(known, _)| *known == area) {
            Some((_, count)) => *count += 1,
            None => passed.push((area, 1)),
        }
    }
    if !passed.is_empty() {
        let areas: Vec<_> = passed.iter().map(|(area, count)| format!("{area} {count}")).collect();
        writeln!(out, "  {GOOD}pass  {GOOD:#}{}", areas.join(", "))?;
    }
    write_common_errors(vendor, out)?;
    let unused: Vec<_> = vendor
        .cells
        .iter()
        .filter(|cell| cell.alternative && cell.seen == 0)
        .map(|cell| cell.cell.as_str())
        .collect();
    if !unused.is_empty() {
        writeln!(out, "  {QUIET}also allowed, but not used by this server: {}{QUIET:#}", unused.join(", "))?;
    }
    writeln!(out)
}

fn write_check(check: &CheckReport, vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let (style, word) = match check.result {
        CheckResult::Passed => (GOOD, "pass"),
        CheckResult::Failed if check.gates => (BAD, "FAIL"),
        CheckResult::Failed => (UNSURE, "warn"),
        CheckResult::Skipped => (UNSURE, "skip"),
        CheckResult::Error => (BAD, "error"),
    };
    let name = check.id.split_once('/').map_or(check.id.as_str(), |(_, name)| name);
    let name = name.strip_prefix("matrix/").unwrap_or(name);
    let cell = |name: &String| vendor.cells.iter().find(|cell| cell.cell == *name);
    let given: Vec<_> = check.given.iter().filter_map(cell).collect();
    let mut statuses: Vec<_> = given.iter().map(|cell| cell.status.as_str()).collect();
    statuses.dedup();
    let certainty = check.basis.as_str();
    writeln!(
        out,
        "  {style}{word:<6}{style:#}{name:<29}{:<5}{certainty:<12}{QUIET}{}{QUIET:#}",
        statuses.join(" "),
        one_line(&check.citation.section),
    )?;
    match &check.reason {
        Some(reason) if !is_common(vendor, check) => {
            writeln!(out, "        {UNSURE}{}{UNSURE:#}", one_line(reason))
        }
        _ => Ok(()),
    }
}

/// From how many checks on a reason for which they are in error is shown once for all of them.
const COMMON: usize = 4;

/// The checks that are in error for the same reason as this one.
fn in_same_error<'v>(
    vendor: &'v VendorReport,
    check: &'v CheckReport,
) -> impl Iterator<Item = &'v CheckReport> {
    let is_same = |other: &&CheckReport| other.result == CheckResult::Error && other.reason == check.reason;
    vendor.checks.iter().filter(is_same)
}

fn is_common(vendor: &VendorReport, check: &CheckReport) -> bool {
    check.result == CheckResult::Error && in_same_error(vendor, check).count() >= COMMON
}

/// What many checks are in error for: a limit on calls, for example, is one trouble and not one of each check.
fn write_common_errors(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    for check in vendor.checks.iter().filter(|check| is_common(vendor, check)) {
        let mut same = in_same_error(vendor, check);
        let is_first = same.next().is_some_and(|first| first.id == check.id);
        if let (true, Some(reason)) = (is_first, &check.reason) {
            writeln!(
                out,
                "  {BAD}error{BAD:#} {UNSURE}of {} checks: {}{UNSURE:#}",
                same.count() + 1,
                one_line(reason)
            )?;
        }
    }
    Ok(())
}

/// The findings for a vendor: the causes in full, and the names of the other checks that failed. The JSON report has
/// every finding in full.
fn write_findings(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let found = vendor.checks.iter().filter_map(|check| Some((check, check.finding.as_ref()?)));
    let mut shown: Vec<_> = found.filter(|(check, _)| check.cause.is_none()).collect();
    // What fails the run comes first.
    shown.sort_by_key(|(check, _)| !check.gates);
    for (check, finding) in &shown {
        write_finding(check, finding, out)?;
    }
    let hidden: Vec<_> = vendor.checks.iter().filter(|check| check.cause.is_some()).collect();
    for (gates, style, word) in [(true, BAD, "FAIL"), (false, UNSURE, "WARN")] {
        let also: Vec<_> =
            hidden.iter().filter(|check| check.gates == gates).map(|check| check.id.as_str()).collect();
        if !also.is_empty() {
            writeln!(out, "{style}{word}{style:#} also {}", also.join(", "))?;
        }
    }
    if !hidden.is_empty() {
        writeln!(
            out,
            "  {QUIET}to see one of them in full, select it with --only or write --report json=PATH{QUIET:#}"
        )?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_finding(check: &CheckReport, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let (style, word) = if check.gates { (BAD, "FAIL") } else { (UNSURE, "WARN") };
    writeln!(out, "{style}{word}{style:#} {STRONG}{}{STRONG:#}: {}", check.id, check.statement)?;
    let Source { document, section } = &check.citation;
    writeln!(out, "  source    {}: {}", one_line(document), one_line(section))?;
    if !check.gates {
        writeln!(out, "  advisory  {}", check.basis.in_words())?;
    }
    for (index, line) in finding.expected.lines().enumerate() {
        writeln!(out, "  {:<10}{}", if index == 0 { "expected" } else { "" }, one_line(line))?;
    }
    writeln!(out, "  actual    {style}{}{style:#}", one_line(&finding.actual))?;
    for (index, difference) in finding.differences.iter().enumerate() {
        writeln!(
            out,
            "  {:<10}{}: expected {}, found {}",
            if index == 0 { "differs" } else { "" },
            one_line(&difference.place),
            one_line(&difference.expected),
            one_line(&difference.actual),
        )?;
    }
    for (index, (exchange, curl)) in finding.exchanges.iter().zip(&finding.curl).enumerate() {
        writeln!(out, "  {:<10}{}", if index == 0 { "exchange" } else { "" }, one_line(curl))?;
        let response =
            exchange.response.as_ref().map_or_else(|| "no response".to_owned(), ShownResponse::line);
        writeln!(out, "  {:<10}{QUIET}→ {}{QUIET:#}", "", one_line(&response))?;
    }
    writeln!(out)
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Conformant => GOOD,
        Verdict::Nonconformant => BAD,
        Verdict::Inconclusive | Verdict::Partial => UNSURE,
    }
}
