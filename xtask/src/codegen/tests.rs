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
    for path in [repository::client_manifest, repository::every_client] {
        let (from, to) = (path(&repository::root()), path(folder.path()));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
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
fn a_feature_without_a_document_is_detected_and_fixed() {
    let copy = copy();
    let manifest = repository::client_manifest(copy.path());
    edit(&manifest, "d7 = [\"__vendor\"]", "d7 = [\"__vendor\"]\nacme = [\"__vendor\"]");
    edit(&repository::every_client(copy.path()), "\"d7\" =>", "\"d8\" =>");
    let (fresh, out) = checked(copy.path());
    assert!(!fresh && out.contains("-acme = ") && out.contains("\"d8\" =>"), "{out}");
    assert!(run(copy.path(), Mode::Write, &mut Vec::new()).unwrap());
    let original = std::fs::read_to_string(repository::client_manifest(&repository::root())).unwrap();
    assert_eq!(std::fs::read_to_string(&manifest).unwrap(), original);

    edit(&manifest, "# End of the generated features.\n", "");
    let error = format!("{:#}", run(copy.path(), Mode::Write, &mut Vec::new()).unwrap_err());
    assert!(error.contains("has no line `# End of the generated features.`"), "{error}");
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
    let manifest = std::fs::read_to_string(repository::client_manifest(copy.path())).unwrap();
    assert!(
        manifest.contains(", \"acme\", \"rustls\"]\n") && manifest.contains("\nacme = [\"__vendor\"]\n"),
        "{manifest}"
    );
    let clients = std::fs::read_to_string(repository::every_client(copy.path())).unwrap();
    assert!(clients.contains("\"acme\" => $call!(otp_verify::acme::Client::builder("), "{clients}");

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
    let mut value = acme(responses);
    let contract = contract(&value);
    let content = &mut value["paths"]["/verify"]["post"]["requestBody"]["content"];
    let media = content["application/json"].take();
    *content = json!({ media_type: media });
    client(&Document { file: "acme.yaml".to_owned(), value, contract }, Target::Module).unwrap()
}

/// The client that is generated from a document with this change, without line breaks; or the error.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Result<String, String> {
    let mut value = acme(&json!({ "200": body("A"), "400": body("B") }));
    change(&mut value);
    let contract = contract(&value);
    client(&Document { file: "acme.yaml".to_owned(), value, contract }, Target::Module)
        .map(|client| text::one_line(&client))
        .map_err(|error| format!("{error:#}"))
}

fn contract(value: &serde_json::Value) -> otp_contract::Contract {
    let text = serde_json::to_string(&readable(value)).unwrap();
    otp_contract::Contract::from_yaml("acme.yaml", &text).unwrap()
}

/// A document with these responses.
fn acme(responses: &serde_json::Value) -> serde_json::Value {
    let example = |outcome: &str| {
        json!({
            "summary": "s", "value": {},
            "x-otp": { "outcome": outcome, "certainty": "documented", "source": { "section": "s" } }
        })
    };
    let mut responses = responses.clone();
    let mut seen = std::collections::BTreeSet::new();
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
                example["x-otp"]["alternative"] = (!seen.insert(*outcome)).into();
                media["examples"][format!("{outcome}_{status}")] = example;
            }
        }
    }
    json!({
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
    })
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

fn with_key(place: &str, name: &str, prefix: &serde_json::Value) -> Result<String, String> {
    let scheme = json!({ "type": "apiKey", "in": place, "name": name, "x-otp": { "prefix": prefix } });
    changed(|value| value["components"]["securitySchemes"]["key"] = scheme)
}

