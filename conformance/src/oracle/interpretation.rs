//! Which outcomes a response may mean, according to any cell of its operation.
//!
//! The result is a set, because some vendors give one response to two outcomes. Only signals count here; whether every
//! member is as documented is the matcher's question.

use std::collections::BTreeSet;

use otp_contract::{Cell, Operation, Outcome};
use serde_json::Value;

use super::matcher::compare_member;
use crate::http::RawResponse;

/// The outcomes that a response may mean; empty if it resembles no documented response.
///
/// A response whose status or body is wrong still means what its other half says: the matrix reports the wrong half, and
/// every other check reports it only if it changes the meaning.
pub(crate) fn outcomes(operation: &Operation, response: &RawResponse) -> BTreeSet<Outcome> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    // Tracked sessions ask for further attempts in every call, so responses to calls that do not are not candidates.
    let in_mode = |cell: &&Cell| {
        cell.mode.is_some()
            || !operation.cells.iter().any(|other| other.outcome == cell.outcome && other.mode.is_some())
    };
    let outcomes_of = |fits: &dyn Fn(&Cell) -> bool| -> BTreeSet<Outcome> {
        operation.cells.iter().filter(in_mode).filter(|cell| fits(cell)).flat_map(Cell::outcomes).collect()
    };
    let by_status = |cell: &Cell| cell.status.matches(response.status);
    let by_signals = |cell: &Cell| cell.body_specified && signals_agree(cell, &body);
    let has_signals = |cell: &Cell| cell.members.iter().any(|member| member.rule.matching.is_signal());
    let mut found = outcomes_of(&|cell| by_status(cell) && (!cell.body_specified || by_signals(cell)));
    if found.is_empty() {
        // No body turns an error status into an approval.
        found =
            outcomes_of(&|cell| has_signals(cell) && by_signals(cell) && cell.outcome != Outcome::Approved);
    }
    if found.is_empty() {
        found = outcomes_of(&by_status);
    }
    let is_refusal = match found.is_empty() {
        true => (400..500).contains(&response.status),
        false => !found.contains(&Outcome::Approved),
    };
    if is_refusal {
        found.extend(unstated(operation));
    }
    found
}

/// The ends of a session for which the contract has no response, so that any refusal may report them.
fn unstated(operation: &Operation) -> impl Iterator<Item = Outcome> {
    let ends = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::UnknownSession];
    ends.into_iter()
        .filter(|end| !operation.cells.iter().any(|cell| cell.outcomes().any(|outcome| outcome == *end)))
}

/// Whether a response approves the code and can mean nothing else.
pub(crate) fn approves(operation: &Operation, response: &RawResponse) -> bool {
    let outcomes = outcomes(operation, response);
    outcomes.len() == 1 && outcomes.contains(&Outcome::Approved)
}

/// Why a response says nothing about the server, if it is a limit on calls that the contract does not know: HTTP 429, or 503
/// with a time after which to try again. A body with a member of the documented one is the server's own, right or wrong.
pub(crate) fn limited(operation: &Operation, response: &RawResponse) -> Option<String> {
    let retry_after = response.headers.get(http::header::RETRY_AFTER);
    if response.status != 429 && !(response.status == 503 && retry_after.is_some()) {
        return None;
    }
    // Where the server itself uses the status, only a gateway adds when to try again.
    let is_own_status = operation.cells.iter().any(|cell| cell.sandbox_status == response.status);
    if is_own_status && retry_after.is_none() {
        return None;
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let is_documented = operation.cells.iter().any(|cell| {
        let has_a_member = || cell.members.iter().any(|member| body.pointer(&member.pointer).is_some());
        cell.status.matches(response.status) && (!cell.body_specified || has_a_member())
    });
    if is_documented {
        return None;
    }
    let after =
        retry_after.map(|value| format!(", Retry-After: {}", String::from_utf8_lossy(value.as_bytes())));
    Some(format!("HTTP {}{}", response.status, after.unwrap_or_default()))
}

/// After how many seconds a response asks for another call: a number, or the time until a date.
pub(crate) fn retry_after(response: &RawResponse) -> Option<u64> {
    let value = response.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let left = date.duration_since(std::time::SystemTime::now()).unwrap_or_default();
    Some(left.as_secs() + 1)
}

/// Whether `body` has every required signal of `cell`.
pub(crate) fn signals_agree(cell: &Cell, body: &Value) -> bool {
    cell.members
        .iter()
        .filter(|member| member.rule.matching.is_signal() && !member.rule.optional)
        .all(|member| compare_member(member, body, None).is_none())
}

/// The outcomes, for people.
pub(crate) fn in_words(outcomes: &BTreeSet<Outcome>) -> String {
    outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(" or ")
}
