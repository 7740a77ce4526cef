//! Lowers a vendor document to the subset of OpenAPI that progenitor supports. The functions are pure.
//!
//! progenitor supports one success type and one error type for each operation, and panics if a document has more. The
//! vendor document is never changed for that reason; it is lowered in two steps. [`with_named_bodies`] names every JSON
//! body of every response, from which `body.rs` generates the typed body for each status. [`without_responses`] then
//! removes the responses and keeps the types; that is what progenitor sees.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase as _;
use otp_contract::{essence, is_json};
use serde_json::{Map, Value, json};

use super::media::JSON;

/// The keys of a path that are operations.
pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

/// Objects whose keys are names and not keywords.
const NAME_MAPS: [&str; 12] = [
    "callbacks",
    "content",
    "headers",
    "links",
    "mapping",
    "parameters",
    "paths",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];

/// The document without annotations and examples, in which every JSON body of a response references a named schema.
pub(crate) fn with_named_bodies(document: &Value) -> Value {
    let mut document = stripped(document, false);
    let responses = document.pointer("/components/responses").cloned().unwrap_or_default();
    let mut schemas = take_schemas(&mut document);
    each_operation(&mut document, |operation| {
        let name =
            operation.get("operationId").and_then(Value::as_str).unwrap_or("operation").to_upper_camel_case();
        let Some(Value::Object(own)) = operation.get_mut("responses") else { return };
        for (status, response) in own.iter_mut() {
            resolve(response, &responses);
            if let Some(media) = json_media(response) {
                let schema = media.remove("schema").unwrap_or_else(|| json!({}));
                let name = format!("{name}Http{}", status.to_ascii_lowercase().to_upper_camel_case());
                media.insert("schema".to_owned(), reference(&mut schemas, &name, schema));
                // progenitor panics on `encoding`, which only multipart bodies use.
                media.remove("encoding");
            }
        }
    });
    put_schemas(&mut document, schemas);
    document
}

/// The document without responses.
///
/// The client decodes the raw response itself. Code that decodes it again in the generated call would cost time in
/// every call and every build.
pub(crate) fn without_responses(document: &Value) -> Value {
    let mut document = document.clone();
    each_operation(&mut document, |operation| {
        let any = json!({ "default": { "description": "Any response." } });
        operation.insert("responses".to_owned(), any);
    });
    document
}

/// A reference to `schema`, which is added to `schemas` unless it is a reference already or equals a named one.
fn reference(schemas: &mut Map<String, Value>, name: &str, schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return schema;
    }
    let reference_to = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    if let Some((known, _)) = schemas.iter().find(|(_, existing)| **existing == schema) {
        return reference_to(known);
    }
    let mut free = name.to_owned();
    let mut number = 2;
    // progenitor converts the case of type names, so `verify_error` also occupies `VerifyError`.
    while schemas.keys().any(|taken| same_name(taken, &free)) {
        free = format!("{name}{number}");
        number += 1;
    }
    let reference = reference_to(&free);
    schemas.insert(free, schema);
    reference
}

/// Whether both names become the same Rust type name.
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    let letters = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    letters(left) == letters(right)
}

/// The content of a response in any JSON media type, such as `application/problem+json`.
pub(crate) fn json_media(response: &mut Value) -> Option<&mut Map<String, Value>> {
    let content = response.get_mut("content")?.as_object_mut()?;
    let (_, media) = content.iter_mut().find(|(name, _)| is_json(name))?;
    media.as_object_mut()
}

/// The document in which every form is JSON, and the ids of the operations with a form.
///
/// progenitor's own code for forms converts errors to a type that the client does not have; the request builders send
/// the form instead.
pub(super) fn without_forms(document: &Value) -> (Value, BTreeSet<String>) {
    let mut document = document.clone();
    let mut forms = BTreeSet::new();
    each_operation(&mut document, |operation| {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let content = operation.get_mut("requestBody").and_then(|body| body.get_mut("content"));
        let Some(Value::Object(content)) = content else { return };
        let is_form = |name: &str| essence(name) == "application/x-www-form-urlencoded";
        let json = content.keys().find(|name| is_json(name)).cloned();
        let form = content.keys().find(|name| is_form(name)).cloned();
        if json.is_none() && form.is_some() {
            forms.insert(id);
        }
        if let Some(mut media) = json.or(form).and_then(|name| content.remove(&name)) {
            if let Value::Object(media) = &mut media {
                media.remove("encoding");
            }
            content.clear();
            content.insert(JSON.to_owned(), media);
        }
    });
    (document, forms)
}

/// Replaces a reference to a shared response by the response.
fn resolve(response: &mut Value, responses: &Value) {
    let target = response
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/components/responses/"))
        .and_then(|name| responses.get(name));
    if let Some(target) = target {
        *response = target.clone();
    }
}

