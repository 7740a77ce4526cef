//! Whether a caller can distinguish two responses. What a contract calls volatile may differ, and so may the id that the
//! caller asked about.

use otp_contract::{Matching, Operation};
use serde_json::Value;

use crate::harness::{Abort, CheckContext};
use crate::http::RawResponse;

/// A deviation if a caller can distinguish the response to `one` from the response to `other`.
pub(super) fn expect(
    context: &CheckContext<'_>,
    one: (&str, &RawResponse),
    other: (&str, &RawResponse),
) -> Result<(), Abort> {
    expect_for_ids(context, (one.0, one.1, ""), (other.0, other.1, ""))
}

/// The same for responses about two sessions, each with its id.
pub(super) fn expect_for_ids(
    context: &CheckContext<'_>,
    (name, response, id): (&str, &RawResponse, &str),
    (other_name, other_response, other_id): (&str, &RawResponse, &str),
) -> Result<(), Abort> {
    let one = comparable(context.operation, response, id);
    let other = comparable(context.operation, other_response, other_id);
    match one == other {
        true => Ok(()),
        false => Err(context.deviation(
            format!("the same response to {name} and to {other_name}"),
            format!("{one} to {name}, and {other} to {other_name}"),
        )),
    }
}

/// Status, media type and body, without what may differ.
fn comparable(operation: &Operation, response: &RawResponse, id: &str) -> String {
    let media_type = response.media_type().unwrap_or_default();
    let text = match serde_json::from_slice::<Value>(&response.body) {
        Ok(mut body) => {
            mask_undocumented(&mut body, "", operation);
            for member in operation.cells.iter().flat_map(|cell| &cell.members) {
                let may_differ = matches!(member.rule.matching, Matching::Volatile(_) | Matching::State(_));
                if let (true, Some(place)) = (may_differ, body.pointer_mut(&member.pointer)) {
                    *place = Value::Null;
                }
            }
            body.to_string()
        }
        Err(_) => String::from_utf8_lossy(&response.body).into_owned(),
    };
    let text = if id.is_empty() { text } else { text.replace(id, "…") };
    format!("HTTP {} {media_type} {text}", response.status)
}

/// Masks strings and numbers in members that no cell has, because a server's own request id differs from call to call.
fn mask_undocumented(value: &mut Value, pointer: &str, operation: &Operation) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let token = name.replace('~', "~0").replace('/', "~1");
                mask_undocumented(member, &format!("{pointer}/{token}"), operation);
            }
        }
        Value::String(_) | Value::Number(_) => {
            let documented = operation.cells.iter().any(|cell| cell.body.pointer(pointer).is_some());
            if !documented {
                *value = Value::from("…");
            }
        }
        _ => {}
    }
}
