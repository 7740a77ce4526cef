//! Decodes query strings and path segments. Strict: text that is not UTF-8 after decoding is an error, never replaced.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The name-value pairs of a query string; `None` if one cannot be decoded.
pub(crate) fn read_pairs(query: &str) -> Option<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode_form(name)?, decode_form(value)?))
        })
        .collect()
}

/// One path segment; `None` if it cannot be decoded.
fn read_segment(segment: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(segment).decode_utf8().ok()
}

/// The decoded parameters of a path. There are two at most, so a list is faster than a map.
pub(crate) struct PathParameters<'p>(Vec<(&'p str, Cow<'p, str>)>);

impl<'p> PathParameters<'p> {
    /// Decodes them; `None` if one cannot be decoded.
    pub(crate) fn read(raw: impl Iterator<Item = (&'p str, &'p str)>) -> Option<PathParameters<'p>> {
        let decoded = raw.map(|(name, value)| read_segment(value).map(|value| (name, value)));
        decoded.collect::<Option<Vec<_>>>().map(PathParameters)
    }

    /// Converts them into an owned map.
    pub(crate) fn into_map(self) -> BTreeMap<String, String> {
        self.0.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect()
    }

    /// The parameter with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_ref())
    }
}

fn decode_form(text: &str) -> Option<String> {
    read_segment(&text.replace('+', " ")).map(Cow::into_owned)
}
