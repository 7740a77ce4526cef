//! The result of a check as a reader sees it: one word and one colour for each.
//!
//! May use the data of a report. Every other part of the page takes words and classes of results from here.

use maud::{Markup, html};

use crate::report::{CheckReport, CheckResult, Verdict};

/// A result, with what fails the run apart from what does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Failed,
    Error,
    Advisory,
    Known,
    Skipped,
    Passed,
}

impl Shown {
    /// Every result, the most urgent first.
    pub(super) const ALL: [Shown; 6] =
        [Shown::Failed, Shown::Error, Shown::Advisory, Shown::Known, Shown::Skipped, Shown::Passed];

    /// The result of a check.
    pub(super) fn of(check: &CheckReport) -> Shown {
        match check.result {
            CheckResult::Failed if check.gates => Shown::Failed,
            CheckResult::Failed => Shown::Advisory,
            CheckResult::Known => Shown::Known,
            CheckResult::Error => Shown::Error,
            CheckResult::Skipped => Shown::Skipped,
            CheckResult::Passed => Shown::Passed,
        }
    }

    /// The word, which is also the class of the style sheet.
    pub(super) fn word(self) -> &'static str {
        match self {
            Shown::Failed => "failed",
            Shown::Error => "error",
            Shown::Advisory => "advisory",
            Shown::Known => "known",
            Shown::Skipped => "skipped",
            Shown::Passed => "passed",
        }
    }
}

/// The word for a result, in its colour.
pub(super) fn badge(shown: Shown) -> Markup {
    html! { span class={ "badge " (shown.word()) } { (shown.word()) } }
}

/// How many checks had each result: one badge for each result that occurs.
pub(super) fn counts<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> Markup {
    let results: Vec<_> = checks.into_iter().map(Shown::of).collect();
    let count = |shown| results.iter().filter(|result| **result == shown).count();
    html! {
        span.counts {
            @for shown in Shown::ALL.into_iter().filter(|shown| count(*shown) > 0) {
                span class={ "badge " (shown.word()) } { (count(shown)) " " (shown.word()) } " "
            }
        }
    }
}

/// The class of a verdict.
pub(super) fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conformant => "passed",
        Verdict::Nonconformant => "failed",
        Verdict::Inconclusive => "error",
        Verdict::Partial => "skipped",
    }
}
