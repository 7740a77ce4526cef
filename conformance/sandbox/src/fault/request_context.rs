//! What a defect needs to know of a request beyond the attempt that the store gets. The fault layer sets it for the
//! task that serves the request, and the faulty store reads it. It must hold no HTTP types.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::state::ReplicaId;

/// The circumstances of one request.
#[derive(Debug, Default)]
pub(super) struct RequestContext {
    /// The other end of the connection.
    pub(super) peer: Option<SocketAddr>,
    /// The replica that serves the request.
    pub(super) replica: ReplicaId,
    /// The value of `X-Forwarded-For`.
    pub(super) forwarded: Option<String>,
    /// Whether the code in the request was spelled differently from the one that is compared.
    pub(super) is_respelled: bool,
    /// Set by the store if the session belongs to another tenant.
    pub(super) is_foreign: AtomicBool,
}

tokio::task_local! {
    /// The context of the request that the task serves.
    pub(super) static REQUEST_CONTEXT: Arc<RequestContext>;
}
