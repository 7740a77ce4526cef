//! YAML with positions: a JSON value, and the line and column of everything in it.
//!
//! Uses an event parser, and `problem` for what is wrong. It must not know what a document means; it reads any YAML, and
//! bounds what a text may cost.

use serde_json::Value;

use crate::problem::{ContractError, Position, Problem, ProblemKind};

mod builder;
mod scalar;

/// The size of the longest text that is read: many times that of the longest contract, and small enough that a text
/// which is no contract is refused at once.
const MAX_BYTES: usize = 4 << 20;

/// How deep lists and objects may be nested. The documents of large APIs have 30 levels.
const MAX_DEPTH: usize = 128;

/// How many values a document may have after its aliases are replaced.
const MAX_VALUES: usize = 250_000;

/// How much punctuation a text may have. The parser keeps the tokens of a whole `[…]` or `{…}` until it knows whether a `:`
/// follows, several hundred bytes for each, so that a text of 4 MB could take more than a gigabyte. JSON of this weight has
/// 75,000 members.
const MAX_PUNCTUATION: usize = 600_000;

/// How many problems a text may have before reading stops.
const MAX_PROBLEMS: usize = 100;

/// A document as a JSON value, and the position of each value in the text.
pub(crate) struct Tree {
    pub(crate) value: Value,
    pub(crate) spot: Spot,
}

/// Where a value is in the text, and where its elements or members are, in their order.
#[derive(Clone)]
pub(crate) struct Spot {
    /// Where problems with the value are reported: at the value if it is a scalar, and at its key otherwise, because a long
    /// value starts with the key for a reader.
    pub(crate) position: Position,
    /// Where the value itself starts.
    pub(crate) start: Position,
    /// Where its key starts, if it has one.
    pub(crate) key: Option<Position>,
    pub(crate) children: Vec<Spot>,
}

impl Spot {
    fn new(start: Position, children: Vec<Spot>) -> Spot {
        Spot { position: start, start, key: None, children }
    }
}

impl Tree {
    /// Parses a text of one YAML document. Without a tree, the text is not YAML; with one, it may still have problems,
    /// such as a key that stands twice.
    pub(crate) fn parse(text: &str) -> (Option<Tree>, Vec<Problem>) {
        if text.len() > MAX_BYTES {
            let kind = ProblemKind::TooLong { limit: MAX_BYTES, found: text.len() };
            return (None, vec![Problem { place: Vec::new(), position: None, kind }]);
        }
        let weight: usize = text.bytes().map(punctuation).sum();
        if weight > MAX_PUNCTUATION {
            let text = "expected a smaller document, found one with more punctuation than any contract has";
            let kind = ProblemKind::NotYaml(text.to_owned());
            return (None, vec![Problem { place: Vec::new(), position: None, kind }]);
        }
        builder::build(text)
    }

    /// The value at `place` and its spot, if the document has such a place.
    pub(crate) fn at<'a>(&self, place: impl IntoIterator<Item = &'a str>) -> Option<(&Value, &Spot)> {
        let mut found = (&self.value, &self.spot);
        for key in place {
            found = child(found, key)?;
        }
        Some(found)
    }

    /// The position of `place`, or of the innermost value around it that the text has.
    pub(crate) fn position<'a>(&self, place: impl IntoIterator<Item = &'a str>) -> Position {
        position_below((&self.value, &self.spot), place)
    }
}

/// How many tokens a byte may begin, doubled: two quotes begin one.
fn punctuation(byte: u8) -> usize {
    match byte {
        b',' | b'[' | b']' | b'{' | b'}' | b':' | b'?' | b'&' | b'*' | b'!' | b'-' | b'|' | b'>' | b'%' => 2,
        b'"' | b'\'' => 1,
        _ => 0,
    }
}

/// Parses a text of one YAML document, which may also be JSON. Errors refer to it as `file`.
///
/// # Errors
/// Names every place that is not YAML, or that has no meaning in JSON.
pub fn parse_yaml(file: &str, text: &str) -> Result<Value, ContractError> {
    match Tree::parse(text) {
        (Some(tree), problems) if problems.is_empty() => Ok(tree.value),
        (_, problems) => Err(ContractError { file: file.to_owned(), problems }),
    }
}

/// The position of the value that `place` leads to from `start`, or of the innermost value around it.
pub(crate) fn position_below<'a>(
    start: (&Value, &Spot),
    place: impl IntoIterator<Item = &'a str>,
) -> Position {
    let mut found = start;
    for key in place {
        match child(found, key) {
            Some(inner) => found = inner,
            None => break,
        }
    }
    found.1.position
}

/// The element or member `key` of a value.
pub(crate) fn child<'t>((value, spot): (&'t Value, &'t Spot), key: &str) -> Option<(&'t Value, &'t Spot)> {
    let (index, inner) = match value {
        Value::Object(members) => {
            let inner = members.get(key)?;
            (members.keys().position(|name| name == key)?, inner)
        }
        Value::Array(elements) => {
            let index: usize = key.parse().ok()?;
            (index, elements.get(index)?)
        }
        _ => return None,
    };
    Some((inner, spot.children.get(index)?))
}

#[cfg(test)]
mod tests;
