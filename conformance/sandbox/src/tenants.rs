//! Accounts, and the credentials by which a call is known to be theirs. Nothing of them is kept: an account's id is
//! random and signed, and everything else follows from it and from the service's secret, so that every replica knows
//! the accounts that another has made.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use otp_contract::{Contract, Scheme};
use serde_json::{Value, json};

use crate::mint::{mint, mint_from};
use crate::secret::{Secret, same};

/// One account of one vendor.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    /// The path parameters that name the account.
    pub(crate) accounts: BTreeMap<String, String>,
    credentials: Vec<(String, Credential)>,
}

/// What a caller shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    Bearer(String),
    Basic { username: String, password: String },
    ApiKey(String),
}

impl Credential {
    /// Where the account's number stands in it: after these words.
    fn named(&self) -> Option<&str> {
        let (text, word) = match self {
            Credential::Bearer(token) => (token, TOKEN),
            Credential::Basic { username, .. } => (username, APP),
            Credential::ApiKey(key) => (key, KEY),
        };
        text.strip_prefix(word)?.get(..NUMBER)
    }

    /// Compared through digests, so that the time taken tells nothing of the secret.
    fn is(&self, secret: &Secret, other: &Credential) -> bool {
        let digest = |credential: &Credential| match credential {
            Credential::Bearer(text) | Credential::ApiKey(text) => secret.sign("compare", &[text.as_bytes()]),
            Credential::Basic { username, password } => {
                secret.sign("compare", &[username.as_bytes(), password.as_bytes()])
            }
        };
        std::mem::discriminant(self) == std::mem::discriminant(other) && same(&digest(self), &digest(other))
    }
}

const TENANT: &str = "tenant-";
const TOKEN: &str = "token-";
const KEY: &str = "key-";
const APP: &str = "app";

/// How many characters an account's number has.
const NUMBER: usize = 16;

/// Every account of a service.
pub(crate) struct Tenants {
    secret: Secret,
    /// Those that called lately, by what they showed: working them out again takes longer than all the rest of a call.
    recent: RwLock<HashMap<String, Recent>>,
}

/// A caller that is remembered, and where it is known.
struct Recent {
    vendor: String,
    header: String,
    tenant: Arc<Tenant>,
}

/// How many callers are remembered; then all are forgotten, which costs one of them a few microseconds.
const RECENT: usize = 4_096;

impl Tenants {
    pub(crate) fn new(secret: Secret) -> Tenants {
        Tenants { secret, recent: RwLock::default() }
    }

    /// The account that showed this header field lately.
    pub(crate) fn recent(&self, vendor: &str, header: &str, shown: &str) -> Option<Arc<Tenant>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let known = recent.get(shown)?;
        (known.vendor == vendor && known.header == header).then(|| Arc::clone(&known.tenant))
    }

    /// Remembers the account that showed this header field.
    pub(crate) fn remember(&self, vendor: &str, header: &str, shown: &str, tenant: Tenant) -> Arc<Tenant> {
        let tenant = Arc::new(tenant);
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= RECENT {
            recent.clear();
        }
        let (vendor, header) = (vendor.to_owned(), header.to_owned());
        recent.insert(shown.to_owned(), Recent { vendor, header, tenant: Arc::clone(&tenant) });
        tenant
    }

    /// A fresh account; `None` where the system gives no randomness.
    pub(crate) fn create(&self, contract: &Contract) -> Option<Tenant> {
        Some(self.derive(contract, &mint(&format!("{{hex:{NUMBER}}}"))?))
    }

    /// The account of that id, if this service has made it.
    pub(crate) fn by_id(&self, contract: &Contract, id: &str) -> Option<Tenant> {
        let number = id.strip_prefix(TENANT)?.get(..NUMBER)?;
        let tenant = self.derive(contract, number);
        (tenant.id == id).then_some(tenant)
    }

    /// The account whose credential it is.
    pub(crate) fn by_credential(&self, contract: &Contract, shown: &Credential) -> Option<Tenant> {
        let tenant = self.derive(contract, shown.named()?);
        let own = tenant.credentials.iter().any(|(_, own)| own.is(&self.secret, shown));
        own.then_some(tenant)
    }

    fn derive(&self, contract: &Contract, number: &str) -> Tenant {
        let minted = |purpose: &str, name: &str, pattern: &str| {
            let parts = [contract.vendor.as_bytes(), number.as_bytes(), name.as_bytes()];
            let mut stream = self.secret.stream(purpose, &parts);
            mint_from(pattern, &mut |bytes| {
                stream(bytes);
                Some(())
            })
            .unwrap_or_default()
        };
        let accounts = contract.verify().accounts.iter();
        let accounts = accounts
            .map(|account| (account.name.clone(), minted("account", &account.name, &account.id_pattern)))
            .collect();
        let credential = |scheme: &Scheme, name: &str| match scheme {
            Scheme::Bearer => {
                Credential::Bearer(format!("{TOKEN}{number}{}", minted("token", name, "{hex:32}")))
            }
            Scheme::Basic => Credential::Basic {
                username: format!("{APP}{number}"),
                password: minted("password", name, "secret-{hex:32}"),
            },
            Scheme::ApiKey { .. } => {
                Credential::ApiKey(format!("{KEY}{number}{}", minted("key", name, "{hex:32}")))
            }
        };
        let schemes = contract.verify().security.iter();
        let credentials =
            schemes.map(|scheme| (scheme.name.clone(), credential(&scheme.scheme, &scheme.name))).collect();
        let id = format!("{TENANT}{number}{}", minted("tenant", "id", "{hex:8}"));
        Tenant { id, accounts, credentials }
    }
}

impl Tenant {
    /// The account as the control protocol hands it over.
    pub(crate) fn json(&self) -> Value {
        json!({
            "tenant": self.id,
            "parameters": self.accounts,
            "credentials": self.credentials_json(),
        })
    }

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
