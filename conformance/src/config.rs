//! The configuration file: every option of `check` under its own name, and the secrets that do not belong on a command
//! line. What the command line or the environment says wins.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::control::{Credentials, Tenant};
use crate::error::Failure;

/// A configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The vendors to be checked.
    #[serde(deserialize_with = "one_or_many")]
    pub vendors: Vec<String>,
    /// The addresses of the subject.
    #[serde(deserialize_with = "one_or_many")]
    pub target: Vec<String>,
    /// The address of its control.
    pub control: Option<String>,
    /// The token that the control asks for.
    pub control_token: Option<String>,
    /// Documents of other APIs.
    pub contract: Vec<PathBuf>,
    /// Patterns of check ids to be made.
    #[serde(deserialize_with = "one_or_many")]
    pub only: Vec<String>,
    /// Patterns of check ids to be left out.
    #[serde(deserialize_with = "one_or_many")]
    pub skip: Vec<String>,
    /// Whether baseline checks gate.
    pub strict: Option<bool>,
    /// The seed.
    pub seed: Option<u64>,
    /// How many checks are made at a time.
    pub jobs: Option<u16>,
    /// How many random walks are made for each vendor.
    pub cases: Option<u32>,
    /// Which part of the checks is made, as `I/N`.
    pub shard: Option<String>,
    /// Reports to be written, as `format=path`.
    #[serde(deserialize_with = "one_or_many")]
    pub report: Vec<String>,
    /// Whether the summary is left out.
    pub quiet: Option<bool>,
    /// Tenants of a subject whose control makes none: two for each vendor.
    pub tenants: Vec<PreparedTenant>,
}

/// A tenant that exists already.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedTenant {
    /// Whose API it is.
    pub vendor: String,
    /// The id by which the control knows it.
    pub tenant: String,
    /// The path parameters that name its account.
    #[serde(default)]
    pub parameters: std::collections::BTreeMap<String, String>,
    /// Its credentials, by security scheme.
    pub credentials: std::collections::BTreeMap<String, Credentials>,
}

/// A text, or a list of texts.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;

    impl<'de> serde::de::Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = list.next_element()? {
                all.push(text);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_any(OneOrMany)
}

impl Config {
    /// Reads a file.
    pub fn from_file(path: &Path) -> Result<Config, Failure> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Config { file: file.clone(), problem: error.to_string() })?;
        toml::from_str(&text).map_err(|error| Failure::Config { problem: one_line(&text, &error), file })
    }
}

impl From<PreparedTenant> for Tenant {
    fn from(prepared: PreparedTenant) -> Tenant {
        Tenant {
            tenant: prepared.tenant,
            parameters: prepared.parameters,
            credentials: prepared.credentials,
            number: 0,
        }
    }
}

/// The parser's message with line and column, and without the picture of the line, which may hold a secret.
fn one_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("line {line}, column {column}: {message}")
        }
        None => message,
    }
}
