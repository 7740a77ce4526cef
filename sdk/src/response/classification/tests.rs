//! Properties of the classification, with generated responses that no vendor would send.
//!
//! The tests derive what an approval requires from the contracts, with code that shares nothing with the
//! classification. The contracts of vendors whose features are disabled are skipped.

use std::sync::LazyLock;

use otp_contract::{Contract, Matching, same_value};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::*;
use crate::generated::VERIFY_OPERATIONS;

const SESSION: &str = "s-1";
const ACCOUNT: &str = "a-1";

/// A contract, with the table that is generated from it.
struct TestedVendor {
    contract: Contract,
    table: &'static ResponseTable,
}

impl TestedVendor {
    fn classify(&self, status: u16, body: &[u8]) -> Classification {
        let request = RequestValues { session: SESSION, code: "1234", account: &|_| Some(ACCOUNT) };
        self.table.classify(status, body, request)
    }
}

/// Read once, because the properties need them thousands of times.
static VENDORS: LazyLock<Vec<TestedVendor>> = LazyLock::new(|| {
    let with_table = |contract: Contract| {
        let operation = VERIFY_OPERATIONS.iter().find(|operation| operation.vendor == contract.vendor)?;
        Some(TestedVendor { contract, table: &operation.responses })
    };
    Contract::all().unwrap().into_iter().filter_map(with_table).collect()
});

/// The body of a cell for a request of these tests.
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

/// Whether a contract allows this response to be an approval. No approval has a list, or a signal without a fixed
/// place.
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
                        panic!("no approval has had such a member so far")
                    }
                    _ => true,
                }
            })
    })
}

