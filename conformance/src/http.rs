//! Raw HTTP: requests exactly as a check wants them, over connections that add nothing but what the environment of the test
//! needs, and follow nothing.
//!
//! Knows no contract, no vendor and no check, and must never repeat a request.

mod address;
mod client;
mod connector;
mod curl;
mod environment;
mod extra_header;
mod fragmented_body;
mod message;
mod pace;
mod probe;
mod resolve;
mod tls;
mod tls_error;

pub(crate) use address::Address;
pub(crate) use client::{HttpClient, HttpError, LIMITS_CALLS};
pub(crate) use curl::CurlAddress;
pub use environment::ConnectionOptions;
pub(crate) use environment::{Environment, OptionError};
pub(crate) use fragmented_body::FragmentedBody;
pub(crate) use message::{Exchange, RawRequest, RawResponse, beginning};
pub(crate) use probe::{ProbeError, expects_tls, probe};
pub(crate) use tls::Tls;
