//! Connections: who may open how many, how long a caller may take over a request's head, and how a server ends that is
//! told to. It knows HTTP's frame and nothing of what is served.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use self::line::{Line, Refusal, Refuse};
use crate::answer::Answer;
use crate::server::{self, Replica, Shared};

mod line;

/// What callers may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a request's head may take, and how long a connection may be idle before one begins.
    pub head_time: Duration,
    /// How long a request's body may take.
    pub body_time: Duration,
    /// How many connections are open at a time; more wait to be accepted.
    pub connections: usize,
    /// How long answers in flight may take once the server is told to end.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(10),
            connections: 16_384,
            farewell: Duration::from_secs(10),
        }
    }
}

/// The most of a request's head that is read, in bytes; a verify call has some hundred.
const HEAD_LIMIT: usize = 16 * 1024;

/// How long is waited before the next connection is accepted when the system has no room for one.
const BREATH: Duration = Duration::from_millis(50);

/// What is served: the vendors, or a router, or both.
pub(crate) struct Services {
    /// The vendors. They are many and their answers few, so they do not pass through the router, whose layers would take
    /// as long as the answer.
    pub(crate) vendors: Option<Arc<Shared>>,
    /// Everything else.
    pub(crate) router: Router,
}

impl Services {
    async fn answer(&self, mut request: hyper::Request<Incoming>, origin: Origin) -> Response {
        let path = request.uri().path();
        if !is_for_one_host(request.version(), request.headers()) || !is_plain(&request) {
            return self.refusal(path, StatusCode::BAD_REQUEST).into_response();
        }
        if let Some(vendors) = self.vendors_of(path) {
            if vendors.has_faults() {
                request.extensions_mut().insert(origin);
            }
            return server::serve_vendor(vendors, request).await;
        }
        let request = request.map(axum::body::Body::new);
        let answered: Result<Response, Infallible> = self.router.clone().call(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    /// The vendors, where the path is theirs.
    fn vendors_of(&self, path: &str) -> Option<&Shared> {
        let is_apart = APART.iter().any(|start| path.starts_with(start));
        self.vendors.as_deref().filter(|_| !is_apart)
    }

    /// The refusal of a request whose head says all that is known of it.
    fn refusal(&self, path: &str, status: StatusCode) -> Answer {
        match self.vendors_of(path) {
            Some(vendors) => {
                let (vendor, answer) = vendors.refusal(path, status);
                vendors.note(vendor, &answer, Duration::ZERO);
                answer
            }
            None => Answer::refusal(&serde_json::json!({"error": "$reason"}), status),
        }
    }
}

/// Whether it is beyond doubt for whom a request is (RFC 9112 §3.2).
fn is_for_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether a body is coded in no other way than `chunked`, which is the only one known here (RFC 9112 §6.1). The library
/// knows the length of any body that is not coded.
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

/// Where a request comes from. Some faults go by the connection, and some by the replica; nothing else may ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
    /// The replica on whose listener it arrived.
    pub(crate) replica: Replica,
}

/// The beginnings of paths that are no vendor's.
const APART: [&str; 3] = ["/_control/", "/healthz", "/metrics"];

/// Serves until `stop` is done, and then until the answers in flight are sent.
pub(crate) async fn serve(
    services: Services,
    listener: TcpListener,
    replica: Replica,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let services = Arc::new(services);
    let refuse: Arc<Refuse> = {
        let services = Arc::clone(&services);
        Arc::new(move |path, status| {
            let answer = services.refusal(path, status);
            Refusal { content_type: answer.content_type, body: answer.body.bytes() }
        })
    };
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            // Nobody closes it.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((connection, peer)) => {
                let calls = Arc::new(Calls::default());
                let origin = Origin { peer, replica };
                let line = line(connection, place, Arc::clone(&refuse));
                let served = connected(Arc::clone(&services), line, origin, Arc::clone(&calls));
                let serving = graceful.watch(served);
                tokio::spawn(async move {
                    // What goes wrong on a connection is the other side's; there is nobody left to tell.
                    tokio::select! {
                        biased;
                        _ = serving => {}
                        () = calls.cease(limits.head_time) => {}
                    }
                });
            }
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.farewell, graceful.shutdown()).await;
}

/// The calls of one connection. A caller that begins none for too long, whether it is silent or sends a head that does
/// not end, is hung up on. This is looked at now and then: a timer for each call would take a tenth of the server's time.
#[derive(Default)]
struct Calls {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Calls {
    fn begin(calls: &Arc<Calls>) -> Begun {
        calls.begun.fetch_add(1, Ordering::Relaxed);
        Begun(Arc::clone(calls))
    }

    /// Done when no call was begun for `patience`, and none is under way; at the latest after twice that time.
    async fn cease(&self, patience: Duration) {
        let mut looks = tokio::time::interval(patience);
        looks.tick().await;
        loop {
            let seen = self.begun.load(Ordering::Relaxed);
            looks.tick().await;
            let begun = self.begun.load(Ordering::Relaxed);
            if begun == seen && self.ended.load(Ordering::Relaxed) == begun {
                return;
            }
        }
    }
}

/// A call that is under way; it is over as well when its caller hangs up.
struct Begun(Arc<Calls>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

fn line(connection: TcpStream, place: Option<OwnedSemaphorePermit>, refuse: Arc<Refuse>) -> Line {
    // Answers are small and wanted at once: Nagle's algorithm would only delay them.
    let _ = connection.set_nodelay(true);
    Line::new(connection, place, refuse)
}

fn connected(
    services: Arc<Services>,
    line: Line,
    origin: Origin,
    calls: Arc<Calls>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send {
    let service = service_fn(move |request| {
        let services = Arc::clone(&services);
        let call = Calls::begin(&calls);
        async move {
            let _call = call;
            Ok::<_, Infallible>(services.answer(request, origin).await)
        }
    });
    // As many header fields as the library takes: 100, and to ask for fewer has it clear the room for them each time.
    http1::Builder::new().max_buf_size(HEAD_LIMIT).serve_connection(TokioIo::new(line), service)
}
