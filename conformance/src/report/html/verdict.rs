//! What decides the run, in sentences: the first and the last words of the page.
//!
//! May use `badge` for the words of results. It must never decide anything: the verdict is that of the report.

use maud::{Markup, html};

use super::badge::{Shown, verdict_class};
use super::plain::{count, inline};
use crate::report::facts::{run_in_words, shown};
use crate::report::{CheckReport, Report, Stopped, Verdict};

/// The verdict and why, in one line.
pub(super) fn line(report: &Report) -> Markup {
    html! {
        strong class={ "verdict " (verdict_class(report.verdict)) } { (report.verdict.as_str()) }
        ": " (decision(report)) " "
        @if let Some(advisory) = advisory(report) { (advisory) " " }
        @if let Some(stopped) = stopped(report) { (stopped) }
    }
}

/// Verdict, the reasons, and what the run was.
pub(super) fn summary(report: &Report) -> Markup {
    let untried: Vec<_> = report.vendors.iter().flat_map(|vendor| &vendor.untried).collect();
    html! {
        div class={ "decision " (verdict_class(report.verdict)) } {
            p.lead { (decision(report)) }
            @if let Some(advisory) = advisory(report) { p { (advisory) } }
            @if let Some(stopped) = stopped(report) { p { strong { (stopped) } } }
            @if let Some(selection) = selection(report) { p { (selection) } }
            @if !untried.is_empty() {
                p { "Nobody looked at these documented responses:" }
                ul.untried {
                    @for untried in untried {
                        li { code { (inline(&untried.check)) } ": " (inline(&untried.reason)) }
                    }
                }
            }
        }
        dl.facts {
            dt { @if report.targets.len() == 1 { "Target" } @else { "Targets" } }
            @for target in &report.targets {
                dd { code { (inline(target)) } }
            }
            dt { "Run" }
            dd { (run_in_words(report)) }
            dt { "Weight" }
            dd {
                @if report.strict { "strict: advisory findings fail the run as well" }
                @else { "what only a standard or an inference backs is advisory" }
            }
            dt { "Suite" }
            dd { (report.suite) }
        }
    }
}

fn checks(report: &Report) -> impl Iterator<Item = &CheckReport> {
    report.vendors.iter().flat_map(|vendor| &vendor.checks)
}

fn number_of(report: &Report, shown: Shown) -> usize {
    checks(report).filter(|check| Shown::of(check) == shown).count()
}

/// Why the verdict is what it is.
fn decision(report: &Report) -> String {
    let untried = report.vendors.iter().map(|vendor| vendor.untried.len()).sum();
    let errors = checks(report).filter(|check| Shown::of(check) == Shown::Error && check.gates).count();
    if let Some(problem) = &report.preflight.problem {
        return format!("No check ran: {}", shown(problem));
    }
    match report.verdict {
        Verdict::Conformant => "Every check that can fail the run passed.".to_owned(),
        Verdict::Nonconformant => match number_of(report, Shown::Failed) {
            0 => "A waiver is stale.".to_owned(),
            1 => "1 failed check fails the run.".to_owned(),
            failed => format!("{failed} failed checks fail the run."),
        },
        Verdict::Inconclusive if errors > 0 => format!(
            "No check failed the run, but {} that can fail it ended in an error.",
            count(errors, "check", "checks")
        ),
        Verdict::Inconclusive => "No check that can fail the run has a result.".to_owned(),
        Verdict::Partial => format!(
            "No check failed the run, but {} could not be tried.",
            count(untried, "documented response", "documented responses")
        ),
    }
}

/// What does not decide.
fn advisory(report: &Report) -> Option<String> {
    match number_of(report, Shown::Advisory) {
        0 => None,
        1 => Some("1 advisory finding does not fail the run.".to_owned()),
        advisory => Some(format!("{advisory} advisory findings do not fail the run.")),
    }
}

fn stopped(report: &Report) -> Option<&'static str> {
    report.stopped.map(|stopped| match stopped {
        Stopped::Signal => "The run was stopped by a signal; the other checks have not run.",
        Stopped::FailFast => "The run was stopped by --fail-fast; the other checks have not run.",
    })
}

/// How much of the suite ran, if not all of it.
fn selection(report: &Report) -> Option<String> {
    let ran = checks(report).count();
    (ran < report.available).then(|| format!("{ran} of {} checks ran.", report.available))
}
