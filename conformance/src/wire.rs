//! Requests as they are, and what comes back. The wire adds nothing and follows nothing: what a check wants to send is
//! what the subject sees.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use crate::pieces::Pieces;

/// How long one exchange may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The most of an answer that is read, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// A request, as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// The method.
    pub method: String,
    /// Scheme, authority, path and query.
    pub url: String,
    /// The header fields, in order.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Vec<u8>>,
}

/// An answer, as it came.
#[derive(Debug, Clone)]
pub struct RawResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, at most a mebibyte of it.
    pub body: Bytes,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was sent, with masked secrets where it is meant for a report.
    pub request: RawRequest,
    /// What came back.
    pub response: RawResponse,
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It is no request: a part of it cannot stand in HTTP.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// There is nobody to send it to.
    #[error("no connection: {0}")]
    Unreached(String),
    /// The connection broke.
    #[error("no answer: {0}")]
    Broken(String),
    /// The answer is longer than is read.
    #[error("the answer is longer than {ANSWER_LIMIT} bytes")]
    TooLong,
    /// The answer took too long.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
}

/// A body as it goes out: at once, or in pieces.
type Outgoing = Either<Full<Bytes>, Pieces>;

/// A pool of connections, and a count of what went over them.
pub struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Outgoing>,
    sent: AtomicU64,
}

impl Wire {
    /// A wire. With `tls`, certificates are verified as this system does; without, only `http` works.
    pub fn new(tls: bool) -> Result<Wire, String> {
        Wire::with_idle(tls, usize::MAX)
    }

    /// A wire that opens a connection for every request. Slow, and proof against a server that closes connections
    /// without saying so.
    pub fn fresh(tls: bool) -> Result<Wire, String> {
        Wire::with_idle(tls, 0)
    }

    fn with_idle(tls: bool, idle: usize) -> Result<Wire, String> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = if tls {
            builder
                .with_provider_and_platform_verifier(provider)
                .map_err(|error| format!("the system's certificates cannot be used: {error}"))?
        } else {
            let config = ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config)
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(PATIENCE));
        let connector = builder.https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build(connector);
        Ok(Wire { client, sent: AtomicU64::new(0) })
    }

    /// How many requests were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request and reads its answer.
    pub async fn send(&self, request: &RawRequest) -> Result<(RawResponse, Duration), WireError> {
        let body = request.body.clone().unwrap_or_default();
        self.exchange(request, Either::Left(Full::new(Bytes::from(body)))).await
    }

    /// Sends a request with its body in `pieces`, and reads its answer.
    pub(crate) async fn send_pieces(
        &self,
        request: &RawRequest,
        pieces: Pieces,
    ) -> Result<RawResponse, WireError> {
        self.exchange(request, Either::Right(pieces)).await.map(|(response, _)| response)
    }

    async fn exchange(
        &self,
        request: &RawRequest,
        body: Outgoing,
    ) -> Result<(RawResponse, Duration), WireError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|error| WireError::Unsendable(error.to_string()))?;
        let mut builder = Request::builder().method(method).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let outgoing = builder.body(body).map_err(|error| WireError::Unsendable(error.to_string()))?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, async {
            let response = self.client.request(outgoing).await.map_err(|error| match error.is_connect() {
                true => WireError::Unreached(innermost(&error)),
                false => WireError::Broken(innermost(&error)),
            })?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await;
            let body = body
                .map_err(|error| match error.is::<LengthLimitError>() {
                    true => WireError::TooLong,
                    false => WireError::Broken(error.to_string()),
                })?
                .to_bytes();
            Ok(RawResponse { status: parts.status.as_u16(), headers: parts.headers, body })
        });
        let response = answer.await.map_err(|_| WireError::Late)??;
        Ok((response, started.elapsed()))
    }
}

/// The innermost cause: the outer ones only say that a client failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl RawResponse {
    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}
