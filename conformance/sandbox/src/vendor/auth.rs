//! Authenticates calls by the security schemes of an operation.
//!
//! A response never reveals how close a wrong credential was to a right one.

use std::borrow::Cow;
use std::sync::Arc;

use http::header;
use http::request::Parts;
use otp_contract::{Contract, KeyPlace, Operation, Scheme};

use super::{Credential, Tenant, Tenants};
use crate::http::query;

/// The result of authentication.
pub(crate) enum Caller {
    Known(Arc<Tenant>),
    NoCredentials,
    WrongCredentials,
}

/// Finds the tenant whose credentials a request to `operation` carries.
pub(crate) fn identify(
    contract: &Contract,
    operation: &Operation,
    tenants: &Tenants,
    request: &Parts,
) -> Caller {
    let mut has_credentials = false;
    for scheme in &operation.security {
        let (place, name) = match &scheme.scheme {
            Scheme::ApiKey { place, name, .. } => (*place, name.as_str()),
            Scheme::Bearer | Scheme::Basic => (KeyPlace::Header, "authorization"),
        };
        let value = match given(place, name, request) {
            Given::Nothing => continue,
            // Two values are ambiguous: a proxy that reads the other one would see another caller.
            Given::Several => return Caller::WrongCredentials,
            Given::Unreadable => {
                has_credentials = true;
                continue;
            }
            Given::Value(value) => value,
        };
        has_credentials = true;
        if let Some(tenant) = tenants.recent(&contract.vendor, name, &value) {
            return Caller::Known(tenant);
        }
        let credential = parse(&scheme.scheme, &value);
        if let Some(tenant) = credential.and_then(|credential| tenants.by_credential(contract, &credential)) {
            return Caller::Known(tenants.remember(&contract.vendor, name, &value, tenant));
        }
    }
    if has_credentials { Caller::WrongCredentials } else { Caller::NoCredentials }
}

/// What a request has in the place of a scheme.
enum Given<'r> {
    Nothing,
    Value(Cow<'r, str>),
    Several,
    Unreadable,
}

fn given<'r>(place: KeyPlace, name: &str, request: &'r Parts) -> Given<'r> {
    let headers = &request.headers;
    if place == KeyPlace::Header {
        let mut values = headers.get_all(name).iter();
        return match (values.next(), values.next()) {
            (None, _) => Given::Nothing,
            (Some(value), None) => {
                value.to_str().map_or(Given::Unreadable, |value| Given::Value(Cow::Borrowed(value)))
            }
            _ => Given::Several,
        };
    }
    let pairs: Vec<(String, String)> = match place {
        KeyPlace::Query => match query::read_pairs(request.uri.query().unwrap_or_default()) {
            Some(pairs) => pairs,
            None => return Given::Unreadable,
        },
        _ => headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let mut values = pairs.into_iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Given::Nothing,
        (Some(value), None) => Given::Value(Cow::Owned(value)),
        _ => Given::Several,
    }
}

fn parse(scheme: &Scheme, value: &str) -> Option<Credential> {
    // Scheme names are case-insensitive (RFC 9110 §11.1).
    let after = |name: &str| {
        let (given, rest) = value.split_once(' ')?;
        given.eq_ignore_ascii_case(name).then_some(rest.trim_start_matches(' '))
    };
    match scheme {
        Scheme::Bearer => after("bearer").map(|token| Credential::Bearer(token.to_owned())),
        Scheme::Basic => {
            let decoded = String::from_utf8(base64_decode(after("basic")?)?).ok()?;
            let (username, password) = decoded.split_once(':')?;
            Some(Credential::Basic { username: username.to_owned(), password: password.to_owned() })
        }
        Scheme::ApiKey { prefix: Some(word), .. } => {
            after(word).map(|key| Credential::ApiKey(key.to_owned()))
        }
        Scheme::ApiKey { prefix: None, .. } => Some(Credential::ApiKey(value.to_owned())),
    }
}

fn base64_decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// The challenges of a 401 response (RFC 9110 §15.5.2), one for each scheme.
pub(crate) fn challenges(realm: &str, operation: &Operation, has_credentials: bool) -> Vec<String> {
    operation
        .security
        .iter()
        .map(|scheme| match &scheme.scheme {
            // Without credentials in the request, the challenge has no error code (RFC 6750 §3.1).
            Scheme::Bearer if has_credentials => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            Scheme::Bearer => format!("Bearer realm=\"{realm}\""),
            Scheme::Basic => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
            Scheme::ApiKey { prefix: Some(word), .. } => format!("{word} realm=\"{realm}\""),
            Scheme::ApiKey { .. } => format!("ApiKey realm=\"{realm}\""),
        })
        .collect()
}
