//! Compares an answer with the cells that a contract allows in a situation. Any one of them will do; where none does,
//! the nearest is what the finding is told by. Knows contracts and answers, and nothing of how they were come by.

use std::collections::BTreeMap;

use otp_contract::{Cell, Contract, Matching, Member, Outcome, StateValue, same_value};
use serde_json::Value;

use crate::wire::RawResponse;

/// What an answer is compared with.
#[derive(Debug, Clone)]
pub struct Expectation<'a> {
    /// Whose API it is.
    pub contract: &'a Contract,
    /// The answers that are allowed.
    pub cells: Vec<&'a Cell>,
    /// The values that a body may echo: `session`, `code` and account parameters.
    pub echoes: BTreeMap<String, String>,
    /// How many wrong codes would still be compared, where that is known.
    pub remaining_attempts: Option<u32>,
}

/// What an answer amounts to.
#[derive(Debug, Clone)]
pub enum Judgement<'a> {
    /// It is this cell.
    Conforms(&'a Cell),
    /// It is none of the allowed cells; this is the nearest, and where the answer differs from it.
    Differs(&'a Cell, Vec<Mismatch>),
}

/// One difference between an answer and a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `status`, `content-type`, `body`, or a JSON pointer into the body.
    pub place: String,
    /// What the contract has there.
    pub expected: String,
    /// What the answer has there.
    pub actual: String,
}

impl Mismatch {
    fn new(place: &str, expected: impl Into<String>, actual: impl Into<String>) -> Mismatch {
        Mismatch { place: place.to_owned(), expected: expected.into(), actual: actual.into() }
    }
}

/// Judges an answer; `None` where no cell is allowed at all.
pub fn judge<'a>(expectation: &Expectation<'a>, answer: &RawResponse) -> Option<Judgement<'a>> {
    let body = parse(answer);
    let mut compared: Vec<(&Cell, Vec<Mismatch>)> = expectation
        .cells
        .iter()
        .map(|cell| (*cell, compare(expectation, cell, answer, body.as_ref())))
        .collect();
    // Of several that fit, the one that says most about the body is the one that was given.
    let fitting = compared
        .iter()
        .filter(|(_, mismatches)| mismatches.is_empty())
        .max_by_key(|(cell, _)| agreeing(cell, body.as_ref()));
    if let Some((cell, _)) = fitting {
        return Some(Judgement::Conforms(cell));
    }
    // Nearest by status first: whoever answers 500 is not told about each member that an error page lacks.
    compared.sort_by_key(|(cell, mismatches)| (!cell.status.matches(answer.status), mismatches.len()));
    let (cell, mismatches) = compared.into_iter().next()?;
    Some(Judgement::Differs(cell, mismatches))
}

/// Whether every required signal of `cell` stands in `body`.
pub(crate) fn signals_agree(cell: &Cell, body: &Value) -> bool {
    cell.members
        .iter()
        .filter(|member| member.rule.matching.is_signal() && !member.rule.optional)
        .all(|member| compare_member(member, body, None).is_none())
}

fn parse(answer: &RawResponse) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

fn agreeing(cell: &Cell, body: Option<&Value>) -> usize {
    let Some(body) = body else { return 0 };
    if !cell.body_specified {
        return 0;
    }
    cell.members.iter().filter(|member| !places(body, &member.pointer).is_empty()).count() + 1
}

fn compare(
    expectation: &Expectation<'_>,
    cell: &Cell,
    answer: &RawResponse,
    body: Option<&Value>,
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if !cell.status.matches(answer.status) {
        mismatches.push(Mismatch::new("status", cell.status.to_string(), answer.status.to_string()));
    }
    if cell.body_specified {
        match answer.media_type() {
            Some(kind) if kind == "application/json" => {}
            other => mismatches.push(Mismatch::new(
                "content-type",
                "application/json",
                other.unwrap_or_else(|| "none".to_owned()),
            )),
        }
        match body {
            Some(body) if std::mem::discriminant(body) != std::mem::discriminant(&cell.body) => {
                mismatches.push(Mismatch::new("body", kind_of(&cell.body), kind_of(body)));
            }
            Some(body) => {
                let differing =
                    cell.members.iter().filter_map(|member| compare_member(member, body, Some(expectation)));
                mismatches.extend(differing);
            }
            None => mismatches.push(Mismatch::new("body", "JSON", "no JSON")),
        }
    }
    if let Some(body) = body {
        mismatches.extend(match cell.outcome {
            Outcome::Approved => signs_of_refusal(expectation.contract, body),
            _ => claims_of_success(expectation.contract, cell, body),
        });
    }
    if let Some(encoding) = answer.headers.get(http::header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
        mismatches.push(Mismatch::new("content-encoding", "none, for none was asked for", encoding));
    }
    mismatches
}

/// The members by which an approval refuses at the same time.
fn signs_of_refusal(contract: &Contract, body: &Value) -> Vec<Mismatch> {
    let mut signs: Vec<Mismatch> = Vec::new();
    for signal in contract.verify().refusal_signals() {
        let reported = signs.iter().any(|sign| sign.place == signal.pointer);
        if !reported && body.pointer(&signal.pointer) == Some(&signal.example) {
            signs.push(Mismatch::new(&signal.pointer, "no sign of a refusal", signal.example.to_string()));
        }
    }
    signs
}

