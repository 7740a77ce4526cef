//! How much time and how many connections clients get.

use std::time::Duration;

/// Limits on what clients may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a connection may stay without a complete request head: while it is idle, or while a head arrives.
    pub head_timeout: Duration,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    /// How many connections may be open at a time; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long the server waits for calls in progress when it shuts down.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            max_connections: 16_384,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
