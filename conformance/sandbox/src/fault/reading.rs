//! Misreadings of a request: before the vendor's adapter gets it, the request becomes what a careless server would
//! see in it. This module must not decide; the rewritten request is decided like any other.

use otp_contract::Place;
use serde_json::Value;

use super::lenient_request::{LenientRequest, Members};
use super::trigger::Trigger;

/// How a careless server misreads a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// Codes are compared as integers.
    AsInteger,
    /// Leading zeros in a code are ignored.
    LeadingZeros,
    /// A prefix of the right code is approved.
    Prefix,
    /// Text after the right code is ignored.
    TrailingText,
    /// The case of letters in a code is ignored.
    LetterCase,
    /// White space around a code is ignored.
    Trimmed,
    /// White space after a code is ignored.
    TrimmedEnd,
    /// Characters other than letters and digits are ignored.
    Separators,
    /// Full-width digits are accepted as digits.
    FullWidth,
    /// Everything after a NUL is ignored.
    UpToNul,
    /// A number is accepted as its digits.
    Number,
    /// A list of codes is approved if it contains the right one.
    List,
    /// An object with a query operator is evaluated as a condition on the code.
    Operator,
    /// An empty code is approved.
    Empty,
    /// A null code is approved.
    Null,
    /// A request without a code is approved.
    Missing,
    /// A request with two codes is approved if either is right.
    EitherOfTwo,
    /// A member that claims that the code is verified is trusted.
    VerifiedMember,
    /// A member with the number of attempts is trusted.
    AttemptsMember,
    /// A list is accepted as the members in order.
    Positional,
    /// The first id of a list of session ids is used.
    SessionList,
    /// Only the first chunk of a body is read.
    FirstChunk,
    /// A truncated body is accepted as complete.
    Truncated,
    /// Bytes that are not valid UTF-8 are dropped.
    DropsInvalidUtf8,
    /// Such a request causes HTTP status 500.
    Crash(Trigger),
}

use Reading as R;

impl Reading {
    /// Whether the server reads only a part of the body.
    pub(super) fn reads_part_of_body(self) -> bool {
        matches!(self, R::FirstChunk | R::Truncated)
    }

    /// Rewrites `request`. `right` is the right code of its session. Returns whether the code was spelled
    /// differently.
    pub(super) fn rewrite(self, request: &mut LenientRequest<'_>, right: Option<&str>) -> bool {
        let contract = request.contract;
        match self {
            R::EitherOfTwo => either(request, right),
            R::Positional => from_list(request),
            R::SessionList => {
                let location = &contract.verify().session.location;
                if let Some(Value::Array(ids)) = request.value(location)
                    && let Some(Value::String(id)) = ids.first()
                {
                    request.set(location, id);
                }
            }
            R::DropsInvalidUtf8 => {
                if std::str::from_utf8(&request.body).is_err() {
                    request.body = String::from_utf8_lossy(&request.body).replace('\u{fffd}', "").into();
                }
            }
            R::VerifiedMember => {
                let Some(members) = request.members() else { return false };
                let claims = |name: &str| {
                    members.iter().any(|(given, value)| {
                        given.eq_ignore_ascii_case(name) && matches!(value, Value::Bool(true))
                    })
                };
                if ["verified", "success", "approved"].iter().any(|name| claims(name))
                    && let Some(right) = right
                {
                    request.set_code(right);
                }
            }
            R::Truncated => complete(request),
            R::AttemptsMember | R::FirstChunk | R::Crash(_) => {}
            _ => return reread(self, request, right),
        }
        false
    }

    /// Whether `request` resets the count of wrong codes.
    pub(super) fn resets_count(self, request: &LenientRequest<'_>) -> bool {
        self == R::AttemptsMember
            && request.members().is_some_and(|members| {
                members.iter().any(|(name, value)| {
                    ["attempts", "failed_attempts", "attempt"].contains(&name.as_str())
                        && value.as_u64() == Some(0)
                })
            })
    }
}

/// Keeps one of several codes: the right one, if it is among them.
fn either(request: &mut LenientRequest<'_>, right: Option<&str>) {
    let name = &request.contract.verify().code.location.name;
    if let Some(members) = request.members() {
        request.set_members(&one_of_each(members, |given, value| given == name && value.as_str() == right));
    }
    if let Some(pairs) = request.pairs()
        && !pairs.is_empty()
    {
        request.set_pairs(&one_of_each(pairs, |given, value| given == name && Some(value.as_str()) == right));
    }
}