#[test]
fn a_key_may_be_in_any_place_and_have_a_prefix() {
    for (place, name, prefix, expected) in [
        (
            "header",
            "X-Key",
            json!(null),
            r#"KeyPlace::Header, name: "x-key", prefix: None, key: api_key.into()"#,
        ),
        (
            "header",
            "Authorization",
            json!("App"),
            r#"KeyPlace::Header, name: "authorization", prefix: Some("App")"#,
        ),
        ("query", "Key[]", json!(null), r#"KeyPlace::Query, name: "Key[]", prefix: None"#),
        ("cookie", "Key", json!("App"), r#"KeyPlace::Cookie, name: "Key", prefix: Some("App")"#),
    ] {
        let client = with_key(place, name, &prefix).unwrap();
        assert!(client.contains(expected), "{expected} is not in\n{client}");
        assert!(client.contains("api_key: impl Into<crate::SecretString>"), "{client}");
    }
    for place in ["header", "cookie"] {
        let error = with_key(place, "a key", &json!(null)).unwrap_err();
        assert_eq!(error, "the scheme key has the name \"a key\", which no header or cookie can have");
    }
}

#[test]
fn a_key_that_is_also_a_parameter_is_sent_once() {
    let client = changed(|value| {
        value["components"]["securitySchemes"]["key"] =
            json!({ "type": "apiKey", "in": "query", "name": "k" });
        let parameter = |name: &str, place: &str, required: bool| {
            json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } })
        };
        value["paths"]["/verify"]["post"]["parameters"] =
            json!([parameter("k", "query", true), parameter("Accept", "header", true), parameter("x", "header", false)]);
    })
    .unwrap();
    assert!(client.contains("api::verify(api, &body)") && !client.contains("ACME_K"), "{client}");
}

#[test]
fn a_required_header_is_an_error() {
    let error = changed(|value| {
        let parameter =
            json!({ "name": "X-App", "in": "header", "required": true, "schema": { "type": "string" } });
        value["paths"]["/verify"]["post"]["parameters"] = json!([parameter]);
    });
    let expected = "the required parameter X-App is in a header; a client can only set parameters of the path and the query";
    assert_eq!(error.unwrap_err(), expected);
}

#[test]
fn other_operations_of_a_document_have_no_client() {
    let client = changed(|value| {
        value["paths"]["/send"]["post"] = json!({
            "operationId": "send",
            "parameters": [{ "name": "X-App", "in": "header", "schema": { "type": "string" } }],
            "requestBody": { "content": { "multipart/form-data": { "schema": { "type": "object" } } } },
            "responses": { "200": { "description": "d" } },
        });
    });
    assert!(!client.unwrap().contains("fn send"));
}

/// The client of a document whose requests have one more required member and one more required parameter with the
/// schema.
fn with_required(name: &str, schema: &serde_json::Value) -> Result<String, String> {
    changed(|value| {
        let request = &mut value["components"]["schemas"]["Request"];
        request["required"].as_array_mut().unwrap().push(name.into());
        request["properties"][name] = schema.clone();
        // The contract reader wants to know the type of a parameter.
        if schema.get("type").is_some() {
            let name = format!("{name}_p");
            let parameter = json!({ "name": name, "in": "query", "required": true, "schema": schema });
            value["paths"]["/verify"]["post"]["parameters"] = json!([parameter]);
        }
        value["components"]["schemas"]["Level"] = json!({ "type": "integer", "enum": [1, 2] });
    })
}

#[test]
fn a_required_value_is_an_argument_of_the_builder_and_an_option_of_the_call() {
    let text =
        with_required("app", &json!({ "type": "string", "format": "uuid", "description": "The app." }))
            .unwrap();
    for part in [
        "app_p: impl Into<String>, app: impl Into<String>, access_token: impl Into<crate::SecretString>",
        "crate::http::environment::required(\"ACME_APP\")?",
        "`app`: The app. A call can replace it.",
        ".value(\"app\", Into::<String>::into(app))",
        "The app. Without it, the call sends the value that the builder was given.",
        "app: input.options.app.clone().unwrap_or_else(|| input.text(\"app\"))",
        "&input.options.app_p.clone().unwrap_or_else(|| input.text(\"app_p\"))",
        "pub app: crate::http::Secret,",
        "app_p: &'a crate::http::Secret,",
    ] {
        assert!(without_breaks(&text).contains(&without_breaks(part)), "{part} is not in\n{text}");
    }
    let integer = with_required("2fa", &json!({ "type": "integer", "minimum": 1, "maximum": 9 })).unwrap();
    for part in [
        "parameter_2fa_p: u8, parameter_2fa: u8, access_token",
        ".require((1..=9).contains(&parameter_2fa), \"2fa\", \"must be from 1 to 9\")",
        "crate::http::environment::parsed(\"ACME_PARAMETER_2FA\", \"must be from 1 to 9\"",
        "x2fa: input.options.parameter_2fa.map_or_else(|| input.integer(\"2fa\"), i64::from)",
        "input.options.parameter_2fa_p.map_or_else(|| input.integer(\"2fa_p\"), i64::from), &body",
    ] {
        assert!(without_breaks(&integer).contains(&without_breaks(part)), "{part} is not in\n{integer}");
    }
    let boolean = with_required("type", &json!({ "type": "boolean" })).unwrap();
    assert!(
        boolean.contains("type_: bool, access_token") && boolean.contains("input.boolean(\"type\")"),
        "{boolean}"
    );
}

