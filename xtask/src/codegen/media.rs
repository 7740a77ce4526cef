//! The media types of requests and responses: which are JSON, which are forms, and what a client accepts.
//!
//! The functions are pure.

use std::collections::BTreeSet;

use otp_contract::{essence, is_json};
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
