//! What came back. An answer is kept whole, status, headers and bytes, whatever was made of it; its `Debug` never prints
//! the body or the headers, which repeat session ids and whatever else a server likes to repeat.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::vendor::Vendor;
use crate::verdict::Table;

/// The headers by which servers and gateways name a call. None is a vendor's own; those are in bodies.
const REQUEST_ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid"];

/// An HTTP answer as it was received.
#[derive(Clone)]
pub struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawAnswer {
    /// The HTTP status, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, byte for byte; at most 64 KiB.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How long the header `Retry-After` asks to wait, in either of its forms. A date is counted from the answer's own
    /// `Date`, for clocks differ; one that is over is no time at all.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let wish = text(RETRY_AFTER)?;
        // All digits: `parse` alone would take `+7` too.
        if !wish.is_empty() && wish.bytes().all(|byte| byte.is_ascii_digit()) {
            return wish.parse().ok().map(Duration::from_secs);
        }
        let until = httpdate::parse_http_date(wish).ok()?;
        let now =
            text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// The id that the vendor or a gateway gave the call.
    pub(crate) fn request_id(&self, table: &Table) -> Option<String> {
        table.request_id(&self.body).or_else(|| {
            REQUEST_ID_HEADERS
                .iter()
                .filter_map(|name| self.headers.get(*name)?.to_str().ok())
                .find(|id| !id.is_empty())
                .map(str::to_owned)
        })
    }
}

impl fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The code was approved by some vendor: every signal that the vendor's document gives for it was there, and none against
/// it. A [`Verifier`](crate::Verifier) gives it.
#[must_use]
pub struct Approval {
    pub(crate) vendor: &'static str,
    pub(crate) table: &'static Table,
    pub(crate) raw: RawAnswer,
}

impl Approval {
    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// The vendor's or a gateway's id of the call, which its support asks for: from the body where the vendor's document
    /// has one there, else from a header such as `x-request-id`.
    pub fn request_id(&self) -> Option<String> {
        self.raw.request_id(self.table)
    }

    /// The answer as it was received.
    pub fn raw(&self) -> &RawAnswer {
        &self.raw
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval")
            .field("vendor", &self.vendor)
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

/// The code was approved by this vendor. It is an [`Approval`] whose body can be read as the vendor's type.
///
/// `B` is the vendor's enum of documented bodies, such as [`zeckta::Body`](crate::zeckta::Body).
#[must_use]
pub struct Approved<B> {
    approval: Approval,
    vendor: PhantomData<fn() -> B>,
}

impl<B: Vendor> Approved<B> {
    pub(crate) fn new(raw: RawAnswer) -> Approved<B> {
        let approval = Approval { vendor: B::ID, table: B::table(), raw };
        Approved { approval, vendor: PhantomData }
    }

    /// The body as its documented type. `None` where a member that decides nothing is missing or of another type than
    /// documented: the code is used up all the same, so the approval stands.
    pub fn body(&self) -> Option<B> {
        B::decode(self.raw.status, &self.raw.body)
    }
}

impl<B> Deref for Approved<B> {
    type Target = Approval;

    fn deref(&self) -> &Approval {
        &self.approval
    }
}

impl<B> From<Approved<B>> for Approval {
    fn from(approved: Approved<B>) -> Approval {
        approved.approval
    }
}

impl<B> fmt::Debug for Approved<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.approval, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let mut answer = RawAnswer { status: 429, headers: HeaderMap::new(), body: Bytes::new() };
        for (name, value) in headers {
            answer.headers.insert(*name, value.parse().unwrap());
        }
        answer.retry_after()
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
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
