//! Faults in how a request is read: it is rewritten, before the adapter sees it, into what a sloppy server would take
//! it for. Nothing here may decide; what is rewritten is decided like any other call.

use otp_contract::{Alphabet, Contract, Place, ValueKind};
use serde_json::Value;

use super::call::{Call, Members};

/// How a request is misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Codes are compared as whole numbers.
    AsInteger,
    /// Zeros at the start of a code do not count.
    LeadingZeros,
    /// The beginning of the right code is right.
    Beginning,
    /// What follows the right code is not looked at.
    Ending,
    /// Letters are right in either case.
    LetterCase,
    /// White space around a code is dropped.
    Trimmed,
    /// White space behind a code is dropped, and the mark of a used code goes by its spelling.
    TrimmedEnd,
    /// Whatever is no letter and no digit is dropped.
    Separators,
    /// Full-width digits are digits.
    FullWidth,
    /// A code ends at a NUL.
    UpToNul,
    /// A number is taken for its digits.
    Number,
    /// Any code of a list may be the right one.
    List,
    /// An object with a query operator is asked of the code.
    Operator,
    /// An empty code is right.
    Empty,
    /// A code of null is right.
    Null,
    /// No code is right.
    Missing,
    /// Of two codes either may be the right one.
    EitherOfTwo,
    /// A member that says that the code is verified is believed.
    VerifiedMember,
    /// A member that says how many attempts there were is believed.
    AttemptsMember,
    /// A list is taken for the members in order.
    Positional,
    /// A list of ids is taken for its first.
    SessionList,
    /// Only what arrives first of a body is read.
    FirstPiece,
    /// A body that breaks off is taken for whole.
    CutOff,
    /// Bytes that are no UTF-8 are dropped.
    DropsInvalid,
    /// A request of this kind makes the server fail.
    Crash(Trigger),
}

/// What makes a server fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A NUL in a value.
    Nul,
    /// Bytes that are no UTF-8.
    InvalidUtf8,
    /// A body that is JSON and no object.
    NoObject,
    /// A code of more than 64 bytes.
    LongCode,
    /// A code that is neither text nor null.
    NoText,
    /// A parameter that is out of bounds.
    OutOfBounds,
    /// A body that says that it is compressed.
    Compressed,
}

use Reading as R;

impl Reading {
    pub(super) fn shows(self, contract: &Contract) -> bool {
        let operation = &contract.verify();
        let code_in_body = operation.code.location.place == Place::Body;
        match self {
            R::LetterCase => operation.code.alphabet == Alphabet::Alphanumeric,
            R::Number | R::List | R::Operator | R::Null | R::Crash(Trigger::NoText) => code_in_body,
            R::VerifiedMember | R::Positional | R::Crash(Trigger::NoObject) => operation.has_body,
            R::DropsInvalid | R::FirstPiece | R::CutOff | R::Crash(Trigger::Compressed) => {
                operation.has_body && code_in_body
            }
            R::AttemptsMember => operation.has_body && contract.policy.attempts.is_some(),
            R::SessionList => operation.session.location.place == Place::Body,
            R::Crash(Trigger::OutOfBounds) => {
                operation.parameters.iter().any(|parameter| parameter.kind != ValueKind::Text)
            }
            _ => true,
        }
    }

    /// Rewrites `call`; `right` is the right code of its session. Whether the code was spelled otherwise.
    pub(super) fn rewrite(self, call: &mut Call<'_>, right: Option<&str>) -> bool {
        let contract = call.contract;
        match self {
            R::EitherOfTwo => either(call, right),
            R::Positional => from_list(call),
            R::SessionList => {
                let location = &contract.verify().session.location;
                if let Some(Value::Array(ids)) = call.value(location)
                    && let Some(Value::String(id)) = ids.first()
                {
                    call.set(location, id);
                }
            }
            R::DropsInvalid => {
                if std::str::from_utf8(&call.body).is_err() {
                    call.body = String::from_utf8_lossy(&call.body).replace('\u{fffd}', "").into();
                }
            }
            R::VerifiedMember => {
                let Some(members) = call.members() else { return false };
                let says = |name: &str| {
                    members.iter().any(|(given, value)| {
                        given.eq_ignore_ascii_case(name) && matches!(value, Value::Bool(true))
                    })
                };
                if ["verified", "success", "approved"].iter().any(|name| says(name))
                    && let Some(right) = right
                {
                    call.set_code(right);
                }
            }
            R::CutOff => complete(call),
            R::AttemptsMember | R::FirstPiece | R::Crash(_) => {}
            _ => return self.reread(call, right),
        }
        false
    }

    /// Whether the count of wrong codes is set to zero by a member.
    pub(super) fn resets(self, call: &Call<'_>) -> bool {
        self == R::AttemptsMember
            && call.members().is_some_and(|members| {
                members.iter().any(|(name, value)| {
                    ["attempts", "failed_attempts", "attempt"].contains(&name.as_str())
                        && value.as_u64() == Some(0)
                })
            })
    }

