//! All problems of a document are reported at once, each with its place.

use otp_contract::{Contract, DOCUMENTS, is_vendor_id, lint, parse_yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

fn zeckta() -> &'static str {
    DOCUMENTS[0].text
}

/// Where `fragment` starts in `text`: line and column.
fn position(text: &str, fragment: &str) -> (usize, usize) {
    let before = &text[..text.find(fragment).unwrap()];
    (before.matches('\n').count() + 1, before.chars().rev().take_while(|char| *char != '\n').count() + 1)
}

fn reported(text: &str) -> String {
    lint::contract(text).iter().map(|problem| format!("{}\n", problem.in_file("broken.yaml"))).collect()
}

#[test]
fn every_built_in_contract_is_clean() {
    for document in DOCUMENTS {
        assert_eq!(reported(document.text), "", "{}", document.file);
    }
}

#[test]
fn an_example_that_does_not_match_its_schema_is_a_problem() {
    let text = zeckta().replacen("verified: true", "verified: \"yes\"", 1);
    let reported = reported(&text);
    let (line, column) = position(&text, "\"yes\"");
    let place = "/paths/~1v1~1messaging~1otp~1verify/post/responses/200/content/application~1json/examples/approved/value/data/verified";
    assert!(
        reported.starts_with(&format!("broken.yaml:{line}:{column}: at ")) && reported.contains(place),
        "{reported}"
    );
}

#[test]
fn an_example_of_an_unspecified_body_must_match_the_schema_too() {
    let text = zeckta().replace("message: Authentication failed\n", "note: Authentication failed\n");
    assert_ne!(text, zeckta());
    let reported = reported(&text);
    assert!(reported.contains("responses/401") && reported.contains("unauthorized/value"), "{reported}");
}

#[test]
fn an_example_of_a_request_must_match_its_schema() {
    let reported = reported(&zeckta().replacen("code: \"123456\"", "code: 123456", 1));
    assert!(reported.contains("requestBody/content/application~1json/example/code"), "{reported}");
}

#[test]
fn a_misspelt_annotation_is_reported_once() {
    let reported = reported(&zeckta().replacen("outcome: approved", "outcome: aproved", 1));
    assert_eq!(reported.lines().count(), 1, "{reported}");
    assert!(reported.contains("examples/approved/x-otp/outcome"), "{reported}");
    assert!(reported.contains("expected one of `approved`, `wrong_code`, "), "{reported}");
}

#[test]
fn a_rule_that_does_not_exist_is_reported_with_those_that_do() {
    let reported = reported(&zeckta().replacen("/data/message: text", "/data/message: words", 1));
    assert_eq!(reported.lines().count(), 1, "{reported}");
    assert!(reported.contains("unknown rule `words`, expected one of literal"), "{reported}");
}

/// Mistakes of every kind, in every part of a document, in one text.
#[test]
fn all_problems_of_a_document_are_reported_at_once() {
    let mistakes = [
        ("  id: zeckta", "  id: Zeckta!", "Zeckta!"),
        ("  name: Zeckta\n  document", "  nom: Zeckta\n  document", "Zeckta\n  document"),
        ("alphabet: digits", "alphabet: emoji", "emoji"),
        ("certainty: documented", "certainty: sure", "sure"),
        ("outcome: expired", "outcome: stale", "stale"),
        ("outcome: already_used", "outcome: sent", "sent"),
        ("/data/sessionId: { echo", "/data/session: { echo", "/data/session"),
        ("verified: true", "verified: 1", "1"),
        ("  title: Zeckta", "  title: Again\n  title: Zeckta", "title: Zeckta"),
        ("\"422\":", "\"42\":", "\"42\":"),
        ("body: unspecified", "body: unknown", "unknown"),
    ];
    let mut text = zeckta().to_owned();
    for (from, to, _) in mistakes {
        assert!(text.contains(from), "{from} is not in the document");
        text = text.replacen(from, to, 1);
    }
    let reported = reported(&text);
    for (_, to, place) in mistakes {
        let (line, column) = position(&text, to);
        let offset = to.rfind(place).unwrap();
        let line = line + to[..offset].matches('\n').count();
        let column = match to[..offset].rfind('\n') {
            Some(end) => offset - end,
            None => column + offset,
        };
        assert!(
            reported.contains(&format!("broken.yaml:{line}:{column}: ")),
            "{to} at {line}:{column}: {reported}"
        );
    }
    let lines: Vec<u32> =
        reported.lines().map(|line| line.split(':').nth(1).unwrap().parse().unwrap()).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    // Without positions, so that the snapshot outlives an edit of the document.
    insta::with_settings!({ filters => [(r"yaml:\d+:\d+: ", "yaml: ")] }, {
        insta::assert_snapshot!(reported);
    });
}

