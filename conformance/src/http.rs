//! Raw HTTP: requests exactly as a check wants them, over connections that add nothing and follow nothing.
//!
//! Knows no contract, no vendor and no check, and must never repeat a request.

mod client;
mod fragmented_body;
mod message;

pub(crate) use client::{HttpClient, HttpError, TIMEOUT};
pub(crate) use fragmented_body::FragmentedBody;
pub(crate) use message::{Exchange, RawRequest, RawResponse};
