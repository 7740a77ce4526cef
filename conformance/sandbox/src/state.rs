//! The state that all request handlers share, and where a request came from.
//!
//! It brings together the vendors, the store, the tenants and the metrics. It handles no request itself.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::http::Limits;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::vendor::{Routes, Tenants};

/// The state of a sandbox. Its replicas share it.
pub(crate) struct AppState {
    pub(crate) routes: Routes,
    pub(crate) tenants: Tenants,
    pub(crate) store: Arc<dyn Store>,
    /// The token that control calls must carry, if they need one.
    pub(crate) control_token: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
}

/// Which replica of a service serves a request. Only faults may depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReplicaId(pub(crate) u32);

/// Where a request came from, as an extension of the request. Only faults may depend on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The client's end of the connection.
    pub(crate) peer: SocketAddr,
    /// The replica whose listener received the request.
    pub(crate) replica: ReplicaId,
}
