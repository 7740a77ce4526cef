//! The documents of this repository are clean, and problems name file, place and expectation.

use otp_contract::{DOCUMENTS, is_vendor_id};
use proptest::prelude::*;

use super::*;

fn reported(text: &str) -> String {
    let annotations = annotation_schema(&repository::root()).unwrap();
    let problems = problems(&annotations, "broken.yaml", text).unwrap();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn zeckta() -> &'static str {
    DOCUMENTS[0].text
}

#[test]
fn the_documents_of_this_repository_are_clean() {
    let mut out = Vec::new();
    let clean = run(&repository::root(), &[], &mut out).unwrap();
    assert!(clean, "{}", String::from_utf8_lossy(&out));
    assert!(String::from_utf8_lossy(&out).matches("Clean").count() >= DOCUMENTS.len());
}

#[test]
fn the_contracts_of_the_tests_are_clean() {
    let folder = repository::root().join("conformance/tests/contracts");
    let files = ["acme.yaml", "twilio.yaml", "vonage.yaml"].map(|name| folder.join(name));
    let mut out = Vec::new();
    assert!(run(&repository::root(), &files, &mut out).unwrap(), "{}", String::from_utf8_lossy(&out));
}

#[test]
fn an_example_that_does_not_match_its_schema_is_a_problem() {
    let reported = reported(&zeckta().replacen("verified: true", "verified: \"yes\"", 1));
    assert!(
        reported.contains(
            "broken.yaml: at paths > /v1/messaging/otp/verify > post > responses > 200 > content > application/json > \
             examples > approved > value > data > verified: expected"
        ),
        "{reported}"
    );
}

#[test]
fn an_example_of_an_unspecified_body_must_match_the_schema_too() {
    let typed = zeckta().replace("schemas/AnyFailure", "schemas/VerifyFailure");
    let reported =
        reported(&typed.replace("message: Authentication failed\n", "note: Authentication failed\n"));
    assert!(reported.contains("401") && reported.contains("unauthorized > value"), "{reported}");
}

#[test]
fn an_example_of_a_request_must_match_its_schema() {
    let reported = reported(&zeckta().replacen("code: \"123456\"", "code: 123456", 1));
    assert!(reported.contains("requestBody > content > application/json > example > code"), "{reported}");
}

#[test]
fn a_misspelt_annotation_is_reported_once() {
    let reported = reported(&zeckta().replacen("outcome: approved", "outcome: aproved", 1));
    assert_eq!(reported.lines().count(), 1, "{reported}");
    assert!(
        reported.contains("examples > approved > x-otp > outcome") && reported.contains("expected"),
        "{reported}"
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = zeckta().replacen("verified: true", "verified: 1", 1).replacen(
        "certainty: documented",
        "certainty: sure",
        1,
    );
    assert_eq!(reported(&text).lines().count(), 2, "{}", reported(&text));
}

#[test]
fn a_text_that_is_not_yaml_or_not_openapi_is_a_problem() {
    assert!(reported("a: [").starts_with("broken.yaml: not valid YAML"));
    assert!(reported(&zeckta().replace("openapi: 3.0.3", "openapi: {}")).contains("expected"));
}

#[test]
fn files_on_the_command_line_are_checked_instead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    std::fs::write(&path, zeckta().replacen("outcome: expired", "outcome: stale", 1)).unwrap();
    let mut out = Vec::new();
    assert!(!run(&repository::root(), std::slice::from_ref(&path), &mut out).unwrap());
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with(&format!("{}: at ", path.display())), "{out}");
    assert!(run(&repository::root(), &[folder.path().join("none.yaml")], &mut Vec::new()).is_err());
}

#[test]
fn a_document_without_annotations_is_marked_as_not_a_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.yaml");
    std::fs::write(&path, "openapi: 3.0.3\ninfo: { title: t, version: \"1\" }\npaths: {}\n").unwrap();
    let mut out = Vec::new();
    assert!(run(&repository::root(), &[path], &mut out).unwrap());
    assert!(String::from_utf8(out).unwrap().ends_with("plain.yaml (not a contract: no annotations)\n"));
}

/// Schema and reader must agree: whatever the reader refuses in an annotation alone, without the rest of the document, the
/// schema refuses too.
#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let annotations = annotation_schema(&repository::root()).unwrap();
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
        ("in: body, name: code", "in: cookie, name: code"),
        ("body: unspecified", "body: unknown"),
        ("  id: zeckta", "  id: Zeckta!"),
    ] {
        let text = zeckta().replace(from, to);
        assert_ne!(text, zeckta(), "{from} is not in the document");
        assert!(Contract::from_yaml("broken.yaml", &text).is_err(), "the reader accepts {to}");
        let value = document::parse(&text).unwrap();
        let violations: usize = annotated(&value)
            .into_iter()
            .map(|(definition, _, annotation)| {
                schema::violations(&schema::of_annotation(&annotations, definition), annotation)
                    .unwrap()
                    .len()
            })
            .sum();
        assert!(violations > 0, "the schema accepts {to}");
    }
}

/// Whether the annotation schema accepts `id` as a vendor's id.
fn schema_accepts(annotations: &Value, id: &str) -> bool {
    let schema = schema::of_annotation(annotations, "vendor");
    let vendor = serde_json::json!({ "id": id, "name": "n", "document": "d" });
    schema::violations(&schema, &vendor).unwrap().is_empty()
}

#[test]
fn schema_and_reader_agree_on_vendor_ids_at_the_edges() {
    let annotations = annotation_schema(&repository::root()).unwrap();
    for (id, expected) in
        [("d7", true), ("a", true), ("a_", true), ("", false), ("7d", false), ("_a", false), ("a\n", false)]
    {
        assert_eq!(is_vendor_id(id), expected, "{id:?}");
        assert_eq!(schema_accepts(&annotations, id), expected, "{id:?}");
    }
}

proptest! {
    /// The second strategy finds ids with one wrong character, which arbitrary text hardly ever is.
    #[test]
    fn schema_and_reader_accept_the_same_vendor_ids(
        id in prop_oneof![any::<String>(), "[a-z]?[a-z0-9_]{0,6}[A-Zß\u{661} \n.-]?[a-z0-9_]{0,3}"]
    ) {
        let annotations = annotation_schema(&repository::root()).unwrap();
        prop_assert_eq!(schema_accepts(&annotations, &id), is_vendor_id(&id));
    }
}
