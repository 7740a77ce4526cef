//! What an answer says was decided, by any cell of its contract. A reading is a set: some vendors give one answer to two
//! outcomes. It looks at signals alone; whether every member is as documented is `judge.rs`'s question.

use std::collections::BTreeSet;

use otp_contract::{Cell, Contract, Outcome};
use serde_json::Value;

use crate::judge::signals_agree;
use crate::wire::RawResponse;

/// The outcomes that an answer may mean; empty where it is like no answer of the contract.
///
/// An answer whose status or body is not as documented still means what the other half says: that it is wrong is for
/// the matrix to find, and one defect is to be found once.
pub(crate) fn readings(contract: &Contract, answer: &RawResponse) -> BTreeSet<Outcome> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // Every call that a flow makes allows further attempts; answers to calls that do not are another matter.
    let in_mode = |cell: &&Cell| {
        cell.mode.is_some()
            || !contract
                .verify()
                .cells
                .iter()
                .any(|other| other.outcome == cell.outcome && other.mode.is_some())
    };
    let outcomes = |fits: &dyn Fn(&Cell) -> bool| -> BTreeSet<Outcome> {
        contract
            .verify()
            .cells
            .iter()
            .filter(in_mode)
            .filter(|cell| fits(cell))
            .map(|cell| cell.outcome)
            .collect()
    };
    let by_status = |cell: &Cell| cell.status.matches(answer.status);
    let by_signals = |cell: &Cell| cell.body_specified && signals_agree(cell, &body);
    let has_signals = |cell: &Cell| cell.members.iter().any(|member| member.rule.matching.is_signal());
    let whole = outcomes(&|cell| by_status(cell) && (!cell.body_specified || by_signals(cell)));
    if !whole.is_empty() {
        return whole;
    }
    // No body makes an approval of an error status.
    let by_body =
        outcomes(&|cell| has_signals(cell) && by_signals(cell) && cell.outcome != Outcome::Approved);
    if by_body.is_empty() { outcomes(&by_status) } else { by_body }
}

/// Whether an answer approves and can mean nothing else.
pub(crate) fn approves(contract: &Contract, answer: &RawResponse) -> bool {
    let readings = readings(contract, answer);
    readings.len() == 1 && readings.contains(&Outcome::Approved)
}
