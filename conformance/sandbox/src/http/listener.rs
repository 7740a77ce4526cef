//! Accepts connections, speaks HTTP/1 on them, and shuts down gracefully.
//!
//! It enforces [`Limits`] and refuses requests whose framing is ambiguous. It knows nothing of what it serves: that is
//! a [`Service`].

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::connection::{Connection, RenderError};
use super::idle::CallCounter;
use super::{Limits, VendorResponse};

/// The size of hyper's read buffer, and so of the largest request head. A verify call has a few hundred bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The pause after a failed `accept`: usually the process is out of file descriptors and needs a moment.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// What a listener serves.
pub(crate) trait Service: Send + Sync + 'static {
    /// Responds to a request of the client at `peer`.
    fn respond(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response> + Send;

    /// The error response to a request that is refused because of its head alone.
    fn refuse(&self, path: &str, status: StatusCode) -> VendorResponse;
}

/// Serves until `stop` completes, and then until the calls in progress have ended or their grace period is over.
pub(crate) async fn serve(
    service: impl Service,
    listener: TcpListener,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let service = Arc::new(service);
    let render_error: Arc<RenderError> = {
        let service = Arc::clone(&service);
        Arc::new(move |path, status| service.refuse(path, status))
    };
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let mut stop = pin!(stop);
    loop {
        let accept = async {
            // `acquire_owned` fails only for a closed semaphore, and nothing closes this one.
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_BACKOFF).await;
            continue;
        };
        // Responses are small and complete; Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(stream, permit, Arc::clone(&render_error));
        let calls = Arc::new(CallCounter::default());
        let http = serve_connection(Arc::clone(&service), connection, peer, Arc::clone(&calls));
        let serving = graceful.watch(http);
        tokio::spawn(async move {
            // An error on a connection is the client's; nobody is left to report it to.
            tokio::select! {
                biased;
                _ = serving => {}
                () = calls.idle(limits.head_timeout) => {}
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.shutdown_grace, graceful.shutdown()).await;
}

fn serve_connection(
    service: Arc<impl Service>,
    connection: Connection,
    peer: SocketAddr,
    calls: Arc<CallCounter>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let service = Arc::clone(&service);
        let call = CallCounter::start_call(&calls);
        async move {
            let _call = call;
            let is_unambiguous = has_one_host(request.version(), request.headers()) && is_plain(&request);
            Ok::<_, Infallible>(match is_unambiguous {
                true => service.respond(request, peer).await,
                false => service.refuse(request.uri().path(), StatusCode::BAD_REQUEST).into_response(),
            })
        }
    });
    // No `max_headers`: hyper allows 100 by default, and with any explicit limit it allocates the list for each
    // request.
    http1::Builder::new().max_buf_size(MAX_HEAD_BYTES).serve_connection(TokioIo::new(connection), service)
}

/// Whether a request names its host as RFC 9112 §3.2 requires.
fn has_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether a body has no transfer coding other than `chunked`, the only one supported here (RFC 9112 §6.1). hyper knows
/// the exact size of every body without a transfer coding.
fn is_plain(request: &hyper::Request<Incoming>) -> bool {
    if request.body().size_hint().exact().is_some() {
        return true;
    }
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}
