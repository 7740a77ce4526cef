//! Bytes → JSON, with the one difference from `serde_json` that this crate needs: a key that stands twice in an object
//! is seen. Which of two equal keys counts is up to each parser, so a body that has them says two things at once.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What a body turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Body {
    /// JSON, the whole of it and nothing else.
    Json(Value),
    /// JSON up to the second of two equal keys in one object.
    Ambiguous,
    /// Anything else.
    Other,
}

/// Reads a whole body.
pub(crate) fn parse(bytes: &[u8]) -> Body {
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
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                self.ambiguous.set(true);
                return Err(A::Error::custom("a key stands twice in one object"));
            }
            let value = members.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,0.5,"x",null,true,{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(parse(text.as_bytes()), Body::Json(serde_json::from_str(text).unwrap()));
        assert_eq!(parse(b" 7 "), Body::Json(json!(7)));
    }

    #[test]
    fn a_key_that_stands_twice_is_seen_at_any_depth() {
        assert_eq!(parse(br#"{"a":1,"a":1}"#), Body::Ambiguous);
        assert_eq!(parse(br#"[{"x":{"a":true,"\u0061":false}}]"#), Body::Ambiguous);
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
