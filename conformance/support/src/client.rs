//! A plain HTTP client that sends exactly what a test gives it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An HTTP client of one server. Clones share its connections.
#[derive(Clone)]
pub struct HttpClient {
    url: String,
    connections: Client<HttpConnector, Full<Bytes>>,
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

impl HttpClient {
    /// A client of the server at `url`, such as `http://127.0.0.1:8080`.
    pub fn new(url: impl Into<String>) -> HttpClient {
        HttpClient { url: url.into(), connections: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// The server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client of the same server with connections of its own.
    #[must_use]
    pub fn with_new_connections(&self) -> HttpClient {
        HttpClient::new(self.url.clone())
    }

    /// Sends a request.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// Sends a request to a server that may be gone; `None` if no response arrives.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Response> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        let (parts, body) = self.connections.request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// Opens a connection for raw bytes.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap()
    }

    /// Sends raw bytes over a new connection, each fragment separately. Returns the response once the server has closed
    /// the connection, or `None` if `waits` is false, after disconnecting at once.
    pub async fn send_bytes(&self, fragments: &[Vec<u8>], waits: bool) -> Option<Response> {
        let mut connection = self.connect().await;
        for fragment in fragments.iter().filter(|fragment| !fragment.is_empty()) {
            connection.write_all(fragment).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        if !waits {
            return None;
        }
        let mut read = Vec::new();
        connection.read_to_end(&mut read).await.unwrap();
        let text = String::from_utf8(read).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(|line| line.split_once(": ").unwrap());
        let headers = fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Some(Response { status, headers, body: body.to_owned().into() })
    }
}
