//! JSON Schema: the definitions of the annotations, and the translation of OpenAPI 3.0 schemas.
//!
//! It knows nothing about vendors or files.

use anyhow::anyhow;
use serde_json::{Map, Value, json};

/// One definition of the annotation schema as a separate schema.
pub(super) fn of_annotation(annotations: &Value, definition: &str) -> Value {
    let mut schema = annotations.clone();
    schema["$ref"] = json!(format!("#/$defs/{definition}"));
    schema
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

/// Every violation of `schema` by `value`: the keys that lead to the place, and a message.
pub(super) fn violations(schema: &Value, value: &Value) -> anyhow::Result<Vec<(Vec<String>, String)>> {
    let validator =
        jsonschema::draft202012::new(schema).map_err(|error| anyhow!("not a JSON Schema: {error}"))?;
    Ok(validator
        .iter_errors(value)
        .map(|error| {
            let pointer = error.instance_path().to_string();
            let place =
                pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
            (place, format!("expected a value that the schema allows, found: {error}"))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(schema: &Value, value: &Value) -> bool {
        let document = json!({ "components": { "schemas": { "Name": { "type": "string" } } } });
        violations(&of_body(&document, schema), value).unwrap().is_empty()
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
        let found = violations(&schema, &json!({ "a/b": ["x", 1] })).unwrap();
        assert_eq!(found[0].0, ["a/b", "1"]);
    }
}
