//! The parts that a request consists of: path, parameters, credentials, session id and code. Plain data; the reader
//! fills it in, and nothing here knows an operation or a response.

use std::fmt;

use serde::Deserialize;

/// Where a value sits in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Path, query or body.
    pub place: Place,
    /// The parameter's or member's name.
    pub name: String,
}

/// The parts of a request that carry values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A `{parameter}` of the path.
    Path,
    /// The query string.
    Query,
    /// A member of the JSON object in the body.
    Body,
}

/// Where the session id sits, and how the sandbox makes one.
#[derive(Debug, Clone)]
pub struct SessionId {
    /// Where it sits.
    pub location: Location,
    /// The form of the ids that the sandbox makes; see [`crate::Account::id_pattern`].
    pub id_pattern: String,
    /// What a resend does to the id.
    pub resend: Resend,
}

/// What a resend does to the session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resend {
    /// The recipient gets a session with an id of its own.
    #[default]
    New,
    /// The id names the recipient, and stays.
    Same,
}

/// Where the code sits, and what it is made of.
#[derive(Debug, Clone)]
pub struct CodeShape {
    /// Where it sits.
    pub location: Location,
    /// The characters that it may have.
    pub alphabet: Alphabet,
    /// The usual number of characters.
    pub length: usize,
    /// The fewest characters that a code may have.
    pub min_length: usize,
    /// The most characters that a code may have.
    pub max_length: usize,
}

impl CodeShape {
    /// Whether `code` has the documented alphabet and length. Only ASCII counts: a full-width digit is no digit.
    pub fn admits(&self, code: &str) -> bool {
        (self.min_length..=self.max_length).contains(&code.len())
            && code.bytes().all(|byte| self.alphabet.has(byte))
    }
}

/// The characters that a code may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// `0` to `9`.
    Digits,
    /// ASCII letters of either case, and digits.
    Alphanumeric,
}

impl Alphabet {
    /// Whether the alphabet has this ASCII character.
    pub fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Alphanumeric => byte.is_ascii_alphanumeric(),
        }
    }
}

/// A path parameter that names an account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The parameter's name.
    pub name: String,
    /// The form of those that the sandbox makes: text in which `{uuid}`, `{hex:N}` and `{digits:N}` stand for random
    /// characters.
    pub id_pattern: String,
}

/// A query parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether the call must carry it.
    pub required: bool,
    /// What it may be.
    pub kind: ValueKind,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// A whole number within bounds, both included.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// `true` or `false`.
    Boolean,
}

/// A security scheme of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityScheme {
    /// Its name in the document, the key of credentials in the control protocol.
    pub name: String,
    /// What it is.
    pub scheme: Scheme,
}

/// How a call is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of the vendor's own.
    ApiKey {
        /// The header's name.
        header: String,
    },
}

/// A path with `{parameters}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
}

/// One part of a path between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text that stands there as it is.
    Literal(String),
    /// The parameter of this name.
    Parameter(String),
}

impl PathTemplate {
    /// Reads a path such as `/v1/{sid}/verify`; `None` where it does not start with a slash or a brace is out of place.
    pub fn parse(path: &str) -> Option<PathTemplate> {
        let segments = path
            .strip_prefix('/')?
            .split('/')
            .map(|segment| match segment.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
                Some(Some(name)) if !name.is_empty() && !name.contains(['{', '}']) => {
                    Some(Segment::Parameter(name.to_owned()))
                }
                None if !segment.is_empty() && !segment.contains(['{', '}']) => {
                    Some(Segment::Literal(segment.to_owned()))
                }
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        Some(PathTemplate { segments })
    }

    /// The parts, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The path with each parameter replaced by what `value` gives for it, which must be percent-encoded already.
    pub fn fill(&self, mut value: impl FnMut(&str) -> String) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Parameter(name) => path.push_str(&value(name)),
            }
        }
        path
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.fill(|name| format!("{{{name}}}")))
    }
}