/// The value without annotations and examples.
fn stripped(value: &Value, keys_are_names: bool) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(key, _)| {
                    let removable = key.starts_with("x-otp") || *key == "example" || *key == "examples";
                    keys_are_names || !removable
                })
                .map(|(key, member)| {
                    let verbatim = !keys_are_names && (key == "default" || key == "enum");
                    let names = !keys_are_names && NAME_MAPS.contains(&key.as_str());
                    (key.clone(), if verbatim { member.clone() } else { stripped(member, names) })
                })
                .collect(),
        ),
        Value::Array(elements) => elements.iter().map(|element| stripped(element, false)).collect(),
        leaf => leaf.clone(),
    }
}

/// Changes every operation of the document.
fn each_operation(document: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    for item in paths.values_mut() {
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                change(operation);
            }
        }
    }
}

fn take_schemas(document: &mut Value) -> Map<String, Value> {
    match document.pointer_mut("/components/schemas") {
        Some(Value::Object(schemas)) => std::mem::take(schemas),
        _ => Map::new(),
    }
}

fn put_schemas(document: &mut Value, schemas: Map<String, Value>) {
    if schemas.is_empty() {
        return;
    }
    if let Value::Object(members) = document {
        let components = members.entry("components").or_insert_with(|| json!({}));
        if let Value::Object(components) = components {
            components.insert("schemas".to_owned(), Value::Object(schemas));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(responses: &Value) -> Value {
        json!({
            "paths": { "/verify": { "post": { "operationId": "verify_otp", "responses": responses } } },
            "components": { "schemas": { "A": { "type": "object" }, "B": { "type": "array", "items": {} } } },
        })
    }

    fn response(schema: &Value) -> Value {
        json!({ "description": "", "content": { "application/json": { "schema": schema } } })
    }

    fn a() -> Value {
        json!({ "$ref": "#/components/schemas/A" })
    }

    fn b() -> Value {
        json!({ "$ref": "#/components/schemas/B" })
    }

    fn schema_of(document: &Value, status: &str) -> Value {
        let response = &document["paths"]["/verify"]["post"]["responses"][status];
        response["content"]["application/json"]["schema"].clone()
    }

    #[test]
    fn inline_bodies_get_a_name_and_equal_ones_share_it() {
        let inline = json!({ "type": "object", "properties": { "code": { "type": "string" } } });
        let responses = json!({ "200": response(&a()), "4XX": response(&inline), "500": response(&inline) });
        let named = with_named_bodies(&document(&responses));
        let reference = json!({ "$ref": "#/components/schemas/VerifyOtpHttp4xx" });
        assert_eq!(schema_of(&named, "4XX"), reference);
        assert_eq!(schema_of(&named, "500"), reference);
        assert_eq!(named["components"]["schemas"]["VerifyOtpHttp4xx"], inline);
        assert_eq!(with_named_bodies(&named), named);
    }

    #[test]
    fn an_existing_schema_is_not_overwritten() {
        let inline = json!({ "type": "object", "properties": { "code": { "type": "string" } } });
        let mut before = document(&json!({ "200": response(&a()), "422": response(&inline) }));
        before["components"]["schemas"]["verify_otp_http422"] = json!({ "type": "string" });
        let named = with_named_bodies(&before);
        assert_eq!(named["components"]["schemas"]["verify_otp_http422"], json!({ "type": "string" }));
        assert_eq!(schema_of(&named, "422"), json!({ "$ref": "#/components/schemas/VerifyOtpHttp4222" }));
    }

    #[test]
    fn a_shared_response_is_resolved() {
        let mut before =
            document(&json!({ "200": response(&a()), "400": { "$ref": "#/components/responses/Bad" } }));
        before["components"]["responses"] = json!({ "Bad": response(&b()) });
        assert_eq!(schema_of(&with_named_bodies(&before), "400"), b());
    }

    #[test]
    fn progenitor_sees_the_types_and_no_response() {
        let named = with_named_bodies(&document(
            &json!({ "200": response(&a()), "400": response(&b()), "422": response(&a()) }),
        ));
        let lowered = without_responses(&named);
        let responses = lowered["paths"]["/verify"]["post"]["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["default"]);
        assert!(responses["default"].get("content").is_none());
        assert_eq!(lowered["components"], named["components"]);
    }

    #[test]
    fn annotations_and_examples_are_removed_but_not_members_with_their_names() {
        let schema = json!({
            "type": "object",
            "description": "kept",
            "example": 1,
            "x-otp": 1,
            "default": { "example": 1 },
            "properties": { "example": { "type": "string", "example": "gone" }, "examples": {}, "x-otp": {} },
        });
        let mut before = document(&json!({}));
        before["components"]["schemas"]["example"] = schema;
        let kept = &with_named_bodies(&before)["components"]["schemas"]["example"];
        assert_eq!(
            *kept,
            json!({
                "type": "object",
                "description": "kept",
                "default": { "example": 1 },
                "properties": { "example": { "type": "string" }, "examples": {}, "x-otp": {} },
            })
        );
    }
}
