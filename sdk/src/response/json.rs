//! Parses a body as JSON.
//!
//! [`JsonValue`] differs from `serde_json::Value` in two ways. It reports duplicate keys: parsers disagree on which of
//! two equal keys counts, so such a body has two meanings. And it borrows text from the bytes, because a body is read
//! once and kept as received.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// The result of parsing a body.
#[derive(Debug, PartialEq)]
pub(crate) enum ParsedBody<'a> {
    /// The whole body is one JSON value.
    Json(JsonValue<'a>),
    /// The body is JSON up to the end of an object with two equal keys.
    DuplicateKey,
    /// The body is anything else.
    NotJson,
}

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(crate) enum JsonValue<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not an `i64`.
    Float(f64),
    String(Cow<'a, str>),
    Array(Vec<JsonValue<'a>>),
    Object(Vec<(Cow<'a, str>, JsonValue<'a>)>),
}

/// Parses a whole body.
pub(crate) fn parse(bytes: &[u8]) -> ParsedBody<'_> {
    let duplicate_key = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = ValueVisitor { duplicate_key: &duplicate_key }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => ParsedBody::Json(value),
        Err(_) if duplicate_key.get() => ParsedBody::DuplicateKey,
        Err(_) => ParsedBody::NotJson,
    }
}

#[derive(Clone, Copy)]
struct ValueVisitor<'a> {
    duplicate_key: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for ValueVisitor<'_> {
    type Value = JsonValue<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<JsonValue<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor<'_> {
    type Value = JsonValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JsonValue<'de>, E> {
        #[expect(clippy::cast_precision_loss, reason = "no signal or count is that large")]
        Ok(i64::try_from(value).map_or(JsonValue::Float(value as f64), JsonValue::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<JsonValue<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            array.push(element);
        }
        Ok(JsonValue::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<JsonValue<'de>, A::Error> {
        let mut object: Vec<(Cow<'de, str>, JsonValue<'de>)> = Vec::new();
        while let Some(key) = members.next_key_seed(KeyVisitor)? {
            let value = members.next_value_seed(self)?;
            object.push((key, value));
        }
        if has_duplicate_key(&object) {
            self.duplicate_key.set(true);
            return Err(A::Error::custom("duplicate key"));
        }
        Ok(JsonValue::Object(object))
    }
}

/// Whether two members have the same key. Most objects have a handful of members, for which a scan is cheaper than a
/// set.
fn has_duplicate_key(object: &[(Cow<'_, str>, JsonValue<'_>)]) -> bool {
    if object.len() <= 16 {
        return object
            .iter()
            .enumerate()
            .any(|(index, (key, _))| object[..index].iter().any(|(other, _)| other == key));
    }
    let mut seen = HashSet::new();
    !object.iter().all(|(key, _)| seen.insert(key))
}

struct KeyVisitor;

impl<'de> DeserializeSeed<'de> for KeyVisitor {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyVisitor {
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

    fn text(text: &str) -> JsonValue<'_> {
        JsonValue::String(Cow::Borrowed(text))
    }

    #[test]
    fn every_type_of_value_is_parsed() {
        let expected = JsonValue::Object(vec![
            (
                "a".into(),
                JsonValue::Array(vec![
                    JsonValue::Integer(1),
                    JsonValue::Integer(-2),
                    JsonValue::Float(0.5),
                    text("x\n"),
                    JsonValue::Null,
                    JsonValue::Bool(true),
                    JsonValue::Object(vec![("b".into(), JsonValue::Object(Vec::new()))]),
                ]),
            ),
            ("c".into(), JsonValue::Float(1.844_674_407_370_955_2e19)),
        ]);
        let body = br#"{"a":[1,-2,0.5,"x\n",null,true,{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(parse(body), ParsedBody::Json(expected));
        assert_eq!(parse(b" 7 "), ParsedBody::Json(JsonValue::Integer(7)));
    }

    #[test]
    fn a_duplicate_key_is_reported_at_any_depth() {
        assert_eq!(parse(br#"{"a":1,"a":1}"#), ParsedBody::DuplicateKey);
        assert_eq!(parse(br#"[{"x":{"a":true,"\u0061":false}}]"#), ParsedBody::DuplicateKey);
        let many: Vec<String> = (0..40).map(|number| format!("\"{number}\":1")).collect();
        assert!(matches!(parse(format!("{{{}}}", many.join(",")).as_bytes()), ParsedBody::Json(_)));
        assert_eq!(parse(format!("{{{},\"7\":2}}", many.join(",")).as_bytes()), ParsedBody::DuplicateKey);
    }

    #[test]
    fn a_body_that_is_not_entirely_json_is_not_json() {
        for text in ["", "<html>", "{\"a\":1", "{} {}", "\u{feff}{}", "NaN"] {
            assert_eq!(parse(text.as_bytes()), ParsedBody::NotJson, "{text}");
        }
        assert_eq!(parse(&[b'"', 0xff, b'"']), ParsedBody::NotJson);
        assert_eq!(parse("[".repeat(10_000).as_bytes()), ParsedBody::NotJson);
    }
}
