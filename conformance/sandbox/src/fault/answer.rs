//! Faults in how a decision is answered: the dialect's answer is correct, and is changed on its way out.

use otp_contract::{Cell, Contract, Matching, Member};
use serde_json::{Map, Value};

use super::{Effect, Fault};
use crate::answer::Answer;

/// Applies every answer fault that is about the answer's situation.
pub(crate) fn distort(faults: &[&'static Fault], contract: &Contract, answer: &mut Answer) {
    for fault in faults {
        let Some(situation) = answer.situation else { continue };
        if fault.is_decision() || !fault.shows_in.contains(&situation) {
            continue;
        }
        let cell = answer.cell.as_ref().and_then(|name| contract.cell(name));
        match (fault.effect, cell) {
            (Effect::Status(status), _) => answer.status = status,
            (Effect::ContentType, _) => answer.content_type = "text/plain; charset=utf-8",
            (Effect::ClaimsSuccess, _) => claim_success(contract, &mut answer.body),
            (Effect::Literal, Some(cell)) => change(&mut answer.body, last_signal(cell)),
            (Effect::Echo, Some(cell)) => change(&mut answer.body, echo(cell)),
            (Effect::MissingMember, Some(cell)) => remove_last(&mut answer.body, cell),
            _ => {}
        }
    }
}

fn last_signal(cell: &Cell) -> Option<&Member> {
    cell.members.iter().rev().find(|member| member.rule.matching.is_signal() && !member.rule.optional)
}

fn echo(cell: &Cell) -> Option<&Member> {
    cell.members.iter().find(|member| member.rule.matching == Matching::Echo("session".to_owned()))
}

/// Puts another value of the same type where `member` is.
fn change(body: &mut Value, member: Option<&Member>) {
    let Some(place) = member.and_then(|member| body.pointer_mut(&member.pointer)) else { return };
    match place {
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(number) => *place = number.as_i64().unwrap_or_default().saturating_add(1).into(),
        Value::String(text) => text.push('X'),
        _ => {}
    }
}

fn remove_last(body: &mut Value, cell: &Cell) {
    let Some(member) = cell.members.iter().rev().find(|member| !member.rule.optional) else { return };
    let Some((parent, name)) = member.pointer.rsplit_once('/') else { return };
    match (body.pointer_mut(parent), name.parse::<usize>()) {
        (Some(Value::Object(members)), _) => {
            members.shift_remove(name);
        }
        (Some(Value::Array(elements)), Ok(index)) if index < elements.len() => {
            elements.remove(index);
        }
        _ => {}
    }
}

/// Writes the literals of the main approval into `body`.
fn claim_success(contract: &Contract, body: &mut Value) {
    let Some(approval) = contract.approvals().find(|cell| !cell.alternative) else { return };
    for member in approval.members.iter().filter(|member| member.rule.matching.is_signal()) {
        let mut place = &mut *body;
        for token in member.pointer.split('/').skip(1) {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(members) = place else { return };
            place = members.entry(token).or_insert(Value::Null);
        }
        *place = member.example.clone();
    }
}
