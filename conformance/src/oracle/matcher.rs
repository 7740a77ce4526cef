//! Compares a response with the cells that a contract allows in a situation. One of them is enough; if none matches, the
//! finding shows the closest one.

use std::collections::{BTreeMap, BTreeSet};

use otp_contract::{
    Cell, Certainty, HeaderField, Matching, Member, Mode, Operation, Outcome, Situation, StateValue, essence,
    same_value,
};
use serde::Serialize;
use serde_json::Value;

use crate::http::RawResponse;

/// What a response is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Expectation<'a> {
    /// The operation that was called.
    pub(crate) operation: &'a Operation,
    /// The documented responses that are allowed.
    pub(crate) cells: Vec<&'a Cell>,
    /// The values that a body may echo: `session`, `code` and account parameters.
    pub(crate) echoes: BTreeMap<String, String>,
    /// How many wrong codes the server would still compare, if that is known.
    pub(crate) remaining_attempts: Option<u32>,
}

/// The result of a comparison.
#[derive(Debug, Clone)]
pub(crate) enum Judgement<'a> {
    /// The response is this cell.
    Conforms(&'a Cell),
    /// The response is none of the allowed cells. This is the closest one, and where the response differs from it.
    Differs(&'a Cell, Vec<Difference>),
}

/// One place where a response differs from a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `status`, `content-type`, `body`, a JSON pointer into the body, or the name of a header field.
    pub place: String,
    /// What the contract specifies there.
    pub expected: String,
    /// What the response has there.
    pub actual: String,
}

impl Expectation<'_> {
    /// The allowed responses in words, one per line, the closest one first.
    pub(crate) fn describe(&self, closest: &Cell) -> String {
        let mut lines = vec![self.describe_cell(closest)];
        let others = self.cells.iter().filter(|cell| cell.name != closest.name);
        lines.extend(others.map(|cell| format!("or {}", self.describe_cell(cell))));
        lines.join("\n")
    }

    fn describe_cell(&self, cell: &Cell) -> String {
        if !cell.body_specified {
            return format!("HTTP {}, any body that claims no success ({})", cell.status, cell.name);
        }
        if cell.media_type.is_none() {
            return format!("HTTP {} without a body ({})", cell.status, cell.name);
        }
        let mut body = cell.body.clone();
        for member in &cell.members {
            let value: Option<Value> = match &member.rule.matching {
                // Codes stay out of reports; a session id is not a secret.
                Matching::Echo(name) if name != "code" => {
                    self.echoes.get(name).map(|value| value.as_str().into())
                }
                Matching::State(_) => self.remaining_attempts.map(Into::into),
                _ => None,
            };
            if let (Some(value), Some(place)) = (value, body.pointer_mut(&member.pointer)) {
                *place = value;
            }
        }
        format!("HTTP {} {body} ({})", cell.status, cell.name)
    }
}

impl Difference {
    fn new(place: &str, expected: impl Into<String>, actual: impl Into<String>) -> Difference {
        Difference { place: place.to_owned(), expected: expected.into(), actual: actual.into() }
    }
}

/// Whether a response differs in these places as another one did. Elements of lists are not compared.
pub(crate) fn has_differences(response: &RawResponse, differences: &[Difference]) -> bool {
    let body = parse(response).unwrap_or(Value::Null);
    differences.iter().all(|difference| {
        let found = match difference.place.as_str() {
            "status" => Some(response.status.to_string()),
            "content-type" => response.media_type(),
            "body" => return true,
            pointer if pointer.contains('*') => return true,
            pointer if pointer.starts_with('/') => body.pointer(pointer).map(ToString::to_string),
            name => {
                response.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            }
        };
        match difference.actual.as_str() {
            "nothing" | "none" => found.is_none(),
            actual => found.as_deref() == Some(actual),
        }
    })
}

