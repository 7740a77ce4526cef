//! A response before it becomes HTTP: faults can still change it, and it states the situation it responds to.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use otp_contract::Situation;
use serde_json::Value;

/// The content type of a response without a body.
pub(crate) const NO_BODY: &str = "";

/// A response in a vendor's format.
#[derive(Debug, Clone)]
pub(crate) struct VendorResponse {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The value of `Content-Type`; [`NO_BODY`] if there is no body.
    pub(crate) content_type: Cow<'static, str>,
    /// Header fields other than `Content-Type` and `Cache-Control`.
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// The body.
    pub(crate) body: ResponseBody,
    /// The name of the rendered cell; `None` if no cell covers the situation.
    pub(crate) cell: Option<Arc<str>>,
    /// The situation of the call; `None` for errors of the HTTP layer.
    pub(crate) situation: Option<Situation>,
}

/// A JSON body. One that is the same for every call is shared and serialized once; changing it makes a copy.
#[derive(Debug, Clone)]
pub(crate) struct ResponseBody {
    value: Arc<Value>,
    serialized: Option<Bytes>,
}

impl ResponseBody {
    /// A body that many responses share.
    pub(crate) fn shared(value: &Value) -> ResponseBody {
        ResponseBody { value: Arc::new(value.clone()), serialized: Some(serialize(value)) }
    }

    /// The bytes to send.
    pub(crate) fn bytes(&self) -> Bytes {
        self.serialized.clone().unwrap_or_else(|| serialize(&self.value))
    }
}

fn serialize(value: &Value) -> Bytes {
    // Serializing a `Value` to memory never fails.
    serde_json::to_vec(value).unwrap_or_default().into()
}

impl From<Value> for ResponseBody {
    fn from(value: Value) -> ResponseBody {
        ResponseBody { value: Arc::new(value), serialized: None }
    }
}

impl Deref for ResponseBody {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl DerefMut for ResponseBody {
    fn deref_mut(&mut self) -> &mut Value {
        self.serialized = None;
        Arc::make_mut(&mut self.value)
    }
}

impl VendorResponse {
    /// An error response that no cell covers: the contract's refusal with the reason phrase and the status filled in.
    pub(crate) fn refusal(template: &Value, status: StatusCode) -> VendorResponse {
        VendorResponse::refusal_with_reason(template, status, status.canonical_reason().unwrap_or("Refused"))
    }

    /// Like [`VendorResponse::refusal`], with another reason than the status's own.
    pub(crate) fn refusal_with_reason(template: &Value, status: StatusCode, reason: &str) -> VendorResponse {
        let mut body = template.clone();
        fill_placeholders(&mut body, status, reason);
        VendorResponse {
            status: status.as_u16(),
            content_type: Cow::Borrowed("application/json"),
            headers: Vec::new(),
            body: body.into(),
            cell: None,
            situation: None,
        }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: String) -> VendorResponse {
        self.headers.push((name, value));
        self
    }
}

fn fill_placeholders(value: &mut Value, status: StatusCode, reason: &str) {
    match value {
        Value::String(text) if text == "$reason" => *value = reason.into(),
        Value::String(text) if text == "$status" => *value = status.as_u16().into(),
        Value::Array(elements) => {
            for element in elements {
                fill_placeholders(element, status, reason);
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                fill_placeholders(member, status, reason);
            }
        }
        _ => {}
    }
}

impl IntoResponse for VendorResponse {
    fn into_response(self) -> Response {
        let body = if self.content_type == NO_BODY { Bytes::new() } else { self.body.bytes() };
        let mut response = Response::new(body.into());
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let content_type = match self.content_type {
            Cow::Borrowed(text) => HeaderValue::from_static(text),
            Cow::Owned(text) => HeaderValue::from_str(&text)
                .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
        };
        if content_type != NO_BODY {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        // A response belongs to one attempt; a cached copy would be wrong for any other.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        response
    }
}
