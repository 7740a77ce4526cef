//! An HTTP response as received: status, headers and body, whatever the classification makes of it.
//!
//! `Debug` never prints the body or the headers, because servers repeat session ids and other parts of the request in
//! them.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use super::ResponseTable;

/// The headers in which servers and gateways send the id of a call. No vendor documents one; their ids are in bodies.
const REQUEST_ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid"];

/// An HTTP response as received.
#[derive(Clone)]
pub struct RawResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawResponse {
    /// The HTTP status, from 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The unmodified body, at most 64 KiB.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The delay in the `Retry-After` header, in either of its forms.
    ///
    /// A date is relative to the response's own `Date`, because clocks differ. A date in the past is a delay of zero.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.headers.get(name).and_then(|header| header.to_str().ok()).map(str::trim);
        let value = text(RETRY_AFTER)?;
        // `parse` alone would accept `+7`.
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return value.parse().ok().map(Duration::from_secs);
        }
        let until = httpdate::parse_http_date(value).ok()?;
        let now =
            text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// The id that the vendor or a gateway assigned to the call.
    pub(crate) fn request_id(&self, table: &ResponseTable) -> Option<String> {
        table.request_id(&self.body).or_else(|| {
            REQUEST_ID_HEADERS
                .iter()
                .filter_map(|name| self.headers.get(*name)?.to_str().ok())
                .find(|id| !id.is_empty())
                .map(str::to_owned)
        })
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let mut response = RawResponse { status: 429, headers: HeaderMap::new(), body: Bytes::new() };
        for (name, value) in headers {
            response.headers.insert(*name, value.parse().unwrap());
        }
        response.retry_after()
    }

    #[test]
    fn retry_after_is_parsed_in_both_forms() {
        assert_eq!(wait(&[("retry-after", " 120 ")]), Some(Duration::from_secs(120)));
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]),
            Some(Duration::from_secs(30))
        );
        assert_eq!(wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), Some(Duration::ZERO));
        for other in ["", "-1", "+1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(wait(&[("retry-after", other)]), None, "{other}");
        }
        assert_eq!(wait(&[]), None);
    }
}
