#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(feature = "__vendor"),
    allow(
        dead_code,
        unused_imports,
        unreachable_pub,
        unused_macros,
        reason = "without a vendor, nothing uses the client"
    )
)]

// A program cannot keep the browser's `fetch` from following a redirect, which would carry the code.
#[cfg(target_family = "wasm")]
compile_error!(
    "otp-verify does not run in a browser, which follows redirects that would carry codes; verify codes on your server"
);

pub use approval::{Approval, Approved};
pub use call::VerifyRequest;
pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, NextStep};
pub use generated::*;
pub use http::{BuildError, Code, IncompleteBody, InvalidInput, SessionId, TransportError};
pub use response::{Cell, Certainty, Consumption, Outcome, RawResponse};
pub use secrecy::SecretString;
pub use vendor::{Vendor, VerifyOperation};
pub use verifier::{Verification, Verifier};

mod approval;
mod call;
mod client;
mod error;
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    rustdoc::all,
    unreachable_patterns,
    unreachable_pub,
    unused_imports,
    reason = "the generator writes for any document and does not follow this crate's lints"
)]
mod generated;
mod http;
mod response;
mod vendor;
mod verifier;

#[doc(hidden)]
pub mod __private;

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "mock")]
pub mod mock;

/// Compiles the examples of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
