//! What the formats for people and for continuous integration have in common: which findings fail the run, which of them
//! are shown in full, and the facts of a finding in words.
//!
//! May use `text` and the data of a report. Everything it returns is safe to show on one line, but not escaped for any
//! format; it must not write anything.

use super::text::{clipped, lines, one_line};
use super::{CheckReport, CheckResult, Finding, Report, ShownResponse, VendorReport};

/// The columns that a label takes in [`in_words`].
const LABEL: usize = 10;

/// The longest text from a server or a document that is shown, in characters. The JSON report has all of it.
const MAX_SHOWN_CHARS: usize = 2_000;

/// The longest text in a list.
const MAX_BRIEF_CHARS: usize = 200;

/// How many calls of a finding are shown: those of a burst are alike.
const MAX_STEPS: usize = 20;

/// The longest command line that is shown.
const MAX_COMMAND_BYTES: usize = 4_000;

/// The failed checks with their findings: those that fail the run first, and then the advisory ones.
pub(super) fn findings(report: &Report) -> Vec<(&CheckReport, &Finding)> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let mut found: Vec<_> = checks.filter_map(|check| Some((check, check.finding.as_ref()?))).collect();
    found.sort_by_key(|(check, _)| !check.gates);
    found
}

/// Whether another finding already shows the cause of this one, with at least as much weight.
pub(super) fn is_consequence(report: &Report, check: &CheckReport) -> bool {
    let Some(cause) = &check.cause else { return false };
    let mut others = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let cause = others.find(|other| other.id == *cause && other.finding.is_some());
    cause.is_some_and(|cause| cause.gates || !check.gates)
}

/// The counts behind the verdict: `50 passed, 2 failed, 1 advisory finding, 0 skipped, 0 in error`.
pub(super) fn counts<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> String {
    let (mut passed, mut failed, mut advisory, mut skipped, mut error) = (0, 0, 0, 0, 0);
    for check in checks {
        *match check.result {
            CheckResult::Passed => &mut passed,
            CheckResult::Failed if check.gates => &mut failed,
            CheckResult::Failed => &mut advisory,
            CheckResult::Skipped => &mut skipped,
            CheckResult::Error => &mut error,
        } += 1;
    }
    let findings = if advisory == 1 { "finding" } else { "findings" };
    format!(
        "{passed} passed, {failed} failed, {advisory} advisory {findings}, {skipped} skipped, {error} in error"
    )
}

/// What the run was: requests, duration and seed.
pub(super) fn run_in_words(report: &Report) -> String {
    format!("{} requests in {} s, seed {}", report.requests, seconds(report.duration_ms), report.seed)
}

/// Milliseconds as seconds, with a dot.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// The id of a check without vendor and area.
pub(super) fn short_name<'a>(check: &'a CheckReport, vendor: &VendorReport) -> &'a str {
    let rest = check.id.strip_prefix(vendor.vendor.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let name = rest.and_then(|rest| rest.strip_prefix(check.area.as_str())?.strip_prefix('/'));
    name.unwrap_or(&check.id)
}

/// The document and section that back a check.
pub(super) fn source(check: &CheckReport) -> String {
    shown(&format!("{}: {}", check.citation.document, check.citation.section))
}

/// Where the response differs first, or else what happened.
pub(super) fn difference(finding: &Finding) -> String {
    match finding.differences.first() {
        Some(first) => {
            shown(&format!("{}: expected {}, found {}", first.place, first.expected, first.actual))
        }
        None => shown(&finding.actual),
    }
}

/// The facts of a finding, one per line, with labels: source, expected, actual, and each difference.
pub(super) fn in_words(check: &CheckReport, finding: &Finding) -> String {
    let mut facts = vec![("asserts", shown(&check.statement)), ("source", source(check))];
    let alternatives = finding.expected.lines().map(shown);
    facts.extend(labels("expected").zip(alternatives));
    facts.push(("actual", shown(&finding.actual)));
    let differences = finding.differences.iter().map(|difference| {
        shown(&format!("{}: expected {}, found {}", difference.place, difference.expected, difference.actual))
    });
    facts.extend(labels("differs").zip(differences));
    facts.push(("weight", check.basis.in_words().to_owned()));
    if let Some(cause) = &check.cause {
        facts.push(("cause", format!("probably that of {}", shown(cause))));
    }
    let facts = facts.iter().map(|(label, fact)| format!("{label:<LABEL$}{fact}\n"));
    facts.collect()
}

/// The last calls as command lines, and the response to each as a comment. A command line keeps its line feeds, so that it
/// sends what the suite sent. It is shown whole or not at all: one that ends inside its quotes would run what follows.
pub(super) fn steps(finding: &Finding) -> String {
    let mut text = String::new();
    let earlier = finding.curl.len().saturating_sub(MAX_STEPS);
    if earlier > 0 {
        text.push_str(&format!("# {earlier} earlier calls are left out; the JSON report has them\n"));
    }
    for (index, curl) in finding.curl.iter().enumerate().skip(earlier) {
        match curl.len() {
            ..=MAX_COMMAND_BYTES => text.push_str(&lines(curl)),
            length => text.push_str(&format!("# a command of {length} bytes; the JSON report has it")),
        }
        let response = finding.exchanges.get(index).and_then(|exchange| exchange.response.as_ref());
        let response = response.map_or_else(|| "no response".to_owned(), ShownResponse::line);
        text.push_str(&format!("\n# → {}\n", shown(&response)));
    }
    text
}

/// A text on one line, clipped.
pub(super) fn shown(text: &str) -> String {
    clipped(&one_line(text), MAX_SHOWN_CHARS)
}

/// A text on one line of a list.
pub(super) fn brief(text: &str) -> String {
    clipped(&one_line(text), MAX_BRIEF_CHARS)
}

/// The label of the first fact; those that follow it have none.
fn labels(first: &'static str) -> impl Iterator<Item = &'static str> {
    std::iter::once(first).chain(std::iter::repeat(""))
}
