//! JSON as a request body has to be: one object, no name twice. `serde_json::Value` alone would keep the last of two
//! members and let the caller wonder which one was compared; a derived struct would take a list for an object.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object, in the order of the text. A verify call has a handful, for which a map would take longer.
#[derive(Default)]
pub(crate) struct Object(Vec<(String, Value)>);

impl Object {
    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    fn names_one_twice(&self) -> bool {
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

/// Reads a body; `None` where it is not one object, names a member twice, or is not UTF-8 JSON at all.
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
        f.write_str("an object whose members have names of their own")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut object = Object::default();
        while let Some(member) = access.next_entry()? {
            object.0.push(member);
        }
        if object.names_one_twice() { Err(A::Error::custom("a name twice")) } else { Ok(object) }
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
