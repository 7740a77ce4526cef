//! What a document that says nothing about one-time passwords probably means, by the usual names and statuses.
//!
//! Every guess is inferred, and what has no usual form is [`TODO`]. It never writes text.

use serde_json::{Value, json};

use super::insertion::Entry;
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{Outcome, PathTemplate};

/// What the author has to complete.
pub(super) const TODO: &str = "TODO";

const CODE_NAMES: [&str; 5] = ["otp", "code", "pin", "passcode", "token"];
const SESSION_WORDS: [&str; 6] = ["session", "verif", "request", "reference", "challenge", "otp"];

pub(super) fn vendor(root: &DocumentNode<'_>) -> Value {
    let title = root.value().pointer("/info/title").and_then(Value::as_str).unwrap_or("Mine");
    let word = title.split(|char: char| !char.is_ascii_alphanumeric()).find(|word| !word.is_empty());
    let id = word.unwrap_or("mine").to_ascii_lowercase();
    let id = if id.starts_with(|first: char| first.is_ascii_digit()) { format!("v{id}") } else { id };
    json!({ "id": id, "name": title, "document": TODO })
}

/// A place of a request, as an annotation names it.
struct Place {
    part: &'static str,
    name: String,
    /// The member's schema, for the length of a code.
    schema: Value,
}

impl Place {
    fn value(&self) -> serde_json::Map<String, Value> {
        let named = [("in".to_owned(), json!(self.part)), ("name".to_owned(), json!(self.name))];
        named.into_iter().collect()
    }
}

/// The annotation of the verify operation.
pub(super) fn operation(
    path: &DocumentNode<'_>,
    operation: &DocumentNode<'_>,
) -> Result<Vec<Entry>, Problem> {
    let template = PathTemplate::parse(path.key())
        .ok_or_else(|| path.unexpected_key("a path such as /v1/{account}/verify"))?;
    let mut places = places(&template, operation)?;
    let code = take(&mut places, |name| {
        let ends = CODE_NAMES.iter().position(|known| name.ends_with(known));
        ends.map(|index| if CODE_NAMES.contains(&name) { index } else { index + CODE_NAMES.len() })
    });
    let session = take(&mut places, |name| {
        let is_telling = SESSION_WORDS.iter().any(|word| name.contains(word));
        if is_telling { Some(0) } else { name.ends_with("id").then_some(1) }
    });
    let unknown = || Place { part: TODO, name: TODO.to_owned(), schema: Value::Null };

    let session = session.unwrap_or_else(unknown);
    let mut session_value = session.value();
    session_value.insert("id_pattern".to_owned(), json!("{uuid}"));

    let code = code.unwrap_or_else(unknown);
    let bound =
        |name: &str| code.schema.get(name).and_then(Value::as_u64).filter(|length| (1..=64).contains(length));
    let (min, max) = (bound("minLength"), bound("maxLength"));
    let length = [max, min].into_iter().flatten().find(|length| *length <= 8).unwrap_or(6);
    let mut code_value = code.value();
    code_value.insert("alphabet".to_owned(), json!("digits"));
    code_value.insert("length".to_owned(), json!(length));
    code_value.insert("min_length".to_owned(), json!(min.unwrap_or(length).min(length)));
    code_value.insert("max_length".to_owned(), json!(max.unwrap_or(length).max(length)));

    let mut entries = vec![
        Entry::new(
            "session",
            Value::Object(session_value),
            "and the form of the ids that the sandbox creates",
        ),
        Entry::new("code", Value::Object(code_value), ""),
    ];
    let accounts: serde_json::Map<String, Value> = places
        .iter()
        .filter(|place| place.part == "path")
        .map(|place| (place.name.clone(), json!({ "id_pattern": "{hex:32}" })))
        .collect();
    if !accounts.is_empty() {
        entries.push(Entry::new(
            "accounts",
            Value::Object(accounts),
            "the path parameters that name the account",
        ));
    }
    let inferred = |number: &str, value: u64| json!({ number: value, "certainty": "inferred", "source": { "section": TODO } });
    entries.push(Entry::nested(
        "policy",
        vec![
            Entry::new("lifetime", inferred("seconds", 300), ""),
            Entry::new("attempts", inferred("limit", 5), "remove it if there is no limit of wrong codes"),
            Entry::new(
                "boundary",
                json!(["wrong_code"]),
                "the answer to the wrong code that reaches the limit",
            ),
            Entry::new("precedence", json!(["already_used", "attempts_exhausted", "expired"]), ""),
        ],
    ));
    let refusal = json!({ "body": { "error": "$reason" } });
    entries.push(Entry::new("refusal", refusal, "the body of an error that no example shows"));
    Ok(entries)
}

