//! Who calls: reads credentials from a request's headers by the schemes that a contract names. Never says whether a
//! wrong credential was near a right one.

use std::sync::Arc;

use http::HeaderMap;
use otp_contract::{Contract, Scheme};

use crate::tenants::{Credential, Tenant, Tenants};

/// What a request's credentials amount to.
pub(crate) enum Caller {
    Known(Arc<Tenant>),
    Missing,
    Wrong,
}

/// Finds the tenant whose credentials the request carries.
pub(crate) fn identify(contract: &Contract, tenants: &Tenants, headers: &HeaderMap) -> Caller {
    let mut shown = false;
    for scheme in &contract.verify().security {
        let header = match &scheme.scheme {
            Scheme::ApiKey { header } => header.as_str(),
            Scheme::Bearer | Scheme::Basic => "authorization",
        };
        let mut values = headers.get_all(header).iter();
        let Some(value) = values.next() else { continue };
        shown = true;
        // Two values are ambiguous, and whoever reads the other one would see another caller.
        if values.next().is_some() {
            return Caller::Wrong;
        }
        let Ok(value) = value.to_str() else { continue };
        if let Some(tenant) = tenants.recent(&contract.vendor, header, value) {
            return Caller::Known(tenant);
        }
        let credential = read(&scheme.scheme, value);
        if let Some(tenant) = credential.and_then(|shown| tenants.by_credential(contract, &shown)) {
            return Caller::Known(tenants.remember(&contract.vendor, header, value, tenant));
        }
    }
    if shown { Caller::Wrong } else { Caller::Missing }
}

fn read(scheme: &Scheme, value: &str) -> Option<Credential> {
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

/// The challenges of a 401 (RFC 9110 §15.5.2): one for each scheme.
pub(crate) fn challenges(contract: &Contract, shown: bool) -> Vec<String> {
    let realm = &contract.vendor;
    contract
        .verify()
        .security
        .iter()
        .map(|scheme| match scheme.scheme {
            // No error code where no credentials were sent (RFC 6750 §3.1).
            Scheme::Bearer if shown => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            Scheme::Bearer => format!("Bearer realm=\"{realm}\""),
            Scheme::Basic => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
            Scheme::ApiKey { .. } => format!("ApiKey realm=\"{realm}\""),
        })
        .collect()
}