/// Inserts `value` into `body`: in place of the body or of a member, or among the members.
fn graft(body: &mut Value, at: Index, value: Value) {
    let mut pointers = vec![String::new()];
    collect(body, "", &mut pointers);
    let pointer = at.get(&pointers);
    if let Some(target) = body.pointer_mut(pointer) {
        match (target, value) {
            (Value::Object(members), Value::Object(new)) => members.extend(new),
            (target, new) => *target = new,
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

/// A body with members whose names end with `code`, and with others, at any depth.
fn body_with_codes() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        proptest::sample::select(vec![1003, 1016, 1017, 1210, 1211]).prop_flat_map(|code| {
            let text = code.to_string();
            proptest::sample::select(vec![
                json!(code),
                json!(f64::from(code)),
                json!(f64::from(code) + 0.5),
                json!(text),
                json!(format!("+{text}")),
                json!(format!("0{text}")),
                json!(format!("{text}.0")),
                json!(format!(" {text}")),
            ])
        }),
        scalar(),
    ];
    let name =
        proptest::sample::select(vec!["code", "Code", "errorCode", "error_CODE", "codes", "cod", "x", ""]);
    value.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..4).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
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
        let vendor = vendor.get(&VENDORS);
        let contract = &vendor.contract;
        let cell = base.get(&contract.verify().cells);
        let status = if own_status { cell.sandbox_status } else { status };
        let mut body = rendered(cell);
        if let Some(at) = merge {
            graft(&mut body, at, rendered(other.get(&contract.verify().cells)));
        }
        for (at, value) in grafts {
            graft(&mut body, at, value);
        }

        let result = vendor.classify(status, body.to_string().as_bytes());
        let allowed = has_every_signal(contract, status, &body);
        prop_assert!(allowed || !matches!(result, Classification::Approved), "{} {status} {body}", contract.vendor);
        let recognized = matches!(result, Classification::Approved | Classification::Contradictory);
        prop_assert!(!allowed || recognized, "{} {status} {body}", contract.vendor);
        if let Classification::Refused(candidates) = result {
            prop_assert!(!candidates.cells.is_empty());
            let is_candidate = |closest: &Cell| candidates.cells.iter().any(|cell| cell.name == closest.name);
            prop_assert!(candidates.closest.is_none_or(is_candidate));
            for cell in candidates.cells {
                prop_assert!(cell.outcome != Outcome::Approved && cell.status.matches(status));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_never_approved(
        vendor in any::<Index>(),
        status in status(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let result = vendor.get(&VENDORS).classify(status, &bytes);
        prop_assert!(!matches!(result, Classification::Approved));
    }

    #[test]
    fn a_truncated_approval_is_not_approved(vendor in any::<Index>(), cut in any::<Index>()) {
        let vendor = vendor.get(&VENDORS);
        for cell in vendor.contract.verify().approvals() {
            let text = rendered(cell).to_string();
            let truncated = &text.as_bytes()[..cut.index(text.len())];
            let result = vendor.classify(cell.sandbox_status, truncated);
            prop_assert!(!matches!(result, Classification::Approved));
        }
    }

    /// `otp-contract` defines the rule `anywhere`; the client has an implementation of its own.
    #[test]
    fn a_value_that_may_be_anywhere_is_found_where_the_contract_finds_it(body in body_with_codes()) {
        let text = body.to_string();
        let json::ParsedBody::Json(parsed) = json::parse(text.as_bytes()) else { panic!("{text}") };
        for vendor in VENDORS.iter() {
            let contract_cells = &vendor.contract.verify().cells;
            for (cell, contract_cell) in vendor.table.cells.iter().zip(contract_cells) {
                for (member, contract_member) in cell.members.iter().zip(&contract_cell.members) {
                    if contract_member.rule.matching != Matching::Anywhere {
                        continue;
                    }
                    let request = RequestValues { session: SESSION, code: "1234", account: &|_| None };
                    let values = contract_member.candidates(&body);
                    let expected = values.into_iter().any(|value| contract_member.accepts_anywhere(value));
                    let found = signals::member_agrees(member, &parsed, request);
                    prop_assert_eq!(found, expected, "{} {:?} {}", vendor.contract.vendor, member, body);
                }
            }
        }
    }

    /// `otp-contract` defines which values claim an approval; the client derives them from its own table.
    #[test]
    fn a_body_claims_an_approval_where_the_contract_says_so(
        vendor in any::<Index>(),
        base in any::<Index>(),
        other in any::<Index>(),
        at in any::<Index>(),
        status in status(),
    ) {
        let vendor = vendor.get(&VENDORS);
        let operation = vendor.contract.verify();
        let mut body = rendered(base.get(&operation.cells));
        graft(&mut body, at, rendered(other.get(&operation.cells)));
        let text = body.to_string();
        let json::ParsedBody::Json(parsed) = json::parse(text.as_bytes()) else { panic!("{text}") };

        let is_at = |signal: &otp_contract::Member| {
            body.pointer(&signal.pointer).is_some_and(|value| same_value(value, &signal.example))
        };
        let claims = operation.approval_signals().any(is_at);
        prop_assert_eq!(vendor.table.signals().claim_approval(&parsed), claims, "{} {}", vendor.contract.vendor, body);
        let result = vendor.classify(status, text.as_bytes());
        if claims {
            let accepted = matches!(result, Classification::Approved | Classification::Contradictory);
            prop_assert!(accepted, "{} {status} {body}: {result:?}", vendor.contract.vendor);
        }
        if operation.refusal_signals().any(is_at) {
            prop_assert!(!matches!(result, Classification::Approved), "{} {status} {body}", vendor.contract.vendor);
        }
    }
}

#[test]
fn the_tables_match_the_contracts() {
    for vendor in VENDORS.iter() {
        let (cells, expected) = (vendor.table.cells, &vendor.contract.verify().cells);
        assert_eq!(cells.len(), expected.len());
        for (cell, expected) in cells.iter().zip(expected) {
            assert_eq!(cell.name, expected.name);
            assert_eq!(cell.outcome.as_str(), expected.outcome.as_str());
            assert_eq!(cell.documented, expected.facts.body.is_documented());
            assert_eq!(
                (cell.body_specified, cell.usual_status),
                (expected.body_specified, expected.sandbox_status)
            );
            assert_eq!(cell.members.len(), expected.members.len());
            for status in 100..600 {
                assert_eq!(cell.status.matches(status), expected.status.matches(status));
            }
        }
    }
}

#[cfg(feature = "d7")]
#[test]
fn documented_cells_take_precedence_over_inferred_ones() {
    let table = VENDORS.iter().find(|vendor| vendor.contract.vendor == "d7").unwrap().table;
    let cell = |name| table.cells.iter().find(|cell| cell.name == name).unwrap();
    let (wrong, expired) = (cell("wrong_code"), cell("expired"));
    let (used, unknown) = (cell("already_used_400"), cell("unknown_session_400"));
    let agreed = |cells: &[&'static Cell], body_differs| {
        Candidates::new(cells.to_vec(), body_differs, None).agreed(|cell| cell.outcome)
    };
    assert_eq!(agreed(&[wrong, used], false), Some(Outcome::WrongCode));
    assert_eq!(agreed(&[wrong, used], true), None, "only the status matches a documented cell");
    assert_eq!(agreed(&[wrong, expired], false), None);
    assert_eq!(agreed(&[used], false), Some(Outcome::AlreadyUsed));
    assert_eq!(agreed(&[used, unknown], false), None);
    assert_eq!(agreed(&[], false), None);
}
