//! How a shell script recognises the defect of a finding in the responses that it gets.
//!
//! May use the contract and the facts of a deviation. It must not compare anything that is another one in each run, such as
//! an id.

use std::collections::BTreeSet;

use otp_contract::{Contract, Operation};
use serde_json::Value;

use super::script::quote;
use crate::harness::{Deviation, Step, Witness};
use crate::http::RawResponse;
use crate::oracle::{Found, Observation, outcomes};

/// How the defect shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// The last response is as the finding shows it: every one of these shell conditions holds. `{n}` stands for the number
    /// of the last call.
    Last(Vec<String>),
    /// Of the calls of the last burst, more than `most` have this status.
    MoreThan {
        /// The status.
        status: u16,
        /// How many may have it.
        most: usize,
    },
    /// Only a person, or the suite itself, can tell.
    Unknown,
}

impl Sign {
    /// The sign of a deviation.
    pub(super) fn of(contract: &Contract, deviation: &Deviation) -> Sign {
        let operation = contract.verify();
        match deviation.recording.steps.last() {
            Some(Step::Burst(exchanges)) => match &deviation.observation {
                Observation::Meaning { found: Found::Outcomes(found), .. } => {
                    let is_found = |response: &RawResponse| outcomes(operation, response) == *found;
                    let responses = exchanges.iter().map(|exchange| &exchange.response);
                    let found: Vec<_> = responses.filter(|response| is_found(response)).collect();
                    let Some((first, most)) = found.first().zip(deviation.most) else { return Sign::Unknown };
                    Sign::MoreThan { status: first.status, most }
                }
                _ => Sign::Unknown,
            },
            Some(Step::Exchange(exchange)) => {
                Sign::Last(conditions(operation, deviation, &exchange.response))
            }
            _ => Sign::Unknown,
        }
    }
}

/// The shell conditions for a response like this one.
fn conditions(operation: &Operation, deviation: &Deviation, response: &RawResponse) -> Vec<String> {
    let mut conditions = vec![format!("[ \"$(cat \"$DIR/status.{{n}}\")\" = {} ]", response.status)];
    let text = String::from_utf8_lossy(&response.body);
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let mut fragments = BTreeSet::new();
    // The members that say what a response means.
    for member in operation.cells.iter().flat_map(|cell| &cell.members) {
        let is_short = |value: &&Value| value.is_string() || value.is_number() || value.is_boolean();
        if member.rule.matching.is_signal()
            && let Some(value) = body.pointer(&member.pointer).filter(is_short)
        {
            fragments.insert(format!("\"{}\":{value}", member.name()));
        }
    }
    for difference in &deviation.differences {
        let Some(pointer) = difference.place.strip_prefix('/') else { continue };
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        if name == "*" {
            continue;
        }
        match difference.actual.as_str() {
            "nothing" if !text.contains(&format!("\"{name}\"")) => {
                conditions
                    .push(format!("! grep -q -F -- {} \"$DIR/body.{{n}}\"", quote(&format!("\"{name}\""))));
            }
            "nothing" => {}
            value if is_stable(value, deviation) => {
                fragments.insert(format!("\"{name}\":{value}"));
            }
            _ => {}
        }
    }
    // Where the response shows a code, it is what must not be there.
    if matches!(deviation.witness, Witness::Response(_)) {
        let shown = (1..=deviation.recording.sessions()).map(|number| format!("$CODE_{number}"));
        fragments.extend(shown.filter(|code| text.contains(code.as_str())));
    }
    let squeezed = text.replace([' ', '\n'], "");
    for fragment in fragments {
        let fragment = fragment.replace([' ', '\n'], "");
        if squeezed.contains(&fragment) {
            conditions
                .push(format!("tr -d ' \\n' < \"$DIR/body.{{n}}\" | grep -q -F -- {}", quote(&fragment)));
        }
    }
    for (name, value) in header_differences(deviation) {
        conditions.push(match value {
            None => format!("! grep -q -i -- {} \"$DIR/head.{{n}}\"", quote(&format!("^{name}:"))),
            Some(value) => {
                format!("grep -q -i -F -- {} \"$DIR/head.{{n}}\"", quote(&format!("{name}: {value}")))
            }
        });
    }
    conditions
}

/// The header fields that differ, each with its value if there is one.
fn header_differences(deviation: &Deviation) -> Vec<(String, Option<String>)> {
    let observed = match &deviation.observation {
        Observation::Places { places, .. } if deviation.differences.is_empty() => places.clone(),
        _ => Observation::places(&deviation.differences),
    };
    let is_header = |(place, _): &(String, Option<String>)| {
        !place.starts_with('/') && !matches!(place.as_str(), "status" | "body")
    };
    observed.into_iter().filter(is_header).collect()
}

/// Whether a value can be the same in another run: it is short, and has no id of this one.
fn is_stable(value: &str, deviation: &Deviation) -> bool {
    const LONGEST: usize = 80;
    let ids = deviation.recording.steps.iter().flat_map(|step| match step {
        Step::Tenant { ids, .. } => ids.iter().map(|(_, id)| id.as_str()).collect(),
        Step::Issued { session, .. } => vec![session.as_str()],
        _ => Vec::new(),
    });
    value.len() <= LONGEST && !value.contains('$') && ids.into_iter().all(|id| !value.contains(id))
}
