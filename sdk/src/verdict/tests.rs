//! Properties of the reading, over answers that no vendor would think of. What an approval needs is worked out from the
//! contracts anew, by code that shares nothing with the reader.

use std::sync::LazyLock;

use otp_contract::{Contract, Matching};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;
use crate::generated;

const SESSION: &str = "s-1";
const ACCOUNT: &str = "a-1";
/// [`Table::read`] with what every call of these tests carries.
fn read(vendor: &str, status: u16, body: &[u8]) -> Reading {
    let account = || crate::secret::Secret::new(ACCOUNT.to_owned());
    let accounts = [("sid", account()), ("account_sid", account())];
    table(vendor).read(status, body, Echoes { session: SESSION, code: "1234", accounts: &accounts })
}

fn table(vendor: &str) -> &'static Table {
    match vendor {
        "zeckta" => &generated::zeckta::TABLE,
        "kaleyra" => &generated::kaleyra::TABLE,
        "dailystory" => &generated::dailystory::TABLE,
        "exotel" => &generated::exotel::TABLE,
        "d7" => &generated::d7::TABLE,
        other => panic!("no table of {other}"),
    }
}

/// Read once: the properties ask for them thousands of times.
fn contracts() -> &'static [Contract] {
    static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| Contract::all().unwrap());
    &CONTRACTS
}

fn rendered(cell: &otp_contract::Cell) -> Value {
    let mut body = cell.body.clone();
    for member in &cell.members {
        if let Matching::Echo(name) = &member.rule.matching {
            let value = if name == "session" { SESSION } else { ACCOUNT };
            *body.pointer_mut(&member.pointer).unwrap() = value.into();
        }
    }
    body
}

/// Whether a contract allows to call this an approval. No contract has a list or a signal without a place in one.
fn has_every_signal(contract: &Contract, status: u16, body: &Value) -> bool {
    contract.verify().approvals().any(|cell| {
        cell.status.matches(status)
            && cell.members.iter().all(|member| {
                let value = body.pointer(&member.pointer);
                match &member.rule.matching {
                    Matching::Literal => match value {
                        Some(value) => *value == member.example,
                        None => member.rule.optional,
                    },
                    Matching::Echo(name) => {
                        value == Some(&json!(if name == "session" { SESSION } else { ACCOUNT }))
                    }
                    Matching::IgnoreCase | Matching::Anywhere | Matching::List => {
                        panic!("not in an approval so far")
                    }
                    _ => true,
                }
            })
    })
}

/// Puts `value` somewhere into `body`: over a member, over the whole, or beside the members.
fn graft(body: &mut Value, at: Index, value: Value) {
    let mut pointers = vec![String::new()];
    collect(body, "", &mut pointers);
    let pointer = at.get(&pointers);
    if let Some(place) = body.pointer_mut(pointer) {
        match (place, value) {
            (Value::Object(there), Value::Object(new)) => there.extend(new),
            (there, new) => *there = new,
        }
    }
}

fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
    if let Value::Object(members) = value {
        for (name, member) in members {
            let pointer = format!("{pointer}/{name}");
            collect(member, &pointer, found);
            found.push(pointer);
        }
    }
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        proptest::sample::select(vec![200u16, 201, 400, 401, 403, 404, 409, 410, 422, 423, 429, 500]),
        100..1000u16,
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::sample::select(vec![
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(1211),
            json!("1211"),
            json!("APPROVED"),
            json!("success"),
            json!("FAILED"),
            json!("E912"),
            json!({}),
            json!([]),
            json!({ "code": 1016 }),
            json!({ "error": { "code": "E911" } }),
            json!({ "detail": { "code": "INVALID_OTP_CODE" } }),
            json!(SESSION),
        ]),
        any::<i64>().prop_map(Value::from),
        "[A-Za-z_ ]{0,12}".prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_approved_without_every_signal(
        vendor in any::<Index>(),
        (base, other) in any::<(Index, Index)>(),
        status in status(),
        own_status in any::<bool>(),
        grafts in proptest::collection::vec((any::<Index>(), scalar()), 0..3),
        merge in any::<Option<Index>>(),
    ) {
        let contracts = contracts();
        let contract = vendor.get(contracts);
        let cell = base.get(&contract.verify().cells);
        let status = if own_status { cell.sandbox_status } else { status };
        let mut body = rendered(cell);
        if let Some(at) = merge {
            graft(&mut body, at, rendered(other.get(&contract.verify().cells)));
        }
        for (at, value) in grafts {
            graft(&mut body, at, value);
        }

        let reading = read(&contract.vendor, status, body.to_string().as_bytes());
        let allowed = has_every_signal(contract, status, &body);
        prop_assert!(allowed || !matches!(reading, Reading::Approved), "{} {status} {body}", contract.vendor);
        prop_assert!(!allowed || !matches!(reading, Reading::Refused(_) | Reading::Undocumented), "{} {status} {body}", contract.vendor);
        if let Reading::Refused(readings) = reading {
            prop_assert!(!readings.cells.is_empty());
            prop_assert!(readings.nearest.is_none_or(|nearest| readings.cells.iter().any(|cell| cell.name == nearest.name)));
            for cell in readings.cells {
                prop_assert!(cell.outcome != Outcome::Approved && cell.status.has(status));
            }
        }
    }

    #[test]
    fn no_bytes_are_approved(vendor in any::<Index>(), status in status(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let contracts = contracts();
        let reading = read(&vendor.get(contracts).vendor, status, &bytes);
        prop_assert!(!matches!(reading, Reading::Approved));
    }

    #[test]
    fn a_documented_answer_that_is_cut_short_is_not_approved(vendor in any::<Index>(), cut in any::<Index>()) {
        let contracts = contracts();
        let contract = vendor.get(contracts);
        for cell in contract.verify().approvals() {
            let text = rendered(cell).to_string();
            let short = &text.as_bytes()[..cut.index(text.len())];
            let reading = read(&contract.vendor, cell.sandbox_status, short);
            prop_assert!(!matches!(reading, Reading::Approved));
        }
    }
}

#[test]
fn the_tables_are_those_of_the_contracts() {
    for contract in contracts() {
        let cells = table(&contract.vendor).cells;
        assert_eq!(cells.len(), contract.verify().cells.len());
        for (ours, theirs) in cells.iter().zip(&contract.verify().cells) {
            assert_eq!(ours.name, theirs.name);
            assert_eq!(ours.outcome.as_str(), theirs.outcome.as_str());
            assert_eq!(ours.documented, theirs.certainty == otp_contract::Certainty::Documented);
            assert_eq!((ours.specified, ours.usual_status), (theirs.body_specified, theirs.sandbox_status));
            assert_eq!(ours.members.len(), theirs.members.len());
            for status in 100..600 {
                assert_eq!(ours.status.has(status), theirs.status.matches(status));
            }
        }
    }
}

#[test]
fn literal_words_go_before_what_is_inferred() {
    let known = |vendor: &str, name: &str| table(vendor).cells.iter().find(|cell| cell.name == name).unwrap();
    let (wrong, expired) = (known("d7", "wrong_code"), known("d7", "expired"));
    let (used, unknown) = (known("d7", "already_used_400"), known("d7", "unknown_session_400"));
    let agreed = |cells: &[&'static Cell], unsure| {
        Readings::of(cells.to_vec(), unsure, None).agree(|cell| cell.outcome)
    };
    assert_eq!(agreed(&[wrong, used], false), Some(Outcome::WrongCode));
    assert_eq!(agreed(&[wrong, used], true), None, "the status alone is no literal word");
    assert_eq!(agreed(&[wrong, expired], false), None);
    assert_eq!(agreed(&[used], false), Some(Outcome::AlreadyUsed));
    assert_eq!(agreed(&[used, unknown], false), None);
    assert_eq!(agreed(&[], false), None);
}
