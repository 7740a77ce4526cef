//! Renders a report for the terminal: each vendor's matrix, the findings, and the verdict in the last line.
//!
//! It always writes colours; the stream removes them where they are not wanted. What a server or a document said is data: no
//! control character of it reaches the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use otp_contract::Source;

use super::facts::{decision, shown, stale, waived};
use super::narrative::{Line, narrative};
use super::text::{one_line, wrapped};
use super::{CheckReport, CheckResult, Finding, Report, Reporter, Stopped, VendorReport, Verdict};
use crate::checks::Area;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const QUIET: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// The format for a terminal.
pub(crate) struct Terminal {
    /// Whether to write the verdict only.
    pub(crate) quiet: bool,
    /// Whether to write a line for each check, and not only for those of the matrix and those that did not pass.
    pub(crate) verbose: bool,
}

impl Reporter for Terminal {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if !self.quiet {
            for vendor in &report.vendors {
                write_vendor(vendor, self.verbose, out)?;
            }
            for vendor in &report.vendors {
                write_findings(vendor, out)?;
            }
            write_hint(report, out)?;
            for vendor in &report.vendors {
                write_untried(vendor, out)?;
            }
            for waiver in &report.stale_waivers {
                write_fact(out, BAD, 0, "", &stale(waiver))?;
            }
        }
        write_verdict(report, self.quiet, out)
    }
}

/// The documented responses that nobody looked at, by the reason.
fn write_untried(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    if vendor.untried.is_empty() {
        return Ok(());
    }
    writeln!(out, "{UNSURE}not tried{UNSURE:#} of what {} documents:", one_line(&vendor.name))?;
    for untried in &vendor.untried {
        write_fact(out, Style::new(), 2, "", &format!("{}: {}", untried.check, one_line(&untried.reason)))?;
    }
    writeln!(out)
}

/// The counts, and in the last line what decides.
fn write_verdict(report: &Report, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = verdict_style(report.verdict);
    if quiet {
        return writeln!(out, "{style}{}{style:#}: {}", report.verdict.as_str(), decision(report));
    }
    match report.stopped {
        None => {}
        Some(Stopped::Signal) => {
            writeln!(out, "{UNSURE}stopped{UNSURE:#} by a signal; the other checks have not run")?;
        }
        Some(Stopped::FailFast) => {
            writeln!(out, "{UNSURE}stopped{UNSURE:#} by --fail-fast; the other checks have not run")?;
        }
    }
    let summary = &report.summary;
    let ran: usize = report.vendors.iter().map(|vendor| vendor.checks.len()).sum();
    let selection = match ran < report.available {
        true => format!("{ran} of {} checks: ", report.available),
        false => String::new(),
    };
    writeln!(
        out,
        "{selection}{} passed, {} failed, {} skipped, {} in error",
        summary.passed,
        summary.failed - summary.advisory,
        summary.skipped,
        summary.error
    )?;
    writeln!(
        out,
        "{} requests in {:.2} s, seed {}",
        report.requests,
        seconds(report.duration_ms),
        report.seed
    )?;
    writeln!(out, "{style}{}{style:#}: {}", report.verdict.as_str(), decision(report))
}

#[expect(clippy::cast_precision_loss, reason = "a run does not take 2^53 milliseconds")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

