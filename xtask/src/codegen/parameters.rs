//! Reduces a document to what a client of its contract sends: the operations of the contract, and their parameters.
//!
//! The rest would become unused code, or code that progenitor or `request_builders.rs` does not support.

use otp_contract::{Contract, KeyPlace, Operation, Scheme};
use serde_json::Value;

use super::lowering::METHODS;
use super::values::resolved;

/// The document with only the contract's operations and with the parameters that calls set, none of which is a
/// reference.
pub(super) fn with_own_parameters(document: &Value, contract: &Contract) -> Value {
    let mut result = document.clone();
    for (path, item) in result["paths"].as_object_mut().into_iter().flatten() {
        let Some(item) = item.as_object_mut() else { continue };
        item.retain(|key, _| {
            let is_wanted = |operation: &Operation| {
                operation.path.to_string() == *path && operation.method.eq_ignore_ascii_case(key)
            };
            !METHODS.contains(&key.as_str()) || contract.operations().iter().any(is_wanted)
        });
        for (key, member) in item {
            let parameters = if key == "parameters" { Some(member) } else { member.get_mut("parameters") };
            let Some(parameters) = parameters.and_then(Value::as_array_mut) else { continue };
            for parameter in &mut *parameters {
                *parameter = resolved(document, parameter).clone();
            }
            parameters.retain(|parameter| is_set_by_calls(parameter, contract));
        }
    }
    if let Some(paths) = result["paths"].as_object_mut() {
        paths.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));
    }
    result
}

/// False for a key, which the client adds by itself, and for headers and cookies that are optional or that OpenAPI
/// ignores here.
fn is_set_by_calls(parameter: &Value, contract: &Contract) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let keys = |wanted: KeyPlace| {
        let schemes = contract.operations().iter().flat_map(|operation| &operation.security);
        schemes.filter_map(move |scheme| match &scheme.scheme {
            Scheme::ApiKey { place, name, .. } if *place == wanted => Some(name),
            _ => None,
        })
    };
    match parameter["in"].as_str() {
        Some("query") => !keys(KeyPlace::Query).any(|key| key == name),
        Some("cookie") => parameter["required"] == true && !keys(KeyPlace::Cookie).any(|key| key == name),
        Some("header") => {
            parameter["required"] == true
                && !["accept", "content-type", "authorization"].iter().any(|ignored| is(ignored))
                && !keys(KeyPlace::Header).any(|key| is(key))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_operations_of_the_contract_are_left() {
        let contract = Contract::of_vendor("zeckta").unwrap();
        let text = otp_contract::DOCUMENTS[0].text;
        let mut document = otp_contract::parse_yaml("zeckta.yaml", text).unwrap();
        let path = contract.verify().path.to_string();
        document["paths"][&path]["get"] = json!({ "responses": {} });
        document["paths"]["/other"] = json!({ "summary": "Other", "post": { "responses": {} } });
        let left = with_own_parameters(&document, &contract);
        assert_eq!(left["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), [&path]);
        let methods = left["paths"][&path].as_object().unwrap().keys();
        assert_eq!(methods.filter(|key| METHODS.contains(&key.as_str())).collect::<Vec<_>>(), ["post"]);
    }
}
