//! Gives codes, session ids and accounts in generated requests a type that no `Debug` prints.
//!
//! The contract says where they are; nothing here looks at names. `values.rs` does the same for all other text.

use anyhow::{Context as _, bail};
use otp_contract::{Contract, Location, Operation, Place};
use serde_json::{Map, Value, json};

/// The schema of such a text. The generator replaces it by the client's own type.
pub(super) const SCHEMA: &str = "OtpSecretText";

/// The document with that schema for every session id, code and account of a request.
pub(super) fn with_secret_types(document: &Value, contract: &Contract) -> anyhow::Result<Value> {
    let mut document = document.clone();
    for operation in contract.operations() {
        let path = operation.path.to_string();
        let method = operation.method.to_ascii_lowercase();
        for location in secrets(operation) {
            let schema = match location.place {
                // Forms have been lowered to JSON.
                Place::Body | Place::Form => property(&mut document, &path, &method, &location.keys()),
                Place::Path => parameter(&mut document, &path, &method, "path", &location.name),
                Place::Query => parameter(&mut document, &path, &method, "query", &location.name),
            };
            *schema
                .with_context(|| format!("{method} {path} has no parameter or member {}", location.name))? =
                reference();
        }
    }
    let schemas = &mut document["components"]["schemas"];
    if schemas.is_null() {
        *schemas = json!({});
    }
    let schemas = schemas.as_object_mut().context("components > schemas is no object")?;
    if schemas.insert(SCHEMA.to_owned(), json!({ "type": "string" })).is_some() {
        bail!("expected no schema with the name {SCHEMA}, which is reserved; rename the schema");
    }
    Ok(document)
}

/// A reference to that schema.
pub(super) fn reference() -> Value {
    json!({ "$ref": format!("#/components/schemas/{SCHEMA}") })
}

/// Where the requests of an operation have a session id, a code or an account.
fn secrets(operation: &Operation) -> impl Iterator<Item = Location> + '_ {
    let accounts =
        operation.accounts.iter().map(|account| Location { place: Place::Path, name: account.name.clone() });
    [operation.session.location.clone(), operation.code.location.clone()].into_iter().chain(accounts)
}

/// The schema of a parameter of an operation or of its path.
pub(super) fn parameter<'d>(
    document: &'d mut Value,
    path: &str,
    method: &str,
    place: &str,
    name: &str,
) -> Option<&'d mut Value> {
    let item = document.get_mut("paths")?.get_mut(path)?;
    let is_wanted = |parameter: &Value| parameter["name"] == name && parameter["in"] == place;
    let find = |parameters: &Value| parameters.as_array()?.iter().position(is_wanted);
    let of_operation = item[method].get("parameters").and_then(find);
    let (owner, place) = if let Some(place) = of_operation {
        (item.get_mut(method)?, place)
    } else {
        let place = item.get("parameters").and_then(find)?;
        (item, place)
    };
    owner.get_mut("parameters")?.get_mut(place)?.get_mut("schema")
}

/// The schema of the member of the request's body that `keys` lead to.
pub(super) fn property<'d>(
    document: &'d mut Value,
    path: &str,
    method: &str,
    keys: &[&str],
) -> Option<&'d mut Value> {
    let (first, rest) = keys.split_first()?;
    let mut pointer = format!("{}/properties/{}", body_pointer(document, path, method)?, escaped(first));
    for key in rest {
        let schema = document.pointer(&pointer)?;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            pointer = reference.strip_prefix('#')?.to_owned();
        }
        pointer.push_str(&format!("/properties/{}", escaped(key)));
    }
    document.pointer_mut(&pointer)
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The members of the request's body.
pub(super) fn properties<'d>(
    document: &'d mut Value,
    path: &str,
    method: &str,
) -> Option<&'d mut Map<String, Value>> {
    let pointer = body_pointer(document, path, method)?;
    document.pointer_mut(&pointer)?.get_mut("properties")?.as_object_mut()
}

/// The place of the schema of the request's body.
fn body_pointer(document: &Value, path: &str, method: &str) -> Option<String> {
    let body = document["paths"][path][method].pointer("/requestBody/content/application~1json/schema")?;
    if let Some(reference) = body.get("$ref").and_then(Value::as_str) {
        return Some(reference.strip_prefix('#')?.to_owned());
    }
    let path = escaped(path);
    Some(format!("/paths/{path}/{method}/requestBody/content/application~1json/schema"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(vendor: &str) -> Value {
        let text = otp_contract::DOCUMENTS.iter().find(|document| document.vendor == vendor).unwrap().text;
        let value = otp_contract::parse_yaml("test.yaml", text).unwrap();
        with_secret_types(&value, &Contract::of_vendor(vendor).unwrap()).unwrap()
    }

    #[test]
    fn every_secret_in_the_contract_has_the_secret_type() {
        let secret = json!({ "$ref": "#/components/schemas/OtpSecretText" });
        let zeckta = lowered("zeckta");
        let properties = &zeckta["components"]["schemas"]["VerifyRequest"]["properties"];
        assert_eq!((&properties["sessionId"], &properties["code"]), (&secret, &secret));

        let dailystory = lowered("dailystory");
        let parameters = &dailystory["paths"]["/api/v1/verification/{dsid}"]["get"]["parameters"];
        let hidden: Vec<_> = parameters
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["schema"] == secret)
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(hidden, ["dsid", "otp"]);
    }
}
