//! An HTTP client that sends a request exactly as it is given, once, and follows no redirect.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{Method, Request};
use http_body_util::{BodyExt, Either, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::connector::{TlsConnector, with_tls};
use super::environment::Environment;
use super::pace::Pace;
use super::tls::Tls;
use super::{FragmentedBody, RawRequest, RawResponse, extra_header};

/// How much of a response body the client reads. A longer one is judged by its beginning: a server that repeats a large
/// request in its refusal has still refused it.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What the message of [`HttpError::Limited`] begins with. Reports recognise the trouble by it.
pub(crate) const LIMITS_CALLS: &str = "the target limits calls";

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    /// A part of the request is not valid HTTP, so it was not sent.
    #[error("the request cannot be sent: {0}")]
    InvalidRequest(String),
    /// No connection was made, so nothing was sent.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// The connection ended before the response did.
    #[error("no response: {0}")]
    Disconnected(String),
    /// Something limits or blocks calls, so that the response says nothing about the server.
    #[error("{LIMITS_CALLS}: {0}")]
    Limited(String),
    /// The response did not arrive in time.
    #[error("no response within {} (see --timeout)", humantime::format_duration(*.0))]
    TimedOut(Duration),
}

/// A request body: in one piece, or in fragments.
type Outgoing = Either<Full<Bytes>, FragmentedBody>;

/// An exchange in progress: the response, and the time that it took.
type Exchanging<'c> = Pin<Box<dyn Future<Output = Result<(RawResponse, Duration), HttpError>> + Send + 'c>>;

/// A pool of connections, and the number of requests sent over them.
pub(crate) struct HttpClient {
    client: Client<TlsConnector, Outgoing>,
    environment: Arc<Environment>,
    sent: AtomicU64,
    /// How many responses have arrived, and how many microseconds they took in total.
    responses: AtomicU64,
    micros: AtomicU64,
}

impl HttpClient {
    /// A client that keeps connections open.
    pub(crate) fn pooled(environment: &Arc<Environment>, tls: &Tls) -> HttpClient {
        HttpClient::with_idle(environment, tls, usize::MAX)
    }

    /// A client that opens a connection for every request: slow, but unaffected by a server that closes idle connections
    /// without notice.
    pub(crate) fn unpooled(environment: &Arc<Environment>, tls: &Tls) -> HttpClient {
        HttpClient::with_idle(environment, tls, 0)
    }

    fn with_idle(environment: &Arc<Environment>, tls: &Tls, idle: usize) -> HttpClient {
        let connector = with_tls(environment, tls);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build(connector);
        let (environment, zero) = (Arc::clone(environment), AtomicU64::default);
        HttpClient { client, environment, sent: zero(), responses: zero(), micros: zero() }
    }

    /// The pace of its requests.
    pub(crate) fn pace(&self) -> &Pace {
        self.environment.pace()
    }

    /// How many requests the client has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many responses have arrived, and how long they took in total.
    pub(crate) fn responses(&self) -> (u64, Duration) {
        let micros = self.micros.load(Ordering::Relaxed);
        (self.responses.load(Ordering::Relaxed), Duration::from_micros(micros))
    }

    /// Sends a request and reads the response; also returns the time between the two.
    pub(crate) async fn send(&self, request: &RawRequest) -> Result<(RawResponse, Duration), HttpError> {
        let body = request.body.clone().unwrap_or_default();
        self.exchange(request, Either::Left(Full::new(Bytes::from(body)))).await
    }

    /// Sends a request with its body in `fragments`, and reads the response.
    pub(crate) async fn send_fragmented(
        &self,
        request: &RawRequest,
        fragments: FragmentedBody,
    ) -> Result<RawResponse, HttpError> {
        self.exchange(request, Either::Right(fragments)).await.map(|(response, _)| response)
    }

    /// Boxed, so that the many futures of the checks do not each contain the state of the whole HTTP client.
    fn exchange<'c>(&'c self, request: &'c RawRequest, body: Outgoing) -> Exchanging<'c> {
        Box::pin(self.exchange_once(request, body))
    }

    async fn exchange_once(
        &self,
        request: &RawRequest,
        body: Outgoing,
    ) -> Result<(RawResponse, Duration), HttpError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|error| HttpError::InvalidRequest(error.to_string()))?;
        let (uri, added) = self.environment.locate(&request.url).map_err(HttpError::InvalidRequest)?;
        let mut builder = Request::builder().method(method).uri(uri);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        for (name, value) in added {
            // A check that sets a field itself knows why.
            if !request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name.as_str())) {
                builder = builder.header(name, value);
            }
        }
        let outgoing = builder.body(body).map_err(|error| HttpError::InvalidRequest(error.to_string()))?;
        let pace = self.environment.pace();
        pace.ready().await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let exchange = tokio::time::timeout(pace.timeout(), async {
            let response = self.client.request(outgoing).await.map_err(|error| match error.is_connect() {
                true => HttpError::NotConnected(innermost(&error)),
                false => HttpError::Disconnected(innermost(&error)),
            })?;
            let (parts, body) = response.into_parts();
            let body = beginning(body).await?;
            let mut response = RawResponse { status: parts.status.as_u16(), headers: parts.headers, body };
            extra_header::hide(self.environment.headers(), &mut response);
            Ok(response)
        });
        let response = exchange.await.map_err(|_| HttpError::TimedOut(pace.timeout()))??;
        let elapsed = started.elapsed();
        self.responses.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok((response, elapsed))
    }
}

/// The body, or as much of it as the client reads.
async fn beginning(mut body: hyper::body::Incoming) -> Result<Bytes, HttpError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpError::Disconnected(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            let left = MAX_BODY_BYTES - read.len();
            read.extend_from_slice(&data[..data.len().min(left)]);
            if read.len() == MAX_BODY_BYTES {
                break;
            }
        }
    }
    Ok(read.freeze())
}

/// The innermost cause. The outer ones only say that a client failed.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
