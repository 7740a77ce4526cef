//! Faults in authentication and in the method of a request: before the vendor's adapter gets the request, it receives
//! the credentials or the method that a careless server does not require. This module must not read a code.

use http::{HeaderName, HeaderValue, Method, header};
use otp_contract::{Contract, KeyPlace, Scheme};
use serde_json::Value;

use super::lenient_request::LenientRequest;
use crate::vendor::auth::{self, Caller};
use crate::vendor::{Tenant, Tenants};

/// What a careless server does not check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Credentials are not required.
    NoCredentials,
    /// Credentials are not compared.
    AnyCredentials,
    /// Empty credentials are accepted.
    EmptyCredentials,
    /// The credentials of one account are accepted for the path of another.
    OtherAccount,
    /// The name of the scheme is accepted only in its usual spelling.
    SchemeCase,
    /// GET is served like POST, or POST like GET.
    OtherMethod,
    /// `X-HTTP-Method-Override` replaces the method.
    MethodOverride,
}

impl Access {
    /// Rewrites `request`. `owner` is the tenant whose session it names.
    pub(super) fn rewrite(self, request: &mut LenientRequest<'_>, tenants: &Tenants, owner: Option<&Tenant>) {
        let contract = request.contract;
        let is_let_in = match self {
            Access::SchemeCase => return refuse_other_spellings(request),
            Access::OtherMethod => {
                let other = match contract.verify().method.as_str() {
                    "GET" => Method::POST,
                    _ => Method::GET,
                };
                if request.parts.method == other
                    && let Ok(method) = contract.verify().method.parse()
                {
                    request.parts.method = method;
                }
                return;
            }
            Access::MethodOverride => {
                let wanted = request.parts.headers.get("x-http-method-override").map(HeaderValue::as_bytes);
                if let Some(Ok(method)) = wanted.map(Method::from_bytes) {
                    request.parts.method = method;
                }
                return;
            }
            Access::NoCredentials => {
                matches!(
                    auth::identify(contract, contract.verify(), tenants, &request.parts),
                    Caller::NoCredentials
                )
            }
            Access::AnyCredentials => {
                matches!(
                    auth::identify(contract, contract.verify(), tenants, &request.parts),
                    Caller::WrongCredentials
                )
            }
            Access::EmptyCredentials => names(contract).any(|(name, _)| {
                request.parts.headers.get(name).is_some_and(|value| is_empty(value.to_str().unwrap_or("?")))
            }),
            Access::OtherAccount => {
                match auth::identify(contract, contract.verify(), tenants, &request.parts) {
                    Caller::Known(tenant) => !owns_path(&tenant, request),
                    _ => false,
                }
            }
        };
        if let (true, Some(owner)) = (is_let_in, owner.filter(|owner| owns_path(owner, request))) {
            put_credentials(request, owner);
        }
    }
}

fn owns_path(tenant: &Tenant, request: &LenientRequest<'_>) -> bool {
    tenant.accounts.iter().all(|(name, account)| request.path.get(name) == Some(account))
}

/// The header field of each scheme, and the usual spelling of the scheme in its value.
fn names(contract: &Contract) -> impl Iterator<Item = (HeaderName, &str)> {
    contract.verify().security.iter().filter_map(|scheme| match &scheme.scheme {
        Scheme::ApiKey { place: KeyPlace::Header, name, prefix } => {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, prefix.as_deref().unwrap_or_default()))
        }
        Scheme::ApiKey { .. } => None,
        Scheme::Bearer => Some((header::AUTHORIZATION, "Bearer")),
        Scheme::Basic => Some((header::AUTHORIZATION, "Basic")),
    })
}

/// Whether nothing follows the scheme except the colon between user name and password.
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

/// Replaces the scheme by one that does not exist unless it has its usual spelling.
fn refuse_other_spellings(request: &mut LenientRequest<'_>) {
    let known: Vec<_> = names(request.contract).map(|(_, scheme)| scheme.to_owned()).collect();
    let Some(given) = request.parts.headers.get(header::AUTHORIZATION) else { return };
    let given = given.to_str().unwrap_or_default().split(' ').next().unwrap_or_default();
    if !known.iter().any(|scheme| scheme == given) {
        request.parts.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Unknown"));
    }
}

/// Replaces the credentials of the request by those of `owner`.
fn put_credentials(request: &mut LenientRequest<'_>, owner: &Tenant) {
    use base64::Engine;
    let all = owner.credentials_json();
    for scheme in &request.contract.verify().security {
        let text = |name: &str| all[&scheme.name].get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, value) = match &scheme.scheme {
            Scheme::Bearer => (header::AUTHORIZATION, format!("Bearer {}", text("token"))),
            Scheme::Basic => {
                let pair = format!("{}:{}", text("username"), text("password"));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                (header::AUTHORIZATION, format!("Basic {pair}"))
            }
            Scheme::ApiKey { place: KeyPlace::Header, name, prefix } => {
                let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
                let word = prefix.as_ref().map(|word| format!("{word} ")).unwrap_or_default();
                (name, format!("{word}{}", text("value")))
            }
            Scheme::ApiKey { .. } => continue,
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            request.parts.headers.insert(name, value);
            return;
        }
    }
}
