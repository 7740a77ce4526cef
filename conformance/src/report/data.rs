//! The data of a report, serialised as `otp-conformance/report/1`. Members that are not serialised carry what other
//! formats show besides.

use otp_contract::{Contract, Role, Source};
use serde::Serialize;

use super::{Finding, ShownExchange};
use crate::checks::{Area, Tier};
use crate::oracle::Basis;

/// The name of the report's shape.
pub const SCHEMA: &str = "otp-conformance/report/1";

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The version of the suite.
    pub suite: &'static str,
    /// The seed from which every choice follows.
    pub seed: u64,
    /// Whether baseline checks fail the run.
    pub strict: bool,
    /// How long the run took.
    pub duration_ms: u64,
    /// How many requests the suite sent, those to the control included.
    pub requests: u64,
    /// The addresses of the subject.
    pub targets: Vec<String>,
    /// The verdict over all vendors.
    pub verdict: Verdict,
    /// The result for each vendor.
    pub vendors: Vec<VendorReport>,
    /// How many checks had each result.
    pub summary: Summary,
    /// How many checks there are without a selection.
    #[serde(skip)]
    pub available: usize,
}

/// The result for one vendor.
#[derive(Debug, Clone, Serialize)]
pub struct VendorReport {
    /// The vendor's id.
    pub vendor: String,
    /// The vendor's name for people.
    #[serde(skip)]
    pub name: String,
    /// The operations that were checked.
    #[serde(skip)]
    pub operations: Vec<OperationReport>,
    /// The verdict.
    pub verdict: Verdict,
    /// Every selected check.
    pub checks: Vec<CheckReport>,
    /// Every cell of the contract, and how often the subject gave it.
    pub cells: Vec<CellReport>,
}

/// An operation that was checked.
#[derive(Debug, Clone)]
pub struct OperationReport {
    /// What the call is for.
    pub role: Role,
    /// The HTTP method.
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
}

impl OperationReport {
    /// The operations of a contract.
    pub(crate) fn all(contract: &Contract) -> Vec<OperationReport> {
        let operations = contract.operations().iter();
        operations
            .map(|operation| OperationReport {
                role: operation.role,
                method: operation.method.clone(),
                path: operation.path.to_string(),
            })
            .collect()
    }
}

/// The result of one check.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: String,
    /// The area.
    #[serde(skip)]
    pub area: Area,
    /// Its tier. The tier of a failed check is that of its finding.
    pub tier: Tier,
    /// Why a failure fails the run or does not: what backs the check, or what the finding contradicts.
    pub basis: Basis,
    /// The result.
    pub result: CheckResult,
    /// What it asserts.
    pub statement: String,
    /// The document and section that back it.
    pub citation: Source,
    /// How many requests it sent to the subject.
    pub requests: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// The cells that the subject gave.
    pub given: Vec<String>,
    /// Why it was skipped, or ended in an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A remark on a check that passed, such as in how many bursts no race was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// The check whose finding shows the cause best, if that is another check: one defect fails many checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The other checks that probably failed for the same cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Every exchange with the subject, if the run kept them.
    #[serde(skip)]
    pub transcript: Vec<ShownExchange>,
}

/// Links the failed checks of a vendor to their probable cause. One defect fails checks in several areas. The failed
/// matrix checks show it best, each for itself; if none failed, the first failed check does. The rest are consequences.
pub(crate) fn link_causes(checks: &mut [CheckReport]) {
    let failed: Vec<_> =
        checks.iter().filter(|check| check.finding.is_some()).map(|check| &check.id).collect();
    // The matrix comes first in the list of checks.
    let in_matrix =
        checks.iter().filter(|check| check.finding.is_some() && check.area == Area::Matrix).count();
    let shown = in_matrix.max(1).min(failed.len());
    let rest: Vec<String> = failed[shown..].iter().map(|id| (*id).clone()).collect();
    let Some(first) = failed.first().map(|id| (*id).clone()) else { return };
    for check in checks {
        if rest.contains(&check.id) {
            check.cause = Some(first.clone());
        } else if check.id == first {
            check.also.clone_from(&rest);
        }
    }
}

/// A cell, and how often the subject gave it.
#[derive(Debug, Clone, Serialize)]
pub struct CellReport {
    /// The cell's name.
    pub cell: String,
    /// Its outcome.
    pub outcome: &'static str,
    /// Its HTTP status or range.
    pub status: String,
    /// How certain it is that the vendor responds like this.
    pub certainty: &'static str,
    /// Whether this is another allowed response and not the usual one.
    pub alternative: bool,
    /// How many responses were this cell.
    pub seen: u64,
    /// One line for people.
    #[serde(skip)]
    pub summary: String,
    /// The documented body; `None` if the document does not specify one.
    #[serde(skip)]
    pub body: Option<serde_json::Value>,
    /// The document and section that state it.
    #[serde(skip)]
    pub source: Source,
}

impl CellReport {
    /// Every cell of a contract, with the number of times that `checks` saw it.
    pub(crate) fn all(contract: &Contract, checks: &[CheckReport]) -> Vec<CellReport> {
        let cells = contract.operations().iter().flat_map(|operation| &operation.cells);
        cells
            .map(|cell| {
                let given = checks.iter().flat_map(|check| &check.given).filter(|name| **name == cell.name);
                CellReport {
                    cell: cell.name.clone(),
                    outcome: cell.outcome.as_str(),
                    status: cell.status.to_string(),
                    certainty: cell.certainty.as_str(),
                    alternative: cell.alternative,
                    seen: given.count() as u64,
                    summary: cell.summary.clone(),
                    body: cell.body_specified.then(|| cell.body.clone()),
                    source: cell.source.clone(),
                }
            })
            .collect()
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    /// The subject conforms.
    Passed,
    /// It does not.
    Failed,
    /// The check cannot run against this subject.
    Skipped,
    /// The set-up or the suite failed, so there is no verdict.
    Error,
}

/// The verdict over one vendor or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one check ran, and every check that can fail the run passed.
    Conformant,
    /// A check that can fail the run failed.
    Nonconformant,
    /// No check failed the run, but one ended in an error, or none ran.
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

    /// The verdict that follows from these results.
    pub(crate) fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>, strict: bool) -> Verdict {
        let mut ran = false;
        let mut failed = false;
        let mut error = false;
        for check in checks {
            let gates = strict || check.tier == Tier::Contract;
            match check.result {
                CheckResult::Passed => ran = true,
                CheckResult::Failed => {
                    ran = true;
                    failed |= gates;
                }
                CheckResult::Error => error = true,
                CheckResult::Skipped => {}
            }
        }
        match (failed, ran && !error) {
            (true, _) => Verdict::Nonconformant,
            (false, true) => Verdict::Conformant,
            (false, false) => Verdict::Inconclusive,
        }
    }
}

/// How many checks had each result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
    /// Ended in an error.
    pub error: u64,
}

impl Summary {
    /// Counts the results.
    pub(crate) fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> Summary {
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
