//! Faults in what a response discloses, and in the header fields that it must have. This module adds to a response;
//! it must change neither the decision nor the documented members.

use axum::response::Response as HttpResponse;
use http::{HeaderName, HeaderValue, StatusCode, header};
use otp_contract::Situation;
use serde_json::Value;

use crate::http::VendorResponse;

/// What a response discloses or lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leak {
    /// The right code, in the body of the response to a wrong one.
    CodeInBody,
    /// The right code, in a header field of the response to a wrong one.
    CodeInHeader,
    /// The length of the right code.
    Length,
    /// A parser's message and the body of the request.
    ParserMessage,
    /// A stack trace.
    Trace,
    /// A cookie.
    Cookie,
    /// Permission for caches to store the response.
    Cacheable,
    /// A 401 lacks the authentication scheme.
    NoChallenge,
    /// A 405 lacks the allowed methods.
    NoAllow,
}

/// What a leak can disclose.
pub(super) struct Secrets<'a> {
    pub(super) right: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl Leak {
    /// Adds the disclosed value to the body.
    pub(super) fn extend_body(self, response: &mut VendorResponse, secrets: &Secrets<'_>) {
        let Some(situation) = response.situation else { return };
        let is_malformed = matches!(
            situation,
            Situation::MalformedBody
                | Situation::MalformedCode
                | Situation::MissingCode
                | Situation::MissingSession
        );
        let (name, value): (_, Value) = match (self, secrets.right) {
            (Leak::CodeInBody, Some(right)) if situation == Situation::WrongCode => {
                ("debug", format!("expected {right}").into())
            }
            (Leak::Length, Some(right)) if situation == Situation::WrongCode || is_malformed => {
                ("expected_length", right.len().into())
            }
            (Leak::ParserMessage, _) if is_malformed => {
                let sent = String::from_utf8_lossy(secrets.body);
                (
                    "debug",
                    format!("serde_json::Error: invalid type in `{sent}`, expected a string at line 1")
                        .into(),
                )
            }
            (Leak::Trace, _) if is_malformed => (
                "trace",
                "thread 'tokio-runtime-worker' panicked at src/verify.rs:87:14\nstack backtrace:\n   0: \
                 rust_begin_unwind\n   1: core::panicking::panic_fmt"
                    .into(),
            ),
            _ => return,
        };
        if let Value::Object(members) = &mut *response.body {
            members.insert(name.to_owned(), value);
        }
    }

    /// Adds or removes header fields.
    pub(super) fn change_headers(
        self,
        response: &mut HttpResponse,
        situation: Option<Situation>,
        secrets: &Secrets<'_>,
    ) {
        let status = response.status();
        let headers = response.headers_mut();
        match self {
            Leak::CodeInHeader if situation == Some(Situation::WrongCode) => {
                if let Some(Ok(right)) = secrets.right.map(HeaderValue::from_str) {
                    headers.insert(HeaderName::from_static("x-debug-expected"), right);
                }
            }
            Leak::Cookie => {
                headers.insert(header::SET_COOKIE, HeaderValue::from_static("session=0f3c; Path=/"));
            }
            Leak::Cacheable => {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
            }
            Leak::NoChallenge if status == StatusCode::UNAUTHORIZED => {
                headers.remove(header::WWW_AUTHENTICATE);
            }
            Leak::NoAllow if status == StatusCode::METHOD_NOT_ALLOWED => {
                headers.remove(header::ALLOW);
            }
            _ => {}
        }
    }
}
