//! Every cell of every contract keeps its meaning, also with changes that a vendor may make without notice.

use otp_contract::{Cell, Contract, Matching, Outcome};
use serde_json::{Map, Value, json};

use crate::responses::replace;
use crate::vendor_call::{self, exchange_json};

/// A change that must not affect a client.
type Change = fn(&Cell, &Value) -> Value;

const CHANGES: &[(&str, Change)] = &[
    ("plain", |_, body| body.clone()),
    ("extra field", |_, body| extended(body)),
    ("unknown enum value", unknown_value),
    ("keys reordered", |_, body| reversed(body)),
    ("other letter case", other_case),
];

#[tokio::test]
async fn every_cell_keeps_its_variant_despite_compatible_changes() {
    let (mut decoded, mut own) = (0, 0);
    for contract in vendor_call::contracts() {
        for cell in &contract.verify().cells {
            let plain = vendor_call::rendered(cell);
            let mut first: Option<(String, Option<otp_verify::Outcome>)> = None;
            for &(name, change) in CHANGES {
                let body = change(cell, &plain);
                let result = exchange_json(&contract.vendor, cell.sandbox_status, &body).await;
                let place = format!("{}/{} with {name}: {body}", contract.vendor, cell.name);
                if cell.body_specified {
                    assert!(result.typed, "no typed body: {place}");
                    let meaning = (result.variant.clone(), result.outcome);
                    assert_eq!(*first.get_or_insert_with(|| meaning.clone()), meaning, "{place}");
                }
                assert!(
                    result.outcomes.iter().any(|outcome| outcome.as_str() == cell.outcome.as_str()),
                    "{place}: {:?}",
                    result.outcomes
                );
                if cell.facts.body.is_documented() {
                    // One variant stands for several cells if the document has the same response for them.
                    assert!(result.variant.contains(&pascal(&cell.name)), "{place} is {}", result.variant);
                }
                if is_unambiguous(&contract, cell) {
                    assert_eq!(result.variant, pascal(&cell.name), "{place}");
                    own += 1;
                }
                decoded += 1;
            }
        }
    }
    let cells: usize = vendor_call::contracts().iter().map(|contract| contract.verify().cells.len()).sum();
    assert_eq!(decoded, cells * CHANGES.len());
    println!(
        "{decoded} responses decoded: {cells} cells x {} changes; {own} have the variant of one documented cell",
        CHANGES.len()
    );
}

#[tokio::test]
async fn an_unknown_value_of_a_signal_is_not_approved_and_is_decoded() {
    for contract in vendor_call::contracts() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.body_specified) {
            for member in cell.members.iter().filter(|member| member.rule.matching.is_signal()) {
                if !member.example.is_string() {
                    continue;
                }
                let mut body = vendor_call::rendered(cell);
                replace(&mut body, &member.pointer, Some(json!("UNKNOWN_VALUE")));
                let result = exchange_json(&contract.vendor, cell.sandbox_status, &body).await;
                let place = format!("{}/{} {body}", contract.vendor, cell.name);
                assert!(cell.outcome != Outcome::Approved || result.variant != "Approved", "{place}");
                assert_eq!(result.raw, Some(body.to_string().into_bytes()), "{place}");
                assert!(result.typed, "{place}");
            }
        }
    }
}

/// Whether the document states the cell literally and has no other meaning for its response.
fn is_unambiguous(contract: &Contract, cell: &Cell) -> bool {
    cell.facts.body.is_documented()
        && contract.verify().cells.iter().all(|other| {
            other.name == cell.name
                || !other.facts.body.is_documented()
                || other.body != cell.body
                || !other.status.matches(cell.sandbox_status)
        })
}

fn pascal(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

fn extended(value: &Value) -> Value {
    let mut value = value.clone();
    value["new_member"] = json!({ "nested": [1, null, "text"] });
    value
}

/// Replaces every text that is no signal, and adds a member.
fn unknown_value(cell: &Cell, body: &Value) -> Value {
    let mut body = body.clone();
    for member in &cell.members {
        let free = matches!(member.rule.matching, Matching::Text | Matching::Open);
        if free && member.example.is_string() && !member.pointer.contains('*') {
            replace(&mut body, &member.pointer, Some(json!("UNKNOWN_VALUE")));
        }
    }
    body["state"] = json!("UNKNOWN_VALUE");
    body
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .rev()
            .map(|(name, member)| (name.clone(), reversed(member)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn other_case(cell: &Cell, body: &Value) -> Value {
    let mut body = body.clone();
    for member in cell.members.iter().filter(|member| member.rule.matching == Matching::IgnoreCase) {
        let text = body.pointer(&member.pointer).unwrap().as_str().unwrap();
        let upper = text.to_ascii_uppercase();
        let other = if upper == text { text.to_ascii_lowercase() } else { upper };
        replace(&mut body, &member.pointer, Some(other.into()));
    }
    body
}
