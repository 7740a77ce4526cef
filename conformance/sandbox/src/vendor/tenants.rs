//! Tenants: the accounts of vendors, and their credentials.
//!
//! Nothing is stored: a tenant's id contains a random number and a signature, and everything else is derived from that
//! number and the service's secret, so that each replica knows the tenants that another has created.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use otp_contract::{Contract, Scheme};
use serde_json::{Value, json};

use super::ids;
use crate::engine::{Secret, digests_match};

/// One account of one vendor.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    /// The path parameters that name the account, with their values.
    pub(crate) accounts: BTreeMap<String, String>,
    credentials: Vec<(String, Credential)>,
}

/// A credential in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    Bearer(String),
    Basic { username: String, password: String },
    ApiKey(String),
}

impl Credential {
    /// The tenant's number, which follows a fixed prefix.
    fn number(&self) -> Option<&str> {
        let (text, prefix) = match self {
            Credential::Bearer(token) => (token, TOKEN_PREFIX),
            Credential::Basic { username, .. } => (username, USERNAME_PREFIX),
            Credential::ApiKey(key) => (key, KEY_PREFIX),
        };
        text.strip_prefix(prefix)?.get(..NUMBER_LENGTH)
    }

    /// Compares digests of the credentials, so that the time taken reveals nothing about them.
    fn matches(&self, other: &Credential, secret: &Secret) -> bool {
        let digest = |credential: &Credential| match credential {
            Credential::Bearer(text) | Credential::ApiKey(text) => secret.sign("compare", &[text.as_bytes()]),
            Credential::Basic { username, password } => {
                secret.sign("compare", &[username.as_bytes(), password.as_bytes()])
            }
        };
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && digests_match(&digest(self), &digest(other))
    }
}

const TENANT_PREFIX: &str = "tenant-";
const TOKEN_PREFIX: &str = "token-";
const KEY_PREFIX: &str = "key-";
const USERNAME_PREFIX: &str = "app";

/// The number of characters in a tenant's number.
const NUMBER_LENGTH: usize = 16;

/// The tenants of a service.
pub(crate) struct Tenants {
    secret: Secret,
    /// Tenants that called recently, by credential. Deriving a tenant takes longer than the rest of a call.
    recent: RwLock<HashMap<String, RecentCaller>>,
}

/// A tenant, with the vendor and the header field in which its credential is valid.
struct RecentCaller {
    vendor: String,
    header: String,
    tenant: Arc<Tenant>,
}

/// The size of the cache. A full cache is cleared, which costs each tenant one derivation.
const MAX_RECENT_CALLERS: usize = 4_096;

impl Tenants {
    pub(crate) fn new(secret: Secret) -> Tenants {
        Tenants { secret, recent: RwLock::default() }
    }

    /// The tenant that recently sent this header field.
    pub(crate) fn recent(&self, vendor: &str, header: &str, value: &str) -> Option<Arc<Tenant>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let known = recent.get(value)?;
        (known.vendor == vendor && known.header == header).then(|| Arc::clone(&known.tenant))
    }

    /// Caches the tenant that sent this header field.
    pub(crate) fn remember(&self, vendor: &str, header: &str, value: &str, tenant: Tenant) -> Arc<Tenant> {
        let tenant = Arc::new(tenant);
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= MAX_RECENT_CALLERS {
            recent.clear();
        }
        let (vendor, header) = (vendor.to_owned(), header.to_owned());
        recent.insert(value.to_owned(), RecentCaller { vendor, header, tenant: Arc::clone(&tenant) });
        tenant
    }

    /// A new tenant; `None` if the system provides no randomness.
    pub(crate) fn create(&self, contract: &Contract) -> Option<Tenant> {
        Some(self.derive(contract, &ids::generate(&format!("{{hex:{NUMBER_LENGTH}}}"))?))
    }

    /// The tenant with this id, if this service has created it.
    pub(crate) fn by_id(&self, contract: &Contract, id: &str) -> Option<Tenant> {
        let number = id.strip_prefix(TENANT_PREFIX)?.get(..NUMBER_LENGTH)?;
        let tenant = self.derive(contract, number);
        (tenant.id == id).then_some(tenant)
    }

    /// The tenant that has this credential.
    pub(crate) fn by_credential(&self, contract: &Contract, credential: &Credential) -> Option<Tenant> {
        let tenant = self.derive(contract, credential.number()?);
        let is_own = tenant.credentials.iter().any(|(_, own)| own.matches(credential, &self.secret));
        is_own.then_some(tenant)
    }

    fn derive(&self, contract: &Contract, number: &str) -> Tenant {
        let derived = |purpose: &str, name: &str, pattern: &str| {
            let parts = [contract.vendor.as_bytes(), number.as_bytes(), name.as_bytes()];
            let mut stream = self.secret.stream(purpose, &parts);
            ids::generate_from(pattern, &mut |bytes| {
                stream(bytes);
                Some(())
            })
            .unwrap_or_default()
        };
        let operations = contract.operations();
        let accounts = operations
            .iter()
            .flat_map(|operation| &operation.accounts)
            .map(|account| (account.name.clone(), derived("account", &account.name, &account.id_pattern)))
            .collect();
        let credential = |scheme: &Scheme, name: &str| match scheme {
            Scheme::Bearer => {
                Credential::Bearer(format!("{TOKEN_PREFIX}{number}{}", derived("token", name, "{hex:32}")))
            }
            Scheme::Basic => Credential::Basic {
                username: format!("{USERNAME_PREFIX}{number}"),
                password: derived("password", name, "secret-{hex:32}"),
            },
            Scheme::ApiKey { .. } => {
                Credential::ApiKey(format!("{KEY_PREFIX}{number}{}", derived("key", name, "{hex:32}")))
            }
        };
        let mut credentials: Vec<(String, Credential)> = Vec::new();
        for scheme in operations.iter().flat_map(|operation| &operation.security) {
            if !credentials.iter().any(|(name, _)| *name == scheme.name) {
                credentials.push((scheme.name.clone(), credential(&scheme.scheme, &scheme.name)));
            }
        }
        let id = format!("{TENANT_PREFIX}{number}{}", derived("tenant", "id", "{hex:8}"));
        Tenant { id, accounts, credentials }
    }
}

impl Tenant {
    /// The tenant as the control protocol represents it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "tenant": self.id,
            "parameters": self.accounts,
            "credentials": self.credentials_json(),
        })
    }

    /// The credentials as the control protocol represents them.
    pub(crate) fn credentials_json(&self) -> Value {
        let described = self.credentials.iter().map(|(scheme, credential)| {
            let value = match credential {
                Credential::Bearer(token) => json!({"token": token}),
                Credential::Basic { username, password } => {
                    json!({"username": username, "password": password})
                }
                Credential::ApiKey(value) => json!({"value": value}),
            };
            (scheme.clone(), value)
        });
        Value::Object(described.collect())
    }

    /// The user name of the Basic credentials, if the vendor uses them.
    pub(crate) fn username(&self) -> Option<&str> {
        self.credentials.iter().find_map(|(_, credential)| match credential {
            Credential::Basic { username, .. } => Some(username.as_str()),
            _ => None,
        })
    }
}
