//! Authenticates calls by the security schemes of an operation.
//!
//! A response never reveals how close a wrong credential was to a right one.

use std::sync::Arc;

use http::HeaderMap;
use otp_contract::{Contract, Operation, Scheme};

use super::{Credential, Tenant, Tenants};

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
    headers: &HeaderMap,
) -> Caller {
    let mut has_credentials = false;
    for scheme in &operation.security {
        let header = match &scheme.scheme {
            Scheme::ApiKey { header } => header.as_str(),
            Scheme::Bearer | Scheme::Basic => "authorization",
        };
        let mut values = headers.get_all(header).iter();
        let Some(value) = values.next() else { continue };
        has_credentials = true;
        // Two values are ambiguous: a proxy that reads the other one would see another caller.
        if values.next().is_some() {
            return Caller::WrongCredentials;
        }
        let Ok(value) = value.to_str() else { continue };
        if let Some(tenant) = tenants.recent(&contract.vendor, header, value) {
            return Caller::Known(tenant);
        }
        let credential = parse(&scheme.scheme, value);
        if let Some(tenant) = credential.and_then(|credential| tenants.by_credential(contract, &credential)) {
            return Caller::Known(tenants.remember(&contract.vendor, header, value, tenant));
        }
    }
    if has_credentials { Caller::WrongCredentials } else { Caller::NoCredentials }
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
        Scheme::ApiKey { .. } => Some(Credential::ApiKey(value.to_owned())),
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
        .map(|scheme| match scheme.scheme {
            // Without credentials in the request, the challenge has no error code (RFC 6750 §3.1).
            Scheme::Bearer if has_credentials => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            Scheme::Bearer => format!("Bearer realm=\"{realm}\""),
            Scheme::Basic => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
            Scheme::ApiKey { .. } => format!("ApiKey realm=\"{realm}\""),
        })
        .collect()
}
