//! Dispatches each request of a listener to the vendors, the control protocol or the monitoring endpoints.
//!
//! It knows which of them a listener serves and whether vendors have faults; everything else it leaves to their
//! modules.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::fault::FaultLayer;
use crate::http::{RequestBody, Service, VendorResponse};
use crate::state::{AppState, Origin, ReplicaId};
use crate::{control, handler, metrics};

/// The path prefixes that no vendor may use.
const RESERVED_PREFIXES: [&str; 3] = ["/_control/", "/healthz", "/metrics"];

/// All vendors, with their faults.
#[derive(Clone)]
pub(crate) struct Vendors {
    pub(crate) state: Arc<AppState>,
    /// `None` for a sandbox without faults.
    pub(crate) faults: Option<Arc<FaultLayer>>,
}

impl Vendors {
    async fn respond<B: RequestBody>(&self, request: http::Request<B>) -> Response {
        match &self.faults {
            None => {
                let started = Instant::now();
                let (parts, body) = request.into_parts();
                let (adapter, response) = handler::respond(&self.state, &parts, body).await;
                handler::record(&self.state, adapter, &response, started.elapsed());
                response.into_response()
            }
            Some(faults) => faults.serve(&self.state, request).await,
        }
    }
}

/// What one listener serves.
#[derive(Clone, Copy)]
pub(crate) struct Endpoints {
    pub(crate) vendors: bool,
    pub(crate) control: bool,
    pub(crate) monitoring: bool,
}

/// An axum router of `endpoints`.
pub(crate) fn router(vendors: &Vendors, endpoints: Endpoints) -> Router {
    let mut router = Router::new();
    if endpoints.control {
        router = router.merge(control::router());
    }
    if endpoints.monitoring {
        router = router.merge(monitoring());
    }
    let router = router.with_state(Arc::clone(&vendors.state));
    if !endpoints.vendors {
        return router;
    }
    let vendors = vendors.clone();
    router.fallback(move |request: Request| {
        let vendors = vendors.clone();
        async move { vendors.respond(request).await }
    })
}

fn monitoring() -> Router<Arc<AppState>> {
    let metrics = |State(state): State<Arc<AppState>>| async move {
        ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], state.metrics.text())
    };
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/metrics", get(metrics))
}

/// The service of one listener.
pub(crate) struct ListenerService {
    /// The vendors, if they are served. They bypass the router, whose layers would take as long as the whole call.
    vendors: Option<Vendors>,
    router: Router,
    replica: ReplicaId,
}

impl ListenerService {
    pub(crate) fn new(vendors: &Vendors, endpoints: Endpoints, replica: ReplicaId) -> ListenerService {
        ListenerService {
            router: router(vendors, endpoints),
            vendors: endpoints.vendors.then(|| vendors.clone()),
            replica,
        }
    }

    /// The vendors, if `path` can be theirs.
    fn vendors_at(&self, path: &str) -> Option<&Vendors> {
        let is_reserved = RESERVED_PREFIXES.iter().any(|prefix| path.starts_with(prefix));
        self.vendors.as_ref().filter(|_| !is_reserved)
    }
}

impl Service for ListenerService {
    async fn respond(&self, mut request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
        if let Some(vendors) = self.vendors_at(request.uri().path()) {
            if vendors.faults.is_some() {
                request.extensions_mut().insert(Origin { peer, replica: self.replica });
            }
            return vendors.respond(request).await;
        }
        let request = request.map(axum::body::Body::new);
        let response: Result<Response, Infallible> = self.router.clone().call(request).await;
        response.unwrap_or_else(|never| match never {})
    }

    fn refuse(&self, path: &str, status: StatusCode) -> VendorResponse {
        let Some(vendors) = self.vendors_at(path) else {
            return VendorResponse::refusal(&serde_json::json!({"error": "$reason"}), status);
        };
        let (adapter, response) = handler::refuse(&vendors.state, path, status);
        handler::record(&vendors.state, adapter, &response, Duration::ZERO);
        response
    }
}
