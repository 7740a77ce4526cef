//! The media types of requests and responses: which are JSON, which are forms, and what a client accepts.
//!
//! The functions are pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

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
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
