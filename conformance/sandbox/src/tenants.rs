//! The accounts that were made over the control protocol, and the credentials by which a call is known to be theirs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use otp_contract::{Contract, Scheme};
use serde_json::{Value, json};

use crate::mint::mint;

/// One account of one vendor.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    /// The path parameters that name the account.
    pub(crate) accounts: BTreeMap<String, String>,
    credentials: Vec<(String, Credential)>,
}

/// What a caller shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Credential {
    Bearer(String),
    Basic { username: String, password: String },
    ApiKey(String),
}

/// Every tenant, by id and by credential.
#[derive(Default)]
pub(crate) struct Tenants {
    all: RwLock<Register>,
}

#[derive(Default)]
struct Register {
    by_id: HashMap<(String, String), Arc<Tenant>>,
    by_credential: HashMap<(String, Credential), Arc<Tenant>>,
}

impl Tenants {
    /// A fresh account; `None` where the system gives no randomness.
    pub(crate) fn create(&self, contract: &Contract) -> Option<Arc<Tenant>> {
        let mut accounts = BTreeMap::new();
        for account in &contract.operation.accounts {
            accounts.insert(account.name.clone(), mint(&account.mint)?);
        }
        let mut credentials = Vec::new();
        for scheme in &contract.operation.security {
            let credential = match scheme.scheme {
                Scheme::Bearer => Credential::Bearer(mint("token-{hex:32}")?),
                Scheme::Basic => {
                    Credential::Basic { username: mint("app{hex:12}")?, password: mint("secret-{hex:32}")? }
                }
                Scheme::ApiKey { .. } => Credential::ApiKey(mint("key-{hex:32}")?),
            };
            credentials.push((scheme.name.clone(), credential));
        }
        let tenant = Arc::new(Tenant { id: mint("tenant-{hex:16}")?, accounts, credentials });
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let vendor = &contract.vendor;
        for (_, credential) in &tenant.credentials {
            all.by_credential.insert((vendor.clone(), credential.clone()), Arc::clone(&tenant));
        }
        all.by_id.insert((vendor.clone(), tenant.id.clone()), Arc::clone(&tenant));
        Some(tenant)
    }

    pub(crate) fn by_id(&self, vendor: &str, id: &str) -> Option<Arc<Tenant>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.by_id.get(&(vendor.to_owned(), id.to_owned())).cloned()
    }

    pub(crate) fn by_credential(&self, vendor: &str, credential: Credential) -> Option<Arc<Tenant>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.by_credential.get(&(vendor.to_owned(), credential)).cloned()
    }
}

impl Tenant {
    /// The credentials as the control protocol hands them over.
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

    /// The user name of the Basic credentials, where there are some.
    pub(crate) fn username(&self) -> Option<&str> {
        self.credentials.iter().find_map(|(_, credential)| match credential {
            Credential::Basic { username, .. } => Some(username.as_str()),
            _ => None,
        })
    }
}
