//! The data of a report, serialised as `otp-conformance/report/2`. Members that are not serialised carry what other
//! formats show besides.

use std::path::PathBuf;

use otp_contract::{Contract, Role, Source};
use serde::{Deserialize, Serialize};

use super::{Finding, ShownExchange, ShownStep};
use crate::checks::{Area, Tier};
use crate::oracle::{Basis, Observation};

/// The name of the report's shape.
pub const SCHEMA: &str = "otp-conformance/report/2";

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
    /// What else a replay needs, if a program ran the suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
    /// What came before the first check.
    pub preflight: Preflight,
    /// The verdict over all vendors.
    pub verdict: Verdict,
    /// Whether something was left out: a documented response could not be tried, or the run ended early.
    pub partial: bool,
    /// The waivers that are of no use any more. Any of them fails the run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stale_waivers: Vec<StaleWaiver>,
    /// Why the run ended before all its checks had, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// The result for each vendor.
    pub vendors: Vec<VendorReport>,
    /// How many checks had each result.
    pub summary: Summary,
    /// How many checks there are without a selection.
    #[serde(skip)]
    pub available: usize,
}

impl Report {
    /// The report of a run without checks, because of this problem.
    pub(crate) fn without_checks(seed: u64, strict: bool, targets: Vec<String>, problem: String) -> Report {
        Report {
            schema: SCHEMA,
            suite: env!("CARGO_PKG_VERSION"),
            seed,
            strict,
            duration_ms: 0,
            requests: 0,
            targets,
            setup: None,
            preflight: Preflight { latency_us: None, problem: Some(problem) },
            verdict: Verdict::Inconclusive,
            partial: true,
            stale_waivers: Vec::new(),
            stopped: None,
            vendors: Vec::new(),
            summary: Summary::default(),
            available: 0,
        }
    }
}

/// How a run was set up, for `replay`. It has no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// Whether the subject was the sandbox that the program starts.
    pub embedded: bool,
    /// The address of the control, if it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The documents of APIs that are not built in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contracts: Vec<PathBuf>,
    /// The faults of the embedded sandbox.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The responses that the embedded sandbox preferred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<String>,
    /// How many random walks ran for each vendor.
    pub cases: u32,
}

/// What came before the first check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// How long a response took when nothing else happened, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// Why no check ran, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A waiver that is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleWaiver {
    /// The checks that it names.
    pub check: String,
    /// Why it was given.
    pub reason: String,
    /// Why it is of no use any more.
    pub problem: String,
}

/// Why a finding does not fail the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownFinding {
    /// The reason that the waiver gives.
    pub reason: String,
    /// The last day on which it holds, such as `2027-03-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Why a run ended before all its checks had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// A signal, such as that of Ctrl-C.
    Signal,
    /// As many checks had failed as `--fail-fast` allows.
    FailFast,
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
    /// The documented responses that the run could not try, because the subject's control does not offer what that needs.
    pub untried: Vec<Untried>,
    /// Every selected check.
    pub checks: Vec<CheckReport>,
    /// Every cell of the contract, and how often the subject gave it.
    pub cells: Vec<CellReport>,
}

/// A documented response that a run could not try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Untried {
    /// The check that would have tried it.
    pub check: String,
    /// Why it did not.
    pub reason: String,
}

impl Untried {
    /// The documented responses that the skipped checks among these would have tried.
    pub(crate) fn all(checks: &[CheckReport]) -> Vec<Untried> {
        let untried = checks.iter().filter(|check| check.leaves_untried());
        untried
            .map(|check| Untried {
                check: check.id.clone(),
                reason: check.reason.clone().unwrap_or_default(),
            })
            .collect()
    }
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
    pub area: Area,
    /// Its tier. The tier of a failed check is that of its finding.
    pub tier: Tier,
    /// Why a failure fails the run or does not: what backs the check, or what the finding contradicts.
    pub basis: Basis,
    /// Whether a failure of this check fails the run: by its basis, or because the run is strict.
    pub gates: bool,
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
    /// The waiver of a known finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<KnownFinding>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// What was wrong, for finding the checks that failed for the same cause.
    #[serde(skip)]
    pub(crate) observation: Option<Observation>,
    /// The check whose finding shows the cause best, if that is another check: one defect fails many checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The other checks that probably failed for the same cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Every exchange with the subject, if the run kept them.
    #[serde(rename = "exchanges", skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<ShownExchange>,
}

impl CheckReport {
    /// Whether the check failed without failing the run.
    pub fn is_advisory(&self) -> bool {
        self.result == CheckResult::Failed && !self.gates
    }

    /// How long its finding takes to read: the number of its calls, with every burst as long as any other, and longer than a
    /// sequence of calls that shows the same.
    pub(super) fn calls(&self) -> usize {
        const BURST: usize = 100;
        let length = |step: &ShownStep| match step {
            ShownStep::Call { .. } | ShownStep::Disconnect { .. } => 1,
            ShownStep::Burst { .. } => BURST,
            ShownStep::Tenant { .. } | ShownStep::Session { .. } | ShownStep::Age { .. } => 0,
        };
        self.finding.as_ref().map_or(0, |finding| finding.steps.iter().map(length).sum())
    }

