//! Checks a server, in whatever language it is written, against every documented answer of an OTP verification API.
//!
//! The expectation comes from an annotated contract ([`otp_contract`]) and from nowhere else: the suite shares facts
//! with the sandbox that it can start for itself, and no behaviour. It sends its own requests, never those of a typed
//! client, which would refuse to build half of them.
//!

mod call;
mod check;
pub mod cli;
mod config;
mod control;
mod error;
mod finding;
mod judge;
mod matrix;
mod report;
mod run;
mod subject;
mod summary;
mod table;
mod wire;

pub use call::{Call, Credential, Masking};
pub use check::{Area, Check, Tier, checks};
pub use config::Config;
pub use error::{Exit, Failure};
pub use judge::{Judgement, Mismatch};
pub use report::{Report, SCHEMA, Verdict};
pub use run::{Options, run};
pub use table::{TableFormat, matrix_table};
pub use wire::{Exchange, RawRequest, RawResponse, Wire};
