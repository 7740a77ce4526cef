//! JSON as a request body has to be: one object, no name twice. `serde_json::Value` alone would keep the last of two
//! members and let the caller wonder which one was compared; a derived struct would take a list for an object.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a body; `None` where it is not one object, names a member twice, or is not UTF-8 JSON at all.
pub(crate) fn read_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object = deserializer.deserialize_map(Unique).ok()?;
    deserializer.end().ok()?;
    Some(object)
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose members have names of their own")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_object_with_unique_names_is_read() {
        assert!(read_object(br#" {"a": 1, "b": "2"} "#).is_some());
        for refused in [
            &br#"{"code": "1", "code": "2"}"#[..],
            br#"{"code": "1", "c\u006fde": "2"}"#,
            br#"["1", "2"]"#,
            br#""1""#,
            b"null",
            b"",
            br#"{"a": 1} {"a": 1}"#,
            br#"{"a": 1}x"#,
            br#"{"a": NaN}"#,
            b"{\"a\": \"\xff\"}",
            b"\xef\xbb\xbf{\"a\": 1}",
        ] {
            assert!(read_object(refused).is_none(), "{:?}", String::from_utf8_lossy(refused));
        }
    }
}
