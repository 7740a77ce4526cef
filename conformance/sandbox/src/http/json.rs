//! Reads JSON request bodies: exactly one object, without duplicate names.
//!
//! `serde_json::Value` would silently keep the last of two members with one name, and a derived struct would accept a
//! list in place of an object.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object in document order. A verify call has a handful, so a list is faster than a map.
#[derive(Default)]
pub(crate) struct Object(Vec<(String, Value)>);

impl Object {
    /// The member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    fn has_duplicate_name(&self) -> bool {
        let Object(members) = self;
        if members.len() <= 16 {
            return (1..members.len())
                .any(|last| members[..last].iter().any(|(name, _)| *name == members[last].0));
        }
        let mut seen = HashSet::new();
        !members.iter().all(|(name, _)| seen.insert(name))
    }
}

impl From<Object> for Value {
    fn from(Object(members): Object) -> Value {
        Value::Object(members.into_iter().collect())
    }
}

/// Reads a body; `None` unless it is one JSON object in UTF-8 without duplicate names.
pub(crate) fn read_object(bytes: &[u8]) -> Option<Object> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let object = deserializer.deserialize_map(Unique).ok()?;
    deserializer.end().ok()?;
    Some(object)
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object without duplicate names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(member) = access.next_entry()? {
            object.0.push(member);
        }
        if object.has_duplicate_name() { Err(A::Error::custom("duplicate name")) } else { Ok(object) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_object_with_unique_names_is_read() {
        let read = read_object(br#" {"a": 1, "b": "2"} "#).unwrap();
        assert_eq!((read.get("b"), read.get("c")), (Some(&Value::from("2")), None));
        let many: Vec<String> = (0..40).map(|number| format!("\"{number}\":1")).collect();
        assert!(read_object(format!("{{{}}}", many.join(",")).as_bytes()).is_some());
        assert!(read_object(format!("{{{},\"7\":2}}", many.join(",")).as_bytes()).is_none());
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
