//! Typed clients for five vendors' APIs that verify a one-time password: Zeckta, Kaleyra, DailyStory, Exotel and D7
//! Networks. Each is generated from an annotated OpenAPI document of the vendor's API.
//!
//! ```
//! use otp_verify::{Outcome, VerifyError, zeckta};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = wiremock::MockServer::start().await;
//! # let body = serde_json::json!({"success": false, "message": "OTP expired", "data": {"sessionId": "feab6011",
//! #     "status": "EXPIRED", "verified": false, "message": "OTP expired"}});
//! # let gone = wiremock::ResponseTemplate::new(410).set_body_json(body);
//! # wiremock::Mock::given(wiremock::matchers::any()).respond_with(gone).mount(&server).await;
//! # let address = server.uri();
//! let client = zeckta::Client::builder("an API key").base_url(address).build()?;
//!
//! match client.verify("feab6011", "123456").await {
//!     Ok(_) => println!("welcome"),
//!     Err(error) if error.outcome() == Some(Outcome::WrongCode) => println!("that is not the code"),
//!     Err(error) if error.could_be(Outcome::Expired) => println!("please ask for a new code"),
//!     Err(VerifyError::Unsent(_)) => println!("no attempt was spent; try again"),
//!     Err(error) => println!("not approved: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What a client promises
//!
//! * **It approves only what is approved.** [`Approved`] needs every signal that the vendor's document gives for an
//!   approval, and none of a refusal. An HTTP 200 is not one of them: D7 Networks answers a wrong code with it too.
//! * **No answer is lost.** Status, headers and body of every answer are at [`VerifyError::raw`] and [`Approved::raw`],
//!   whatever the body turned out to be, up to 64 KiB.
//! * **No answer is guessed.** Where a document gives one answer two meanings, [`VerifyError::outcome`] is `None` and
//!   [`VerifyError::outcomes`] lists both.
//! * **An attempt is spent once.** A verify call counts against the code, so nothing is sent twice. [`VerifyError::Unsent`]
//!   says that no attempt was spent, [`VerifyError::Unanswered`] that nobody knows.
//! * **Secrets stay where they are.** Redirects are not followed, plain HTTP goes to this machine only, and neither `Debug`
//!   nor an error's text has a credential, a code, a session id or an account.
//!
//! # Features
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `zeckta`, `kaleyra`, `dailystory`, `exotel`, `d7` | the module of that vendor | yes |
//! | `rustls` | HTTPS, with the ring provider unless the program has installed another | yes |
//!
//! # Not in it
//!
//! Sending a code, retrying, and a blocking interface. Calls need a Tokio runtime.

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
        unused_macros,
        reason = "without a vendor there is nothing to use the client for"
    )
)]

pub use answer::{Approved, RawAnswer, Refusal};
pub use client::{Client, ClientBuilder};
pub use error::{BuildError, InvalidInput, NoAnswer, Shortfall, VerifyError};
pub use outcome::Outcome;
pub use secrecy::SecretString;

mod answer;
mod cell;
mod client;
mod credentials;
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
mod transport;
mod vendor;
mod verdict;

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
