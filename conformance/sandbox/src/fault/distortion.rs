//! Distortions of a response: the vendor's response is correct and is changed before it is sent. This module knows
//! the contract and the response; it must not change what was decided.

use otp_contract::{Cell, Contract, Matching, Member, Situation};
use serde_json::{Map, Value};

use crate::http::VendorResponse;

/// A change to a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Distortion {
    /// Replaces the HTTP status.
    Status(u16),
    /// Replaces the last value that identifies the outcome.
    Literal,
    /// Removes the last required member.
    MissingMember,
    /// Turns the last required boolean or number into a string.
    Mistyped,
    /// Sets the last required member to null.
    NullMember,
    /// Adds the members of an approval.
    ClaimsSuccess,
    /// Labels the body as plain text.
    PlainText,
    /// Replaces the body by an HTML page.
    Html,
    /// Replaces the echoed session id.
    Echo,
    /// Replaces the echoed session id by that of the previous call.
    EarlierEcho,
    /// Removes the echoed session id.
    MissingEcho,
}

/// An error page such as a proxy in front of a server sends.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Request failed</h1></body></html>";

/// The media type that [`Distortion::Html`] sets. The fault layer sends such a body as text instead of JSON.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A documented example after a distortion.
#[derive(Debug, Clone)]
pub struct DistortedExample {
    /// The HTTP status.
    pub status: u16,
    /// Whether the body is labelled as JSON.
    pub is_json: bool,
    /// The body.
    pub body: Value,
}

impl Distortion {
    /// The example of `cell` with this distortion, as the sandbox sends it in `situation`.
    pub fn example(self, contract: &Contract, cell: &Cell, situation: Situation) -> DistortedExample {
        let mut response = VendorResponse {
            status: cell.sandbox_status,
            content_type: cell.media_type.clone().unwrap_or_default().into(),
            headers: Vec::new(),
            body: cell.body.clone().into(),
            cell: Some(cell.name.as_str().into()),
            situation: Some(situation),
        };
        distort(self, contract, Some("an earlier session"), &mut response);
        DistortedExample {
            status: response.status,
            is_json: cell.media_type.as_deref() == Some(&*response.content_type),
            body: (*response.body).clone(),
        }
    }
}

/// Applies `distortion` to `response`. `earlier` is the session id of the previous call.
pub(super) fn distort(
    distortion: Distortion,
    contract: &Contract,
    earlier: Option<&str>,
    response: &mut VendorResponse,
) {
    let cell = response.cell.as_ref().and_then(|name| contract.verify().cell(name));
    match (distortion, cell) {
        (Distortion::Status(status), _) => response.status = status,
        (Distortion::PlainText, _) => response.content_type = "text/plain; charset=utf-8".into(),
        (Distortion::Html, _) => {
            response.content_type = HTML.into();
            response.body = Value::from(PAGE).into();
        }
        (Distortion::ClaimsSuccess, _) => claim_success(contract, &mut response.body),
        (Distortion::Literal, Some(cell)) => change(&mut response.body, last_signal(cell)),
        (Distortion::Echo, Some(cell)) => change(&mut response.body, echo(cell)),
        (Distortion::EarlierEcho, Some(cell)) => {
            let place = echo(cell).and_then(|member| response.body.pointer_mut(&member.pointer));
            if let (Some(place), Some(earlier)) = (place, earlier) {
                *place = earlier.into();
            }
        }
        (Distortion::MissingEcho, Some(cell)) => remove(&mut response.body, echo(cell)),
        (Distortion::MissingMember, Some(cell)) => remove(&mut response.body, last_required(cell)),
        (Distortion::NullMember, Some(cell)) => {
            let place = last_required(cell).and_then(|member| response.body.pointer_mut(&member.pointer));
            if let Some(place) = place {
                *place = Value::Null;
            }
        }
        (Distortion::Mistyped, Some(cell)) => mistype(&mut response.body, cell),
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

/// Replaces the value of `member` by another one of the same type.
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