/// The members by which `body` claims an approval although it is `cell`.
fn claims_of_success(contract: &Contract, cell: &Cell, body: &Value) -> Vec<Mismatch> {
    let mut claims = Vec::new();
    for signal in contract.verify().approval_signals() {
        // Where the cell itself has a value, the comparison with that one has already reported it.
        let judged =
            cell.body_specified && cell.members.iter().any(|member| member.pointer == signal.pointer);
        if !judged && body.pointer(&signal.pointer) == Some(&signal.example) {
            claims.push(Mismatch::new(&signal.pointer, "no sign of an approval", signal.example.to_string()));
        }
    }
    claims
}

/// Where `body` differs from what `member` has, if it does. Without an expectation only signals are compared.
fn compare_member(member: &Member, body: &Value, expectation: Option<&Expectation<'_>>) -> Option<Mismatch> {
    let mismatch = |expected: String, actual: String| Some(Mismatch::new(&member.pointer, expected, actual));
    if member.rule.matching == Matching::Anywhere {
        let candidates = member.candidates(body);
        if candidates.iter().any(|value| member.accepts_anywhere(value)) {
            return None;
        }
        let found: Vec<_> =
            candidates.iter().filter(|value| !value.is_object()).map(ToString::to_string).collect();
        return mismatch(
            format!("{} in a member `{}` at any depth", member.example, member.name()),
            if found.is_empty() { "nothing".to_owned() } else { found.join(" and ") },
        );
    }
    let found = places(body, &member.pointer);
    if found.is_empty() {
        return match member.rule.optional {
            true => None,
            false => mismatch(describe(member, expectation), "nothing".to_owned()),
        };
    }
    found
        .into_iter()
        .find(|value| !agrees(member, value, expectation))
        .and_then(|value| mismatch(describe(member, expectation), value.to_string()))
}

fn agrees(member: &Member, value: &Value, expectation: Option<&Expectation<'_>>) -> bool {
    let same_type = || std::mem::discriminant(&member.example) == std::mem::discriminant(value);
    match &member.rule.matching {
        Matching::Literal => same_value(&member.example, value),
        // Another wording is another check's matter.
        Matching::Text => same_type(),
        Matching::IgnoreCase => match (member.example.as_str(), value.as_str()) {
            (Some(expected), Some(actual)) => expected.eq_ignore_ascii_case(actual),
            _ => same_value(&member.example, value),
        },
        Matching::Anywhere => true,
        Matching::List => value.as_array().is_some_and(|elements| !elements.is_empty()),
        Matching::Echo(name) => match expectation.and_then(|expectation| expectation.echoes.get(name)) {
            Some(expected) => value.as_str() == Some(expected),
            None => same_type(),
        },
        Matching::State(StateValue::RemainingAttempts) => {
            match expectation.and_then(|expectation| expectation.remaining_attempts) {
                Some(expected) => value.as_u64() == Some(expected.into()),
                None => value.is_u64(),
            }
        }
        Matching::State(StateValue::LockoutSeconds) => value.is_u64(),
        // A member that may be absent may be null as well.
        Matching::Open | Matching::Volatile(_) => same_type() || (member.rule.optional && value.is_null()),
    }
}

fn describe(member: &Member, expectation: Option<&Expectation<'_>>) -> String {
    let kind = kind_of(&member.example);
    match &member.rule.matching {
        Matching::Literal | Matching::Anywhere => member.example.to_string(),
        Matching::IgnoreCase => format!("{}, in any case", member.example),
        Matching::List => "a list of at least one element".to_owned(),
        Matching::Echo(name) => match expectation.and_then(|expectation| expectation.echoes.get(name)) {
            Some(value) => Value::from(value.as_str()).to_string(),
            None => kind.to_owned(),
        },
        Matching::State(StateValue::RemainingAttempts) => {
            match expectation.and_then(|expectation| expectation.remaining_attempts) {
                Some(value) => value.to_string(),
                None => "a number of attempts".to_owned(),
            }
        }
        Matching::State(StateValue::LockoutSeconds) => "a number of seconds".to_owned(),
        Matching::Text | Matching::Open | Matching::Volatile(_) => kind.to_owned(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The values at `pointer`, in which `*` stands for every element of a list. A list with an element that lacks the
/// rest yields a null for it, which no rule but an optional one accepts.
fn places<'v>(value: &'v Value, pointer: &str) -> Vec<&'v Value> {
    let Some((before, after)) = pointer.split_once("/*") else {
        return value.pointer(pointer).into_iter().collect();
    };
    let Some(elements) = value.pointer(before).and_then(Value::as_array) else { return Vec::new() };
    elements
        .iter()
        .flat_map(|element| {
            let inner = places(element, after);
            if inner.is_empty() { vec![&Value::Null] } else { inner }
        })
        .collect()
}
