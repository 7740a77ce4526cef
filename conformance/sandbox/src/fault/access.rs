//! Faults in who is let in and by which method: the request gets the credentials, or the method, that a careless server
//! would not have asked for. Nothing here may look at a code.

use http::{HeaderName, HeaderValue, Method, header};
use otp_contract::{Contract, Scheme};
use serde_json::Value;

use super::call::Call;
use crate::vendor::auth::{self, Caller};
use crate::vendor::{Tenant, Tenants};

/// What a careless server does not ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Credentials are not needed.
    NoCredentials,
    /// Credentials are not compared.
    AnyCredentials,
    /// Empty credentials are good.
    EmptyCredentials,
    /// Credentials of one account are good for the path of another.
    OtherAccount,
    /// The scheme's name counts only as it is usually spelled.
    SchemeCase,
    /// POST is served like GET, or GET like POST.
    OtherMethod,
    /// The method is taken from `X-HTTP-Method-Override`.
    MethodOverride,
}

impl Access {
    pub(super) fn shows(self, contract: &Contract) -> bool {
        let operation = &contract.verify();
        match self {
            Access::OtherAccount => !operation.accounts.is_empty(),
            Access::SchemeCase => {
                operation.security.iter().all(|scheme| !matches!(scheme.scheme, Scheme::ApiKey { .. }))
            }
            _ => true,
        }
    }

    /// Rewrites `call`; `owner` is whose session it names.
    pub(super) fn rewrite(self, call: &mut Call<'_>, tenants: &Tenants, owner: Option<&Tenant>) {
        let contract = call.contract;
        let is_mistaken = match self {
            Access::SchemeCase => return refuse_odd_schemes(call),
            Access::OtherMethod => {
                let other = match contract.verify().method.as_str() {
                    "GET" => Method::POST,
                    _ => Method::GET,
                };
                if call.parts.method == other
                    && let Ok(method) = contract.verify().method.parse()
                {
                    call.parts.method = method;
                }
                return;
            }
            Access::MethodOverride => {
                let wanted = call.parts.headers.get("x-http-method-override").map(HeaderValue::as_bytes);
                if let Some(Ok(method)) = wanted.map(Method::from_bytes) {
                    call.parts.method = method;
                }
                return;
            }
            Access::NoCredentials => {
                matches!(
                    auth::identify(contract, contract.verify(), tenants, &call.parts.headers),
                    Caller::NoCredentials
                )
            }
            Access::AnyCredentials => {
                matches!(
                    auth::identify(contract, contract.verify(), tenants, &call.parts.headers),
                    Caller::WrongCredentials
                )
            }
            Access::EmptyCredentials => names(contract).any(|(name, _)| {
                call.parts.headers.get(name).is_some_and(|value| is_empty(value.to_str().unwrap_or("?")))
            }),
            Access::OtherAccount => {
                match auth::identify(contract, contract.verify(), tenants, &call.parts.headers) {
                    Caller::Known(tenant) => !is_at_home(&tenant, call),
                    _ => false,
                }
            }
        };
        if let (true, Some(owner)) = (is_mistaken, owner.filter(|owner| is_at_home(owner, call))) {
            put_credentials(call, owner);
        }
    }
}

fn is_at_home(tenant: &Tenant, call: &Call<'_>) -> bool {
    tenant.accounts.iter().all(|(name, account)| call.path.get(name) == Some(account))
}

fn names(contract: &Contract) -> impl Iterator<Item = (HeaderName, &str)> {
    contract.verify().security.iter().filter_map(|scheme| match &scheme.scheme {
        Scheme::ApiKey { header } => Some((HeaderName::from_bytes(header.as_bytes()).ok()?, "")),
        Scheme::Bearer => Some((header::AUTHORIZATION, "Bearer")),
        Scheme::Basic => Some((header::AUTHORIZATION, "Basic")),
    })
}

/// Whether nothing follows the scheme, or nothing but the colon between user name and password.
fn is_empty(value: &str) -> bool {
    let rest = ["bearer", "basic"]
        .iter()
        .find_map(|scheme| {
            let given = value.get(..scheme.len())?;
            given.eq_ignore_ascii_case(scheme).then(|| &value[scheme.len()..])
        })
        .unwrap_or(value);
    ["", "Og=="].contains(&rest.trim())
}

fn refuse_odd_schemes(call: &mut Call<'_>) {
    let known: Vec<_> = names(call.contract).map(|(_, scheme)| scheme.to_owned()).collect();
    let Some(given) = call.parts.headers.get(header::AUTHORIZATION) else { return };
    let given = given.to_str().unwrap_or_default().split(' ').next().unwrap_or_default();
    if !known.iter().any(|scheme| scheme == given) {
        call.parts.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Unknown"));
    }
}

/// Writes the owner's own credentials over those that were sent.
fn put_credentials(call: &mut Call<'_>, owner: &Tenant) {
    use base64::Engine;
    let all = owner.credentials_json();
    for scheme in &call.contract.verify().security {
        let text = |name: &str| all[&scheme.name].get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, value) = match &scheme.scheme {
            Scheme::Bearer => (header::AUTHORIZATION, format!("Bearer {}", text("token"))),
            Scheme::Basic => {
                let pair = format!("{}:{}", text("username"), text("password"));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                (header::AUTHORIZATION, format!("Basic {pair}"))
            }
            Scheme::ApiKey { header } => match HeaderName::from_bytes(header.as_bytes()) {
                Ok(name) => (name, text("value").to_owned()),
                Err(_) => continue,
            },
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            call.parts.headers.insert(name, value);
            return;
        }
    }
}