    /// Rereads the code alone.
    fn reread(self, call: &mut Call<'_>, right: Option<&str>) -> bool {
        let location = &call.contract.verify().code.location;
        // A body that is no object, or a query that cannot be decoded, has no code to be reread.
        let readable = match location.place {
            Place::Body => call.members().is_some(),
            _ => call.pairs().is_some(),
        };
        if !readable {
            return false;
        }
        let given = call.code();
        let taken = match (&given, right) {
            (Some(Value::String(given)), right) => self.text(given, right),
            (Some(Value::Null), Some(right)) if self == R::Null => Some(right.to_owned()),
            (None, Some(right)) if self == R::Missing => Some(right.to_owned()),
            (Some(Value::Number(number)), _) if self == R::Number => Some(number.to_string()),
            (Some(Value::Array(codes)), right) if self == R::List => codes
                .iter()
                .filter_map(Value::as_str)
                .find(|code| Some(*code) == right)
                .or_else(|| codes.first().and_then(Value::as_str))
                .map(str::to_owned),
            (Some(Value::Object(asked)), Some(right)) if self == R::Operator => {
                asked.keys().any(|name| name.starts_with('$')).then(|| right.to_owned())
            }
            _ => None,
        };
        match taken {
            Some(taken) if given.as_ref().and_then(Value::as_str) != Some(&taken) => {
                call.set_code(&taken);
                true
            }
            _ => false,
        }
    }

    /// What the text of a code is taken for, where that is another.
    fn text(self, given: &str, right: Option<&str>) -> Option<String> {
        let is_right = |holds: bool| if holds { right.map(str::to_owned) } else { None };
        let expected = right.unwrap_or_default();
        match self {
            R::AsInteger => is_right(
                given.trim().parse::<i64>().is_ok_and(|number| expected.parse::<i64>() == Ok(number)),
            ),
            R::LeadingZeros => {
                let bare = |text: &str| text.trim_start_matches('0').to_owned();
                is_right(!given.is_empty() && bare(given) == bare(expected))
            }
            R::Beginning => is_right(!given.is_empty() && expected.starts_with(given)),
            R::Ending => is_right(!expected.is_empty() && given.starts_with(expected)),
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
}

/// Leaves the right one of two codes, wherever it stands.
fn either(call: &mut Call<'_>, right: Option<&str>) {
    let name = &call.contract.verify().code.location.name;
    if let Some(members) = call.members() {
        call.set_members(&one_of_each(members, |given, value| given == name && value.as_str() == right));
    }
    if let Some(pairs) = call.pairs()
        && !pairs.is_empty()
    {
        call.set_pairs(&one_of_each(pairs, |given, value| given == name && Some(value.as_str()) == right));
    }
}

/// One of the values of each name: the preferred one, or else the first.
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

impl Trigger {
    /// Whether `call` makes the server fail.
    pub(super) fn is_pulled(self, call: &Call<'_>) -> bool {
        let target = call.parts.uri.to_string();
        match self {
            Trigger::Nul => {
                let in_body = call.members().is_some_and(|members| {
                    members.iter().any(|(_, value)| value.to_string().contains("\\u0000"))
                });
                in_body || target.contains("%00")
            }
            Trigger::InvalidUtf8 => {
                let in_target = percent_encoding::percent_decode_str(&target).decode_utf8().is_err();
                std::str::from_utf8(&call.body).is_err() || in_target
            }
            Trigger::NoObject => {
                serde_json::from_slice::<Value>(&call.body).is_ok_and(|value| !value.is_object())
            }
            Trigger::LongCode => {
                call.code().is_some_and(|code| code.as_str().is_some_and(|code| code.len() > 64))
            }
            Trigger::OutOfBounds => {
                let mut within = call.clone();
                clamp(&mut within);
                within.pairs() != call.pairs()
            }
            Trigger::Compressed => call.parts.headers.contains_key(http::header::CONTENT_ENCODING),
            Trigger::NoText => call.code().is_some_and(|code| !code.is_string() && !code.is_null()),
        }
    }
}

/// Closes what a body that broke off has left open.
fn complete(call: &mut Call<'_>) {
    for end in ["}", "\"}"] {
        let whole = [call.body.as_ref(), end.as_bytes()].concat();
        if call.members().is_none() && serde_json::from_slice::<Value>(&whole).is_ok() {
            call.body = whole.into();
        }
    }
}

fn narrow(character: char) -> char {
    match u32::from(character) {
        wide @ 0xff10..=0xff19 => char::from_u32(wide - 0xff10 + 0x30).unwrap_or(character),
        _ => character,
    }
}

/// Takes the elements of a list for session and code, as a derived deserializer does.
fn from_list(call: &mut Call<'_>) {
    let contract = call.contract;
    let Ok(Value::Array(elements)) = serde_json::from_slice(&call.body) else { return };
    let places = [&contract.verify().session.location, &contract.verify().code.location];
    let names = places.iter().filter(|location| location.place == Place::Body);
    let members: Members = names.map(|location| location.name.clone()).zip(elements).collect();
    call.set_members(&members);
}

/// Brings the parameters within their bounds; a call that this changes was out of them.
fn clamp(call: &mut Call<'_>) {
    let contract = call.contract;
    let Some(mut pairs) = call.pairs() else { return };
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
        call.set_pairs(&pairs);
    }
}
