//! Whether a fault can be told from conduct that a contract allows. A fault that no client could see would prove
//! nothing about a suite, so this errs on neither side: it compares with every answer the document admits.

use otp_contract::{Cell, Contract, Matching, Member, Mode, Outcome, Place, Situation};
use serde_json::Value;

use super::answer::{Distortion, distort};
use crate::http::VendorResponse;

/// Whether an answer with `distortion` is none of those that the contract admits in one of the situations.
pub(super) fn distortion_shows(
    contract: &Contract,
    situations: &[Situation],
    distortion: Distortion,
) -> bool {
    situations.iter().any(|situation| {
        let mut cells = modes(contract)
            .iter()
            .filter_map(|mode| Some((*mode, main(contract, *situation, *mode)?)))
            .peekable();
        if cells.peek().is_none() {
            // A request that no document speaks of is no reason to fail.
            return matches!(distortion, Distortion::Status(500..)) && is_in_reach(contract, *situation);
        }
        cells.any(|(mode, cell)| {
            let mut answer = example(cell, *situation);
            distort(distortion, contract, Some("an earlier session"), &mut answer);
            !is_admitted(contract, *situation, mode, &answer)
        })
    })
}

/// Whether a request can be malformed in this way.
fn is_in_reach(contract: &Contract, situation: Situation) -> bool {
    match situation {
        Situation::MalformedCode | Situation::MissingCode => true,
        Situation::MissingSession => contract.verify().session.location.place != Place::Path,
        Situation::MalformedBody => contract.verify().has_body,
        _ => false,
    }
}

/// Whether the answer to `told` is none of those that the contract admits where `true_one` is the case.
pub(super) fn is_told_wrongly(contract: &Contract, true_one: Situation, told: Situation) -> bool {
    modes(contract).iter().any(|mode| {
        main(contract, told, *mode)
            .is_some_and(|cell| !is_admitted(contract, true_one, *mode, &example(cell, true_one)))
    })
}

/// Whether the sandbox answers the two situations in different bytes, in some way of calling.
pub(super) fn differ(contract: &Contract, one: Situation, other: Situation) -> bool {
    let bytes = |situation, mode| {
        main(contract, situation, mode).map(|cell| (cell.sandbox_status, cell.body.to_string()))
    };
    modes(contract).iter().any(|mode| bytes(one, *mode) != bytes(other, *mode))
}

fn modes(contract: &Contract) -> &'static [Option<Mode>] {
    match contract.policy.overrides.retry {
        Some(_) => &[None, Some(Mode::Retry)],
        None => &[None],
    }
}

/// The cell that the sandbox gives.
fn main(contract: &Contract, situation: Situation, mode: Option<Mode>) -> Option<&Cell> {
    let of = |mode| {
        contract
            .verify()
            .cells
            .iter()
            .find(|cell| cell.answers(situation) && cell.mode == mode && !cell.alternative)
    };
    of(mode).or_else(|| of(None))
}

fn example(cell: &Cell, situation: Situation) -> VendorResponse {
    VendorResponse {
        status: cell.sandbox_status,
        content_type: "application/json",
        headers: Vec::new(),
        body: cell.body.clone().into(),
        cell: Some(cell.name.as_str().into()),
        situation: Some(situation),
    }
}

fn is_admitted(
    contract: &Contract,
    situation: Situation,
    mode: Option<Mode>,
    answer: &VendorResponse,
) -> bool {
    let answers = |mode| move |cell: &&Cell| cell.answers(situation) && cell.mode == mode;
    // Where a way of calling has answers of its own, no other will do.
    let own = contract.verify().cells.iter().any(|cell| answers(mode)(&cell));
    contract.verify().cells.iter().filter(answers(if own { mode } else { None })).any(|cell| {
        cell.status.matches(answer.status)
            && (!cell.body_specified || has_body_of(cell, answer))
            && (cell.outcome == Outcome::Approved || !claims_success(contract, cell, &answer.body))
    })
}

fn has_body_of(cell: &Cell, answer: &VendorResponse) -> bool {
    answer.content_type == "application/json"
        && cell.members.iter().all(|member| agrees(member, &answer.body))
}

fn agrees(member: &Member, body: &Value) -> bool {
    if member.rule.matching == Matching::Anywhere {
        return member.candidates(body).into_iter().any(|value| member.accepts_anywhere(value));
    }
    // A member of a list's elements is there wherever the list itself is: no distortion reaches into one.
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

/// Whether `body` has a literal that approvals have, that no refusal has, and that the cell does not judge itself.
fn claims_success(contract: &Contract, cell: &Cell, body: &Value) -> bool {
    contract
        .verify()
        .approval_signals()
        .filter(|signal| {
            !(cell.body_specified && cell.members.iter().any(|member| member.pointer == signal.pointer))
        })
        .any(|signal| body.pointer(&signal.pointer) == Some(&signal.example))
}
