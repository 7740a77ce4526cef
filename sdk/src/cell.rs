//! One documented answer of a verify call, as the generated tables have it. Data only: what an answer means is decided in
//! `verdict.rs`.

#![allow(
    dead_code,
    reason = "each contract uses the statuses and rules it needs, and a build may have one contract"
)]

use std::fmt;

use crate::json::Node;
use crate::outcome::{Consumption, Outcome};

/// One documented answer of a verify call: what it means, the HTTP status it has, and where the vendor says so.
///
/// Each vendor's module lists its own, such as [`zeckta::cells`](crate::zeckta::cells); an
/// [`Error`](crate::Error::cells) names those that the answer may have been.
pub struct Cell {
    pub(crate) vendor: &'static str,
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) outcome: Outcome,
    /// The HTTP statuses that the answer may have.
    pub(crate) status: Status,
    /// The status that is nearest to the document where `status` is a class.
    pub(crate) usual_status: u16,
    /// Whether the document says so literally; otherwise it is inferred from what it comes nearest to saying.
    pub(crate) documented: bool,
    /// Whether the document says anything of the body. Where it does not, `members` are those of an example.
    pub(crate) specified: bool,
    /// The leaves of the body, in its order.
    pub(crate) members: &'static [Member],
    pub(crate) document: &'static str,
    pub(crate) section: &'static str,
    pub(crate) note: Option<&'static str>,
    pub(crate) consumption: Consumption,
    /// What helps; `None` for an approval.
    pub(crate) remedy: Option<Remedy>,
    /// How a mock gives this answer.
    #[cfg(feature = "mock")]
    pub(crate) play: crate::mock::Play,
}

impl Cell {
    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// The name in the vendor's contract, unique for the vendor: `wrong_code` for instance.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One line for people.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// What the answer says was decided.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The HTTP status; the nearest to the document, where the document leaves it open.
    pub fn status(&self) -> u16 {
        self.usual_status
    }

    /// How sure it is that the vendor answers so.
    pub fn certainty(&self) -> Certainty {
        if self.documented { Certainty::Documented } else { Certainty::Inferred }
    }

    /// The title of the vendor's document that says so, or comes nearest to it.
    pub fn document(&self) -> &'static str {
        self.document
    }

    /// The heading, row or sentence in the document.
    pub fn section(&self) -> &'static str {
        self.section
    }

    /// What the document leaves open or contradicts.
    pub fn note(&self) -> Option<&'static str> {
        self.note
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({}/{})", self.vendor, self.name)
    }
}

/// How sure it is that a vendor answers so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// The vendor's document says so.
    Documented,
    /// The document is silent or contradicts itself; this is the nearest it comes to saying so.
    Inferred,
}

/// What helps after an answer, the least first: where an answer has several meanings, the greatest is taken. A new code
/// helps against a wrong one too, and a request that is wrong shows itself again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Remedy {
    EnterAgain,
    FixRequest,
    NewCode,
    Wait,
}

/// The HTTP statuses of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// This one.
    Exact(u16),
    /// All of a class; 4 stands for 400 to 499.
    Class(u8),
}

impl Status {
    /// Whether `status` is one of those meant.
    pub(crate) fn has(self, status: u16) -> bool {
        match self {
            Status::Exact(exact) => exact == status,
            Status::Class(class) => status / 100 == u16::from(class),
        }
    }
}

/// The names of the members on the way from the top of a body to a place in it; `*` stands for every element of a list.
/// A pointer of the contract, taken apart when the code was generated and not with every answer.
pub(crate) type Path = &'static [&'static str];

/// One place of a body.
#[derive(Debug)]
pub(crate) struct Member {
    /// Where it is.
    pub(crate) path: Path,
    /// Whether it may be absent.
    pub(crate) optional: bool,
    /// What must stand there.
    pub(crate) rule: Rule,
}

/// What must stand in a place.
#[derive(Debug)]
pub(crate) enum Rule {
    /// This value. A signal.
    Literal(Literal),
    /// This text, but for the case of ASCII letters. A signal.
    IgnoreCase(&'static str),
    /// A member of this name with this value, as a number or as its decimal text, at any depth of the body. A signal.
    Anywhere(&'static str, Literal),
    /// What the request carried: `session`, `code`, or the path parameter of this name.
    Echo(&'static str),
    /// A list that is not empty.
    List,
    /// What follows from the session's state; no decision hangs on it.
    State(State),
    /// Anything; no decision hangs on it.
    Free,
}

/// What an answer may tell of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// How many wrong codes will still be compared.
    RemainingAttempts,
    /// How many seconds the session stays locked.
    LockoutSeconds,
}

/// A scalar of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(&'static str),
}

impl Literal {
    /// Whether `value` is this scalar. A number is no text, and 1.0 is not 1.
    pub(crate) fn is(self, value: &Node<'_>) -> bool {
        match (self, value) {
            (Literal::Null, Node::Null) => true,
            (Literal::Bool(expected), Node::Bool(value)) => expected == *value,
            (Literal::Integer(expected), Node::Integer(value)) => expected == *value,
            (Literal::Text(expected), Node::Text(value)) => expected == value,
            _ => false,
        }
    }

    /// Whether `value` is this scalar, or a number's decimal text.
    pub(crate) fn is_or_spells(self, value: &Node<'_>) -> bool {
        let spelt = match (self, value) {
            (Literal::Integer(expected), Node::Text(text)) => text.parse() == Ok(expected),
            (Literal::Text(expected), Node::Integer(number)) => expected.parse() == Ok(*number),
            _ => false,
        };
        spelt || self.is(value)
    }
}
