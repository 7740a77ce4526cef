//! An account of a vendor, and the credentials that authenticate as it.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;

/// An account of a vendor.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Tenant {
    /// Its id in the control protocol.
    pub tenant: String,
    /// The path parameters that name it.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Its credentials, by the name of the document's security scheme.
    pub credentials: BTreeMap<String, Credentials>,
    /// Its number among the tenants of a check, from 1; reports name its credentials by this number.
    #[serde(skip)]
    pub(crate) number: usize,
}

/// The credentials of one scheme.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Credentials {
    /// For a bearer scheme.
    Token {
        /// The token.
        token: String,
    },
    /// For a basic scheme.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// For an API key.
    Value {
        /// The key.
        value: String,
    },
}

impl Credentials {
    /// The part that must stay secret.
    pub(crate) fn secret(&self) -> &str {
        match self {
            Credentials::Token { token } => token,
            Credentials::Basic { password, .. } => password,
            Credentials::Value { value } => value,
        }
    }

    /// Every form in which a request carries the secret, the longest first.
    pub(crate) fn secrets(&self) -> Vec<String> {
        match self {
            Credentials::Token { token } => vec![token.clone()],
            Credentials::Basic { username, password } => {
                let pair = format!("{username}:{password}");
                vec![base64::engine::general_purpose::STANDARD.encode(&pair), pair, password.clone()]
            }
            Credentials::Value { value } => vec![value.clone()],
        }
    }

    /// Credentials of the same form with another secret.
    pub(crate) fn with_secret(&self, change: impl Fn(&str) -> String) -> Credentials {
        match self {
            Credentials::Token { token } => Credentials::Token { token: change(token) },
            Credentials::Basic { username, password } => {
                Credentials::Basic { username: username.clone(), password: change(password) }
            }
            Credentials::Value { value } => Credentials::Value { value: change(value) },
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}
