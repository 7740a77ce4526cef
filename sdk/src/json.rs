//! Bytes → JSON, with two differences from `serde_json`'s own value: a key that stands twice in an object is seen, for
//! which of two equal keys counts is up to each parser, so that such a body says two things at once; and text is borrowed
//! from the bytes, for a body is looked at once and kept as it came.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// What a body turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Body<'a> {
    /// JSON, the whole of it and nothing else.
    Json(Node<'a>),
    /// JSON up to the end of an object with two equal keys.
    Ambiguous,
    /// Anything else.
    Other,
}

/// A value of JSON.
#[derive(Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is no whole number of 64 bits.
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Reads a whole body.
pub(crate) fn parse(bytes: &[u8]) -> Body<'_> {
    let ambiguous = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { ambiguous: &ambiguous }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => Body::Json(value),
        Err(_) if ambiguous.get() => Body::Ambiguous,
        Err(_) => Body::Other,
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    ambiguous: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Node<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        #[expect(clippy::cast_precision_loss, reason = "no signal and no count is that large")]
        Ok(i64::try_from(value).map_or(Node::Number(value as f64), Node::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node<'de>, A::Error> {
        let mut object: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        while let Some(key) = members.next_key_seed(Key)? {
            let value = members.next_value_seed(self)?;
            object.push((key, value));
        }
        if has_twins(&object) {
            self.ambiguous.set(true);
            return Err(A::Error::custom("a key stands twice in one object"));
        }
        Ok(Node::Object(object))
    }
}

/// Whether two members have one key. Bodies have a handful of members, for which a set would be the dearer way.
fn has_twins(object: &[(Cow<'_, str>, Node<'_>)]) -> bool {
    if object.len() <= 16 {
        return object
            .iter()
            .enumerate()
            .any(|(place, (key, _))| object[..place].iter().any(|(other, _)| other == key));
    }
    let mut seen = HashSet::new();
    !object.iter().all(|(key, _)| seen.insert(key))
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node<'_> {
        Node::Text(Cow::Borrowed(text))
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let expected = Node::Object(vec![
            (
                "a".into(),
                Node::List(vec![
                    Node::Integer(1),
                    Node::Integer(-2),
                    Node::Number(0.5),
                    text("x\n"),
                    Node::Null,
                    Node::Bool(true),
                    Node::Object(vec![("b".into(), Node::Object(Vec::new()))]),
                ]),
            ),
            ("c".into(), Node::Number(1.844_674_407_370_955_2e19)),
        ]);
        let body = br#"{"a":[1,-2,0.5,"x\n",null,true,{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(parse(body), Body::Json(expected));
        assert_eq!(parse(b" 7 "), Body::Json(Node::Integer(7)));
    }

    #[test]
    fn a_key_that_stands_twice_is_seen_at_any_depth() {
        assert_eq!(parse(br#"{"a":1,"a":1}"#), Body::Ambiguous);
        assert_eq!(parse(br#"[{"x":{"a":true,"\u0061":false}}]"#), Body::Ambiguous);
        let many: Vec<String> = (0..40).map(|number| format!("\"{number}\":1")).collect();
        assert!(matches!(parse(format!("{{{}}}", many.join(",")).as_bytes()), Body::Json(_)));
        assert_eq!(parse(format!("{{{},\"7\":2}}", many.join(",")).as_bytes()), Body::Ambiguous);
    }

    #[test]
    fn what_is_not_json_to_its_end_is_no_json() {
        for text in ["", "<html>", "{\"a\":1", "{} {}", "\u{feff}{}", "NaN"] {
            assert_eq!(parse(text.as_bytes()), Body::Other, "{text}");
        }
        assert_eq!(parse(&[b'"', 0xff, b'"']), Body::Other);
        assert_eq!(parse("[".repeat(10_000).as_bytes()), Body::Other);
    }
}
