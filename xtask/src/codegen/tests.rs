//! The committed clients match the documents, a change to either is detected, and the generator supports any set of
//! responses.

use serde_json::json;

use super::*;

fn checked(root: &Path) -> (bool, String) {
    let mut out = Vec::new();
    let fresh = run(root, Mode::Check, &mut out).unwrap();
    (fresh, String::from_utf8(out).unwrap())
}

/// A copy of the files that codegen reads and writes.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in [repository::documents, repository::generated] {
        let (from, to) = (path(&repository::root()), path(folder.path()));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
    folder
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_generated_clients_match_the_documents() {
    let (fresh, out) = checked(&repository::root());
    assert!(fresh, "run `{FIX}`\n{out}");
}

#[test]
fn an_edited_document_is_detected_and_fixed() {
    let copy = copy();
    edit(&copy.path().join("openapi/d7.yaml"), "INVALID_OTP_CODE", "WRONG_OTP_CODE");
    let (fresh, out) = checked(copy.path());
    assert!(!fresh);
    assert!(out.contains("d7.rs") && out.contains('+') && out.contains("WRONG_OTP_CODE"), "{out}");
    assert!(out.trim_end().ends_with(FIX), "{out}");

    assert!(run(copy.path(), Mode::Write, &mut Vec::new()).unwrap());
    assert!(checked(copy.path()).0);
}

#[test]
fn an_edited_generated_file_is_detected() {
    let copy = copy();
    edit(&copy.path().join("sdk/src/generated/zeckta.rs"), "APPROVED", "VERIFIED");
    let (fresh, out) = checked(copy.path());
    assert!(!fresh && out.contains('-') && out.contains("VERIFIED"), "{out}");
}

#[test]
fn a_missing_or_unexpected_generated_file_is_detected_and_fixed() {
    let copy = copy();
    let generated = repository::generated(copy.path());
    std::fs::remove_file(generated.join("exotel.rs")).unwrap();
    std::fs::write(generated.join("acme.rs"), "").unwrap();
    let (fresh, out) = checked(copy.path());
    assert!(!fresh);
    assert!(out.contains("Stray") && out.contains("acme.rs") && out.contains("Stale"), "{out}");

    assert!(run(copy.path(), Mode::Write, &mut Vec::new()).unwrap());
    assert!(checked(copy.path()).0 && !generated.join("acme.rs").exists());
}

#[test]
fn a_new_document_adds_a_client() {
    let copy = copy();
    let text = std::fs::read_to_string(copy.path().join("openapi/d7.yaml")).unwrap();
    let path = copy.path().join("openapi/acme.yaml");
    std::fs::write(&path, text.replacen("id: d7", "id: acme", 1)).unwrap();
    assert!(run(copy.path(), Mode::Write, &mut Vec::new()).unwrap());
    let generated = repository::generated(copy.path());
    assert!(generated.join("acme.rs").exists());
    let index = std::fs::read_to_string(generated.join("mod.rs")).unwrap();
    assert!(index.contains("#[cfg(feature = \"acme\")]\npub mod acme;"), "{index}");
    assert!(index.contains("#[cfg(feature = \"acme\")]\n    &acme::VERIFY,"), "{index}");

    edit(&path, "id: acme", "id: other");
    let error = run(copy.path(), Mode::Check, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("openapi/acme.yaml") && error.contains("`other`"), "{error}");
}

/// The client that is generated from a document with these responses.
fn generated(responses: &serde_json::Value) -> String {
    generated_with(responses, "application/json")
}

/// The same with another media type of the request.
fn generated_with(responses: &serde_json::Value, media_type: &str) -> String {
    let example = |outcome: &str| {
        json!({
            "summary": "s", "value": {},
            "x-otp": { "outcome": outcome, "certainty": "documented", "source": { "section": "s" } }
        })
    };
    let mut responses = responses.clone();
    // The contract reader requires examples for every status; these tests do not depend on them.
    for (status, response) in responses.as_object_mut().unwrap() {
        if let Some(media) = response.pointer_mut("/content/application~1json") {
            let outcomes: &[&str] =
                if status.starts_with('2') { &["approved"] } else { &["wrong_code", "expired"] };
            for outcome in outcomes {
                let mut example = example(outcome);
                if status.ends_with("XX") {
                    example["x-otp"]["status"] = format!("{}00", &status[..1]).parse::<u16>().unwrap().into();
                }
                media["examples"][format!("{outcome}_{status}")] = example;
            }
        }
    }
    let mut value = json!({
        "openapi": "3.0.3",
        "info": { "title": "Acme", "version": "1" },
        "x-otp-vendor": { "id": "acme", "name": "Acme", "document": "d" },
        "servers": [{ "url": "https://acme.example" }],
        "security": [{ "key": [] }],
        "paths": { "/verify": { "post": {
            "operationId": "verify",
            "x-otp": {
                "session": { "in": "body", "name": "id", "id_pattern": "{uuid}" },
                "code": { "in": "body", "name": "code", "alphabet": "digits", "length": 6, "min_length": 4, "max_length": 8 },
                "policy": {
                    "lifetime": { "seconds": 60, "certainty": "documented", "source": { "section": "s" } },
                    "precedence": ["expired"]
                },
                "refusal": { "body": {} }
            },
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Request" } } } },
            "responses": responses,
        } } },
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "schemas": {
                "Request": { "type": "object", "required": ["id", "code"], "properties": { "id": { "type": "string" }, "code": { "type": "string" } } },
                "A": { "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } },
                "B": { "type": "object", "required": ["b"], "properties": { "b": { "$ref": "#/components/schemas/A" } } },
                "C": { "type": "array", "items": { "type": "string" } },
            },
        },
    });
    let contract_text = serde_json::to_string(&readable(&value)).unwrap();
    let contract = otp_contract::Contract::from_yaml("acme.yaml", &contract_text).unwrap();
    let content = &mut value["paths"]["/verify"]["post"]["requestBody"]["content"];
    let media = content["application/json"].take();
    *content = json!({ media_type: media });
    client(&Document { file: "acme.yaml".to_owned(), value, contract }, Target::Module).unwrap()
}

