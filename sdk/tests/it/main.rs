//! Tests of the public interface. `wiremock` stands for the vendors and sends the responses of the contracts.
//!
//! The expected results come from the contracts, never from the client's own tables.
#![expect(clippy::unwrap_used, reason = "a test helper may panic like the test itself")]

#[cfg(feature = "blocking")]
mod blocking;
mod broken;
mod cells;
mod connecting;
#[rustfmt::skip]
mod every_client;
mod examples;
mod guidance;
#[cfg(feature = "mock")]
mod mocks;
mod requests;
mod responses;
mod secrets;
#[cfg(feature = "tracing")]
mod spans;
mod types;
mod variants;
mod vendor_call;
