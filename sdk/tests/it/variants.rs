//! Every cell of every contract, as it is and as a vendor may change it without asking, is read as what it is.

use otp_contract::{Cell, Certainty, Contract, Matching, Outcome};
use serde_json::{Map, Value, json};

use crate::answers::replace;
use crate::play::{self, answered};

/// A change that no client may stumble over.
type Change = fn(&Cell, &Value) -> Value;

const CHANGES: [(&str, Change); 5] = [
    ("plain", |_, body| body.clone()),
    ("extra field", |_, body| extended(body)),
    ("unknown enum value", unknown_value),
    ("keys reordered", |_, body| reversed(body)),
    ("other letter case", other_case),
];

#[tokio::test]
async fn every_cell_is_its_own_variant_however_a_vendor_may_change_it() {
    let (mut decoded, mut own) = (0, 0);
    for contract in play::contracts() {
        for cell in &contract.verify().cells {
            let plain = play::rendered(cell);
            let mut first: Option<(String, Option<otp_verify::Outcome>)> = None;
            for (name, change) in CHANGES {
                let body = change(cell, &plain);
                let seen = answered(&contract.vendor, cell.sandbox_status, &body).await;
                let place = format!("{}/{} with {name}: {body}", contract.vendor, cell.name);
                if cell.body_specified {
                    assert!(seen.typed, "no typed body: {place}");
                    // What a status alone tells is the same whatever the body; the rest must be its very own.
                    let read = (seen.variant.clone(), seen.outcome);
                    assert_eq!(*first.get_or_insert_with(|| read.clone()), read, "{place}");
                }
                assert!(
                    seen.outcomes.iter().any(|outcome| outcome.as_str() == cell.outcome.as_str()),
                    "{place}: {:?}",
                    seen.outcomes
                );
                if cell.certainty == Certainty::Documented {
                    // One of several where the document gives them one answer.
                    assert!(seen.variant.contains(&pascal(&cell.name)), "{place} is {}", seen.variant);
                }
                if is_alone(&contract, cell) {
                    assert_eq!(seen.variant, pascal(&cell.name), "{place}");
                    own += 1;
                }
                decoded += 1;
            }
        }
    }
    let cells: usize = play::contracts().iter().map(|contract| contract.verify().cells.len()).sum();
    assert_eq!(decoded, cells * CHANGES.len());
    println!(
        "{decoded} answers decoded: {cells} cells x {} variants; {own} are a documented cell's own",
        CHANGES.len()
    );
}

#[tokio::test]
async fn a_deciding_word_that_nobody_knows_is_no_approval_and_no_failure_to_decode() {
    for contract in play::contracts() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.body_specified) {
            for member in cell.members.iter().filter(|member| member.rule.matching.is_signal()) {
                if !member.example.is_string() {
                    continue;
                }
                let mut body = play::rendered(cell);
                replace(&mut body, &member.pointer, Some(json!("WORD_OF_TOMORROW")));
                let seen = answered(&contract.vendor, cell.sandbox_status, &body).await;
                let place = format!("{}/{} {body}", contract.vendor, cell.name);
                assert!(cell.outcome != Outcome::Approved || seen.variant != "Approved", "{place}");
                assert_eq!(seen.raw, Some(body.to_string().into_bytes()), "{place}");
                assert!(seen.typed, "{place}");
            }
        }
    }
}

/// Whether the document says so literally and gives the answer no other meaning.
fn is_alone(contract: &Contract, cell: &Cell) -> bool {
    cell.certainty == Certainty::Documented
        && contract.verify().cells.iter().all(|other| {
            other.name == cell.name
                || other.certainty != Certainty::Documented
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

/// Another word wherever a word decides nothing, and a new member with one.
fn unknown_value(cell: &Cell, body: &Value) -> Value {
    let mut body = body.clone();
    for member in &cell.members {
        let free = matches!(member.rule.matching, Matching::Text | Matching::Open);
        if free && member.example.is_string() && !member.pointer.contains('*') {
            replace(&mut body, &member.pointer, Some(json!("WORD_OF_TOMORROW")));
        }
    }
    body["state"] = json!("WORD_OF_TOMORROW");
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
