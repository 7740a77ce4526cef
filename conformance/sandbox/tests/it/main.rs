//! The sandbox as a server on loopback, and its engine and stores without one.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod concurrency;
mod control;
mod engine;
mod hostile_clients;
mod redis;
mod redis_cluster;
mod refusals;
mod robustness;
mod stores;
