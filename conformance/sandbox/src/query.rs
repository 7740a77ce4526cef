//! Query strings and path segments, decoded strictly: what is not UTF-8 after decoding is refused, not replaced.

use percent_encoding::percent_decode_str;

/// The pairs of a query string; `None` where one cannot be decoded.
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

/// One path segment; `None` where it cannot be decoded.
pub(crate) fn read_segment(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(Into::into)
}

fn decode_form(text: &str) -> Option<String> {
    read_segment(&text.replace('+', " "))
}
