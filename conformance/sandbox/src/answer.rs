//! An answer before it becomes HTTP: faults can still change it, and it knows which situation it is about.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use otp_contract::Situation;
use serde_json::Value;

/// An answer of the sandbox.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Header fields besides `Content-Type` and `Cache-Control`.
    pub headers: Vec<(HeaderName, String)>,
    /// The body.
    pub body: Body,
    /// The name of the cell that was rendered; `None` where no cell covers the situation.
    pub cell: Option<Arc<str>>,
    /// The situation that is answered; `None` for refusals of the HTTP layer.
    pub situation: Option<Situation>,
}

/// A body. One that is the same for every call is shared, and written once; whoever changes it gets a copy.
#[derive(Debug, Clone)]
pub struct Body {
    value: Arc<Value>,
    written: Option<Bytes>,
}

impl Body {
    /// A body that every call gets.
    pub(crate) fn shared(value: &Value) -> Body {
        Body { value: Arc::new(value.clone()), written: Some(written(value)) }
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> Bytes {
        self.written.clone().unwrap_or_else(|| written(&self.value))
    }
}

fn written(value: &Value) -> Bytes {
    // Writing a value to memory does not fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

impl From<Value> for Body {
    fn from(value: Value) -> Body {
        Body { value: Arc::new(value), written: None }
    }
}

impl Deref for Body {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl DerefMut for Body {
    fn deref_mut(&mut self) -> &mut Value {
        self.written = None;
        Arc::make_mut(&mut self.value)
    }
}

impl Answer {
    /// A refusal that no cell covers: the contract's body with the reason phrase and the number filled in.
    pub(crate) fn refusal(body: &Value, status: StatusCode) -> Answer {
        Answer::refusal_saying(body, status, status.canonical_reason().unwrap_or("Refused"))
    }

    /// The same with another reason.
    pub(crate) fn refusal_saying(body: &Value, status: StatusCode, reason: &str) -> Answer {
        let mut body = body.clone();
        fill(&mut body, status, reason);
        Answer {
            status: status.as_u16(),
            content_type: "application/json",
            headers: Vec::new(),
            body: body.into(),
            cell: None,
            situation: None,
        }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: String) -> Answer {
        self.headers.push((name, value));
        self
    }
}

fn fill(value: &mut Value, status: StatusCode, reason: &str) {
    match value {
        Value::String(text) if text == "$reason" => {
            *value = reason.into();
        }
        Value::String(text) if text == "$status" => *value = status.as_u16().into(),
        Value::Array(elements) => elements.iter_mut().for_each(|element| fill(element, status, reason)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, status, reason)),
        _ => {}
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.bytes().into());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // An answer is about one attempt; a cache that gave it to another would be wrong either way.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        response
    }
}
