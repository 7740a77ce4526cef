//! The report as Markdown, for the summary page of a CI job: verdict and counts, each vendor's matrix, and the findings,
//! those that fail the run first.
//!
//! Text from a server or a document stands in a fenced block, whose fence is longer than every run of backticks in it, or on
//! a line that starts with our own words, with everything that Markdown and HTML know replaced by entities.
//!
//! May use `facts` and `text`. It must never let such a text begin a line outside a fenced block.

use std::io::{self, Write};

use super::facts::{
    brief, counts, difference, findings, in_words, is_consequence, known, run_in_words, short_name, shown,
    stale, steps,
};
use super::{CheckReport, CheckResult, Finding, Report, Reporter, VendorReport};
use crate::checks::Area;

/// How many bytes of findings are shown in full; the others are listed. GitHub refuses a summary of more than one MiB.
const MAX_FINDINGS_BYTES: usize = 300 * 1_024;

/// The Markdown format.
pub(super) struct Markdown;

impl Reporter for Markdown {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let checks = || report.vendors.iter().flat_map(|vendor| &vendor.checks);
        writeln!(out, "# OTP conformance: {}\n", report.verdict.as_str())?;
        writeln!(out, "{}; {}\n", counts(checks()), run_in_words(report))?;
        if let Some(problem) = &report.preflight.problem {
            writeln!(out, "No check ran: {}\n", escaped(problem))?;
        }
        for vendor in &report.vendors {
            write_vendor(vendor, out)?;
        }
        let (failing, advisory): (Vec<_>, Vec<_>) =
            findings(report).into_iter().partition(|(check, _)| check.gates);
        let mut room = MAX_FINDINGS_BYTES;
        write_findings("Findings that fail the run", report, &failing, &mut room, out)?;
        write_findings("Advisory findings", report, &advisory, &mut room, out)?;
        write_list("Stale waivers", report.stale_waivers.iter().map(|waiver| escaped(&stale(waiver))), out)?;
        let known = known(report).into_iter();
        let known = known.map(|(check, reason)| format!("{}: {}", code(&check.id), escaped(&brief(&reason))));
        write_list("Known findings", known, out)?;
        write_without_result("Checks in error", CheckResult::Error, report, out)?;
        write_without_result("Skipped checks", CheckResult::Skipped, report, out)
    }
}

fn write_vendor(vendor: &VendorReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}: {}\n", escaped(&vendor.name), vendor.verdict.as_str())?;
    for operation in &vendor.operations {
        writeln!(out, "- {}", code(&format!("{} {}", operation.method, operation.path)))?;
    }
    writeln!(out)?;
    let matrix = || vendor.checks.iter().filter(|check| check.area == Area::Matrix);
    if matrix().next().is_some() {
        writeln!(out, "| result | situation | outcome | HTTP | certainty | source |")?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for check in matrix() {
            write_row(vendor, check, out)?;
        }
        writeln!(out)?;
    }
    let others = || vendor.checks.iter().filter(|check| check.area != Area::Matrix);
    if others().next().is_some() {
        writeln!(out, "Other areas: {}\n", counts(others()))?;
    }
    Ok(())
}

/// A row of the matrix. Outcome and HTTP status are those of the documented responses that the server gave. If it gave
/// another one, the status is the one it sent.
fn write_row(vendor: &VendorReport, check: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let cell = |name: &String| vendor.cells.iter().find(|cell| cell.cell == *name);
    let given: Vec<_> = check.given.iter().filter_map(cell).collect();
    let mut outcomes: Vec<_> = given.iter().map(|cell| cell.outcome.to_owned()).collect();
    outcomes.dedup();
    let mut statuses: Vec<_> = given.iter().map(|cell| cell.status.clone()).collect();
    statuses.dedup();
    if let Some(finding) = &check.finding {
        statuses = finding.last_response().map(|response| response.status.to_string()).into_iter().collect();
        outcomes = vec!["unexpected".to_owned()];
    }
    let result = match check.result {
        CheckResult::Passed => "pass",
        CheckResult::Failed if check.gates => "**FAIL**",
        CheckResult::Failed => "advisory",
        CheckResult::Known => "known",
        CheckResult::Skipped => "skipped",
        CheckResult::Error => "**error**",
    };
    writeln!(
        out,
        "| {result} | {} | {} | {} | {} | {} |",
        code(short_name(check, vendor)),
        escaped(&outcomes.join(", ")),
        escaped(&statuses.join(", ")),
        check.basis.as_str(),
        escaped(&brief(&check.citation.section)),
    )
}

fn write_findings(
    title: &str,
    report: &Report,
    findings: &[(&CheckReport, &Finding)],
    room: &mut usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "## {title}\n")?;
    let mut others = Vec::new();
    for (check, finding) in findings {
        let text = in_full(check, finding);
        match room.checked_sub(text.len()) {
            Some(left) if !is_consequence(report, check) => {
                *room = left;
                out.write_all(text.as_bytes())?;
            }
            _ => others.push((check, finding)),
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    if others.len() < findings.len() {
        writeln!(out, "Other findings, most of them probably with the same cause:\n")?;
    }
    for (check, finding) in others {
        writeln!(out, "- {}: {}", code(&check.id), escaped(&brief(&difference(finding))))?;
    }
    writeln!(out)
}

fn in_full(check: &CheckReport, finding: &Finding) -> String {
    let facts = fenced("text", &in_words(check, finding));
    let steps = steps(finding);
    let steps = if steps.is_empty() { String::new() } else { fenced("sh", &steps) };
    format!("### {}: {}\n\n{facts}{steps}", code(&check.id), escaped(&brief(&check.statement)))
}

fn write_list(title: &str, items: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let items: Vec<_> = items.map(|item| format!("- {item}\n")).collect();
    match items.is_empty() {
        true => Ok(()),
        false => writeln!(out, "## {title}\n\n{}", items.concat()),
    }
}

fn write_without_result(
    title: &str,
    result: CheckResult,
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let checks: Vec<_> = checks.filter(|check| check.result == result).collect();
    if checks.is_empty() {
        return Ok(());
    }
    writeln!(out, "## {title}\n")?;
    for check in checks {
        let reason = check.reason.as_deref().unwrap_or_default();
        writeln!(out, "- {}: {}", code(&check.id), escaped(&brief(reason)))?;
    }
    writeln!(out)
}

/// A fenced block that nothing in `text` can close.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end())
}

/// `text` in the font of code. A table cell cannot contain every text between backticks.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// `text` on one line, clipped, without anything that Markdown or HTML know.
fn escaped(text: &str) -> String {
    let text = shown(text);
    let mut escaped = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let next = rest.clone().next().unwrap_or(' ');
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Inside a word, it has no meaning.
            '_' if previous.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '~' | '^' | '[' | ']' | '|' | '#' | '$' | '@' => {
                escaped.push_str(&format!("&#{};", u32::from(character)));
            }
            _ => escaped.push(character),
        }
        previous = character;
    }
    // GitHub makes links of addresses.
    escaped.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_every_run_of_backticks() {
        assert_eq!(fenced("sh", "a\n"), "```sh\na\n```\n\n");
        assert_eq!(fenced("text", "a ````\n````` b"), "``````text\na ````\n````` b\n``````\n\n");
    }

    #[test]
    fn what_markdown_and_html_know_becomes_entities() {
        assert_eq!(
            escaped("a|b `c` <script>&\r\n _d_e [f](http://g) \u{1b}"),
            "a&#124;b &#96;c&#96; &lt;script&gt;&amp;&#92;r&#92;n &#95;d_e &#91;f&#93;(http&#58;//g) &#92;u001b"
        );
    }
}
