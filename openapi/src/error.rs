//! Errors for documents that are not contracts. Each names the file, the place in it, and what was expected there.
//!
//! Uses nothing of this crate.

use std::fmt;

/// A document that cannot be read as a contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{problem}", Place(.place))]
pub struct ContractError {
    /// The file, as the caller named it.
    pub file: String,
    /// The keys that lead to the place, outermost first; empty for the whole document.
    pub place: Vec<String>,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The text is longer than any contract.
    #[error("expected at most {limit} bytes, found {found}")]
    TooLong {
        /// The largest number of bytes that is read.
        limit: usize,
        /// The number of bytes of the text.
        found: usize,
    },
    /// The text is not YAML; the parser's message contains line and column.
    #[error("not valid YAML: {0}")]
    NotYaml(String),
    /// A required member is absent.
    #[error("expected a member `{member}`: {purpose}")]
    Missing {
        /// The missing member.
        member: String,
        /// What the member describes.
        purpose: String,
    },
    /// A member has another value than expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What is allowed there.
        expected: String,
        /// The value in the document.
        found: String,
    },
    /// An annotation does not have the documented form; the message is the deserializer's.
    #[error("{0}")]
    Annotation(String),
    /// No contract of this vendor is built in.
    #[error("no vendor `{asked}` is known; known are {known}")]
    UnknownVendor {
        /// The requested name.
        asked: String,
        /// The built-in names.
        known: String,
    },
}

struct Place<'a>(&'a [String]);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "at {}: ", self.0.join(" > "))
    }
}
