//! What the formats for people and for continuous integration have in common: which findings fail the run, which of them
//! are shown in full, and the facts of a finding in words.
//!
//! May use `text` and the data of a report. Everything it returns is safe to show on one line, but not escaped for any
//! format; it must not write anything.

use super::narrative::{Line, narrative};
use super::text::{clipped, lines, one_line};
use super::{CheckReport, CheckResult, Finding, Report, StaleWaiver, VendorReport, Verdict};
use crate::http::LIMITS_CALLS;

/// The columns that a label takes in [`in_words`].
const LABEL: usize = 10;

/// The longest text from a server or a document that is shown, in characters. The JSON report has all of it.
const MAX_SHOWN_CHARS: usize = 2_000;

/// The longest text in a list.
const MAX_BRIEF_CHARS: usize = 200;

/// The longest command line that is shown.
const MAX_COMMAND_BYTES: usize = 4_000;

/// The failed checks with their findings: those that fail the run first, and then the advisory ones.
pub(super) fn findings(report: &Report) -> Vec<(&CheckReport, &Finding)> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    let failed = checks.filter(|check| check.result == CheckResult::Failed);
    let mut found: Vec<_> = failed.filter_map(|check| Some((check, check.finding.as_ref()?))).collect();
    found.sort_by_key(|(check, _)| (!check.gates, check.cause.is_some(), check.calls()));
    found
}

/// The checks whose findings are known, each with why.
pub(super) fn known(report: &Report) -> Vec<(&CheckReport, String)> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter_map(|check| Some((check, waived(check)?))).collect()
}

/// Why a finding does not fail the run, if a waiver says so.
pub(super) fn waived(check: &CheckReport) -> Option<String> {
    let waiver = check.waiver.as_ref()?;
    let until = waiver.until.as_ref().map(|until| format!(" (until {until})")).unwrap_or_default();
    Some(shown(&format!("{}{until}", waiver.reason)))
}

/// A waiver that is of no use any more, in words.
pub(super) fn stale(waiver: &StaleWaiver) -> String {
    shown(&format!(
        "the waiver of {} is stale: {} (its reason: {})",
        waiver.check, waiver.problem, waiver.reason
    ))
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
    let (mut passed, mut failed, mut advisory, mut known, mut skipped, mut error) = (0, 0, 0, 0, 0, 0);
    for check in checks {
        *match check.result {
            CheckResult::Passed => &mut passed,
            CheckResult::Failed if check.gates => &mut failed,
            CheckResult::Failed => &mut advisory,
            CheckResult::Known => &mut known,
            CheckResult::Skipped => &mut skipped,
            CheckResult::Error => &mut error,
        } += 1;
    }
    let findings = if advisory == 1 { "finding" } else { "findings" };
    let known = if known == 0 { String::new() } else { format!("{known} known, ") };
    format!(
        "{passed} passed, {failed} failed, {advisory} advisory {findings}, {known}{skipped} skipped, {error} in error"
    )
}

/// What decides the verdict, and in parentheses what does not.
pub(super) fn decision(report: &Report) -> String {
    let checks: Vec<_> = report.vendors.iter().flat_map(|vendor| &vendor.checks).collect();
    let count = |holds: &dyn Fn(&CheckReport) -> bool| checks.iter().filter(|check| holds(check)).count();
    let failed = count(&|check| check.result == CheckResult::Failed && check.gates);
    let causes = count(&|check| check.result == CheckResult::Failed && check.gates && check.cause.is_none());
    let in_error = count(&|check| check.result == CheckResult::Error && check.gates);
    let is_limited =
        |check: &CheckReport| check.reason.as_ref().is_some_and(|reason| reason.contains(LIMITS_CALLS));
    let limited = count(&|check| check.result == CheckResult::Error && check.gates && is_limited(check));
    let untried: usize = report.vendors.iter().map(|vendor| vendor.untried.len()).sum();
    if let Some(problem) = &report.preflight.problem {
        return shown(problem);
    }
    let decides = match report.verdict {
        Verdict::Nonconformant if failed == 0 => "a waiver is stale".to_owned(),
        Verdict::Nonconformant if causes < failed => {
            format!(
                "{} the run, of {}",
                plural(failed, "check fails", "checks fail"),
                plural(causes, "cause", "causes")
            )
        }
        Verdict::Nonconformant => format!("{} the run", plural(failed, "check fails", "checks fail")),
        Verdict::Inconclusive if in_error > 0 && in_error == limited => format!(
            "{LIMITS_CALLS}, so {} ended in an error; --rate keeps below a limit",
            plural(in_error, "check", "checks")
        ),
        Verdict::Inconclusive if in_error > 0 => {
            format!("{} ended in an error", plural(in_error, "check", "checks"))
        }
        Verdict::Inconclusive => "no check could run".to_owned(),
        Verdict::Partial if untried > 0 => {
            format!("{} could not be tried", plural(untried, "documented response", "documented responses"))
        }
        Verdict::Partial if report.stopped.is_none() => {
            let skipped = count(&|check| check.result == CheckResult::Skipped && check.gates);
            format!("{} for want of fixtures", plural(skipped, "check could not run", "checks could not run"))
        }
        Verdict::Partial => "the run was stopped before its end".to_owned(),
        Verdict::Conformant => "no check fails the run".to_owned(),
    };
    let mut asides = Vec::new();
    let advisory = count(&CheckReport::is_advisory);
    if advisory > 0 {
        asides.push(plural(advisory, "advisory finding", "advisory findings"));
    }
    let known = count(&|check| check.result == CheckResult::Known);
    if known > 0 {
        asides.push(format!("{known} known"));
    }
    match asides.is_empty() {
        true => decides,
        false => format!("{decides} ({})", asides.join(", ")),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
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

/// The steps: the calls as command lines, and the responses and what the control did as comments. A command line keeps its line feeds, so that it
/// sends what the suite sent. It is shown whole or not at all: one that ends inside its quotes would run what follows.
pub(super) fn steps(finding: &Finding) -> String {
    let mut text = String::new();
    for line in narrative(finding) {
        match line {
            Line::Control(step) => text.push_str(&format!("# control: {step}\n")),
            Line::Response(response) => text.push_str(&format!("# → {response}\n")),
            Line::Request(index, _) => {
                let curl = finding.curl.get(index).map_or("", String::as_str);
                match curl.len() {
                    ..=MAX_COMMAND_BYTES => text.push_str(&lines(curl)),
                    length => {
                        text.push_str(&format!("# a command of {length} bytes; the JSON report has it"));
                    }
                }
                text.push('\n');
            }
        }
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
