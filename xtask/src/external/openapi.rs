//! Finds operations, responses and examples in a raw document, as a tool that does not know the annotations would.
//!
//! The functions are pure.

use serde_json::Value;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// One operation of a document.
pub(super) struct Operation<'a> {
    document: &'a Value,
    pub(super) path: &'a str,
    /// In upper case.
    pub(super) method: String,
    value: &'a Value,
}

/// A named example of a response.
pub(super) struct Example<'a> {
    pub(super) name: &'a str,
    /// The status at which a tool finds it.
    pub(super) status: u16,
    pub(super) value: &'a Value,
}

/// Every operation of `document`, in order.
pub(super) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        for method in METHODS {
            if let Some(value) = item.get(method) {
                found.push(Operation { document, path, method: method.to_ascii_uppercase(), value });
            }
        }
    }
    found
}

impl<'a> Operation<'a> {
    pub(super) fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// The names and the examples of the parameters in this part of a request.
    pub(super) fn parameters(&self, place: &str) -> Vec<(&'a str, &'a Value)> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        parameters
            .map(|parameter| resolve(self.document, parameter))
            .filter(|parameter| parameter["in"] == place)
            .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter.get("example")?)))
            .collect()
    }

    /// The example of the request's JSON body.
    pub(super) fn body(&self) -> Option<&'a Value> {
        let body = resolve(self.document, self.value.get("requestBody")?);
        body.pointer("/content/application~1json/example")
    }

    /// The path and query of a request with the examples of the document.
    pub(super) fn target(&self) -> String {
        let mut target = self.path.to_owned();
        for (name, example) in self.parameters("path") {
            target = target.replace(&format!("{{{name}}}"), &text(example));
        }
        let query: Vec<String> = self
            .parameters("query")
            .into_iter()
            .map(|(name, example)| format!("{name}={}", text(example)))
            .collect();
        if query.is_empty() { target } else { format!("{target}?{}", query.join("&")) }
    }

    fn responses(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        entries(&self.value["responses"]).map(|(key, response)| (key, resolve(self.document, response)))
    }

    /// The statuses that have an entry of their own.
    pub(super) fn statuses(&self) -> Vec<u16> {
        self.responses().filter_map(|(key, _)| key.parse().ok()).collect()
    }

    /// The key under which a tool finds the response with this status, and its media type and schema.
    pub(super) fn response(&self, status: u16) -> Option<(String, &'a str, &'a Value)> {
        let range = format!("{}XX", status / 100);
        [status.to_string(), range].into_iter().find_map(|key| {
            let (_, response) = self.responses().find(|(known, _)| *known == key)?;
            let (media_type, media) = entries(&response["content"]).next()?;
            Some((key, media_type, media.get("schema")?))
        })
    }

    /// The named examples of all responses.
    pub(super) fn examples(&self) -> Vec<Example<'a>> {
        let mut found = Vec::new();
        for (key, response) in self.responses() {
            for (_, media) in entries(&response["content"]) {
                for (name, example) in entries(&media["examples"]) {
                    // Under a range, the annotation has one of its statuses.
                    let annotated =
                        example["x-otp"]["status"].as_u64().and_then(|status| status.try_into().ok());
                    let first = key.replace("XX", "00").parse().ok();
                    if let (Some(status), Some(value)) = (annotated.or(first), example.get("value")) {
                        found.push(Example { name, status, value });
                    }
                }
            }
        }
        found
    }
}

/// The named schema that describes a body, where the schema of a response allows any other value beside it.
pub(super) fn described_schema<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a str> {
    let alternatives = resolve(document, schema)["anyOf"].as_array()?;
    let is_open = |alternative: &&Value| {
        let target = resolve(document, alternative).as_object();
        target.is_some_and(|keywords| keywords.keys().all(|key| key == "description"))
    };
    alternatives.iter().find(is_open)?;
    let described = alternatives.iter().find(|alternative| !is_open(alternative))?;
    described["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// A value as it stands in a URL. The examples of parameters need no encoding.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "paths": { "/v1/{id}": { "get": {
                "operationId": "check",
                "parameters": [
                    { "name": "id", "in": "path", "example": "a1" },
                    { "name": "otp", "in": "query", "example": "629316" },
                    { "name": "minutes", "in": "query" },
                ],
                "responses": { "4XX": { "$ref": "#/components/responses/Refused" }, "500": {} },
            } } },
            "components": {
                "responses": { "Refused": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Any" },
                    "examples": {
                        "plain": { "value": 1 },
                        "unknown": { "value": 2, "x-otp": { "status": 404 } },
                    },
                } } } },
                "schemas": {
                    "Any": { "anyOf": [{ "$ref": "#/components/schemas/Refusal" }, { "$ref": "#/components/schemas/Open" }] },
                    "Open": { "description": "d" },
                    "Refusal": { "type": "object" },
                },
            },
        })
    }

    #[test]
    fn an_operation_has_a_request_and_responses() {
        let document = document();
        let found = operations(&document);
        assert_eq!((found[0].id(), found[0].method.as_str()), ("check", "GET"));
        assert_eq!(found[0].target(), "/v1/a1?otp=629316");
        assert_eq!(found[0].statuses(), [500]);
        let (key, media_type, schema) = found[0].response(404).unwrap();
        assert_eq!((key.as_str(), media_type), ("4XX", "application/json"));
        assert_eq!(described_schema(&document, schema), Some("Refusal"));
        assert!(found[0].response(500).is_none() && found[0].response(200).is_none());
    }

    #[test]
    fn an_example_has_a_status() {
        let document = document();
        let examples = operations(&document)[0].examples();
        let found: Vec<_> = examples.iter().map(|example| (example.name, example.status)).collect();
        assert_eq!(found, [("plain", 400), ("unknown", 404)]);
    }

    #[test]
    fn a_schema_without_an_open_alternative_has_no_described_one() {
        let document = document();
        let refusal = json!({ "$ref": "#/components/schemas/Refusal" });
        let closed = json!({ "anyOf": [refusal, { "type": "object" }] });
        assert_eq!(described_schema(&document, &closed), None);
        assert_eq!(described_schema(&document, &refusal), None);
    }
}
