//! The documents of this repository are clean, and a broken one is told file, place and expectation.

use otp_contract::DOCUMENTS;

use super::*;

fn told(text: &str) -> String {
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
fn an_example_that_its_schema_refuses_is_named() {
    let told = told(&zeckta().replacen("verified: true", "verified: \"yes\"", 1));
    assert!(
        told.contains(
            "broken.yaml: at paths > /v1/messaging/otp/verify > post > responses > 200 > content > application/json > \
             examples > approved > value > data > verified: expected"
        ),
        "{told}"
    );
}

#[test]
fn an_example_of_an_unspecified_body_is_held_to_the_schema_too() {
    let told = told(&zeckta().replace("message: Authentication failed\n", "note: Authentication failed\n"));
    assert!(told.contains("401") && told.contains("unauthorized > value"), "{told}");
}

#[test]
fn an_example_of_a_request_is_held_to_its_schema() {
    let told = told(&zeckta().replacen("code: \"123456\"", "code: 123456", 1));
    assert!(told.contains("requestBody > content > application/json > example > code"), "{told}");
}

#[test]
fn a_misspelt_annotation_is_named_once() {
    let told = told(&zeckta().replacen("outcome: approved", "outcome: aproved", 1));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("examples > approved > x-otp > outcome") && told.contains("expected"), "{told}");
}

#[test]
fn all_problems_are_told_at_once() {
    let text = zeckta().replacen("verified: true", "verified: 1", 1).replacen(
        "certainty: documented",
        "certainty: sure",
        1,
    );
    assert_eq!(told(&text).lines().count(), 2, "{}", told(&text));
}

#[test]
fn what_is_no_yaml_or_no_openapi_is_told() {
    assert!(told("a: [").starts_with("broken.yaml: not valid YAML"));
    assert!(told(&zeckta().replace("openapi: 3.0.3", "openapi: {}")).contains("expected"));
}

#[test]
fn files_that_are_named_are_checked_instead() {
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
fn a_document_without_annotations_is_told_to_be_no_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.yaml");
    std::fs::write(&path, "openapi: 3.0.3\ninfo: { title: t, version: \"1\" }\npaths: {}\n").unwrap();
    let mut out = Vec::new();
    assert!(run(&repository::root(), &[path], &mut out).unwrap());
    assert!(String::from_utf8(out).unwrap().ends_with("plain.yaml, which is no contract\n"));
}

/// The schema and the reader must refuse the same: what the reader finds wrong in an annotation by itself, before it
/// looks at the rest of the document, the schema finds too.
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
        assert!(Contract::from_yaml("broken.yaml", &text).is_err(), "the reader takes {to}");
        let value = document::parse(&text).unwrap();
        let violations: usize = annotated(&value)
            .into_iter()
            .map(|(definition, _, annotation)| {
                schema::violations(&schema::of_annotation(&annotations, definition), annotation)
                    .unwrap()
                    .len()
            })
            .sum();
        assert!(violations > 0, "the schema takes {to}");
    }
}
