//! The traits through which the shared client uses a vendor. Knows no vendor by name and contains no logic.
//!
//! [`Vendor`] is common to all operations. Each operation has a pair of traits, which generated code implements: one has
//! everything about responses, and one turns the arguments of a call into a request. A further operation is a further pair.

use std::fmt;
use std::sync::Arc;

use crate::http::{Api, Secret};
use crate::response::Operation;

/// A vendor. Each vendor's module has a type that implements it, such as [`zeckta::Zeckta`](crate::zeckta::Zeckta).
///
/// The trait cannot be implemented outside this crate. To accept any vendor, accept a [`Verifier`](crate::Verifier).
pub trait Vendor: sealed::Sealed + Send + Sync + 'static {
    /// The vendor's id, such as `zeckta`.
    const ID: &'static str;
    /// The base URL in the vendor's document.
    const DEFAULT_BASE_URL: &'static str;
    /// The `User-Agent` of the client, with the version of the document.
    const USER_AGENT: &'static str;
}

/// A vendor's verify call.
pub trait VerifyOperation: VerifyResponses {
    /// The options of a call besides session and code.
    type Options: Clone + Default + fmt::Debug + Send + Sync + 'static;

    /// Builds the request with the generated code.
    #[doc(hidden)]
    fn request(api: &Api, input: &VerifyInput<Self::Options>) -> reqwest::Result<reqwest::Request>;
}

/// The generated part of a vendor's verify call.
pub trait VerifyResponses: Vendor {
    /// The documented bodies.
    type Body;
    /// The vendor's error, with a variant for each documented refusal.
    type Error: std::error::Error + Into<crate::Error> + Send + Sync + 'static;

    /// The media types of the documented bodies, as the header `Accept`.
    const ACCEPT: &'static str;

    /// The route and the documented responses.
    fn operation() -> &'static Operation;

    /// Decodes a body as the type documented for its status.
    fn decode(status: u16, body: &[u8]) -> Option<Self::Body>;

    /// Selects the variant of the vendor's error.
    fn error(error: crate::Error) -> Self::Error;
}

/// The arguments of a verify call.
pub struct VerifyInput<O> {
    /// The session's id.
    pub session: Secret,
    /// The code that the user entered.
    pub code: Secret,
    /// The accounts, by the names of their path parameters.
    pub(crate) accounts: Accounts,
    /// The other values that every request must contain, by the names of their parameters or members.
    pub(crate) values: RequiredValues,
    /// The vendor's options.
    pub options: O,
}

impl<O> VerifyInput<O> {
    /// The account with this name. The vendor's builder requires each account.
    pub fn account(&self, name: &str) -> Secret {
        let account = self.accounts.iter().find(|(known, _)| *known == name);
        account.map_or_else(|| Secret::new(String::new()), |(_, account)| account.clone())
    }

    /// The text with this name. The vendor's builder requires each value.
    pub fn text(&self, name: &str) -> Secret {
        match self.value(name) {
            Some(RequiredValue::Text(text)) => text.clone(),
            _ => Secret::new(String::new()),
        }
    }

    /// The integer with this name. The vendor's builder requires each value.
    pub fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(RequiredValue::Integer(integer)) => *integer,
            _ => 0,
        }
    }

    /// The boolean with this name. The vendor's builder requires each value.
    pub fn boolean(&self, name: &str) -> bool {
        matches!(self.value(name), Some(RequiredValue::Boolean(true)))
    }

    fn value(&self, name: &str) -> Option<&RequiredValue> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The accounts of a client, by the names of their path parameters.
pub(crate) type Accounts = Arc<[(&'static str, Secret)]>;

/// The values that every request of a client must contain, by the names of their parameters or members.
pub(crate) type RequiredValues = Arc<[(&'static str, RequiredValue)]>;

/// A value that every request of a client must contain besides session, code and accounts.
///
/// Text is secret, because some vendors identify an account or a recipient this way.
#[derive(Clone)]
pub enum RequiredValue {
    /// Text.
    Text(Secret),
    /// An integer.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
}

impl From<String> for RequiredValue {
    fn from(text: String) -> RequiredValue {
        RequiredValue::Text(Secret::new(text))
    }
}

impl From<i64> for RequiredValue {
    fn from(integer: i64) -> RequiredValue {
        RequiredValue::Integer(integer)
    }
}

impl From<bool> for RequiredValue {
    fn from(boolean: bool) -> RequiredValue {
        RequiredValue::Boolean(boolean)
    }
}

/// Keeps other crates from implementing [`Vendor`].
pub mod sealed {
    /// Only generated code implements it.
    pub trait Sealed {}
}
