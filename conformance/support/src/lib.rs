//! What the tests of several packages share: sandboxes on loopback, an HTTP client, a client of the control protocol,
//! and Redis servers and clusters.
//!
//! It may use the contracts and the sandbox, and never the suite or the client library, whose tests use it. Everything
//! here panics on failure, as a test does.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure of the support fails the test"
)]

mod arbitrary_request;
mod client;
mod contracts;
mod control;
mod forward;
mod redis_cluster;
mod redis_server;
mod server;
mod tenant;

pub use self::arbitrary_request::check_arbitrary_request;
pub use self::client::{HttpClient, Response};
pub use self::contracts::contracts;
pub use self::control::ControlClient;
pub use self::redis_cluster::{RedisCluster, wait_until};
pub use self::redis_server::RedisServer;
pub use self::server::{TestServer, serve_replica, serve_router};
pub use self::tenant::Tenant;
