//! JSON Schema: the violations of a schema, and the translation of OpenAPI 3.0 schemas.
//!
//! Uses the description of values that the reader uses. It knows nothing about vendors or files.

use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use crate::document_node::describe;
use crate::pointer::keys;

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

/// How often schemas may be used in one another before a comparison takes too long.
const MAX_USES: u64 = 100_000;

/// How many named schemas one body may lead to. Each may contain the next, and a comparison goes that deep.
const MAX_NAMED: usize = 500;

/// Where the named schemas of a document are.
const NAMED: &str = "#/components/schemas/";

/// The schema of a body, with the named schemas that its references lead to; `None` if they are used in one another so often
/// that no body can be compared with them.
pub(super) fn of_body(document: &Value, schema: &Value) -> Option<Value> {
    let named = document.pointer("/components/schemas");
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut schemas = Map::new();
    let first = names_in(schema);
    let mut left = first.clone();
    while let Some(name) = left.pop() {
        if uses.contains_key(&name) {
            continue;
        }
        let target = named.and_then(|named| named.get(&name));
        let inner = target.map(names_in).unwrap_or_default();
        if let Some(target) = target {
            schemas.insert(name.clone(), of_openapi(target));
        }
        left.extend(inner.iter().cloned());
        uses.insert(name, inner);
        if uses.len() > MAX_NAMED {
            return None;
        }
    }
    let mut known = BTreeMap::new();
    let total = first.iter().fold(0, |total: u64, name| total.saturating_add(count(name, &uses, &mut known)));
    (total <= MAX_USES).then(|| {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [of_openapi(schema)],
            "components": { "schemas": schemas },
        })
    })
}

/// The named schemas that a schema refers to, each as often as it does.
fn names_in(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => match members.get("$ref").and_then(Value::as_str) {
            Some(reference) => reference.strip_prefix(NAMED).map(str::to_owned).into_iter().collect(),
            None => members.values().flat_map(names_in).collect(),
        },
        Value::Array(elements) => elements.iter().flat_map(names_in).collect(),
        _ => Vec::new(),
    }
}

/// How many schemas are used below this one, each as often as it is used. One that is used in itself ends there, as a body
/// does.
fn count(name: &str, uses: &BTreeMap<String, Vec<String>>, known: &mut BTreeMap<String, u64>) -> u64 {
    if let Some(count) = known.get(name) {
        return *count;
    }
    known.insert(name.to_owned(), 1);
    let inner = uses.get(name).map(Vec::as_slice).unwrap_or_default();
    let total = inner.iter().fold(1, |total: u64, inner| total.saturating_add(count(inner, uses, known)));
    known.insert(name.to_owned(), total);
    total
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
    let place = keys(error.instance_path().as_str()).unwrap_or_default();
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
        violations(&of_body(&document, schema).unwrap(), value).is_empty()
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
    fn schemas_that_are_used_in_one_another_too_often_are_refused() {
        let pair = |name: String| json!({ "allOf": [{ "$ref": name.clone() }, { "$ref": name }] });
        let document = |levels: usize| {
            let named =
                (0..levels).map(|level| (format!("A{level}"), pair(format!("{NAMED}A{}", level + 1))));
            let mut named: Map<String, Value> = named.collect();
            named.insert(format!("A{levels}"), json!({ "type": "object" }));
            json!({ "components": { "schemas": named } })
        };
        let schema = json!({ "$ref": "#/components/schemas/A0" });
        assert!(of_body(&document(10), &schema).is_some());
        assert!(of_body(&document(60), &schema).is_none());
        let cycle = json!({ "components": { "schemas": { "A0": pair(format!("{NAMED}A0")) } } });
        let schema = of_body(&cycle, &schema).unwrap();
        assert!(violations(&schema, &json!({})).is_empty());
    }

    #[test]
    fn a_long_chain_of_schemas_is_refused() {
        let link = |level: usize| {
            (
                format!("A{level}"),
                json!({ "properties": { "a": { "$ref": format!("{NAMED}A{}", level + 1) } } }),
            )
        };
        let chain = |levels: usize| json!({ "components": { "schemas": (0..levels).map(link).collect::<Map<_, _>>() } });
        let schema = json!({ "$ref": "#/components/schemas/A0" });
        let short = of_body(&chain(400), &schema).unwrap();
        assert!(!violations(&short, &json!({ "a": { "a": {} } })).is_empty(), "the last schema is missing");
        assert!(of_body(&chain(50_000), &schema).is_none());
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
