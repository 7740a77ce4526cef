#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(any(
        feature = "d7",
        feature = "dailystory",
        feature = "exotel",
        feature = "kaleyra",
        feature = "zeckta"
    )),
    allow(
        dead_code,
        unused_imports,
        unreachable_pub,
        unused_macros,
        reason = "without a vendor there is nothing to use the client for"
    )
)]

// The browser's `fetch` cannot be kept from following a redirect, which would carry the code along.
#[cfg(target_family = "wasm")]
compile_error!(
    "otp-verify does not run in a browser: redirects are followed there, and would carry codes along"
);

pub use answer::{Approval, Approved, RawAnswer};
pub use call::Verify;
pub use cell::{Cell, Certainty};
pub use client::{Client, ClientBuilder};
pub use error::{BuildError, Error, InvalidInput, Kind, NextStep, NoAnswer, Shortfall};
pub use outcome::{Consumption, Outcome};
pub use secrecy::SecretString;
pub use secret::{Code, SessionId};
pub use vendor::Vendor;
pub use verifier::{Verification, Verifier};

mod answer;
mod call;
mod cell;
mod client;
mod credentials;
mod environment;
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
    reason = "the generator writes for every document, and not for this crate's lints"
)]
mod generated;
mod input;
mod json;
mod outcome;
mod retry;
mod secret;
mod telemetry;
mod transport;
mod vendor;
mod verdict;
mod verifier;

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "mock")]
pub mod mock;

#[cfg(feature = "d7")]
pub mod d7;
#[cfg(feature = "dailystory")]
pub mod dailystory;
#[cfg(feature = "exotel")]
pub mod exotel;
#[cfg(feature = "kaleyra")]
pub mod kaleyra;
#[cfg(feature = "zeckta")]
pub mod zeckta;

/// The README's snippets, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
