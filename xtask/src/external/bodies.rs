//! The bodies that a contract accepts: each cell's example, and what its rules allow beside it.
//!
//! The functions are pure. They sample; the suite's comparison knows all that conforms.

use otp_contract::{Cell, Matching, Operation};
use serde_json::{Value, json};

/// A body that conforms to a cell.
pub(super) struct AcceptedBody {
    /// The cell and how the body differs from its example, for people.
    pub(super) label: String,
    pub(super) status: u16,
    pub(super) value: Value,
    /// Whether the document describes the body, so that a client has a type for it.
    pub(super) is_described: bool,
}

/// Bodies that all cells of `operation` accept. `statuses` are those that have an entry of their own in the document.
pub(super) fn accepted(operation: &Operation, statuses: &[u16]) -> Vec<AcceptedBody> {
    let mut found = Vec::new();
    for cell in &operation.cells {
        for (label, value, is_described) in variants(cell) {
            let label = format!("{}{label}", cell.name);
            found.push(AcceptedBody { label, status: cell.sandbox_status, value, is_described });
        }
        // A range accepts the body under the statuses too that the document describes on their own.
        for status in statuses.iter().copied().filter(|status| *status != cell.sandbox_status) {
            if cell.status.matches(status) {
                let label = format!("{} with status {status}", cell.name);
                found.push(AcceptedBody { label, status, value: cell.body.clone(), is_described: false });
            }
        }
    }
    found
}

fn variants(cell: &Cell) -> Vec<(&'static str, Value, bool)> {
    let mut found = vec![("", cell.body.clone(), true)];
    if let Value::Object(members) = &cell.body {
        let mut members = members.clone();
        members.insert("unexpected".to_owned(), json!({ "list": [1, "a", null] }));
        found.push((" with another member", Value::Object(members), false));
    }
    if cell.body_specified {
        let without = edited(cell, |rule| rule.optional, |_| None);
        found.push((" without optional members", without, true));
        let as_text = |value: &Value| match value {
            Value::Number(number) => Some(Value::String(number.to_string())),
            other => Some(other.clone()),
        };
        let is_anywhere = |matching: &Matching| *matching == Matching::Anywhere;
        found.push((
            " with text for numbers",
            edited(cell, |rule| is_anywhere(&rule.matching), as_text),
            true,
        ));
        found.extend(elsewhere(cell).map(|value| (" with its code under another name", value, false)));
    } else {
        for value in [
            json!({}),
            json!([]),
            json!("text"),
            json!(1),
            json!(true),
            Value::Null,
            json!({ "error": "text" }),
        ] {
            found.push((" with any body", value, false));
        }
        if let Value::Object(members) = &cell.body {
            let text = members.keys().map(|name| (name.clone(), json!("text"))).collect();
            found.push((" with text for its members", Value::Object(text), false));
        }
    }
    found
}

/// The example with each member that a rule selects changed, or removed if `change` returns nothing.
fn edited(
    cell: &Cell,
    selects: impl Fn(&otp_contract::FieldRule) -> bool,
    change: impl Fn(&Value) -> Option<Value>,
) -> Value {
    let mut body = cell.body.clone();
    for member in cell.members.iter().filter(|member| selects(&member.rule)) {
        let Some((parent, name)) = member.pointer.rsplit_once('/') else { continue };
        let Some(Value::Object(members)) = body.pointer_mut(parent) else { continue };
        match members.get(name).and_then(&change) {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
    }
    body
}

/// A body in which the value that may stand anywhere is alone, in a place and under a name of its own.
fn elsewhere(cell: &Cell) -> Option<Value> {
    let member = cell.members.iter().find(|member| member.rule.matching == Matching::Anywhere)?;
    let name = member.pointer.rsplit('/').next()?;
    Some(json!({ "error": { format!("error_{name}"): member.example } }))
}

#[cfg(test)]
mod tests {
    use otp_contract::Contract;

    use super::*;

    fn bodies(vendor: &str, cell: &str) -> Vec<(String, u16, String)> {
        let contract = Contract::of_vendor(vendor).unwrap();
        let mut found = accepted(contract.verify(), &[400, 401, 403]);
        found.retain(|body| body.label.split(' ').next() == Some(cell));
        found.into_iter().map(|body| (body.label, body.status, body.value.to_string())).collect()
    }

    fn has(found: &[(String, u16, String)], status: u16, part: &str) -> bool {
        found.iter().any(|(_, known, text)| *known == status && text == part)
    }

    #[test]
    fn the_rules_of_a_described_body_allow_others() {
        let found = bodies("exotel", "wrong_code");
        assert!(has(&found, 400, r#"{"code":1211}"#), "{found:?}");
        assert!(found.iter().any(|(_, _, text)| text.starts_with(r#"{"code":"1211","#)), "{found:?}");
        assert!(has(&found, 400, r#"{"error":{"error_code":1211}}"#), "{found:?}");
        let wrapped = bodies("exotel", "approved_wrapped");
        assert!(wrapped.iter().any(|(_, _, text)| !text.contains("created_at")), "{wrapped:?}");
    }

    #[test]
    fn any_body_is_accepted_where_it_is_unspecified_with_every_status_of_the_range() {
        let found = bodies("exotel", "unknown_session");
        for body in ["{}", "[]", "\"text\"", "1", "true", "null", r#"{"code":"text","message":"text"}"#] {
            assert!(has(&found, 404, body), "{body} is not in {found:?}");
        }
        for status in [400, 401, 403] {
            assert!(found.iter().any(|(_, known, _)| *known == status), "{found:?}");
        }
    }
}
