//! The sandbox as a server on loopback, and its engine without one.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod cluster_house;
mod concurrency;
mod control;
mod engine;
mod harness;
mod hostile;
#[expect(dead_code, reason = "the fault scenarios of the suite use the rest")]
mod house;
mod redis;
mod redis_cluster;
mod redis_house;
mod refusals;
mod stores;
mod wild;
