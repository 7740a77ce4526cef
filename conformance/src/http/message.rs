//! Requests and responses as they are on the wire.

use bytes::Bytes;
use http::HeaderMap;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawRequest {
    /// The method.
    pub(crate) method: String,
    /// Scheme, authority, path and query.
    pub(crate) url: String,
    /// The header fields, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub(crate) body: Option<Vec<u8>>,
}

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct RawResponse {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The header fields.
    pub(crate) headers: HeaderMap,
    /// The body, at most a mebibyte.
    pub(crate) body: Bytes,
}

impl RawResponse {
    /// The media type without its parameters, in lower case.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}

/// The beginning of a body on one line, with every control character spelled.
pub(crate) fn beginning(body: &[u8]) -> String {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(body);
    let shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    let rest = if text.chars().count() > MOST { "…" } else { "" };
    format!("{shown}{rest}")
}

/// A request and its response.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The request, with masked secrets if it is meant for a report.
    pub(crate) request: RawRequest,
    /// The response.
    pub(crate) response: RawResponse,
}
