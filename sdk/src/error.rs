//! Why a verify call was no approval. No variant holds a type of the HTTP library, and no message holds a URL, a
//! credential, a code or anything that a server wrote: errors end up in logs.

use std::fmt;

use crate::answer::{RawAnswer, Refusal};
use crate::outcome::Outcome;

/// A verify call that was not approved.
///
/// The variants tell what is known about the attempt that such a call spends. None of them is worth repeating the call
/// with the same code, but for [`VerifyError::Unsent`]: verifying is not idempotent with any vendor.
///
/// `B` is the vendor's enum of documented bodies.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError<B> {
    /// The vendor answered as its document says, and did not approve. See [`Refusal::outcome`] for what it decided.
    #[error("not approved: {}", Words(.0.outcomes()))]
    Refused(Box<Refusal<B>>),
    /// The answer claims an approval and denies it at once. It is no approval; an attempt may be spent.
    #[error("the answer with status {} contradicts itself", .0.status())]
    Contradictory(Box<RawAnswer>),
    /// No document knows such an answer, a redirect or a gateway's error page for instance. It is no approval; an
    /// attempt may be spent.
    #[error("the answer with status {} is not documented", .0.status())]
    Undocumented(Box<RawAnswer>),
    /// The answer began and did not end, or was longer than 64 KiB. It is no approval; an attempt may be spent, and the
    /// raw answer holds the part that arrived.
    #[error("the answer with status {} {reason}", .answer.status())]
    Incomplete {
        /// What arrived.
        answer: Box<RawAnswer>,
        /// Why there is no more.
        reason: Shortfall,
    },
    /// An argument that cannot be sent as it is. Nothing was sent, and no attempt is spent.
    #[error(transparent)]
    InvalidInput(InvalidInput),
    /// No connection could be made. Nothing was sent and no attempt is spent, so the call may be repeated.
    #[error("the request was not sent: {0}")]
    Unsent(NoAnswer),
    /// The request may have arrived, and no answer came. Whether an attempt is spent, or the code approved, is unknown:
    /// repeating the call may answer that the code is used. A new code is the safe way on.
    #[error("no answer came: {0}")]
    Unanswered(NoAnswer),
}

impl<B> VerifyError<B> {
    /// What the vendor decided, where it said so in one documented meaning; see [`Refusal::outcome`].
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            VerifyError::Refused(refusal) => refusal.outcome(),
            _ => None,
        }
    }

    /// Everything that the answer may mean; empty where there is no documented answer.
    pub fn outcomes(&self) -> &[Outcome] {
        match self {
            VerifyError::Refused(refusal) => refusal.outcomes(),
            _ => &[],
        }
    }

    /// Whether the answer may mean `outcome`.
    pub fn could_be(&self, outcome: Outcome) -> bool {
        self.outcomes().contains(&outcome)
    }

    /// The HTTP status, where an answer came or began.
    pub fn status(&self) -> Option<u16> {
        self.raw().map(RawAnswer::status)
    }

    /// The answer as it was received, where one came or began.
    pub fn raw(&self) -> Option<&RawAnswer> {
        match self {
            VerifyError::Refused(refusal) => Some(refusal.raw()),
            VerifyError::Contradictory(answer)
            | VerifyError::Undocumented(answer)
            | VerifyError::Incomplete { answer, .. } => Some(answer),
            VerifyError::InvalidInput(_) | VerifyError::Unsent(_) | VerifyError::Unanswered(_) => None,
        }
    }

    /// The typed body of a documented answer, where it has the documented type.
    pub fn body(&self) -> Option<&B> {
        match self {
            VerifyError::Refused(refusal) => refusal.body(),
            _ => None,
        }
    }
}

// Not derived: it would ask of `B` to be printable, and print it.
impl<B> fmt::Debug for VerifyError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyError::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            VerifyError::Contradictory(answer) => f.debug_tuple("Contradictory").field(answer).finish(),
            VerifyError::Undocumented(answer) => f.debug_tuple("Undocumented").field(answer).finish(),
            VerifyError::Incomplete { answer, reason } => {
                f.debug_struct("Incomplete").field("answer", answer).field("reason", reason).finish()
            }
            VerifyError::InvalidInput(input) => f.debug_tuple("InvalidInput").field(input).finish(),
            VerifyError::Unsent(cause) => f.debug_tuple("Unsent").field(cause).finish(),
            VerifyError::Unanswered(cause) => f.debug_tuple("Unanswered").field(cause).finish(),
        }
    }
}

struct Words<'a>(&'a [Outcome]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, outcome) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " or " };
            write!(f, "{separator}{outcome}")?;
        }
        Ok(())
    }
}

/// Why an answer is not all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shortfall {
    /// The body is longer than 64 KiB; no documented answer comes near.
    #[error("has a body of more than 64 KiB")]
    TooLarge,
    /// The connection ended, or the time was up, before the body did.
    #[error("broke off")]
    BrokenOff,
}

/// An argument that cannot be sent as it is. The value itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidInput {
    what: &'static str,
    problem: &'static str,
}

impl InvalidInput {
    /// `what` is the argument, and `problem` a predicate that says what is wrong with it.
    pub(crate) fn new(what: &'static str, problem: &'static str) -> InvalidInput {
        InvalidInput { what, problem }
    }

    /// The argument, by the name that the vendor's document has for it.
    pub fn argument(&self) -> &'static str {
        self.what
    }
}

/// A failure below HTTP. Its text is that of the layers below, without the URL.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct NoAnswer {
    pub(crate) timed_out: bool,
    pub(crate) detail: String,
}

impl NoAnswer {
    /// Whether the time was up; see `ClientBuilder::timeout`.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}

/// A client that cannot be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting that no client can have.
    #[error(transparent)]
    InvalidInput(InvalidInput),
    /// The machine has no usable TLS, no root certificates for instance.
    #[error("no HTTP client can be made: {0}")]
    Unavailable(String),
}
