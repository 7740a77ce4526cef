//! One documented response of an operation, as the generated tables hold it.
//!
//! Contains data only; `classification.rs` decides what a response means.

#![allow(
    dead_code,
    reason = "each contract uses the statuses and rules it needs, and a build may have one contract"
)]

use std::fmt;

use super::json::JsonValue;
use super::outcome::{Consumption, Outcome};

/// One documented response of a verify call: its meaning, its HTTP status, and where the vendor documents it.
///
/// Each vendor's module lists its own, such as [`zeckta::cells`](crate::zeckta::cells).
/// [`Error::cells`](crate::Error::cells) returns those that match a response.
pub struct Cell {
    #[doc(hidden)]
    pub vendor: &'static str,
    #[doc(hidden)]
    pub name: &'static str,
    #[doc(hidden)]
    pub summary: &'static str,
    #[doc(hidden)]
    pub outcome: Outcome,
    /// The HTTP statuses that the response may have.
    #[doc(hidden)]
    pub status: StatusPattern,
    /// The status closest to the document if `status` is a class.
    #[doc(hidden)]
    pub usual_status: u16,
    /// Whether the document states the response literally. Otherwise it is inferred from the closest statement.
    #[doc(hidden)]
    pub documented: bool,
    /// Whether the document specifies the body. Otherwise `members` describes an example.
    #[doc(hidden)]
    pub body_specified: bool,
    /// The leaves of the body, in the document's order.
    #[doc(hidden)]
    pub members: &'static [Member],
    #[doc(hidden)]
    pub document: &'static str,
    #[doc(hidden)]
    pub section: &'static str,
    #[doc(hidden)]
    pub note: Option<&'static str>,
    #[doc(hidden)]
    pub consumption: Consumption,
    /// `None` for an approval.
    #[doc(hidden)]
    pub remedy: Option<Remedy>,
    /// The response that a mock server sends.
    #[doc(hidden)]
    pub mock: MockResponse,
}

impl Cell {
    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// The name in the vendor's contract, unique within the vendor, such as `wrong_code`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A one-line description.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// The vendor's decision.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Whether the response has a body.
    pub(crate) fn has_body(&self) -> bool {
        !self.mock.body.is_empty()
    }

    /// The HTTP status, or the one closest to the document if the document leaves it open.
    pub fn status(&self) -> u16 {
        self.usual_status
    }

    /// How certain it is that the vendor sends this response.
    pub fn certainty(&self) -> Certainty {
        if self.documented { Certainty::Documented } else { Certainty::Inferred }
    }

    /// The title of the vendor's document that states the response, or comes closest to stating it.
    pub fn document(&self) -> &'static str {
        self.document
    }

    /// The heading, row or sentence in the document.
    pub fn section(&self) -> &'static str {
        self.section
    }

    /// What the document leaves open, or where it contradicts itself.
    pub fn note(&self) -> Option<&'static str> {
        self.note
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({}/{})", self.vendor, self.name)
    }
}

/// How certain it is that a vendor sends a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// The vendor's document states it.
    Documented,
    /// The document is silent or contradicts itself; the response follows from its closest statement.
    Inferred,
}

/// What the user or the program can do after a refusal.
///
/// The order is the order of precedence: if a response has several meanings, the greatest remedy applies. A new code
/// also helps after a wrong code, and a request that is malformed fails again and shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Enter the code again.
    EnterAgain,
    /// Correct the request.
    FixRequest,
    /// Request a new code.
    NewCode,
    /// Wait until the lock ends.
    Wait,
}

/// The HTTP statuses that a response may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusPattern {
    /// One status.
    Exact(u16),
    /// All statuses of a class; 4 stands for 400 to 499.
    Class(u8),
}

impl StatusPattern {
    /// Whether the pattern includes `status`.
    pub(crate) fn matches(self, status: u16) -> bool {
        match self {
            StatusPattern::Exact(exact) => exact == status,
            StatusPattern::Class(class) => status / 100 == u16::from(class),
        }
    }
}

/// A location in a body: the names of the members from the root; `*` stands for every element of an array.
///
/// The generator splits the contract's JSON pointers, so that no call has to.
pub(crate) type Path = &'static [&'static str];

/// One leaf of a documented body.
#[derive(Debug)]
pub struct Member {
    /// Where it is.
    pub path: Path,
    /// Whether the member may be absent.
    pub optional: bool,
    /// How its value is compared.
    pub rule: Rule,
}

/// How a value is compared. `Literal`, `IgnoreCase` and `Anywhere` are signals: they distinguish outcomes.
#[derive(Debug)]
pub enum Rule {
    /// Equal to this value.
    Literal(Literal),
    /// Equal to this text, ignoring the case of ASCII letters.
    IgnoreCase(&'static str),
    /// The body has, at any depth, a member whose name ends with this one and whose value is this one, or its decimal
    /// text.
    Anywhere(&'static str, Literal),
    /// Equal to a value of the request: `session`, `code`, or the path parameter with this name.
    Echo(&'static str),
    /// A non-empty array.
    NonEmptyArray,
    /// Derived from the session's state; ignored by the classification.
    State(StateValue),
    /// Any value; ignored by the classification.
    Any,
}

/// A value that is derived from the session's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateValue {
    /// How many more wrong codes the vendor will compare.
    RemainingAttempts,
    /// How many seconds the session stays locked.
    LockoutSeconds,
}

/// A JSON scalar of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(&'static str),
}

impl Literal {
    /// Whether `value` is this scalar. Types are not converted, and 1.0 differs from 1.
    pub(crate) fn equals(self, value: &JsonValue<'_>) -> bool {
        match (self, value) {
            (Literal::Null, JsonValue::Null) => true,
            (Literal::Bool(expected), JsonValue::Bool(value)) => expected == *value,
            (Literal::Integer(expected), JsonValue::Integer(value)) => expected == *value,
            (Literal::Text(expected), JsonValue::String(value)) => expected == value,
            _ => false,
        }
    }

    /// Whether `value` is this scalar, the same number written with a fraction, or a number's decimal text.
    ///
    /// `otp-contract` defines this rule (`Member::accepts_anywhere`); a property test compares the two.
    pub(crate) fn equals_or_spelled(self, value: &JsonValue<'_>) -> bool {
        match (self, value) {
            (Literal::Integer(expected), JsonValue::String(text)) => text.parse() == Ok(expected),
            #[expect(
                clippy::cast_precision_loss,
                clippy::float_cmp,
                reason = "codes are small, and one with a fraction differs"
            )]
            (Literal::Integer(expected), JsonValue::Float(number)) => *number == expected as f64,
            _ => self.equals(value),
        }
    }
}

/// The response that a mock server sends for a cell.
#[derive(Debug)]
pub struct MockResponse {
    /// The HTTP method of the operation, in upper case.
    pub method: &'static str,
    /// The path of the operation, with its parameters in braces.
    pub path: &'static str,
    /// The body that the vendor's document shows; empty if the response has none.
    pub body: &'static str,
    /// JSON pointers to the values that repeat a part of the request, with that part.
    pub echoes: &'static [(&'static str, RequestPart)],
}

/// Where a request carries a value.
#[derive(Debug, Clone, Copy)]
pub enum RequestPart {
    /// In the path parameter with this name.
    Path(&'static str),
    /// In the query parameter with this name.
    Query(&'static str),
    /// In the body member with this name.
    Body(&'static str),
}