    /// The HTTP status of the response that failed it.
    pub(crate) fn last_status(&self) -> Option<u16> {
        self.finding.as_ref()?.last_response().map(|response| response.status)
    }

    /// Whether the check was to try a documented response and could not.
    fn leaves_untried(&self) -> bool {
        self.area == Area::Matrix && self.result == CheckResult::Skipped && self.basis == Basis::Documented
    }
}

/// Links the failed checks of a vendor to the one that shows their cause best: those whose responses were wrong in the same
/// way. Of these, one that fails the run comes before an advisory one, and then the one with the fewest calls, in the
/// matrix if it is there. What is
/// advisory never stands for what fails the run.
pub(crate) fn link_causes(checks: &mut [CheckReport]) {
    // Checks that name one situation make the groups, and those that leave several possible join them.
    let is_failed = |index: &usize| checks[*index].result == CheckResult::Failed;
    let mut failed: Vec<usize> = (0..checks.len()).filter(is_failed).collect();
    failed.sort_by_key(|index| checks[*index].observation.as_ref().map_or(0, Observation::breadth));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in failed {
        let has_same_cause = |group: &&mut Vec<usize>| {
            let (one, other) = (&checks[index], &checks[group[0]]);
            let same_area = one.area == other.area;
            let observations = one.observation.as_ref().zip(other.observation.as_ref());
            observations.is_some_and(|(one, other)| one.has_cause_of(other, same_area))
        };
        match groups.iter_mut().find(has_same_cause) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    for mut group in groups {
        group.sort_by_key(|index| {
            let check = &checks[*index];
            (!check.gates, check.calls(), check.area != Area::Matrix, *index)
        });
        let shown = group.remove(0);
        group.sort_unstable();
        let cause = checks[shown].id.clone();
        checks[shown].also = group.iter().map(|index| checks[*index].id.clone()).collect();
        for index in group {
            checks[index].cause = Some(cause.clone());
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
    /// It does not, and a waiver says that this is known.
    Known,
    /// The check cannot run against this subject.
    Skipped,
    /// The set-up or the suite failed, so there is no verdict.
    Error,
}

impl CheckResult {
    /// The word in a list on a terminal, of at most five letters; `fails` says whether a failure fails the run.
    pub(crate) fn short(self, fails: bool) -> &'static str {
        match self {
            CheckResult::Passed => "pass",
            CheckResult::Failed if fails => "FAIL",
            CheckResult::Failed => "warn",
            CheckResult::Known => "known",
            CheckResult::Skipped => "skip",
            CheckResult::Error => "error",
        }
    }
}

/// The verdict over one vendor or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one check ran, and every check that can fail the run passed.
    Conformant,
    /// A check that can fail the run failed.
    Nonconformant,
    /// No check failed the run, but one that can fail it ended in an error, or none ran.
    Inconclusive,
    /// No check failed the run, but a documented response could not be tried.
    Partial,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Conformant => "conformant",
            Verdict::Nonconformant => "nonconformant",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Partial => "partial",
        }
    }

    /// The verdict that follows from these results.
    pub(crate) fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> Verdict {
        let (mut ran, mut failed, mut error, mut untried) = (false, false, false, false);
        for check in checks {
            match check.result {
                CheckResult::Passed | CheckResult::Known => ran = true,
                CheckResult::Failed => {
                    ran = true;
                    failed |= check.gates;
                }
                // What only advice depends on does not decide.
                CheckResult::Error => error |= check.gates,
                CheckResult::Skipped => untried |= check.leaves_untried(),
            }
        }
        match (failed, ran && !error, untried) {
            (true, ..) => Verdict::Nonconformant,
            (false, false, _) => Verdict::Inconclusive,
            (false, true, true) => Verdict::Partial,
            (false, true, false) => Verdict::Conformant,
        }
    }

    /// The worst of these verdicts.
    pub(crate) fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        let verdicts: Vec<_> = verdicts.into_iter().collect();
        [Verdict::Nonconformant, Verdict::Inconclusive, Verdict::Partial]
            .into_iter()
            .find(|worst| verdicts.contains(worst))
            .unwrap_or(Verdict::Conformant)
    }
}

/// How many checks had each result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Passed.
    pub passed: u64,
    /// Failed, the advisory ones included.
    pub failed: u64,
    /// Failed without failing the run.
    pub advisory: u64,
    /// Failed, and a waiver says that this is known.
    pub known: u64,
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
            summary.advisory += u64::from(check.is_advisory());
            *match check.result {
                CheckResult::Passed => &mut summary.passed,
                CheckResult::Failed => &mut summary.failed,
                CheckResult::Known => &mut summary.known,
                CheckResult::Skipped => &mut summary.skipped,
                CheckResult::Error => &mut summary.error,
            } += 1;
        }
        summary
    }
}
