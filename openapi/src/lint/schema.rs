//! JSON Schema: the violations of a schema, and the translation of OpenAPI 3.0 schemas.
//!
//! Uses the description of values that the reader uses. It knows nothing about vendors or files.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use crate::document_node::describe;

/// One way in which a value is not as its schema says.
pub(super) struct Violation {
    pub(super) text: String,
    /// The member that is absent, if that is the violation.
    pub(super) missing: Option<String>,
    /// Whether the schema has alternatives and can only say that none fits.
    pub(super) is_vague: bool,
}

impl Violation {
    /// The schema itself is wrong.
    pub(super) fn of_schema(error: &str) -> Violation {
        let text = format!("expected a JSON Schema for this value, found one that is none: {error}");
        Violation { text, missing: None, is_vague: false }
    }
}

/// The schema of a body, with the components of the document that its references lead to.
pub(super) fn of_body(document: &Value, schema: &Value) -> Value {
    let components = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let schemas: Map<String, Value> = components
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), of_openapi(schema)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [of_openapi(schema)],
        "components": { "schemas": schemas },
    })
}

/// The part of a schema that describes a body. A document that leaves a body open says so with `anyOf`: the body that it
/// shows, or a schema without keywords, which allows everything and would hide each mistake in the example.
pub(super) fn described(document: &Value, schema: &Value) -> Value {
    let resolve = |schema: &'_ Value| -> Value {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema).clone()
    };
    let is_open = |schema: &Value| {
        let notes = ["description", "title", "example", "nullable"];
        resolve(schema)
            .as_object()
            .is_some_and(|members| members.keys().all(|key| notes.contains(&key.as_str())))
    };
    let mut schema = resolve(schema);
    if let Some(Value::Array(parts)) = schema.get_mut("anyOf")
        && !parts.iter().all(is_open)
    {
        parts.retain(|part| !is_open(part));
    }
    schema
}

/// Translates an OpenAPI 3.0 schema to JSON Schema 2020-12. The two differ in `nullable` and in the exclusive bounds, and
/// OpenAPI ignores the siblings of a `$ref`.
pub(super) fn of_openapi(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    if let Some(reference) = members.get("$ref") {
        return json!({ "$ref": reference });
    }
    let flag = |name: &str| members.get(name).and_then(Value::as_bool).unwrap_or(false);
    let mut out = Map::new();
    for (name, value) in members {
        let value = match name.as_str() {
            "nullable" | "discriminator" | "xml" | "example" | "externalDocs" => continue,
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => continue,
            "minimum" if flag("exclusiveMinimum") => {
                out.insert("exclusiveMinimum".to_owned(), value.clone());
                continue;
            }
            "maximum" if flag("exclusiveMaximum") => {
                out.insert("exclusiveMaximum".to_owned(), value.clone());
                continue;
            }
            "properties" => match value {
                Value::Object(properties) => {
                    properties.iter().map(|(name, schema)| (name.clone(), of_openapi(schema))).collect()
                }
                other => other.clone(),
            },
            "items" | "not" | "additionalProperties" => of_openapi(value),
            "allOf" | "anyOf" | "oneOf" => match value {
                Value::Array(schemas) => schemas.iter().map(of_openapi).collect(),
                other => other.clone(),
            },
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    if flag("nullable") {
        return json!({ "anyOf": [out, { "type": "null" }] });
    }
    Value::Object(out)
}

/// Every violation of `schema` by `value`, with the keys that lead to the place.
pub(super) fn violations(schema: &Value, value: &Value) -> Vec<(Vec<String>, Violation)> {
    match jsonschema::draft202012::new(schema) {
        Ok(validator) => of_validator(&validator, value),
        Err(error) => vec![(Vec::new(), Violation::of_schema(&error.to_string()))],
    }
}

fn of_validator(validator: &Validator, value: &Value) -> Vec<(Vec<String>, Violation)> {
    validator.iter_errors(value).flat_map(|error| of_error(&error)).collect()
}

fn of_error(error: &ValidationError<'_>) -> Vec<(Vec<String>, Violation)> {
    let pointer = error.instance_path().to_string();
    let place: Vec<String> =
        pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    let found = |text: String| Violation { text, missing: None, is_vague: false };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let of_member = |name: &String| {
                let place = place.iter().chain([name]).cloned().collect();
                (place, found(format!("expected no member `{name}` here")))
            };
            unexpected.iter().map(of_member).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            let text = format!("expected a member `{name}`");
            vec![(place, Violation { missing: Some(name), ..found(text) })]
        }
        ValidationErrorKind::FalseSchema => {
            vec![(place, found("expected no such member here".to_owned()))]
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let names: Vec<_> = options
                .iter()
                .map(|option| option.as_str().map_or_else(|| option.to_string(), |name| format!("`{name}`")))
                .collect();
            vec![(place, found(expected(&format!("one of {}", names.join(", ")), error)))]
        }
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => {
            vec![(place, found(expected(&format!("the type {kind}"), error)))]
        }
        ValidationErrorKind::Pattern { pattern } => {
            vec![(place, found(expected(&format!("a text that matches {pattern}"), error)))]
        }
        kind => {
            let is_vague = matches!(
                kind,
                ValidationErrorKind::AnyOf { .. }
                    | ValidationErrorKind::OneOfNotValid { .. }
                    | ValidationErrorKind::OneOfMultipleValid { .. }
            );
            let text = format!("the schema does not allow this value: {error}");
            vec![(place, Violation { is_vague, ..found(text) })]
        }
    }
}

fn expected(what: &str, error: &ValidationError<'_>) -> String {
    format!("expected {what}, found {}", describe(error.instance()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(schema: &Value, value: &Value) -> bool {
        let document = json!({ "components": { "schemas": { "Name": { "type": "string" } } } });
        violations(&of_body(&document, schema), value).is_empty()
    }

    #[test]
    fn only_nullable_schemas_allow_null() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "object", "nullable": true }, "b": { "type": "string" } } });
        assert!(allows(&schema, &json!({ "a": null })) && allows(&schema, &json!({ "a": {} })));
        assert!(!allows(&schema, &json!({ "a": 1 })) && !allows(&schema, &json!({ "b": null })));
    }

    #[test]
    fn references_are_resolved_in_the_components() {
        let schema = json!({ "oneOf": [{ "$ref": "#/components/schemas/Name", "type": "object" }, { "type": "integer" }] });
        assert!(allows(&schema, &json!("x")) && allows(&schema, &json!(1)));
        assert!(!allows(&schema, &json!(true)));
    }

    #[test]
    fn exclusive_bounds_are_translated() {
        let schema =
            json!({ "minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": false });
        assert!(allows(&schema, &json!(3)) && !allows(&schema, &json!(1)));
    }

    #[test]
    fn a_violation_names_its_place() {
        let schema = json!({ "properties": { "a/b": { "items": { "type": "string" } } } });
        let found = violations(&schema, &json!({ "a/b": ["x", 1] }));
        assert_eq!(found[0].0, ["a/b", "1"]);
    }
}