/// One value for each name: the preferred one, otherwise the first.
fn one_of_each<T>(all: Vec<(String, T)>, preferred: impl Fn(&str, &T) -> bool) -> Vec<(String, T)> {
    let mut left: Vec<(String, T)> = Vec::new();
    for (name, value) in all {
        match left.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if preferred(&name, &value) => *known = value,
            Some(_) => {}
            None => left.push((name, value)),
        }
    }
    left
}

/// Closes whatever a truncated body left open.
fn complete(request: &mut LenientRequest<'_>) {
    for end in ["}", "\"}"] {
        let whole = [request.body.as_ref(), end.as_bytes()].concat();
        if request.members().is_none() && serde_json::from_slice::<Value>(&whole).is_ok() {
            request.body = whole.into();
        }
    }
}

/// Reads the elements of a list as session id and code, as a derived deserializer does.
fn from_list(request: &mut LenientRequest<'_>) {
    let contract = request.contract;
    let Ok(Value::Array(elements)) = serde_json::from_slice(&request.body) else { return };
    let places = [&contract.verify().session.location, &contract.verify().code.location];
    let names = places.iter().filter(|location| location.place == Place::Body);
    let members: Members = names.map(|location| location.name.clone()).zip(elements).collect();
    request.set_members(&members);
}

/// Replaces the code by the one that a server with `reading` sees. `right` is the right code of the session. Returns
/// whether the code was spelled differently.
pub(super) fn reread(reading: R, request: &mut LenientRequest<'_>, right: Option<&str>) -> bool {
    let location = &request.contract.verify().code.location;
    // Without a body or a query that can be decoded, there is no code to interpret.
    if !request.is_readable(location) {
        return false;
    }
    let given = request.code();
    let code = match (&given, right) {
        (Some(Value::String(given)), right) => reread_text(reading, given, right),
        (Some(Value::Null), Some(right)) if reading == R::Null => Some(right.to_owned()),
        (None, Some(right)) if reading == R::Missing => Some(right.to_owned()),
        (Some(Value::Number(number)), _) if reading == R::Number => Some(number.to_string()),
        (Some(Value::Array(codes)), right) if reading == R::List => codes
            .iter()
            .filter_map(Value::as_str)
            .find(|listed| Some(*listed) == right)
            .or_else(|| codes.first().and_then(Value::as_str))
            .map(str::to_owned),
        (Some(Value::Object(condition)), Some(right)) if reading == R::Operator => {
            condition.keys().any(|name| name.starts_with('$')).then(|| right.to_owned())
        }
        _ => None,
    };
    match code {
        Some(code) if given.as_ref().and_then(Value::as_str) != Some(&code) => {
            request.set_code(&code);
            true
        }
        _ => false,
    }
}

/// The code that a server with `reading` sees in the text of a code.
fn reread_text(reading: R, given: &str, right: Option<&str>) -> Option<String> {
    let is_right = |holds: bool| if holds { right.map(str::to_owned) } else { None };
    let expected = right.unwrap_or_default();
    match reading {
        R::AsInteger => {
            is_right(given.trim().parse::<i64>().is_ok_and(|number| expected.parse::<i64>() == Ok(number)))
        }
        R::LeadingZeros => {
            let bare = |text: &str| text.trim_start_matches('0').to_owned();
            is_right(!given.is_empty() && bare(given) == bare(expected))
        }
        R::Prefix => is_right(!given.is_empty() && expected.starts_with(given)),
        R::TrailingText => is_right(!expected.is_empty() && given.starts_with(expected)),
        R::LetterCase => is_right(given.eq_ignore_ascii_case(expected)),
        R::Trimmed => Some(given.trim().to_owned()),
        R::TrimmedEnd => Some(given.trim_end().to_owned()),
        R::Separators => Some(given.chars().filter(char::is_ascii_alphanumeric).collect()),
        R::FullWidth => Some(given.chars().map(narrow).collect()),
        R::UpToNul => given.split('\0').next().map(str::to_owned),
        R::Empty => is_right(given.is_empty()),
        _ => None,
    }
}

fn narrow(character: char) -> char {
    match u32::from(character) {
        wide @ 0xff10..=0xff19 => char::from_u32(wide - 0xff10 + 0x30).unwrap_or(character),
        _ => character,
    }
}
