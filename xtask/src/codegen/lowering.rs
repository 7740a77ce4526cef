//! Vendor document → the part of OpenAPI that progenitor takes. Pure: a document goes in, another comes out.
//!
//! progenitor has room for one type of success and one of error in an operation, and stops with a failed assertion
//! where a document has more. The faithful document is never edited for its sake; it is lowered here, in two steps:
//! [`named`] gives every JSON body of every response a name of its own, from which `body.rs` makes the typed body for
//! each status; [`answerless`] then leaves the types and takes the answers away, which is what progenitor sees.

use serde_json::{Map, Value, json};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

/// Objects whose keys are names that a document chooses, and no keywords.
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

/// The document without annotations and examples, in which every JSON body of a response is a reference to a schema
/// with a name.
pub(crate) fn named(document: &Value) -> Value {
    let mut document = stripped(document, false);
    let responses = document.pointer("/components/responses").cloned().unwrap_or_default();
    let mut schemas = take_schemas(&mut document);
    each_operation(&mut document, |operation| {
        let name = pascal(operation.get("operationId").and_then(Value::as_str).unwrap_or("operation"));
        let Some(Value::Object(answers)) = operation.get_mut("responses") else { return };
        for (status, answer) in answers.iter_mut() {
            resolve(answer, &responses);
            if let Some(media) = json_media(answer) {
                let schema = media.remove("schema").unwrap_or_else(|| json!({}));
                let named = format!("{name}Http{}", pascal(&status.to_ascii_lowercase()));
                media.insert("schema".to_owned(), lifted(&mut schemas, &named, schema));
                // progenitor knows no encodings, which only multipart bodies have, and asserts that there is none.
                media.remove("encoding");
            }
        }
    });
    put_schemas(&mut document, schemas);
    document
}

/// The document in which no operation says what it answers.
///
/// The answer is read by the client itself, from what the transport keeps of it. To decode it in the generated call too
/// would be work that nobody looks at, in every call and in every build.
pub(crate) fn answerless(document: &Value) -> Value {
    let mut document = document.clone();
    each_operation(&mut document, |operation| {
        let any = json!({ "default": { "description": "Any answer." } });
        operation.insert("responses".to_owned(), any);
    });
    document
}

/// A reference to `schema`, which gets a name unless it is a reference already, or stands under some name.
fn lifted(schemas: &mut Map<String, Value>, name: &str, schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return schema;
    }
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    if let Some((known, _)) = schemas.iter().find(|(_, there)| **there == schema) {
        return reference(known);
    }
    let mut free = name.to_owned();
    let mut number = 2;
    // The generator writes type names in its own case, so `verify_error` takes the name `VerifyError` too.
    while schemas.keys().any(|taken| same_name(taken, &free)) {
        free = format!("{name}{number}");
        number += 1;
    }
    let reference = reference(&free);
    schemas.insert(free, schema);
    reference
}

/// Whether both would be the same Rust type name.
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    let letters = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    letters(left) == letters(right)
}

/// The media type of an answer that progenitor reads as JSON.
pub(crate) fn json_media(answer: &mut Value) -> Option<&mut Map<String, Value>> {
    let content = answer.get_mut("content")?.as_object_mut()?;
    let (_, media) = content
        .iter_mut()
        .find(|(name, _)| *name == "application/json" || name.starts_with("application/json;"))?;
    media.as_object_mut()
}

fn resolve(answer: &mut Value, responses: &Value) {
    let target = answer
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/components/responses/"))
        .and_then(|name| responses.get(name));
    if let Some(target) = target {
        *answer = target.clone();
    }
}

fn stripped(value: &Value, keys_are_names: bool) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(key, _)| {
                    let noise = key.starts_with("x-otp") || *key == "example" || *key == "examples";
                    keys_are_names || !noise
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

pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::new();
    let mut start = true;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() {
            start = true;
        } else if start {
            out.push(letter.to_ascii_uppercase());
            start = false;
        } else {
            out.push(letter);
        }
    }
    out
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

    fn answer(schema: &Value) -> Value {
        json!({ "description": "", "content": { "application/json": { "schema": schema } } })
    }

    fn a() -> Value {
        json!({ "$ref": "#/components/schemas/A" })
    }

    fn b() -> Value {
        json!({ "$ref": "#/components/schemas/B" })
    }

    fn schema_of(document: &Value, status: &str) -> Value {
        let answer = &document["paths"]["/verify"]["post"]["responses"][status];
        answer["content"]["application/json"]["schema"].clone()
    }

    #[test]
    fn inline_bodies_get_a_name_and_equal_ones_share_it() {
        let inline = json!({ "type": "object", "properties": { "code": { "type": "string" } } });
        let answers = json!({ "200": answer(&a()), "4XX": answer(&inline), "500": answer(&inline) });
        let named = named(&document(&answers));
        let reference = json!({ "$ref": "#/components/schemas/VerifyOtpHttp4xx" });
        assert_eq!(schema_of(&named, "4XX"), reference);
        assert_eq!(schema_of(&named, "500"), reference);
        assert_eq!(named["components"]["schemas"]["VerifyOtpHttp4xx"], inline);
        assert_eq!(super::named(&named), named);
    }

    #[test]
    fn a_name_that_is_taken_is_not_overwritten() {
        let inline = json!({ "type": "object", "properties": { "code": { "type": "string" } } });
        let mut before = document(&json!({ "200": answer(&a()), "422": answer(&inline) }));
        before["components"]["schemas"]["verify_otp_http422"] = json!({ "type": "string" });
        let named = named(&before);
        assert_eq!(named["components"]["schemas"]["verify_otp_http422"], json!({ "type": "string" }));
        assert_eq!(schema_of(&named, "422"), json!({ "$ref": "#/components/schemas/VerifyOtpHttp4222" }));
    }

    #[test]
    fn a_shared_answer_is_taken_in() {
        let mut before =
            document(&json!({ "200": answer(&a()), "400": { "$ref": "#/components/responses/Bad" } }));
        before["components"]["responses"] = json!({ "Bad": answer(&b()) });
        assert_eq!(schema_of(&named(&before), "400"), b());
    }

    #[test]
    fn the_generator_sees_the_types_and_no_answer() {
        let named =
            named(&document(&json!({ "200": answer(&a()), "400": answer(&b()), "422": answer(&a()) })));
        let lowered = answerless(&named);
        let responses = lowered["paths"]["/verify"]["post"]["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["default"]);
        assert!(responses["default"].get("content").is_none());
        assert_eq!(lowered["components"], named["components"]);
    }

    #[test]
    fn annotations_and_examples_go_and_what_only_has_their_names_stays() {
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
        let kept = &named(&before)["components"]["schemas"]["example"];
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