fn write_vendor(vendor: &VendorReport, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let style = verdict_style(vendor.verdict);
    let calls: Vec<_> = vendor
        .operations
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let calls = wrapped(&one_line(&calls.join(", ")), WIDTH - 2);
    writeln!(
        out,
        "{STRONG}{}{STRONG:#}  {style}{}{style:#}",
        one_line(&vendor.name),
        vendor.verdict.as_str()
    )?;
    for line in calls {
        writeln!(out, "  {QUIET}{line}{QUIET:#}")?;
    }
    // One line per matrix check. In the other areas, passed checks are counted and the rest have a line each.
    let mut passed: Vec<(&str, usize)> = Vec::new();
    for check in &vendor.checks {
        if verbose || check.area == Area::Matrix || check.result != CheckResult::Passed {
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
        for (index, line) in wrapped(&areas.join(", "), WIDTH - 8).into_iter().enumerate() {
            let word = if index == 0 { "pass" } else { "" };
            writeln!(out, "  {GOOD}{word:<6}{GOOD:#}{line}")?;
        }
    }
    write_common_errors(vendor, out)?;
    let unused: Vec<_> = vendor
        .cells
        .iter()
        .filter(|cell| cell.alternative && cell.seen == 0)
        .map(|cell| cell.cell.as_str())
        .collect();
    if !unused.is_empty() {
        let text = format!("also allowed, but not used by this server: {}", unused.join(", "));
        write_fact(out, QUIET, 2, "", &one_line(&text))?;
    }
    writeln!(out)
}

fn write_check(check: &CheckReport, vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let style = match check.result {
        CheckResult::Passed => GOOD,
        CheckResult::Failed if check.gates => BAD,
        CheckResult::Failed | CheckResult::Skipped => UNSURE,
        CheckResult::Known => QUIET,
        CheckResult::Error => BAD,
    };
    let word = check.result.short(check.gates);
    let name = check.id.split_once('/').map_or(check.id.as_str(), |(_, name)| name);
    let name = name.strip_prefix("matrix/").unwrap_or(name);
    let start = format!("{name:<28} {:<8} {:<10}", statuses(check, vendor), check.basis.as_str());
    let room = WIDTH.saturating_sub(2 + 6 + start.chars().count() + 1);
    writeln!(
        out,
        "  {style}{word:<6}{style:#}{start} {QUIET}{}{QUIET:#}",
        shortened(&cited(&check.citation), room)
    )?;
    if let Some(reason) = waived(check) {
        write_fact(out, QUIET, 8, "", &reason)?;
    }
    match &check.reason {
        Some(reason) if !is_common(vendor, check) => write_fact(out, UNSURE, 8, "", &one_line(reason)),
        _ => Ok(()),
    }
}

/// The HTTP status of the response, and beside a wrong one the status that the contract has.
fn statuses(check: &CheckReport, vendor: &VendorReport) -> String {
    let Some(finding) = &check.finding else {
        let cell = |name: &String| vendor.cells.iter().find(|cell| cell.cell == *name);
        let mut statuses: Vec<_> =
            check.given.iter().filter_map(cell).map(|cell| cell.status.as_str()).collect();
        statuses.dedup();
        return statuses.join(" ");
    };
    let Some(response) = finding.last_response().filter(|_| check.area == Area::Matrix) else {
        return String::new();
    };
    let mut differences = finding.differences.iter();
    match differences.find(|difference| difference.place == "status") {
        Some(status) => format!("{}≠{}", response.status, status.expected),
        None => response.status.to_string(),
    }
}

/// The section that backs a check. A bare number would not say of which document.
fn cited(source: &Source) -> String {
    let Source { document, section } = source;
    let text = match section.chars().next() {
        Some(first) if first == '§' || section.split(',').next().is_some_and(|word| word.contains('.')) => {
            format!("{document} {section}")
        }
        Some(first) if first.is_ascii_digit() => format!("{section}, {document}"),
        _ => section.clone(),
    };
    one_line(&text)
}

/// The beginning of a text that has no more room than this.
fn shortened(text: &str, room: usize) -> String {
    match text.chars().count() > room {
        true => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
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
            let text = format!("of {} checks: {}", same.count() + 1, one_line(reason));
            write_fact(out, UNSURE, 8, "error", &text)?;
        }
    }
    Ok(())
}

