//! Faults in how a decision is answered: the adapter's answer is correct, and is changed on its way out. Nothing here
//! may touch what was decided.

use otp_contract::{Cell, Contract, Matching, Member};
use serde_json::{Map, Value};

use crate::http::VendorResponse;

/// What is done to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distortion {
    /// It has this status.
    Status(u16),
    /// The last value by which a client decides is another one.
    Literal,
    /// The last required member is not there.
    MissingMember,
    /// The last required boolean or number is a string.
    Mistyped,
    /// The last required member is null.
    NullMember,
    /// It carries what an approval carries.
    ClaimsSuccess,
    /// It is called plain text.
    PlainText,
    /// It is a page for people, with the right status.
    Html,
    /// The echoed session id is another one.
    Echo,
    /// The echoed session id is that of the call before.
    EarlierEcho,
    /// The echoed session id is not there.
    MissingEcho,
}

/// What a page for people looks like; a proxy in front of a server gives such.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Request failed</h1></body></html>";

/// The media type by which [`Distortion::Html`] is known on the way out, where the body is written as it is.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Does `distortion` to `answer`. `earlier` is the session of the call before.
pub(super) fn distort(
    distortion: Distortion,
    contract: &Contract,
    earlier: Option<&str>,
    answer: &mut VendorResponse,
) {
    let cell = answer.cell.as_ref().and_then(|name| contract.verify().cell(name));
    match (distortion, cell) {
        (Distortion::Status(status), _) => answer.status = status,
        (Distortion::PlainText, _) => answer.content_type = "text/plain; charset=utf-8",
        (Distortion::Html, _) => {
            answer.content_type = HTML;
            answer.body = Value::from(PAGE).into();
        }
        (Distortion::ClaimsSuccess, _) => claim_success(contract, &mut answer.body),
        (Distortion::Literal, Some(cell)) => change(&mut answer.body, last_signal(cell)),
        (Distortion::Echo, Some(cell)) => change(&mut answer.body, echo(cell)),
        (Distortion::EarlierEcho, Some(cell)) => {
            let place = echo(cell).and_then(|member| answer.body.pointer_mut(&member.pointer));
            if let (Some(place), Some(earlier)) = (place, earlier) {
                *place = earlier.into();
            }
        }
        (Distortion::MissingEcho, Some(cell)) => remove(&mut answer.body, echo(cell)),
        (Distortion::MissingMember, Some(cell)) => remove(&mut answer.body, last_required(cell)),
        (Distortion::NullMember, Some(cell)) => {
            let place = last_required(cell).and_then(|member| answer.body.pointer_mut(&member.pointer));
            if let Some(place) = place {
                *place = Value::Null;
            }
        }
        (Distortion::Mistyped, Some(cell)) => mistype(&mut answer.body, cell),
        _ => {}
    }
}

fn last_signal(cell: &Cell) -> Option<&Member> {
    cell.members.iter().rev().find(|member| member.rule.matching.is_signal() && !member.rule.optional)
}

fn last_required(cell: &Cell) -> Option<&Member> {
    cell.members.iter().rev().find(|member| !member.rule.optional)
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

fn mistype(body: &mut Value, cell: &Cell) {
    for member in cell.members.iter().rev().filter(|member| !member.rule.optional) {
        if let Some(place) = body.pointer_mut(&member.pointer)
            && (place.is_boolean() || place.is_number())
        {
            *place = place.to_string().into();
            return;
        }
    }
}

fn remove(body: &mut Value, member: Option<&Member>) {
    let Some((parent, name)) = member.and_then(|member| member.pointer.rsplit_once('/')) else { return };
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
    let Some(approval) = contract.verify().approvals().find(|cell| !cell.alternative) else { return };
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