fn without_breaks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_required_value_with_one_possibility_or_a_default_is_filled_in() {
    let fixed = with_required("kind", &json!({ "type": "string", "enum": ["sms"] })).unwrap();
    assert!(fixed.contains("kind: crate::http::Secret::new(\"sms\".to_owned())"), "{fixed}");
    assert!(!fixed.contains("options.kind") && !fixed.contains("ACME_KIND"), "{fixed}");
    let fixed = with_required("kind", &json!({ "type": "integer", "const": 7 })).unwrap();
    assert!(fixed.contains("kind: 7i64,"), "{fixed}");

    let level = json!({ "allOf": [{ "$ref": "#/components/schemas/Level" }], "default": 2 });
    let default = with_required("level", &level).unwrap();
    for part in [
        "level: input.options.level.map_or(2i64, i64::from)",
        "Sets the member `level`. The vendor's document lists `1`, `2`. Without it, the call sends the default",
        "access_token: impl",
    ] {
        assert!(default.contains(part), "{part} is not in\n{default}");
    }
    assert!(!default.contains("ACME_LEVEL"), "{default}");
}

#[test]
fn a_required_value_that_no_client_can_set_is_an_error() {
    let error =
        with_required("tags", &json!({ "type": "array", "items": { "type": "string" } })).unwrap_err();
    assert_eq!(
        error,
        "the required parameter tags_p is neither text nor an integer nor a boolean; a client cannot set it"
    );
    let error = with_required("tags", &json!({ "type": "array", "items": {}, "default": [] })).unwrap_err();
    assert!(
        error.contains("has the value []; a client can only send text, integers and booleans"),
        "{error}"
    );
    let error = with_required("level", &json!({ "type": "integer", "default": "low" })).unwrap_err();
    assert!(error.contains("has a default of another type than its schema"), "{error}");
    let error = with_required("accessToken", &json!({ "type": "string" })).unwrap_err();
    assert!(error.starts_with("two settings of a client would be called `access_token`"), "{error}");
}

#[test]
fn optional_text_has_a_setter_and_other_types_are_never_sent() {
    let client = changed(|value| {
        value["components"]["parameters"]["Style"] = json!({
            "name": "style", "in": "query", "schema": { "type": "string", "enum": ["a", "b"], "default": "a" },
        });
        value["paths"]["/verify"]["post"]["parameters"] = json!([
            { "$ref": "#/components/parameters/Style" },
            { "name": "since", "in": "query", "schema": { "type": "string", "format": "date-time" } },
            { "name": "fields", "in": "query", "schema": { "type": "array", "items": { "type": "string" } } },
        ]);
        let properties = &mut value["components"]["schemas"]["Request"]["properties"];
        properties["note"] = json!({ "type": "string" });
        properties["tags"] = json!({ "type": "array", "items": { "type": "string" } });
    })
    .unwrap();
    for part in [
        "Sets the parameter `style`. The vendor's document lists `a`, `b`. The vendor's default is `a`.",
        "pub fn style(mut self, value: impl Into<String>) -> VerifyRequest",
        "pub fn since(mut self, value: impl Into<String>) -> VerifyRequest",
        "style: Option<crate::http::Secret>",
        "note: input.options.note.clone()",
        "api::verify( api, None, input.options.since.as_ref(), input.options.style.as_ref(), &body, )",
    ] {
        assert!(without_breaks(&client).contains(&without_breaks(part)), "{part} is not in\n{client}");
    }
    assert!(!client.contains("pub fn fields") && !client.contains("tags"), "{client}");
}