#[test]
fn a_second_main_response_for_one_outcome_is_a_problem() {
    let d7 = DOCUMENTS[4].text;
    let text = d7.replacen("alternative: true", "alternative: false", 1);
    let reported = reported(&text);
    assert!(
        reported.contains("expected `alternative: true`, for `wrong_code_200` is the main response"),
        "{reported}"
    );
}

#[test]
fn a_text_that_is_not_yaml_or_not_openapi_is_a_problem() {
    assert!(reported("a: [").starts_with("broken.yaml:2:1: not valid YAML"));
    let reported =
        reported(&zeckta().replace("in: header", "in: footer").replace("openapi: 3.0.3", "openapi: {}"));
    assert!(reported.contains("/openapi"), "{reported}");
}

#[test]
fn a_junk_file_fails_against_the_schema() {
    let schema: Value = serde_json::from_str(lint::SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for junk in [json!({}), json!([]), json!("x"), json!({"openapi": "3.0.3", "info": {}, "paths": {}})] {
        assert!(!validator.is_valid(&junk), "{junk}");
        assert!(!lint::contract(&junk.to_string()).is_empty(), "{junk}");
    }
    for document in DOCUMENTS {
        assert!(validator.is_valid(&parse_yaml(document.file, document.text).unwrap()), "{}", document.file);
    }
}

#[test]
fn what_a_document_says_reaches_a_terminal_without_control_characters() {
    let text = zeckta().replacen("x-otp-vendor:\n", "x-otp-vendor:\n  \"\\e]0;title\\a\": 1\n", 1);
    let reported = reported(&text);
    assert!(reported.contains("title") && !reported.contains(['\u{1b}', '\u{7}']), "{reported:?}");
}

/// Schema and reader must agree: whatever the reader refuses in an annotation alone, without the rest of the document, the
/// schema refuses too.
#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema: Value = serde_json::from_str(lint::SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (from, to) in [
        ("outcome: expired", "outcome: stale"),
        ("certainty: documented", "certainly: documented"),
        ("/data/message: text", "/data/message: words"),
        ("{ echo: session }", "{ echo: session, state: remaining_attempts }"),
        ("source: { section: Expired OTP }", ""),
        ("{uuid}", "{guid}"),
        ("alphabet: digits", "alphabet: emoji"),
        ("boundary: [wrong_code", "boundary: [expired"),
        ("precedence: [already_used", "precedence: [approved"),
        ("precedence: [already_used", "precedence: [expired, expired"),
        ("in: body, name: code", "in: cookie, name: code"),
        ("body: unspecified", "body: unknown"),
        ("  id: zeckta", "  id: Zeckta!"),
        ("x-otp:\n        session", "x-otp:\n        role: check\n        session"),
        ("x-otp:\n        session", "x-otp:\n        role: status\n        session"),
    ] {
        let text = zeckta().replace(from, to);
        assert_ne!(text, zeckta(), "{from} is not in the document");
        assert!(Contract::from_yaml("broken.yaml", &text).is_err(), "the reader accepts {to}");
        assert!(!validator.is_valid(&parse_yaml("broken.yaml", &text).unwrap()), "the schema accepts {to}");
    }
}

/// Whether the schema accepts `id` as a vendor's id.
fn schema_accepts(id: &str) -> bool {
    let mut schema: Value = serde_json::from_str(lint::SCHEMA).unwrap();
    schema["$ref"] = json!("#/$defs/vendor/properties/id");
    for member in ["type", "required", "properties"] {
        schema.as_object_mut().unwrap().remove(member);
    }
    jsonschema::draft202012::new(&schema).unwrap().is_valid(&json!(id))
}

#[test]
fn schema_and_reader_agree_on_vendor_ids_at_the_edges() {
    for (id, expected) in
        [("d7", true), ("a", true), ("a_", true), ("", false), ("7d", false), ("_a", false), ("a\n", false)]
    {
        assert_eq!(is_vendor_id(id), expected, "{id:?}");
        assert_eq!(schema_accepts(id), expected, "{id:?}");
    }
}

proptest! {
    /// The second strategy finds ids with one wrong character, which arbitrary text hardly ever is.
    #[test]
    fn schema_and_reader_accept_the_same_vendor_ids(
        id in prop_oneof![any::<String>(), "[a-z]?[a-z0-9_]{0,6}[A-Zß\u{661} \n.-]?[a-z0-9_]{0,3}"]
    ) {
        prop_assert_eq!(schema_accepts(&id), is_vendor_id(&id));
    }

    #[test]
    fn a_document_cut_anywhere_has_a_problem(cut in 1usize..8_000) {
        let text = zeckta();
        prop_assume!(text.is_char_boundary(cut));
        prop_assert!(!lint::contract(&text[..cut]).is_empty());
    }
}
