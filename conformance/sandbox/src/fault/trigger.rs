//! Requests that make a careless server fail with status 500. This module inspects requests; it must not change them.

use otp_contract::ValueKind;
use serde_json::Value;

use super::lenient_request::LenientRequest;

/// What makes a careless server fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// A NUL in a value.
    Nul,
    /// Bytes that are not valid UTF-8.
    InvalidUtf8,
    /// A JSON body that is not an object.
    NotAnObject,
    /// A code longer than 64 bytes.
    LongCode,
    /// A code that is neither a string nor null.
    NotText,
    /// A parameter out of bounds.
    OutOfBounds,
    /// A body labelled as compressed.
    Compressed,
}

impl Trigger {
    /// Whether `request` makes the server fail.
    pub(super) fn matches(self, request: &LenientRequest<'_>) -> bool {
        let target = request.parts.uri.to_string();
        match self {
            Trigger::Nul => {
                let in_body = request.members().is_some_and(|members| {
                    members.iter().any(|(_, value)| value.to_string().contains("\\u0000"))
                });
                in_body || target.contains("%00")
            }
            Trigger::InvalidUtf8 => {
                let in_target = percent_encoding::percent_decode_str(&target).decode_utf8().is_err();
                std::str::from_utf8(&request.body).is_err() || in_target
            }
            Trigger::NotAnObject => {
                serde_json::from_slice::<Value>(&request.body).is_ok_and(|value| !value.is_object())
            }
            Trigger::LongCode => {
                request.code().is_some_and(|code| code.as_str().is_some_and(|code| code.len() > 64))
            }
            Trigger::OutOfBounds => {
                let mut clamped = request.clone();
                clamp(&mut clamped);
                clamped.pairs() != request.pairs()
            }
            Trigger::Compressed => request.parts.headers.contains_key(http::header::CONTENT_ENCODING),
            Trigger::NotText => request.code().is_some_and(|code| !code.is_string() && !code.is_null()),
        }
    }
}

/// Moves the parameters into their bounds. If this changes a request, it was out of bounds.
fn clamp(request: &mut LenientRequest<'_>) {
    let contract = request.contract;
    let Some(mut pairs) = request.pairs() else { return };
    for (name, value) in &mut pairs {
        let kind = contract.verify().parameters.iter().find(|parameter| parameter.name == *name);
        match kind.map(|parameter| parameter.kind) {
            Some(ValueKind::Integer { min, max }) => {
                let number = value.parse::<i64>().unwrap_or(max);
                *value = number.clamp(min, max).to_string();
            }
            Some(ValueKind::Boolean) if value != "true" => "false".clone_into(value),
            _ => {}
        }
    }
    if !pairs.is_empty() {
        request.set_pairs(&pairs);
    }
}