/// The findings for a vendor: the causes in full, and the names of the other checks that failed. The JSON report has
/// every finding in full.
fn write_findings(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    let failed = vendor.checks.iter().filter(|check| check.result == CheckResult::Failed);
    let found = failed.filter_map(|check| Some((check, check.finding.as_ref()?)));
    let mut shown: Vec<_> = found.filter(|(check, _)| check.cause.is_none()).collect();
    // What fails the run comes first, and then what is read fastest.
    shown.sort_by_key(|(check, _)| (!check.gates, check.calls()));
    for (check, finding) in &shown {
        write_finding(check, finding, vendor, out)?;
    }
    Ok(())
}

/// How to see more of the findings, or to see them again.
fn write_hint(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let checks = || report.vendors.iter().flat_map(|vendor| &vendor.checks);
    if !checks().any(|check| check.result == CheckResult::Failed) {
        return Ok(());
    }
    let mut hint = "with --report json=PATH, `otp-conformance replay PATH [CHECK-ID]` judges findings again, and prints a shell \
                    script for each with --script"
        .to_owned();
    if checks().any(|check| check.cause.is_some()) {
        hint.push_str("; the report has all findings in full");
    }
    write_fact(out, QUIET, 0, "", &hint)?;
    writeln!(out)
}

fn write_finding(
    check: &CheckReport,
    finding: &Finding,
    vendor: &VendorReport,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (style, word) = if check.gates { (BAD, "FAIL") } else { (UNSURE, "WARN") };
    let title = format!("{}: {}", check.id, check.statement);
    let mut lines = wrapped(&title, WIDTH - 5).into_iter();
    writeln!(out, "{style}{word}{style:#} {STRONG}{}{STRONG:#}", lines.next().unwrap_or_default())?;
    for line in lines {
        writeln!(out, "     {STRONG}{line}{STRONG:#}")?;
    }
    let plain = Style::new();
    let Source { document, section } = &check.citation;
    write_fact(out, plain, LABEL, "source", &shown(&format!("{document}: {section}")))?;
    if !check.gates {
        write_fact(out, plain, LABEL, "advisory", check.basis.in_words())?;
    }
    for (index, line) in finding.expected.lines().enumerate() {
        write_fact(out, plain, LABEL, if index == 0 { "expected" } else { "" }, &shown(line))?;
    }
    write_fact(out, style, LABEL, "actual", &shown(&finding.actual))?;
    for (index, difference) in finding.differences.iter().enumerate() {
        let text =
            format!("{}: expected {}, found {}", difference.place, difference.expected, difference.actual);
        write_fact(out, plain, LABEL, if index == 0 { "differs" } else { "" }, &shown(&text))?;
    }
    for (index, line) in narrative(finding).into_iter().enumerate() {
        let label = if index == 0 { "steps" } else { "" };
        match line {
            Line::Control(text) => write_fact(out, QUIET, LABEL, label, &format!("control: {text}"))?,
            Line::Request(_, text) => write_fact(out, plain, LABEL, label, &text)?,
            Line::Response(text) => write_fact(out, QUIET, LABEL, label, &format!("→ {text}"))?,
        }
    }
    if !check.also.is_empty() {
        let others = vendor.checks.iter().filter(|other| check.also.contains(&other.id));
        let names: Vec<_> = others.map(|other| other.id.as_str()).collect();
        write_fact(out, style, LABEL, "also", &names.join(", "))?;
    }
    writeln!(out)
}

/// The columns of a terminal.
const WIDTH: usize = 80;

/// The column at which the facts of a finding start.
const LABEL: usize = 12;

/// Writes a fact beside its label, on as many lines as it needs.
fn write_fact(out: &mut dyn Write, style: Style, column: usize, label: &str, text: &str) -> io::Result<()> {
    for (index, line) in wrapped(text, WIDTH - column).into_iter().enumerate() {
        let label = if index == 0 && !label.is_empty() { format!("  {label}") } else { String::new() };
        writeln!(out, "{label:<column$}{style}{line}{style:#}")?;
    }
    Ok(())
}

fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Conformant => GOOD,
        Verdict::Nonconformant => BAD,
        Verdict::Inconclusive | Verdict::Partial => UNSURE,
    }
}
