//! A plain HTTP client for tests that talk to a server themselves.

use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The client.
pub(crate) struct RawClient(Client<HttpConnector, Full<Bytes>>);

impl RawClient {
    pub(crate) fn new() -> RawClient {
        RawClient(Client::builder(TokioExecutor::new()).build_http())
    }

    /// Sends a request; `None` if no response arrives.
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Option<Response> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let (parts, body) = self.0.request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}
