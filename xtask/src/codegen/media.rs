//! The media types of requests and responses: which are JSON, which are forms, and what a client accepts.
//!
//! The functions are pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::lowering::each_operation;

/// The media type of JSON.
const JSON: &str = "application/json";

/// The JSON media types of an operation's responses, as the header `Accept`.
pub(super) fn accept(document: &Value, path: &str, method: &str) -> String {
    let responses = document["paths"][path][method.to_ascii_lowercase()]["responses"].as_object();
    let contents = responses.into_iter().flat_map(Map::values).filter_map(|response| response.get("content"));
    let types = contents.filter_map(Value::as_object).flat_map(Map::keys);
    let more: BTreeSet<String> =
        types.filter(|name| is_json(name)).map(|name| essence(name)).filter(|name| name != JSON).collect();
    std::iter::once(JSON.to_owned()).chain(more).collect::<Vec<_>>().join(", ")
}

/// Whether a media type, with or without parameters, is JSON (RFC 6839 §3.1).
pub(super) fn is_json(media_type: &str) -> bool {
    let name = essence(media_type);
    name == JSON || (name.starts_with("application/") && name.ends_with("+json"))
}

/// The media type without parameters, in lower case.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
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