/// Compares a response with the allowed cells; `None` if no cell is allowed at all.
pub(crate) fn judge<'a>(expectation: &Expectation<'a>, response: &RawResponse) -> Option<Judgement<'a>> {
    let body = parse(response);
    let mut compared: Vec<(&Cell, Vec<Difference>)> = expectation
        .cells
        .iter()
        .map(|cell| (*cell, compare(expectation, cell, response, body.as_ref())))
        .collect();
    // Of several matching cells, the response is the one that says most about the body.
    let matching = compared
        .iter()
        .filter(|(_, differences)| differences.is_empty())
        .max_by_key(|(cell, _)| agreeing(cell, body.as_ref()));
    if let Some((cell, _)) = matching {
        return Some(Judgement::Conforms(cell));
    }
    // The status decides first which cell is closest: for a 500, every missing member of an error page is noise.
    compared.sort_by_key(|(cell, differences)| (!cell.status.matches(response.status), differences.len()));
    let (cell, differences) = compared.into_iter().next()?;
    Some(Judgement::Differs(cell, differences))
}

/// The cells that conform in a situation, for calls in `mode`.
pub(crate) fn expected_cells(operation: &Operation, situation: Situation, mode: Option<Mode>) -> Vec<&Cell> {
    let in_mode = |mode| {
        operation
            .cells
            .iter()
            .filter(move |cell| cell.answers(situation) && cell.mode == mode)
            .collect::<Vec<_>>()
    };
    let own = in_mode(mode);
    if own.is_empty() { in_mode(None) } else { own }
}

/// The cells with any of these outcomes.
pub(crate) fn cells_with_outcome<'o>(
    operation: &'o Operation,
    outcomes: &BTreeSet<Outcome>,
) -> Vec<&'o Cell> {
    operation.cells.iter().filter(|cell| cell.outcomes().any(|outcome| outcomes.contains(&outcome))).collect()
}

/// The cell that a check cites for a situation: a documented one if there is one, otherwise the one that the sandbox
/// gives.
pub(crate) fn main_cell(operation: &Operation, situation: Situation, mode: Option<Mode>) -> Option<&Cell> {
    let own = || operation.cells.iter().filter(|cell| cell.answers(situation) && cell.mode == mode);
    own()
        .find(|cell| cell.certainty == Certainty::Documented && !cell.alternative)
        .or_else(|| own().find(|cell| !cell.alternative))
        .or_else(|| own().next())
}

fn parse(response: &RawResponse) -> Option<Value> {
    serde_json::from_slice(&response.body).ok()
}

/// Where a response differs from one cell.
pub(super) fn compare_with(
    expectation: &Expectation<'_>,
    cell: &Cell,
    response: &RawResponse,
) -> Vec<Difference> {
    compare(expectation, cell, response, parse(response).as_ref())
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
    response: &RawResponse,
    body: Option<&Value>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    if !cell.status.matches(response.status) {
        differences.push(Difference::new("status", cell.status.to_string(), response.status.to_string()));
    }
    differences.extend(cell.headers.iter().filter_map(|field| compare_header(field, response)));
    let media_type = cell.media_type.as_deref().filter(|_| cell.body_specified);
    if cell.media_type.is_none() && cell.body_specified && !response.body.is_empty() {
        let found = format!("{} bytes", response.body.len());
        differences.push(Difference::new("body", "no body", found));
    }
    if let Some(media_type) = media_type {
        match response.media_type() {
            Some(kind) if kind == essence(media_type) => {}
            other => differences.push(Difference::new(
                "content-type",
                media_type,
                other.unwrap_or_else(|| "none".to_owned()),
            )),
        }
        match body {
            Some(body) if std::mem::discriminant(body) != std::mem::discriminant(&cell.body) => {
                differences.push(Difference::new("body", kind_of(&cell.body), kind_of(body)));
            }
            Some(body) => {
                let wrong =
                    cell.members.iter().filter_map(|member| compare_member(member, body, Some(expectation)));
                differences.extend(wrong);
            }
            None => differences.push(Difference::new("body", "JSON", "no JSON")),
        }
    }
    if let Some(body) = body {
        differences.extend(match cell.outcome {
            Outcome::Approved => signs_of_refusal(expectation.operation, body),
            _ => claims_of_success(expectation.operation, cell, body),
        });
    }
    if let Some(encoding) = response.headers.get(http::header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
        differences.push(Difference::new(
            "content-encoding",
            "none, because the request asked for none",
            encoding,
        ));
    }
    differences
}

