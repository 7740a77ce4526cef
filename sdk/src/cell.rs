//! The form of the generated tables of documented answers. Data only: what an answer means is decided in `verdict.rs`.

#![allow(
    dead_code,
    reason = "each contract uses the statuses and rules it needs, and a build may have one contract"
)]

use serde_json::Value;

use crate::outcome::Outcome;

/// One documented answer of a verify call.
#[derive(Debug)]
pub(crate) struct Cell {
    /// The name in the contract, unique in its table.
    pub(crate) name: &'static str,
    /// What the answer says was decided.
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

/// One place of a body.
#[derive(Debug)]
pub(crate) struct Member {
    /// JSON pointer; `*` stands for every element of a list.
    pub(crate) pointer: &'static str,
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
    /// Anything; no decision hangs on it.
    Free,
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
    pub(crate) fn is(self, value: &Value) -> bool {
        match self {
            Literal::Null => value.is_null(),
            Literal::Bool(expected) => value.as_bool() == Some(expected),
            Literal::Integer(expected) => value.as_i64() == Some(expected),
            Literal::Text(expected) => value.as_str() == Some(expected),
        }
    }

    /// Whether `value` is this scalar, or a number's decimal text.
    pub(crate) fn is_or_spells(self, value: &Value) -> bool {
        let spelt = match (self, value) {
            (Literal::Integer(expected), Value::String(text)) => text.parse() == Ok(expected),
            (Literal::Text(expected), Value::Number(number)) => number.to_string() == expected,
            _ => false,
        };
        spelt || self.is(value)
    }
}
