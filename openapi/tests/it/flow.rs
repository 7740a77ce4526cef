//! A contract with every operation: what each says, and what is refused in it.

use otp_contract::{
    CodeOnResend, Contract, Outcome, Place, RecipientForm, ResultPlace, Role, SecondSend, lint,
};

const RELAY: &str = include_str!("../../../conformance/tests/contracts/relay.yaml");

fn relay() -> Contract {
    Contract::from_yaml("relay.yaml", RELAY).unwrap()
}

fn reported(from: &str, to: &str) -> String {
    let text = RELAY.replacen(from, to, 1);
    assert_ne!(text, RELAY, "{from} is not in the document");
    let reported: String =
        lint::contract(&text).iter().map(|problem| format!("{}\n", problem.in_file("relay.yaml"))).collect();
    let is_readable = Contract::from_yaml("relay.yaml", &text).is_ok();
    assert_eq!(is_readable, reported.is_empty(), "{reported}");
    reported
}

#[test]
fn each_operation_has_its_role_its_places_and_its_responses() {
    let relay = relay();
    let roles: Vec<_> = relay.calls.iter().map(|call| (call.role, call.method.as_str())).collect();
    let expected =
        [(Role::Send, "POST"), (Role::Resend, "POST"), (Role::Status, "GET"), (Role::Cancel, "DELETE")];
    assert_eq!(roles, expected);

    let send = &relay.calls[0];
    let recipients: Vec<_> = send
        .recipients
        .iter()
        .map(|recipient| (recipient.location.keys(), recipient.location.place, recipient.form))
        .collect();
    assert_eq!(
        recipients,
        [
            (vec!["to", "phone"], Place::Body, RecipientForm::E164),
            (vec!["to", "email"], Place::Body, RecipientForm::Email)
        ]
    );
    let result = send.result.as_ref().unwrap();
    assert_eq!(result.session, ResultPlace::Body("/verification/id".to_owned()));
    assert_eq!((result.again, result.backing.is_documented()), (SecondSend::Reused, true));
    let outcomes: Vec<_> = send.cells.iter().map(|cell| cell.outcome).collect();
    assert_eq!(outcomes, [Outcome::Reused, Outcome::Sent, Outcome::InvalidRecipient, Outcome::TooSoon]);

    let verify = relay.verify();
    assert_eq!(verify.session.location.keys(), ["verification", "id"]);
    assert_eq!(verify.session.alternatives[0].keys(), ["to", "phone"]);
    assert_eq!(verify.code.location.keys(), ["verification", "code"]);
}

#[test]
fn the_rules_for_sending_come_from_whichever_operation_states_them() {
    let sending = relay().policy.sending;
    assert_eq!(sending.cooldown.map(|rule| rule.value), Some(30));
    assert_eq!(sending.resend_limit.map(|rule| rule.value), Some(3));
    assert_eq!(sending.code_on_resend.map(|rule| rule.value), Some(CodeOnResend::Same));
    assert!(sending.lifetime_on_resend.is_some_and(|rule| !rule.backing.is_documented()));
}

#[test]
fn a_response_without_a_body_and_a_header_field_are_facts() {
    let relay = relay();
    let cancel = &relay.calls[3];
    let cancelled = &cancel.cells[0];
    assert_eq!((cancelled.name.as_str(), cancelled.sandbox_status), ("cancelled", 204));
    assert!(cancelled.media_type.is_none() && cancelled.body.is_null() && cancelled.members.is_empty());

    let sent = &relay.calls[0].cells[1];
    assert_eq!(sent.headers[0].name, "location");
    assert!(!sent.headers[0].backing.is_documented(), "as inferred as the annotation says");
    let too_soon = &relay.calls[0].cells[3];
    assert!(too_soon.headers[0].backing.is_documented(), "as documented as the response");
}

#[test]
fn what_is_wrong_with_an_operation_is_refused_at_its_place() {
    for (from, to, expected) in [
        ("role: send", "role: sent", "expected one of send, resend, verify, status, cancel, found \"sent\""),
        ("role: resend", "role: send", "expected x-otp on one send operation only"),
        (
            "          - { in: body, name: /to/phone, form: e164 }",
            "          - { in: body, name: /to/fax, form: e164 }",
            "expected the name of a member of the request body",
        ),
        ("form: email", "form: fax", "expected one of `e164`, `e164_digits`, `email`, found \"fax\""),
        (
            "          session: /verification/id\n",
            "          session: /verification/no\n",
            "expected the pointer of a place in the body of each response `sent`, unlike sent",
        ),
        ("again: reused", "again: perhaps", "expected one of `new`, `same`, `either`, `recipient`, `reused`"),
        ("outcome: too_soon", "outcome: wrong_code", "expected an outcome of a send operation: sent, reused"),
        (
            "outcome: sent\n",
            "outcome: blocked\n",
            "expected a member `sent`: every send operation has a main response with this outcome",
        ),
        ("name: cancelled, ", "", "expected a member `name`"),
        (
            "Retry-After: { schema",
            "X-Other: { schema",
            "expected the name of a header of this response, found `Retry-After`",
        ),
        (
            "rule: { state: lockout_seconds }",
            "rule: { state: remaining_attempts }",
            "expected literal, ignore_case, text, open",
        ),
        (
            "policy:\n          resend_limit",
            "policy:\n          cooldown: { seconds: 1, certainty: documented, source: { section: x } }\n          resend_limit",
            "expected `cooldown` in one operation only",
        ),
        (
            "policy:\n          cooldown",
            "policy:\n          lifetime: { seconds: 1 }\n          cooldown",
            "`lifetime`",
        ),
        (
            "        session: { in: path, name: id }\n        policy",
            "        policy",
            "expected a member `session`",
        ),
        (
            "or: [{ in: body, name: /to/phone }]",
            "or: [{ in: body, name: /to/none }]",
            "expected the name of a member of the request body",
        ),
    ] {
        let reported = reported(from, to);
        assert!(reported.contains(expected), "{to}: {reported}");
        assert!(reported.starts_with("relay.yaml:"), "{reported}");
    }
}

#[test]
fn an_operation_without_an_annotation_is_left_alone() {
    let text = RELAY.replacen(
        "      x-otp:\n        role: status\n        session: { in: path, name: id }\n",
        "",
        1,
    );
    let contract = Contract::from_yaml("relay.yaml", &text).unwrap();
    assert_eq!(contract.calls.len(), 3);
}