/// Where a header field differs from what the contract says, if it does.
fn compare_header(field: &HeaderField, response: &RawResponse) -> Option<Difference> {
    let mut values = response.headers.get_all(&field.name).iter().peekable();
    if values.peek().is_none() {
        let expected = format!("a header field such as {}: {}", field.name, field.example);
        return (!field.rule.optional).then(|| Difference::new(&field.name, expected, "none"));
    }
    let values: Vec<String> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let (holds, expected): (&dyn Fn(&str) -> bool, String) = match field.rule.matching {
        Matching::Literal => (&|value| value == field.example, field.example.clone()),
        Matching::IgnoreCase => (&|value| value.eq_ignore_ascii_case(&field.example), field.example.clone()),
        // A number of seconds or a date, as RFC 9110 allows for `Retry-After`.
        Matching::State(_) => (
            &|value| value.parse::<u64>().is_ok() || httpdate::parse_http_date(value).is_ok(),
            "a number of seconds, or a date".to_owned(),
        ),
        _ => (&|value| !value.trim().is_empty(), "a value".to_owned()),
    };
    match values.iter().any(|value| holds(value)) {
        true => None,
        false => Some(Difference::new(&field.name, expected, values.join(", "))),
    }
}

/// The members of an approval that say it is a refusal.
fn signs_of_refusal(operation: &Operation, body: &Value) -> Vec<Difference> {
    let mut signs: Vec<Difference> = Vec::new();
    for signal in operation.refusal_signals() {
        let reported = signs.iter().any(|sign| sign.place == signal.pointer);
        if !reported && body.pointer(&signal.pointer) == Some(&signal.example) {
            signs.push(Difference::new(&signal.pointer, "no sign of a refusal", signal.example.to_string()));
        }
    }
    signs
}

/// The members of a refusal that claim an approval.
fn claims_of_success(operation: &Operation, cell: &Cell, body: &Value) -> Vec<Difference> {
    let mut claims = Vec::new();
    for signal in operation.approval_signals() {
        // Where the cell itself has a value, the comparison with that one has already reported it.
        let judged =
            cell.body_specified && cell.members.iter().any(|member| member.pointer == signal.pointer);
        if !judged && body.pointer(&signal.pointer) == Some(&signal.example) {
            claims.push(Difference::new(
                &signal.pointer,
                "no sign of an approval",
                signal.example.to_string(),
            ));
        }
    }
    claims
}

/// Where `body` differs from `member`, if it does. Without an expectation, echoes and state values are compared by type.
pub(super) fn compare_member(
    member: &Member,
    body: &Value,
    expectation: Option<&Expectation<'_>>,
) -> Option<Difference> {
    let difference =
        |expected: String, actual: String| Some(Difference::new(&member.pointer, expected, actual));
    if member.rule.matching == Matching::Anywhere {
        let candidates = member.candidates(body);
        if candidates.iter().any(|value| member.accepts_anywhere(value)) {
            return None;
        }
        let found: Vec<_> =
            candidates.iter().filter(|value| !value.is_object()).map(ToString::to_string).collect();
        return difference(
            format!("{} in a member `{}` at any depth", member.example, member.name()),
            if found.is_empty() { "nothing".to_owned() } else { found.join(" and ") },
        );
    }
    let found = places(body, &member.pointer);
    if found.is_empty() {
        return match member.rule.optional {
            true => None,
            false => difference(describe(member, expectation), "nothing".to_owned()),
        };
    }
    found
        .into_iter()
        .find(|value| !agrees(member, value, expectation))
        .and_then(|value| difference(describe(member, expectation), value.to_string()))
}

fn agrees(member: &Member, value: &Value, expectation: Option<&Expectation<'_>>) -> bool {
    let same_type = || std::mem::discriminant(&member.example) == std::mem::discriminant(value);
    match &member.rule.matching {
        Matching::Literal => same_value(&member.example, value),
        // `consistency/wording` checks the wording.
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
        // An optional member may also be null.
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

/// The values at `pointer`, in which `*` stands for every element of a list. An element that lacks the rest of the path
/// yields a null, which only optional members accept.
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
