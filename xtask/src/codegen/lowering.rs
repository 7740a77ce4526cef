//! Lowers a vendor document to the subset of OpenAPI that progenitor supports. The functions are pure.
//!
//! progenitor supports one success type and one error type for each operation, and panics if a document has more. The
//! vendor document is never changed for that reason; it is lowered in two steps. [`with_named_bodies`] names every JSON
//! body of every response, from which `body.rs` generates the typed body for each status. [`without_responses`] then
//! removes the responses and keeps the types; that is what progenitor sees.
//!
//! What a document says for other tools only, such as the form of a string, is removed first.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase as _;
use otp_contract::{essence, is_json};
use serde_json::{Map, Value, json};

use super::media::JSON;

/// How a reference to a named schema begins.
const SCHEMAS: &str = "#/components/schemas/";

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

/// Keywords that the client does without. For a string with a form, progenitor would generate a type of its own; but
/// whether a code has the right form is for the vendor to say, and a body with another text is still a body.
const UNUSED: [&str; 5] = ["example", "examples", "maxLength", "minLength", "pattern"];

/// The document without annotations and examples, in which every JSON body of a response references a named schema.
pub(crate) fn with_named_bodies(document: &Value) -> Value {
    let mut document = stripped(document, false);
    let responses = take_components(&mut document, "responses").into();
    let mut schemas = take_components(&mut document, "schemas");
    let mut replaced = BTreeSet::new();
    each_operation(&mut document, |operation| {
        let name =
            operation.get("operationId").and_then(Value::as_str).unwrap_or("operation").to_upper_camel_case();
        let Some(Value::Object(own)) = operation.get_mut("responses") else { return };
        for response in own.values_mut() {
            resolve(response, &responses);
        }
        // The status of such a response says all that there is to say.
        own.retain(|status, response| response.get("content").is_some() || !status.starts_with(['4', '5']));
        for (status, response) in own.iter_mut() {
            if let Some(media) = json_media(response) {
                let mut schema = media.remove("schema").unwrap_or_else(|| json!({}));
                if let Some(described) = described_alternative(&schema, &schemas, &mut replaced) {
                    schema = described;
                }
                let name = format!("{name}Http{}", status.to_ascii_lowercase().to_upper_camel_case());
                media.insert("schema".to_owned(), reference(&mut schemas, &name, schema));
                // progenitor panics on `encoding`, which only multipart bodies use.
                media.remove("encoding");
            }
        }
    });
    remove_unused(&mut schemas, &document, replaced);
    put_schemas(&mut document, schemas);
    document
}

/// The alternative of `schema` that describes a body, if any other body is valid too.
///
/// Documents have such a schema where the vendor is silent on some bodies of a status. The client does without: a body
/// that has another type is not decoded, which is no error. Adds the named schemas that the alternative replaces to
/// `replaced`.
fn described_alternative(
    schema: &Value,
    schemas: &Map<String, Value>,
    replaced: &mut BTreeSet<String>,
) -> Option<Value> {
    let named = |schema: &Value| {
        let name = schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?.to_owned();
        Some((schemas.get(&name)?, name))
    };
    let target = named(schema).map_or(schema, |(target, _)| target);
    let is_described = |alternative: &&Value| {
        let target = named(alternative).map_or(*alternative, |(target, _)| target);
        target.as_object().is_some_and(|keywords| keywords.keys().any(|key| key != "description"))
    };
    let (described, open): (Vec<&Value>, Vec<&Value>) =
        target.get("anyOf")?.as_array()?.iter().partition(is_described);
    match (&described[..], &open[..]) {
        ([described], [_, ..]) => {
            replaced.extend([schema].into_iter().chain(open).filter_map(named).map(|(_, name)| name));
            Some((*described).clone())
        }
        _ => None,
    }
}

/// Removes those of `names` to which neither a schema nor the document refers.
fn remove_unused(schemas: &mut Map<String, Value>, document: &Value, mut names: BTreeSet<String>) {
    // One that is removed may have been the last to refer to another.
    while let Some(unused) = names
        .iter()
        .find(|name| {
            let reference = format!("{SCHEMAS}{name}");
            !refers_to(document, &reference) && !schemas.values().any(|schema| refers_to(schema, &reference))
        })
        .cloned()
    {
        schemas.remove(&unused);
        names.remove(&unused);
    }
}

fn refers_to(value: &Value, reference: &str) -> bool {
    match value {
        Value::Object(members) => {
            members.get("$ref").is_some_and(|target| target == reference)
                || members.values().any(|member| refers_to(member, reference))
        }
        Value::Array(elements) => elements.iter().any(|element| refers_to(element, reference)),
        _ => false,
    }
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
    let reference_to = |name: &str| json!({ "$ref": format!("{SCHEMAS}{name}") });
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

/// The value without annotations, examples and the form of strings.
fn stripped(value: &Value, keys_are_names: bool) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(key, _)| {
                    let removable = key.starts_with("x-otp") || UNUSED.contains(&key.as_str());
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

fn take_components(document: &mut Value, kind: &str) -> Map<String, Value> {
    match document.get_mut("components").and_then(|components| components.get_mut(kind)) {
        Some(Value::Object(components)) => std::mem::take(components),
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
    fn a_body_that_may_be_anything_has_the_type_that_is_described() {
        let any = |name: &str| json!({ "anyOf": [a(), { "$ref": format!("#/components/schemas/{name}") }] });
        let responses = json!({
            "400": response(&json!({ "$ref": "#/components/schemas/AnyA" })),
            "404": response(&any("Silence")),
            "422": response(&any("B")),
        });
        let mut before = document(&responses);
        before["components"]["schemas"]["AnyA"] = any("Silence");
        before["components"]["schemas"]["Silence"] = json!({ "description": "Any JSON value." });
        let named = with_named_bodies(&before);
        assert_eq!(schema_of(&named, "400"), a());
        assert_eq!(schema_of(&named, "404"), a());
        assert_eq!(schema_of(&named, "422"), json!({ "$ref": "#/components/schemas/VerifyOtpHttp422" }));
        let names: Vec<_> = named["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["A", "B", "VerifyOtpHttp422"]);
    }

    #[test]
    fn a_schema_that_is_still_in_use_stays() {
        let any = json!({ "anyOf": [a(), { "$ref": "#/components/schemas/Silence" }] });
        let mut before = document(&json!({ "400": response(&any) }));
        before["components"]["schemas"]["Silence"] = json!({});
        before["components"]["schemas"]["B"] = json!({ "items": { "$ref": "#/components/schemas/Silence" } });
        assert_eq!(with_named_bodies(&before)["components"]["schemas"]["Silence"], json!({}));
    }

    #[test]
    fn an_error_without_a_body_is_left_out_and_a_success_is_not() {
        let empty = json!({ "description": "" });
        let named =
            with_named_bodies(&document(&json!({ "200": response(&a()), "204": empty, "405": empty })));
        let responses = named["paths"]["/verify"]["post"]["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["200", "204"]);
    }

    #[test]
    fn the_form_of_a_string_is_removed() {
        let mut before = document(&json!({}));
        let schema = json!({ "type": "string", "pattern": "^[0-9]+$", "minLength": 4, "maxLength": 6 });
        before["components"]["schemas"]["A"] = json!({ "properties": { "pattern": schema } });
        let named = with_named_bodies(&before);
        assert_eq!(
            named["components"]["schemas"]["A"],
            json!({ "properties": { "pattern": { "type": "string" } } })
        );
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
