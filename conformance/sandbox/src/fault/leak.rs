//! Faults in what an answer gives away, and in the header fields that it owes. The decision and the documented members
//! stay as they are.

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use otp_contract::{Contract, Situation};
use serde_json::Value;

use crate::http::VendorResponse;

/// What is given away or owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// The right code is in the body of the answer to a wrong one.
    CodeInBody,
    /// The right code is in a header field of the answer to a wrong one.
    CodeInHeader,
    /// The length of the right code is told.
    Length,
    /// A parser's message is told, with what was sent.
    ParserMessage,
    /// A trace of calls is told.
    Trace,
    /// A cookie is set.
    Cookie,
    /// Caches may keep the answer.
    Cacheable,
    /// A 401 names no scheme.
    NoChallenge,
    /// A 405 names no method.
    NoAllow,
}

/// What a leak knows.
pub(super) struct Secrets<'a> {
    pub(super) right: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl Leak {
    pub(super) fn shows(self, contract: &Contract) -> bool {
        match self {
            // Where there is one length only, the document tells it.
            Leak::Length => contract.verify().code.min_length < contract.verify().code.max_length,
            // No document allows any of the others, and no answer is without a place for them.
            _ => true,
        }
    }

    /// Adds to the body.
    pub(super) fn write(self, answer: &mut VendorResponse, secrets: &Secrets<'_>) {
        let Some(situation) = answer.situation else { return };
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
        if let Value::Object(members) = &mut *answer.body {
            members.insert(name.to_owned(), value);
        }
    }

    /// Changes the header fields.
    pub(super) fn write_headers(
        self,
        response: &mut Response,
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
