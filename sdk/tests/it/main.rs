//! The client, seen from outside. `wiremock` plays the vendors, from the same contracts that the client is generated of;
//! what the client should make of an answer is taken from the contract, and never from the client's own table.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test may stop it as the test itself may"
)]

mod answers;
#[cfg(feature = "blocking")]
mod blocking;
mod broken;
mod cells;
mod connecting;
mod examples;
mod guidance;
#[cfg(feature = "mock")]
mod mocks;
mod play;
mod requests;
mod secrets;
#[cfg(feature = "tracing")]
mod spans;
mod types;
mod variants;
