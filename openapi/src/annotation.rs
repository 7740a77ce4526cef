//! The parts of the annotations (`x-otp-vendor`, `x-otp`) in the form in which a document contains them.
//!
//! Uses the types of a contract that documents spell out literally, and serde. Each type accepts any annotation of the
//! right form; whether annotations agree with each other and with the document is checked by `reader` alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Alphabet, Certainty, FieldRule, Mode, Outcome, RecipientForm, Resend, SecondSend, Situation};

/// A sentence of the vendor's documentation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) section: String,
    #[serde(default)]
    pub(crate) situations: Vec<Situation>,
    pub(crate) untestable: Option<String>,
}

/// `x-otp` of a security scheme.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecurityScheme {
    /// A word before an API key.
    pub(crate) prefix: Option<String>,
    /// The name of the argument for a token or a key.
    pub(crate) argument: Option<String>,
    /// The names of the arguments for basic authentication.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// What stands behind a fact of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactBacking {
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    pub(crate) r#in: crate::Place,
    pub(crate) name: String,
    pub(crate) id_pattern: String,
    #[serde(default)]
    pub(crate) resend: Resend,
    /// How the recipient is written, if the recipient identifies the session.
    pub(crate) recipient: Option<RecipientForm>,
    // Read one by one, so that a problem names its place.
    #[serde(default, rename = "or")]
    _alternatives: IgnoredAny,
}

/// A place of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) r#in: crate::Place,
    pub(crate) name: String,
}

/// A place of a request that names the recipient.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipient {
    pub(crate) r#in: crate::Place,
    pub(crate) name: String,
    pub(crate) form: RecipientForm,
}

/// What the response to a send or a resend says about the session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendResult {
    /// A JSON pointer into the body.
    pub(crate) session: Option<String>,
    /// The name of a header field.
    pub(crate) header: Option<String>,
    pub(crate) again: SecondSend,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    pub(crate) r#in: crate::Place,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seconds {
    pub(crate) seconds: u64,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    pub(crate) count: u32,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendLimit {
    pub(crate) count: u32,
    pub(crate) window_seconds: u64,
    pub(crate) certainty: Certainty,
    pub(crate) source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stated<T> {
    pub(crate) value: T,
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
    /// The page that `x-otp-vendor` names, if absent.
    pub(crate) document: Option<String>,
    pub(crate) section: String,
}

/// `x-otp` of a named response example, or of a response without a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// The name of a response without a body.
    pub(crate) name: Option<String>,
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
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Header>,
    #[serde(default)]
    pub(crate) facts: CellFacts,
}

/// A header field of a response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) value: String,
    pub(crate) rule: Option<FieldRule>,
    pub(crate) certainty: Option<Certainty>,
    pub(crate) source: Option<Source>,
}

/// The parts of a response that are not as certain as the whole, or that another place states.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct CellFacts {
    pub(crate) status: Option<Backing>,
    pub(crate) body: Option<Backing>,
    #[serde(default)]
    pub(crate) situations: BTreeMap<String, Backing>,
}

/// How certain a fact is; without a source, the place that backs the whole states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backing {
    pub(crate) certainty: Certainty,
    pub(crate) source: Option<Source>,
}

impl Backing {
    /// The fact with its cited place; `whole` is the place that backs the whole.
    pub(crate) fn cite(&self, document: &str, whole: &crate::Source) -> crate::Backing {
        crate::Backing {
            certainty: self.certainty,
            source: self.source.as_ref().map_or_else(|| whole.clone(), |source| source.cite(document)),
        }
    }
}

impl Source {
    /// The cited place; `document` is the page if the annotation names none.
    pub(crate) fn cite(&self, document: &str) -> crate::Source {
        crate::Source {
            document: self.document.clone().unwrap_or_else(|| document.to_owned()),
            section: self.section.clone(),
        }
    }
}

/// Whether the documentation says anything about the body.
#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    #[default]
    Specified,
    Unspecified,
}