/// Takes the place whose name, in lower case, has the lowest rank.
fn take(places: &mut Vec<Place>, rank: impl Fn(&str) -> Option<usize>) -> Option<Place> {
    let ranked = places.iter().enumerate();
    let ranked = ranked.filter_map(|(index, place)| Some((rank(&place.name.to_ascii_lowercase())?, index)));
    let (_, index) = ranked.min()?;
    Some(places.remove(index))
}

/// Every place of a request that can hold the session id or the code: those of the path first.
fn places(template: &PathTemplate, operation: &DocumentNode<'_>) -> Result<Vec<Place>, Problem> {
    let in_path = template.parameters();
    let mut found: Vec<Place> =
        in_path.map(|name| Place { part: "path", name: name.to_owned(), schema: Value::Null }).collect();
    let parameters = match operation.optional("parameters")? {
        Some(parameters) => parameters.elements()?,
        None => Vec::new(),
    };
    for parameter in parameters {
        let text = |name: &str| parameter.value().get(name).and_then(Value::as_str);
        if let (Some("query"), Some(name)) = (text("in"), text("name")) {
            let schema = parameter.optional("schema")?.map_or(Value::Null, |schema| schema.value().clone());
            found.push(Place { part: "query", name: name.to_owned(), schema });
        }
    }
    let Some(body) = operation.optional("requestBody")? else { return Ok(found) };
    let Some(content) = body.optional("content")? else { return Ok(found) };
    let media = content.members()?.into_iter().next();
    let Some(schema) = media.as_ref().map(|media| media.optional("schema")).transpose()?.flatten() else {
        return Ok(found);
    };
    let Some(properties) = schema.optional("properties")? else { return Ok(found) };
    for member in properties.members()? {
        let schema = member.value().clone();
        found.push(Place { part: "body", name: member.key().to_owned(), schema });
    }
    Ok(found)
}

/// The annotation of an example under `status`, by the words that describe it.
pub(super) fn example(status: &str, words: &str, body: &Value) -> Vec<(String, Value)> {
    let words = format!("{words} {body}").to_lowercase();
    let outcome = outcome(status, &words).map_or(TODO, Outcome::as_str);
    let mut entries = vec![
        ("outcome".to_owned(), json!(outcome)),
        ("certainty".to_owned(), json!("inferred")),
        ("source".to_owned(), json!({ "section": TODO })),
    ];
    if status.ends_with("XX") {
        entries.push(("status".to_owned(), json!(TODO)));
    }
    entries
}

fn outcome(status: &str, words: &str) -> Option<Outcome> {
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let by_status = match status {
        "401" | "403" => Some(Outcome::Unauthorized),
        "404" => Some(Outcome::UnknownSession),
        "409" => Some(Outcome::AlreadyUsed),
        "410" => Some(Outcome::Expired),
        "423" => Some(Outcome::AttemptsExhausted),
        _ => None,
    };
    let by_words = || {
        if has(&["expired", "timed out"]) {
            Some(Outcome::Expired)
        } else if has(&["already", "used"]) {
            Some(Outcome::AlreadyUsed)
        } else if has(&["attempts", "too many", "locked", "exhausted"]) {
            Some(Outcome::AttemptsExhausted)
        } else if has(&[
            "wrong",
            "incorrect",
            "mismatch",
            "invalid code",
            "invalid otp",
            "invalid_code",
            "invalid_otp",
        ]) {
            Some(Outcome::WrongCode)
        } else if has(&["missing", "required", "malformed", "validation"]) {
            Some(Outcome::InvalidRequest)
        } else {
            None
        }
    };
    if !status.starts_with('2') {
        return by_status.or_else(by_words);
    }
    if has(&["approved", "success", "verified", "valid\":true"])
        && !has(&["false", "fail", "invalid", "pending"])
    {
        return Some(Outcome::Approved);
    }
    by_words()
}
