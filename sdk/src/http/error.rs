//! The failures that involve no documented response.
//!
//! No message has a URL, a credential or a code, because messages are logged. The only text from the other side that
//! may appear in one is the host names in a certificate that does not match.

use std::fmt;

/// An argument that cannot be sent unchanged. The message does not repeat the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    argument: &'static str,
    problem: &'static str,
}

impl InvalidInput {
    /// `problem` is a predicate that follows the argument's name, such as "is empty".
    #[doc(hidden)]
    pub fn new(argument: &'static str, problem: &'static str) -> InvalidInput {
        InvalidInput { argument, problem }
    }

    /// The argument: `session_id`, `code`, or the name of a setting or parameter.
    pub fn argument(&self) -> &'static str {
        self.argument
    }
}

/// A failure below HTTP. The message comes from the HTTP library, without the URL.
#[derive(Debug, Clone)]
pub struct TransportError {
    timed_out: bool,
    detail: String,
}

impl TransportError {
    pub(crate) fn new(timed_out: bool, detail: impl Into<String>) -> TransportError {
        TransportError { timed_out, detail: detail.into() }
    }

    /// Whether the call timed out; see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}

/// Why the body of a response is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncompleteBody {
    /// The body is longer than 64 KiB. No documented response comes close to that.
    TooLarge,
    /// The connection closed or the call timed out before the end of the body.
    Truncated,
}

/// Why a client cannot be built.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting is invalid.
    InvalidInput(InvalidInput),
    /// An environment variable is not set or is not valid Unicode.
    Environment(&'static str),
    /// The system lacks something that the client needs, such as TLS root certificates.
    Unavailable(String),
}

// Written by hand: a derive macro would cost every build of a program with this crate more than these messages are
// worth.
impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.argument, self.problem)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl fmt::Display for IncompleteBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IncompleteBody::TooLarge => "the body is longer than 64 KiB",
            IncompleteBody::Truncated => "the body is truncated",
        })
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::InvalidInput(input) => fmt::Display::fmt(input, f),
            BuildError::Environment(name) => {
                write!(f, "the environment variable {name} is not set or is not valid unicode")
            }
            BuildError::Unavailable(problem) => write!(f, "cannot create an http client: {problem}"),
        }
    }
}

impl std::error::Error for InvalidInput {}
impl std::error::Error for TransportError {}
impl std::error::Error for IncompleteBody {}
impl std::error::Error for BuildError {}
