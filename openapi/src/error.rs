//! Why a document is no contract. Every error names the file, the place in it, and what was expected there.

use std::fmt;

/// A document that cannot be read as a contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{problem}", Place(.place))]
pub struct ContractError {
    /// The file, as the caller named it.
    pub file: String,
    /// The keys that lead to the place, outermost first; empty where the document as a whole is meant.
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
    /// The text is not YAML; the parser's own words carry line and column.
    #[error("not valid YAML: {0}")]
    NotYaml(String),
    /// A member is not there.
    #[error("expected a member `{member}`: {purpose}")]
    Missing {
        /// The missing member.
        member: String,
        /// What it would say.
        purpose: String,
    },
    /// A member is there, and is not what was expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// An annotation does not have the documented form; the words are the deserializer's.
    #[error("{0}")]
    Annotation(String),
    /// No contract of that name is built in.
    #[error("no vendor `{asked}` is known; known are {known}")]
    UnknownVendor {
        /// The name asked for.
        asked: String,
        /// The names there are.
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
