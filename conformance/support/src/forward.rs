//! Hands the request of a server that stands in front of another one on to that one.

use axum::extract::Request;
use axum::response::{IntoResponse, Response as ServerResponse};
use bytes::Bytes;
use http::StatusCode;

use crate::{HttpClient, Response};

/// A longer body is not handed on.
const MAX_BODY_BYTES: usize = 1 << 24;

impl HttpClient {
    /// Sends a request as it came, and returns the response without its length, and the body of the request. An error is the
    /// response to a request that did not arrive whole, as some checks want it.
    pub async fn hand_on(&self, request: Request) -> Result<(Response, Bytes), ServerResponse> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
        let body = body.map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
        let kept =
            parts.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
        let headers: Vec<(&str, &str)> =
            kept.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let path = parts.uri.to_string();
        let mut response = self.send(parts.method.as_str(), &path, &headers, &body).await;
        response.headers.remove("content-length");
        Ok((response, body))
    }
}

impl IntoResponse for Response {
    fn into_response(self) -> ServerResponse {
        (StatusCode::from_u16(self.status).unwrap(), self.headers, self.body).into_response()
    }
}
