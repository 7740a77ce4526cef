//! The skeleton of a contract keeps the author's text, and lint lists what is left to do in it.

use otp_contract::{Contract, DOCUMENTS, Outcome, Place, lint, parse_yaml, skeleton};
use serde_json::Value;

const PLAIN: &str = r#"# Our API. Keep this comment.
openapi: 3.0.3
info: { title: Acme Login, version: "1" }
servers:
  - url: https://api.acme.test
security:
  - token: []
paths:
  /teams/{team}/verify/{challenge_id}:
    post:
      operationId: verifyCode   # the app calls it
      parameters:
        - { name: team, in: path, required: true, schema: { type: string } }
        - { name: challenge_id, in: path, required: true, schema: { type: string } }
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                code: { type: string, minLength: 4, maxLength: 4 }
      responses:
        "200":
          description: Verified
          content:
            application/json:
              schema: { type: object, properties: { ok: { type: boolean } } }
              example: { ok: true }
        "400":
          description: Not verified
          content:
            application/json:
              schema: &error { type: object, properties: { error: { type: string } } }
              examples:
                wrong: { summary: Wrong code, value: { error: wrong_code } }
                expired:
                  summary: Expired
                  value: { error: expired }
        "401":
          description: No valid token
        "404":
          description: No such challenge
          content:
            application/json: { schema: *error }
        default:
          description: Anything else
components:
  securitySchemes:
    token: { type: http, scheme: bearer }
"#;

const VERIFY: &str = "POST /teams/{team}/verify/{challenge_id}";

fn places_left(text: &str) -> Vec<String> {
    lint::contract(text)
        .iter()
        .map(|problem| {
            assert!(problem.kind.to_string().ends_with("found TODO"), "{}", problem.in_file("mine.yaml"));
            problem.pointer()
        })
        .collect()
}

#[test]
fn a_skeleton_only_adds_lines() {
    let made = skeleton("mine.yaml", PLAIN, VERIFY).unwrap();
    let mut lines = made.text.lines();
    for line in PLAIN.lines().filter(|line| !line.contains("wrong:")) {
        assert!(lines.any(|made| made == line), "{line} is gone, or in another place");
    }
    assert!(made.text.contains("summary: Wrong code, value: { error: wrong_code } }"), "{}", made.text);
    assert_eq!(
        made.remarks,
        ["the response 404 has no example of application/json: add one, with x-otp as in the others"]
    );
}

#[test]
fn what_is_left_to_do_is_a_problem_and_the_rest_is_a_contract() {
    let made = skeleton("mine.yaml", PLAIN, VERIFY).unwrap().text;
    let left = places_left(&made);
    assert_eq!(left.len(), 7, "{left:?}");
    assert!(left.contains(&"/x-otp-vendor/document".to_owned()));

    let contract = Contract::from_yaml("mine.yaml", &made.replace("TODO", "Guide")).unwrap();
    assert_eq!((contract.vendor.as_str(), contract.name.as_str()), ("acme", "Acme Login"));
    let verify = contract.verify();
    assert_eq!(
        (verify.session.location.place, verify.session.location.name.as_str()),
        (Place::Path, "challenge_id")
    );
    assert_eq!((verify.code.location.place, verify.code.length), (Place::Body, 4));
    assert_eq!(verify.accounts[0].name, "team");
    let cells: Vec<_> = verify.cells.iter().map(|cell| (cell.name.as_str(), cell.outcome)).collect();
    assert_eq!(
        cells,
        [
            ("verifyCode_200", Outcome::Approved),
            ("wrong", Outcome::WrongCode),
            ("expired", Outcome::Expired),
            ("verifyCode_401", Outcome::Unauthorized)
        ]
    );
    assert!(verify.cells.iter().all(|cell| !cell.facts.status.is_documented()), "a guess is inferred");
    assert!(!verify.cells[3].body_specified, "a document that shows no body says nothing about it");
}

#[test]
fn a_json_document_gets_the_same_annotations() {
    let value = parse_yaml("mine.yaml", PLAIN).unwrap();
    let expected = parse_yaml("mine.yaml", &skeleton("mine.yaml", PLAIN, VERIFY).unwrap().text).unwrap();
    for json in [serde_json::to_string_pretty(&value).unwrap(), value.to_string()] {
        let made = skeleton("mine.json", &json, VERIFY).unwrap().text;
        let made: Value = serde_json::from_str(&made).unwrap_or_else(|error| panic!("{error}: {made}"));
        // In JSON there are no anchors, so that each place has its own annotation.
        assert_eq!(made, expected);
    }
}

#[test]
fn an_operation_that_is_not_there_is_refused_with_those_that_are() {
    let error = skeleton("mine.yaml", PLAIN, "GET /verify").unwrap_err().to_string();
    assert!(
        error
            .starts_with("mine.yaml:8:1: at /paths: expected the operation `GET /verify` among POST /teams/"),
        "{error}"
    );
    let again = skeleton("mine.yaml", PLAIN, VERIFY).unwrap().text;
    let error = skeleton("mine.yaml", &again, VERIFY).unwrap_err().to_string();
    assert!(error.contains("expected a document without annotations"), "{error}");
    let partly = again.replacen("x-otp-vendor", "x-vendor", 1);
    let error = skeleton("mine.yaml", &partly, VERIFY).unwrap_err().to_string();
    assert!(error.contains("expected an operation without annotations"), "{error}");
    assert!(skeleton("mine.yaml", "a: [", VERIFY).is_err());
}

/// A document without its annotations.
fn stripped(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with("x-otp"));
            members.values_mut().for_each(stripped);
        }
        Value::Array(elements) => elements.iter_mut().for_each(stripped),
        _ => {}
    }
}

#[test]
fn the_skeleton_of_a_built_in_document_finds_its_session_and_its_code_again() {
    for document in DOCUMENTS {
        let contract = Contract::of_vendor(document.vendor).unwrap();
        let mut value = parse_yaml(document.file, document.text).unwrap();
        stripped(&mut value);
        let verify = contract.verify();
        let operation = format!("{} {}", verify.method, verify.path);
        let made = skeleton(document.file, &value.to_string(), &operation).unwrap().text;
        let made = parse_yaml(document.file, &made).unwrap();
        let path = verify.path.to_string().replace('/', "~1");
        let annotation =
            made.pointer(&format!("/paths/{path}/{}/x-otp", verify.method.to_lowercase())).unwrap();
        assert_eq!(annotation["session"]["name"], verify.session.location.name.as_str(), "{}", document.file);
        assert_eq!(annotation["code"]["name"], verify.code.location.name.as_str(), "{}", document.file);
        let accounts = annotation.get("accounts").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        assert_eq!(accounts, verify.accounts.len(), "{}", document.file);
    }
}
