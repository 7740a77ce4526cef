//! Assembles a sandbox from its settings and serves it on listeners.
//!
//! May use everything else in this crate. It must not handle a request itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use otp_contract::Contract;
use tokio::net::TcpListener;

use crate::engine::Secret;
use crate::fault::{Effect, Fault, FaultLayer, SessionDefect, StoreDefect};
use crate::http::{self, Limits};
use crate::metrics::Metrics;
use crate::service::{self, Endpoints, ListenerService, Vendors};
use crate::state::{AppState, ReplicaId};
use crate::store::{MemoryStore, RedisStore, ReplicaSuffix, Store};
use crate::vendor::{Preferences, Routes, Tenants, ids};

/// How to start a sandbox.
#[derive(Default)]
pub struct Settings {
    /// The APIs to serve.
    pub contracts: Vec<Contract>,
    /// The choices to make where a contract leaves one: cells as `vendor/cell`, and orders as
    /// `vendor/boundary=attempts_exhausted` or `vendor/precedence=expired`.
    pub prefer: Vec<String>,
    /// Deliberate defects.
    pub faults: Vec<&'static Fault>,
    /// The token that control calls must carry; `None` for no token.
    pub control_token: Option<String>,
    /// Where to store sessions; `None` for this process's memory.
    pub backend: Option<Backend>,
    /// Limits on what clients may use.
    pub limits: Limits,
}

/// A store, and the secret of the service that uses it.
pub struct Backend {
    store: Arc<dyn Store>,
    secret: Secret,
    /// Whether the store itself implements the faults that span replicas.
    spans_replicas: bool,
}

impl Backend {
    /// An empty store in this process's memory; `None` if the system provides no randomness.
    pub fn memory() -> Option<Backend> {
        let secret = Secret::random()?;
        Some(Backend { store: Arc::new(MemoryStore::new(secret.clone())), secret, spans_replicas: false })
    }

    /// Sessions in Redis. `faults` are those of the sandbox: some of them make replicas diverge, which the store has to
    /// implement.
    pub fn redis(store: RedisStore, faults: &[&'static Fault]) -> Option<Backend> {
        let secret = store.secret();
        let unique = ids::generate("-{hex:8}")?;
        let suffix_for = |effect| {
            let is_active = faults.iter().any(|fault| fault.effect == effect);
            if is_active { unique.clone() } else { String::new() }
        };
        let suffix = ReplicaSuffix {
            counts: suffix_for(Effect::Storage(StoreDefect::CountPerReplica)),
            used: suffix_for(Effect::Decision(SessionDefect::UsePerReplica)),
        };
        Some(Backend { store: Arc::new(store.with_replica_suffix(suffix)), secret, spans_replicas: true })
    }
}

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No contract has this cell.
    #[error(
        "no contract that is served has a cell `{0}`; name one as vendor/cell, such as exotel/approved_wrapped"
    )]
    UnknownCell(String),
    /// Two operations cannot be distinguished by their paths.
    #[error("the path {path} of {vendor} cannot be served beside the others: {reason}")]
    Path {
        /// The path.
        path: String,
        /// The vendor's id.
        vendor: String,
        /// The router's reason.
        reason: String,
    },
    /// The system provides no random bytes.
    #[error("the system provides no random bytes for keys and ids")]
    Randomness,
}

/// A sandbox that is ready to serve. Clones share sessions and tenants: served on several listeners, they are replicas
/// of one service.
#[derive(Clone)]
pub struct Sandbox {
    vendors: Vendors,
    replica: ReplicaId,
}

/// A future without a type of its own.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The pause between two sweeps of a part of the store.
const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

impl Sandbox {
    /// Prepares a sandbox.
    pub fn new(mut settings: Settings) -> Result<Sandbox, SandboxError> {
        let preferences = Preferences::apply(settings.prefer, &mut settings.contracts)
            .map_err(SandboxError::UnknownCell)?;
        let routes = Routes::new(settings.contracts, &preferences).map_err(|conflict| {
            SandboxError::Path { path: conflict.path, vendor: conflict.vendor, reason: conflict.reason }
        })?;
        let backend = match settings.backend {
            Some(backend) => backend,
            None => Backend::memory().ok_or(SandboxError::Randomness)?,
        };
        let (store, faults) = FaultLayer::around(backend.store, settings.faults, backend.spans_replicas);
        let metrics = Metrics::new(
            routes.adapters().iter().map(|adapter| (adapter.contract.vendor.as_str(), adapter.operation())),
        );
        let state = AppState {
            routes,
            tenants: Tenants::new(backend.secret),
            store,
            control_token: settings.control_token,
            limits: settings.limits,
            metrics,
        };
        let vendors = Vendors { state: Arc::new(state), faults: faults.map(Arc::new) };
        Ok(Sandbox { vendors, replica: ReplicaId::default() })
    }

    /// The replica of this service with the given number. Faults that span replicas distinguish them; nothing else
    /// does.
    #[must_use]
    pub fn replica(&self, number: u32) -> Sandbox {
        Sandbox { vendors: self.vendors.clone(), replica: ReplicaId(number) }
    }

    /// The vendors, the control protocol, health and metrics as an axum router, for callers with a server of their own.
    pub fn router(&self) -> Router {
        service::router(&self.vendors, Endpoints { vendors: true, control: true, monitoring: true })
    }

    /// Serves the vendors, the control protocol, health and metrics on `listener` until `stop` completes.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let endpoints = Endpoints { vendors: true, control: true, monitoring: true };
        self.serve_endpoints(endpoints, listener, Box::pin(stop)).await;
    }

    /// Serves the vendors, health and metrics, but no control protocol: clients cannot issue codes.
    pub async fn serve_without_control(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let endpoints = Endpoints { vendors: true, control: false, monitoring: true };
        self.serve_endpoints(endpoints, listener, Box::pin(stop)).await;
    }

    /// Serves the vendors alone: clients of this listener cannot issue codes.
    pub async fn serve_vendors(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let endpoints = Endpoints { vendors: true, control: false, monitoring: false };
        self.serve_endpoints(endpoints, listener, Box::pin(stop)).await;
    }

    /// Serves the control protocol, health and metrics, but no vendors.
    pub async fn serve_control(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let endpoints = Endpoints { vendors: false, control: true, monitoring: true };
        self.serve_endpoints(endpoints, listener, Box::pin(stop)).await;
    }

    /// Boxed, so that the server is compiled in this crate, with its optimisations, and not in the crate that awaits it.
    fn serve_endpoints(self, endpoints: Endpoints, listener: TcpListener, stop: Task) -> Task {
        Box::pin(async move {
            let service = ListenerService::new(&self.vendors, endpoints, self.replica);
            http::serve(service, listener, self.vendors.state.limits, stop).await;
        })
    }

    /// Deletes sessions whose retention is over, a few at a time, for as long as it is polled.
    pub async fn sweep(&self) {
        let mut interval = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            interval.tick().await;
            self.vendors.state.store.sweep();
        }
    }

    /// A new tenant of a vendor, as the control protocol represents it: its id, the parameters that name its account,
    /// and its credentials. `None` if the vendor is not served or the system provides no randomness.
    pub fn tenant(&self, vendor: &str) -> Option<serde_json::Value> {
        let state = &self.vendors.state;
        let contract = state.routes.contract(vendor)?;
        state.tenants.create(contract).map(|tenant| tenant.json())
    }
}
