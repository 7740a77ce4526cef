//! Whether a response is distinguishable from all those that a contract documents. It compares with every documented
//! alternative, because a fault that no client can observe proves nothing about a suite. This module must not know
//! the checks; it decides independently of the suite's own judgement of responses.

use otp_contract::{Cell, Contract, Matching, Member, Mode, Outcome, Place, Situation};
use otp_sandbox::{DistortedExample, Distortion};
use serde_json::Value;

/// Whether a response with `distortion` is none of those that the contract documents in one of the situations.
pub(super) fn is_observable(contract: &Contract, situations: &[Situation], distortion: Distortion) -> bool {
    situations.iter().any(|situation| {
        let cells: Vec<_> = modes(contract)
            .iter()
            .filter_map(|mode| Some((*mode, sandbox_cell(contract, *situation, *mode)?)))
            .collect();
        if cells.is_empty() {
            // Even where the document is silent, a request is no reason for a server error.
            return matches!(distortion, Distortion::Status(500..)) && is_reachable(contract, *situation);
        }
        cells.into_iter().any(|(mode, cell)| {
            !is_documented(contract, *situation, mode, &distortion.example(contract, cell, *situation))
        })
    })
}

/// Whether a client can send a request that is malformed in this way.
fn is_reachable(contract: &Contract, situation: Situation) -> bool {
    match situation {
        Situation::MalformedCode | Situation::MissingCode => true,
        Situation::MissingSession => contract.verify().session.location.place != Place::Path,
        Situation::MalformedBody => contract.verify().has_json_body(),
        _ => false,
    }
}

/// Whether the response for `reported` is none of those that the contract documents for `truth`.
pub(super) fn is_misreport_observable(contract: &Contract, truth: Situation, reported: Situation) -> bool {
    modes(contract).iter().any(|mode| {
        sandbox_cell(contract, reported, *mode)
            .is_some_and(|cell| !is_documented(contract, truth, *mode, &example(cell)))
    })
}

/// Whether the sandbox sends different responses in the two situations, in some mode.
pub(super) fn differ(contract: &Contract, one: Situation, other: Situation) -> bool {
    let bytes = |situation, mode| {
        sandbox_cell(contract, situation, mode).map(|cell| (cell.sandbox_status, cell.body.to_string()))
    };
    modes(contract).iter().any(|mode| bytes(one, *mode) != bytes(other, *mode))
}

fn modes(contract: &Contract) -> &'static [Option<Mode>] {
    match contract.policy.overrides.retry {
        Some(_) => &[None, Some(Mode::Retry)],
        None => &[None],
    }
}

/// The cell that the sandbox responds with.
fn sandbox_cell(contract: &Contract, situation: Situation, mode: Option<Mode>) -> Option<&Cell> {
    let of = |mode| {
        contract
            .verify()
            .cells
            .iter()
            .find(|cell| cell.answers(situation) && cell.mode == mode && !cell.alternative)
    };
    of(mode).or_else(|| of(None))
}

fn example(cell: &Cell) -> DistortedExample {
    DistortedExample { status: cell.sandbox_status, is_json: true, body: cell.body.clone() }
}

fn is_documented(
    contract: &Contract,
    situation: Situation,
    mode: Option<Mode>,
    response: &DistortedExample,
) -> bool {
    let answers = |mode| move |cell: &&Cell| cell.answers(situation) && cell.mode == mode;
    // If a mode has its own cells, no others are documented for it.
    let own = contract.verify().cells.iter().any(|cell| answers(mode)(&cell));
    contract.verify().cells.iter().filter(answers(if own { mode } else { None })).any(|cell| {
        cell.status.matches(response.status)
            && (!cell.body_specified || has_documented_body(cell, response))
            && (cell.outcome == Outcome::Approved || !claims_success(contract, cell, &response.body))
    })
}

fn has_documented_body(cell: &Cell, response: &DistortedExample) -> bool {
    response.is_json && cell.members.iter().all(|member| matches_member(member, &response.body))
}

fn matches_member(member: &Member, body: &Value) -> bool {
    if member.rule.matching == Matching::Anywhere {
        return member.candidates(body).into_iter().any(|value| member.accepts_anywhere(value));
    }
    // No distortion reaches into the elements of a list, so their members are as complete as the list.
    let Some(value) = body.pointer(&member.pointer) else {
        return member.rule.optional || member.pointer.contains("/*");
    };
    match &member.rule.matching {
        Matching::Literal | Matching::Text | Matching::Echo(_) => *value == member.example,
        Matching::IgnoreCase => match (member.example.as_str(), value.as_str()) {
            (Some(expected), Some(actual)) => expected.eq_ignore_ascii_case(actual),
            _ => *value == member.example,
        },
        Matching::List => value.as_array().is_some_and(|elements| !elements.is_empty()),
        Matching::State(_) => value.is_u64(),
        Matching::Open | Matching::Volatile(_) | Matching::Anywhere => {
            std::mem::discriminant(value) == std::mem::discriminant(&member.example)
                || (member.rule.optional && value.is_null())
        }
    }
}

/// Whether `body` has an approval signal that the cell does not describe itself.
fn claims_success(contract: &Contract, cell: &Cell, body: &Value) -> bool {
    contract
        .verify()
        .approval_signals()
        .filter(|signal| {
            !(cell.body_specified && cell.members.iter().any(|member| member.pointer == signal.pointer))
        })
        .any(|signal| body.pointer(&signal.pointer) == Some(&signal.example))
}
