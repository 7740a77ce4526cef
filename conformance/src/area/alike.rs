//! Whether two answers are the same to whoever cannot know which is which. What a contract calls volatile, and the id
//! that was asked about, may differ.

use otp_contract::{Contract, Matching};
use serde_json::Value;

use crate::subject::{Bench, Stop};
use crate::wire::RawResponse;

/// A finding unless `one` and `other` are alike.
pub(crate) fn demand(
    bench: &Bench<'_>,
    of_one: &str,
    one: &RawResponse,
    of_other: &str,
    other: &RawResponse,
) -> Result<(), Stop> {
    demand_for(bench, (of_one, one, ""), (of_other, other, ""))
}

/// The same for answers about two sessions, each with its id.
pub(crate) fn demand_for(
    bench: &Bench<'_>,
    (of_one, one, one_id): (&str, &RawResponse, &str),
    (of_other, other, other_id): (&str, &RawResponse, &str),
) -> Result<(), Stop> {
    let contract = bench.contract;
    let (plain_one, plain_other) = (plain(contract, one, one_id), plain(contract, other, other_id));
    match plain_one == plain_other {
        true => Ok(()),
        false => Err(bench.found(
            format!("one answer to {of_one} and to {of_other}"),
            format!("{plain_one} to {of_one}, and {plain_other} to {of_other}"),
        )),
    }
}

/// Status, media type and body, without what may differ.
fn plain(contract: &Contract, answer: &RawResponse, id: &str) -> String {
    let kind = answer.media_type().unwrap_or_default();
    let text = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut body) => {
            blur(&mut body, "", contract);
            for member in contract.verify().cells.iter().flat_map(|cell| &cell.members) {
                let differs = matches!(member.rule.matching, Matching::Volatile(_) | Matching::State(_));
                if let (true, Some(place)) = (differs, body.pointer_mut(&member.pointer)) {
                    *place = Value::Null;
                }
            }
            body.to_string()
        }
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let text = if id.is_empty() { text } else { text.replace(id, "…") };
    format!("HTTP {} {kind} {text}", answer.status)
}

/// Takes texts and numbers out of members that no cell has: a request id of the server's own differs from call to call.
fn blur(value: &mut Value, pointer: &str, contract: &Contract) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let token = name.replace('~', "~0").replace('/', "~1");
                blur(member, &format!("{pointer}/{token}"), contract);
            }
        }
        Value::String(_) | Value::Number(_) => {
            let documented = contract.verify().cells.iter().any(|cell| cell.body.pointer(pointer).is_some());
            if !documented {
                *value = Value::from("…");
            }
        }
        _ => {}
    }
}
