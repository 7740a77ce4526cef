//! The parts of a request: path, parameters, credentials, session id and code.
//!
//! Plain data that `reader` fills in. Uses nothing of this crate, and never depends on an operation or a response.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The location of a value in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Path, query or body.
    pub place: Place,
    /// The name of the parameter or member. A member inside another one has its JSON pointer, such as `/to/mobile`.
    pub name: String,
}

impl Location {
    /// The keys that lead to the member of a body, outermost first; the name alone for every other place.
    pub fn keys(&self) -> Vec<&str> {
        match (self.place, self.name.strip_prefix('/')) {
            (Place::Body, Some(pointer)) => pointer.split('/').collect(),
            _ => vec![&self.name],
        }
    }
}

/// The parts of a request that contain values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A `{parameter}` of the path.
    Path,
    /// The query string.
    Query,
    /// A member of the JSON object in the body.
    Body,
    /// A field of a form-encoded body. Documents write `body`; the media type decides.
    #[serde(skip)]
    Form,
}

/// How the body of a request is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoding {
    /// A JSON object.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl BodyEncoding {
    /// The media type of such a body.
    pub fn media_type(self) -> &'static str {
        match self {
            BodyEncoding::Json => "application/json",
            BodyEncoding::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// The session id: its location, and the form of new ones.
#[derive(Debug, Clone)]
pub struct SessionId {
    /// The location in the request.
    pub location: Location,
    /// The other places that may name the session instead. The sandbox and the suite use [`SessionId::location`].
    pub alternatives: Vec<Location>,
    /// How the recipient is written, if the recipient identifies the session.
    pub recipient: Option<RecipientForm>,
    /// The form of the ids that the sandbox creates; see [`Account::id_pattern`].
    pub id_pattern: String,
    /// What a resend does to the id.
    pub resend: Resend,
}

/// What a resend does to the session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resend {
    /// The resent code has a session with a new id.
    #[default]
    New,
    /// The id identifies the recipient and stays the same.
    Same,
}

/// How a recipient is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientForm {
    /// A phone number in E.164, with the plus sign.
    E164,
    /// A phone number in E.164, without the plus sign.
    E164Digits,
    /// An e-mail address.
    Email,
}

impl RecipientForm {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            RecipientForm::E164 => "e164",
            RecipientForm::E164Digits => "e164_digits",
            RecipientForm::Email => "email",
        }
    }
}

/// The code: its location, and which codes are well formed.
#[derive(Debug, Clone)]
pub struct CodeShape {
    /// The location in the request.
    pub location: Location,
    /// The characters that a code may contain.
    pub alphabet: Alphabet,
    /// The usual number of characters.
    pub length: usize,
    /// The smallest number of characters.
    pub min_length: usize,
    /// The largest number of characters.
    pub max_length: usize,
}

impl CodeShape {
    /// Whether `code` has the documented alphabet and length. Only ASCII characters count as digits and letters.
    pub fn admits(&self, code: &str) -> bool {
        (self.min_length..=self.max_length).contains(&code.len())
            && code.bytes().all(|byte| self.alphabet.has(byte))
    }
}

/// The characters that a code may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// `0` to `9`.
    Digits,
    /// ASCII letters of both cases, and digits.
    Alphanumeric,
}

impl Alphabet {
    /// Whether the alphabet contains this ASCII character.
    pub fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Alphanumeric => byte.is_ascii_alphanumeric(),
        }
    }
}

/// A path parameter that identifies an account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The parameter's name.
    pub name: String,
    /// The form of the ids that the sandbox creates: text in which `{uuid}`, `{hex:N}` and `{digits:N}` stand for random
    /// characters.
    pub id_pattern: String,
}

/// A query parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// Whether a request must contain it.
    pub required: bool,
    /// The allowed values.
    pub kind: ValueKind,
}

/// The values that a parameter allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// An integer.
    Integer {
        /// The smallest allowed value.
        min: i64,
        /// The largest allowed value.
        max: i64,
    },
    /// `true` or `false`.
    Boolean,
}

/// A security scheme of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityScheme {
    /// The name in the document, which is also the key of the credentials in the control protocol.
    pub name: String,
    /// How it authenticates a request.
    pub scheme: Scheme,
    /// The names that a generated client gives the credentials, where the document chooses them.
    pub arguments: ArgumentNames,
}

/// The names that a generated client gives the credentials of a scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgumentNames {
    /// The token or the key.
    pub secret: Option<String>,
    /// The user name of basic authentication.
    pub user: Option<String>,
    /// The password of basic authentication.
    pub password: Option<String>,
}

/// How a request is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A key in a place of the vendor's own.
    ApiKey {
        /// The part of the request that contains the key.
        place: KeyPlace,
        /// The name of the header field, query parameter or cookie.
        name: String,
        /// A word before the key, such as `App` in `Authorization: App …`.
        prefix: Option<String>,
    },
}

/// The parts of a request that can contain an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// A header field.
    Header,
    /// The query string.
    Query,
    /// A cookie.
    Cookie,
}

/// A path with `{parameters}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
}

/// One part of a path between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Fixed text.
    Literal(String),
    /// The parameter of this name.
    Parameter(String),
}

impl PathTemplate {
    /// Parses a path such as `/v1/{sid}/verify`; `None` if it does not start with a slash or a brace is misplaced.
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

    /// The segments, in order.
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

    /// The path with each parameter replaced by its `value`, which must be percent-encoded.
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
