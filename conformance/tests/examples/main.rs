//! The example servers, each in a process of its own, and the stubs that `init control` prints for their frameworks.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod readme;
#[path = "../it/samples.rs"]
mod samples;
mod server;
mod servers;
mod stubs;
