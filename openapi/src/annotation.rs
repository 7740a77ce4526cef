//! The annotations as they stand in a document. What they mean together is checked in `reader.rs`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Alphabet, Certainty, FieldRule, Mode, Outcome, Place, Resend, Situation};

/// `x-otp-vendor`, at the top of a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vendor {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) document: String,
    /// Where bodies carry the vendor's id of the call, as JSON pointers.
    #[serde(default)]
    pub(crate) request_id: Vec<String>,
    #[serde(default)]
    pub(crate) statements: Vec<Statement>,
}

/// A sentence of the document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) section: String,
    #[serde(default)]
    pub(crate) situations: Vec<Situation>,
    pub(crate) untestable: Option<String>,
}

/// `x-otp` of the operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) session: Session,
    pub(crate) code: Code,
    #[serde(default)]
    pub(crate) accounts: BTreeMap<String, Account>,
    #[serde(default)]
    pub(crate) path_variants: Vec<PathVariant>,
    pub(crate) policy: Policy,
    pub(crate) refusal: Refusal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    pub(crate) r#in: Place,
    pub(crate) name: String,
    pub(crate) id_pattern: String,
    #[serde(default)]
    pub(crate) resend: Resend,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    pub(crate) r#in: Place,
    pub(crate) name: String,
    pub(crate) alphabet: Alphabet,
    pub(crate) length: usize,
    pub(crate) min_length: usize,
    pub(crate) max_length: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) id_pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathVariant {
    pub(crate) path: String,
    pub(crate) source: Source,
    pub(crate) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) lifetime: Lifetime,
    pub(crate) attempts: Option<Attempts>,
    pub(crate) lockout_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) boundary: Vec<Outcome>,
    pub(crate) precedence: Vec<Outcome>,
    #[serde(default)]
    pub(crate) overrides: Overrides,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifetime {
    pub(crate) seconds: u64,
    pub(crate) max: Option<u64>,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempts {
    pub(crate) limit: u32,
    pub(crate) max: Option<u32>,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overrides {
    pub(crate) retry: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) lifetime_minutes: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    pub(crate) body: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// The vendor's own page where it is absent.
    pub(crate) document: Option<String>,
    pub(crate) section: String,
}

/// `x-otp` of a named example of a response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    pub(crate) outcome: Outcome,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
    pub(crate) note: Option<String>,
    pub(crate) situations: Option<Vec<Situation>>,
    pub(crate) mode: Option<Mode>,
    #[serde(default)]
    pub(crate) alternative: bool,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) body: Body,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, FieldRule>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    #[default]
    Specified,
    Unspecified,
}
