//! A request that faults inspect and change before the vendor's adapter gets it. Reading is lenient: names may occur
//! twice, and whatever cannot be parsed stays as it is, so that the adapter refuses it. This module must never refuse
//! a request itself.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::Uri;
use http::request::Parts;
use otp_contract::{Contract, Location, Place};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::http::query;

/// A request, and the contract of the vendor that it is for.
#[derive(Clone)]
pub(super) struct LenientRequest<'a> {
    pub(super) contract: &'a Contract,
    /// The decoded path parameters.
    pub(super) path: BTreeMap<String, String>,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

/// The members of an object in order; a name may occur twice.
pub(super) type Members = Vec<(String, Value)>;

impl LenientRequest<'_> {
    /// The members of the body; `None` if it is not an object.
    pub(super) fn members(&self) -> Option<Members> {
        serde_json::from_slice::<Lenient>(&self.body).ok().map(|lenient| lenient.0)
    }

    pub(super) fn set_members(&mut self, members: &[(String, Value)]) {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
        self.body = format!("{{{}}}", members.join(",")).into();
    }

    /// The pairs of the query; `None` if they cannot be decoded.
    pub(super) fn pairs(&self) -> Option<Vec<(String, String)>> {
        query::read_pairs(self.parts.uri.query().unwrap_or_default())
    }

    /// The fields of a form in the body; `None` if they cannot be decoded.
    fn fields(&self) -> Option<Vec<(String, String)>> {
        query::read_pairs(std::str::from_utf8(&self.body).ok()?)
    }

    /// Whether the part of the request that has `location` can be decoded.
    pub(super) fn is_readable(&self, location: &Location) -> bool {
        match location.place {
            Place::Body => self.members().is_some(),
            Place::Form => self.fields().is_some(),
            Place::Path | Place::Query => self.pairs().is_some(),
        }
    }

    pub(super) fn set_pairs(&mut self, pairs: &[(String, String)]) {
        let target = format!("{}?{}", self.parts.uri.path(), encoded(pairs));
        if let Ok(uri) = target.parse::<Uri>() {
            self.parts.uri = uri;
        }
    }

    /// The value at `location`; the first one if there are several.
    pub(super) fn value(&self, location: &Location) -> Option<Value> {
        match location.place {
            Place::Path => self.path.get(&location.name).map(|text| text.as_str().into()),
            Place::Query => self
                .pairs()?
                .into_iter()
                .find(|(name, _)| *name == location.name)
                .map(|(_, value)| value.into()),
            Place::Form => self
                .fields()?
                .into_iter()
                .find(|(name, _)| *name == location.name)
                .map(|(_, value)| value.into()),
            Place::Body => {
                let keys = location.keys();
                let (first, rest) = keys.split_first()?;
                let (_, mut value) = self.members()?.into_iter().find(|(name, _)| name == first)?;
                for key in rest {
                    value = value.get_mut(*key)?.take();
                }
                Some(value)
            }
        }
    }

    pub(super) fn code(&self) -> Option<Value> {
        self.value(&self.contract.verify().code.location)
    }

    /// The session id, if the request has one and it is text.
    pub(super) fn session(&self) -> Option<String> {
        self.value(&self.contract.verify().session.location)?.as_str().map(str::to_owned)
    }

    /// Replaces the value at `location` by `text`, except in the path.
    pub(super) fn set(&mut self, location: &Location, text: &str) {
        match location.place {
            Place::Path => {}
            Place::Form => {
                let Some(mut fields) = self.fields() else { return };
                fields.retain(|(name, _)| *name != location.name);
                fields.push((location.name.clone(), text.to_owned()));
                self.body = encoded(&fields).into();
            }
            Place::Query => {
                let Some(mut pairs) = self.pairs() else { return };
                pairs.retain(|(name, _)| *name != location.name);
                pairs.push((location.name.clone(), text.to_owned()));
                self.set_pairs(&pairs);
            }
            Place::Body => {
                let Some(mut members) = self.members() else { return };
                let keys = location.keys();
                let Some((first, rest)) = keys.split_first() else { return };
                let given = members.iter().position(|(name, _)| name == first);
                let mut value = given.map_or(Value::Null, |index| members.remove(index).1);
                members.retain(|(name, _)| name != first);
                *inner_place(&mut value, rest) = text.into();
                members.push(((*first).to_owned(), value));
                self.set_members(&members);
            }
        }
    }

    pub(super) fn set_code(&mut self, text: &str) {
        let contract = self.contract;
        self.set(&contract.verify().code.location, text);
    }
}

/// The place at the end of `keys` inside `value`, which becomes an object at each step where it is none.
fn inner_place<'v>(value: &'v mut Value, keys: &[&str]) -> &'v mut Value {
    let Some((first, rest)) = keys.split_first() else { return value };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    inner_place(&mut value[*first], rest)
}

/// Pairs of names and values, as a query or a form has them.
fn encoded(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// An object whose names may repeat.
struct Lenient(Members);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Lenient;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Lenient, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry::<String, Value>()? {
                    members.push(member);
                }
                Ok(Lenient(members))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
