//! Reads a JSON report that a run wrote earlier, of this version of the suite or of a former one: only the members that a
//! comparison or a replay needs.
//!
//! May use `text` and the former ids of checks. It must accept members that it does not know, and refuse values that it
//! does not know: a result that it misread would make a comparison wrong.

use serde::{Deserialize, Serialize};

use super::Setup;
use super::text::one_line;
use crate::checks::current_id;

/// What the names of all shapes of a report start with.
const SCHEMA_PREFIX: &str = "otp-conformance/report/";

/// The shapes that can be read.
const VERSIONS: [&str; 2] = ["1", "2"];

/// A report.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SavedReport {
    pub(super) verdict: SavedVerdict,
    #[serde(default)]
    pub(crate) strict: bool,
    #[serde(default)]
    pub(crate) seed: u64,
    #[serde(default)]
    pub(crate) targets: Vec<String>,
    #[serde(default)]
    pub(crate) setup: Setup,
    pub(crate) vendors: Vec<SavedVendor>,
}

/// The result for one vendor.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SavedVendor {
    pub(crate) vendor: String,
    pub(super) verdict: SavedVerdict,
    pub(crate) checks: Vec<SavedCheck>,
}

/// A verdict, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SavedVerdict {
    Conformant,
    Partial,
    Inconclusive,
    Nonconformant,
}

impl SavedVerdict {
    /// The word in reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SavedVerdict::Conformant => "conformant",
            SavedVerdict::Partial => "partial",
            SavedVerdict::Inconclusive => "inconclusive",
            SavedVerdict::Nonconformant => "nonconformant",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SavedCheck {
    /// The id of today.
    pub(crate) id: String,
    result: SavedResult,
    /// Version 1 has none.
    gates: Option<bool>,
    tier: Option<SavedTier>,
    pub(crate) finding: Option<SavedFinding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedResult {
    Passed,
    Failed,
    Skipped,
    Error,
    Known,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SavedTier {
    Contract,
    Baseline,
}

/// Why a check failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct SavedFinding {
    /// What is allowed.
    #[serde(default)]
    pub(crate) expected: String,
    /// What happened.
    #[serde(default)]
    pub(crate) actual: String,
    /// Where the two differ.
    #[serde(default)]
    pub(crate) differences: Vec<SavedDifference>,
    /// The shell script that repeats it.
    #[serde(default, skip_serializing)]
    pub(crate) script: Option<String>,
}

/// A place where a response differs from the closest documented one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct SavedDifference {
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

/// The result of a check with its weight, or that there is no such check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    Absent,
    Passed,
    /// A failure that a waiver names.
    Known,
    Skipped,
    Error,
    /// A failure that does not fail the run.
    Advisory,
    /// A failure that does.
    Failed,
}

impl Standing {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Absent => "absent",
            Standing::Passed => "passed",
            Standing::Known => "known",
            Standing::Skipped => "skipped",
            Standing::Error => "error",
            Standing::Advisory => "advisory",
            Standing::Failed => "failed",
        }
    }
}

impl SavedCheck {
    /// Whether it has a finding, known or not.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.result, SavedResult::Failed | SavedResult::Known)
    }

    /// The result and its weight.
    pub(super) fn standing(&self, report: &SavedReport) -> Standing {
        let gates = self.gates.unwrap_or(report.strict || self.tier != Some(SavedTier::Baseline));
        match self.result {
            SavedResult::Passed => Standing::Passed,
            SavedResult::Known => Standing::Known,
            SavedResult::Skipped => Standing::Skipped,
            SavedResult::Error => Standing::Error,
            SavedResult::Failed if gates => Standing::Failed,
            SavedResult::Failed => Standing::Advisory,
        }
    }
}

impl SavedReport {
    /// Reads a report; what is wrong with it, if it is none.
    pub(crate) fn read(text: &str) -> Result<SavedReport, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: Option<String>,
        }
        let invalid = |error: serde_json::Error| one_line(&error.to_string());
        let head: Head =
            serde_json::from_str(text).map_err(|error| format!("is no JSON report: {}", invalid(error)))?;
        let version = head.schema.as_deref().and_then(|schema| schema.strip_prefix(SCHEMA_PREFIX));
        if !version.is_some_and(|version| VERSIONS.contains(&version)) {
            let found = head.schema.map_or("no `schema`".to_owned(), |schema| {
                format!("the schema `{}`", super::text::clipped(&one_line(&schema), 100))
            });
            return Err(format!(
                "has {found}, and not {SCHEMA_PREFIX}{}; write it with `check --report json=PATH`",
                VERSIONS.join(" or ")
            ));
        }
        let mut report: SavedReport = serde_json::from_str(text).map_err(invalid)?;
        for check in report.vendors.iter_mut().flat_map(|vendor| &mut vendor.checks) {
            if let Some(current) = current_id(&check.id) {
                check.id = current;
            }
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(schema: &str, check: &str) -> String {
        format!(
            "{{\"schema\": \"otp-conformance/report/{schema}\", \"verdict\": \"conformant\", \"more\": [], \"vendors\": \
             [{{\"vendor\": \"d7\", \"verdict\": \"conformant\", \"checks\": [{check}]}}]}}"
        )
    }

    fn standing(schema: &str, check: &str) -> Standing {
        let report = SavedReport::read(&report(schema, check)).unwrap();
        report.vendors[0].checks[0].standing(&report)
    }

    #[test]
    fn the_weight_of_a_failure_comes_from_gates_or_from_the_tier_of_a_former_version() {
        let check =
            |members: &str| format!("{{\"id\": \"d7/request/size\", \"result\": \"failed\", {members}}}");
        for (schema, members, expected) in [
            ("2", "\"gates\": true, \"tier\": \"baseline\"", Standing::Failed),
            ("2", "\"gates\": false, \"tier\": \"contract\"", Standing::Advisory),
            ("1", "\"tier\": \"contract\"", Standing::Failed),
            ("1", "\"tier\": \"baseline\"", Standing::Advisory),
        ] {
            assert_eq!(standing(schema, &check(members)), expected, "{members}");
        }
    }

    #[test]
    fn a_former_id_is_read_as_the_current_one() {
        let check = "{\"id\": \"d7/request/pieces\", \"result\": \"passed\"}";
        let report = SavedReport::read(&report("1", check)).unwrap();
        assert_eq!(report.vendors[0].checks[0].id, "d7/request/fragmented-body");
    }

    #[test]
    fn what_is_no_report_is_explained() {
        let error = |text: &str| SavedReport::read(text).unwrap_err();
        assert!(error("").starts_with("is no JSON report: EOF"));
        assert!(error("[]").starts_with("is no JSON report: "));
        assert!(
            error("{}").starts_with("has no `schema`, and not otp-conformance/report/1 or 2; write it with")
        );
        assert!(error("{\"schema\": \"x\\u001b\"}").starts_with("has the schema `x\\u001b`, and not"));
        assert!(error(&report("3", "")).contains("otp-conformance/report/3"));
        let unknown = error(&report("2", "{\"id\": \"d7/a/b\", \"result\": \"fine\\u001b\"}"));
        assert!(
            unknown.starts_with("unknown variant `fine\\u001b`") && unknown.contains("line 1"),
            "{unknown}"
        );
    }
}
