//! The report: plain data, serialised as `otp-conformance/report/1`. Rendering it for people is done elsewhere.

use otp_contract::Source;
use serde::Serialize;

use crate::check::{Area, Tier};
use crate::finding::{Finding, ShownExchange};

/// The name of the report's shape.
pub const SCHEMA: &str = "otp-conformance/report/1";

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the suite.
    pub suite: &'static str,
    /// The seed from which every choice follows.
    pub seed: u64,
    /// Whether baseline checks gate.
    pub strict: bool,
    /// How long the run took.
    pub duration_ms: u64,
    /// How many requests were sent, those to the control included.
    pub requests: u64,
    /// The addresses that were checked.
    pub targets: Vec<String>,
    /// The verdict over all vendors.
    pub verdict: Verdict,
    /// What was found of each vendor.
    pub vendors: Vec<VendorReport>,
    /// How many checks ended how.
    pub summary: Summary,
}

/// What was found of one vendor.
#[derive(Debug, Clone, Serialize)]
pub struct VendorReport {
    /// The vendor's id.
    pub vendor: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Every selected check.
    pub checks: Vec<CheckReport>,
    /// Every cell of the contract, and how often it was given.
    pub cells: Vec<CellReport>,
}

/// How one check ended.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: String,
    /// Its tier.
    pub tier: Tier,
    /// How it ended.
    pub result: CheckResult,
    /// What it asserts.
    pub statement: String,
    /// Where the vendor says so.
    pub citation: Source,
    /// How many requests it sent to the subject.
    pub requests: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// The cells that the judged answers were.
    pub given: Vec<String>,
    /// Why it was skipped or ended in error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a check that passed has to add, such as how many bursts no race was observed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// The check whose finding tells best what is wrong, where that is another's: one cause breaks many checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The checks that the same cause is thought to have broken as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Every exchange with the subject, where they were asked for; not part of the report's shape.
    #[serde(skip)]
    pub transcript: Vec<ShownExchange>,
}

/// Ties the failed checks of a vendor together. One defect breaks checks of several areas: those of the matrix tell it
/// best, each for itself, or else the first of the others; the rest is what it broke besides.
pub(crate) fn tie(checks: &mut [CheckReport]) {
    let failed: Vec<_> =
        checks.iter().filter(|check| check.finding.is_some()).map(|check| &check.id).collect();
    let is_matrix = |id: &str| id.split('/').nth(1) == Some(Area::Matrix.as_str());
    // Checks come with the matrix first.
    let told = failed.iter().filter(|id| is_matrix(id)).count().max(1).min(failed.len());
    let rest: Vec<String> = failed[told..].iter().map(|id| (*id).clone()).collect();
    let Some(first) = failed.first().map(|id| (*id).clone()) else { return };
    for check in checks {
        if rest.contains(&check.id) {
            check.cause = Some(first.clone());
        } else if check.id == first {
            check.also.clone_from(&rest);
        }
    }
}

/// One cell, and how often it was given.
#[derive(Debug, Clone, Serialize)]
pub struct CellReport {
    /// The cell's name.
    pub cell: String,
    /// Its outcome.
    pub outcome: &'static str,
    /// Its HTTP status or range.
    pub status: String,
    /// How sure it is that the vendor answers so.
    pub certainty: &'static str,
    /// Whether another cell of the same outcome may be given instead.
    pub alternative: bool,
    /// How many judged answers were this cell.
    pub seen: u64,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// The subject conforms.
    Passed,
    /// It does not.
    Failed,
    /// The check could not be made with this subject.
    Skipped,
    /// The set-up or the suite failed; no verdict.
    Error,
}

/// The verdict over one vendor or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every gating check that was made passed, and one was made.
    Conformant,
    /// A gating check failed.
    Nonconformant,
    /// No gating check failed, and one ended in error or none was made.
    Inconclusive,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Conformant => "conformant",
            Verdict::Nonconformant => "nonconformant",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// The verdict that follows from how checks ended.
    pub fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>, strict: bool) -> Verdict {
        let mut made = false;
        let mut failed = false;
        let mut error = false;
        for check in checks {
            let gates = strict || check.tier == Tier::Contract;
            match check.result {
                CheckResult::Passed => made = true,
                CheckResult::Failed => {
                    made = true;
                    failed |= gates;
                }
                CheckResult::Error => error = true,
                CheckResult::Skipped => {}
            }
        }
        match (failed, made && !error) {
            (true, _) => Verdict::Nonconformant,
            (false, true) => Verdict::Conformant,
            (false, false) => Verdict::Inconclusive,
        }
    }
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
    /// Failed, and waived by the configuration.
    pub known: u64,
    /// Ended in error.
    pub error: u64,
}

impl Summary {
    /// Counts.
    pub fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> Summary {
        let mut summary = Summary::default();
        for check in checks {
            *match check.result {
                CheckResult::Passed => &mut summary.passed,
                CheckResult::Failed => &mut summary.failed,
                CheckResult::Skipped => &mut summary.skipped,
                CheckResult::Error => &mut summary.error,
            } += 1;
        }
        summary
    }
}