/// The document without the responses that the contract reader does not support. The generator supports all of
/// OpenAPI's.
fn readable(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    let responses = value["paths"]["/verify"]["post"]["responses"].as_object_mut().unwrap();
    responses.retain(|status, response| {
        status != "default" && response.pointer("/content/application~1json/schema").is_some()
    });
    value
}

fn body(name: &str) -> serde_json::Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    json!({ "description": "d", "content": { "application/json": { "schema": schema } } })
}

fn inline() -> serde_json::Value {
    let schema = json!({ "type": "object", "required": ["x"], "properties": { "x": { "type": "integer" } } });
    json!({ "description": "d", "content": { "application/json": { "schema": schema } } })
}

#[test]
fn each_status_has_a_body_whatever_the_number_of_error_types() {
    let client = generated(&json!({
        "200": body("A"), "400": body("A"), "404": body("B"), "422": body("C"), "429": inline(), "4XX": body("B"),
    }));
    for variant in [
        "Http200(types::A)",
        "Http400(types::A)",
        "Http404(types::B)",
        "Http422(types::C)",
        "Http4xx(types::B)",
    ] {
        assert!(client.contains(variant), "{variant} is not in\n{client}");
    }
    assert!(client.contains("Http429(types::VerifyHttp429)"), "{client}");
    let position = |text: &str| client.find(text).unwrap();
    assert!(
        position("429u16 => serde_json") < position("400u16..=499u16 =>"),
        "a range precedes an exact status"
    );
}

#[test]
fn two_types_of_success_have_a_body_each() {
    let client = generated(&json!({ "200": body("A"), "202": body("B"), "400": body("C") }));
    assert!(client.contains("Http200(types::A)") && client.contains("Http202(types::B)"), "{client}");
}

#[test]
fn ranges_and_the_default_are_supported() {
    let client = generated(&json!({
        "2XX": body("A"), "4XX": body("B"), "5XX": inline(), "default": body("C"),
    }));
    for part in [
        "Http2xx(types::A)",
        "Http5xx(types::VerifyHttp5xx)",
        "HttpDefault(types::C)",
        "_ => serde_json::from_slice(body).ok().map(Body::HttpDefault)",
    ] {
        assert!(client.contains(part), "{part} is not in\n{client}");
    }
}

#[test]
fn responses_without_json_are_supported() {
    let text = json!({ "description": "d", "content": { "text/plain": { "schema": { "type": "string" } } } });
    let open = json!({ "description": "d", "content": { "application/json": {} } });
    let client = generated(&json!({
        "200": body("A"), "204": { "description": "d" }, "400": body("B"), "500": text, "503": open, "302": { "description": "d" },
    }));
    for part in ["204u16 => Some(Body::Http204)", "Http500,", "Http302,"] {
        assert!(client.contains(part), "{part} is not in\n{client}");
    }
}

#[test]
fn a_body_of_any_json_media_type_is_typed() {
    let problem = |media_type: &str| {
        let schema = json!({ "$ref": "#/components/schemas/B" });
        json!({ "description": "d", "content": { media_type: { "schema": schema } } })
    };
    let client = generated(&json!({
        "200": body("A"),
        "400": body("C"),
        "409": problem("application/problem+json"),
        "410": problem("application/vnd.acme.v1+json; charset=utf-8"),
    }));
    for part in [
        "Http409(types::B)",
        "Http410(types::B)",
        r#""application/json, application/problem+json, application/vnd.acme.v1+json""#,
    ] {
        assert!(client.contains(part), "{part} is not in\n{client}");
    }
}

#[test]
fn a_form_is_sent_as_a_form() {
    let responses = json!({ "200": body("A"), "400": body("B") });
    let form = generated_with(&responses, "application/x-www-form-urlencoded");
    assert!(form.contains(".form(&body)") && !form.contains(".json(&body)"), "{form}");
    let json = generated_with(&responses, "application/vnd.acme+json");
    assert!(json.contains(".json(&body)") && !json.contains(".form(&body)"), "{json}");
}

#[test]
fn only_the_types_of_bodies_are_public() {
    let client = generated(&json!({ "200": body("B"), "400": body("C") }));
    let start = client.find("pub mod body {").unwrap();
    let public = &client[start..start + client[start..].find('}').unwrap()];
    assert!(
        ["A", "B", "C"].iter().all(|name| public.contains(name)) && !public.contains("Request"),
        "{public}"
    );
}
