//! Checks a server, in whatever language it is written, against every documented answer of an OTP verification API.
//!
//! The expectation comes from an annotated contract ([`otp_contract`]) and from nowhere else: the suite shares facts
//! with the sandbox that it can start for itself, and no behaviour. It sends its own requests, never those of a typed
//! client, which would refuse to build half of them.
//!
//! From the outside in: [`cli`] reads what is wanted, [`run`] makes the [`checks`] side by side, each with tenants and
//! randomness of its own; a [`Call`] becomes a request on the [`Wire`]; [`model`] says which outcomes are allowed and
//! [`judge`] whether an answer is a documented one; a [`Report`] is plain data that others render.

mod area;
mod call;
mod check;
pub mod cli;
mod config;
mod connecting;
mod control;
mod delivery;
mod error;
pub mod faults;
mod finding;
mod flow;
mod journal;
mod judge;
mod linear;
mod listing;
pub mod model;
mod pieces;
mod reading;
mod report;
mod run;
mod script;
mod serving;
mod subject;
mod summary;
mod table;
mod timing;
mod wire;

pub use area::Probe;
pub use call::{Body, Call, Credential, Guess, Masking, Twist};
pub use check::{Area, Check, Making, Tier, checks};
pub use config::Config;
pub use control::{Control, ControlError, Credentials, Description, Tenant};
pub use error::{Exit, Failure};
pub use finding::{Difference, Finding, ShownExchange, ShownRequest, ShownResponse};
pub use judge::{Expectation, Judgement, Mismatch, judge};
pub use report::{CellReport, CheckReport, CheckResult, Report, SCHEMA, Summary, VendorReport, Verdict};
pub use run::{Options, run};
pub use subject::Subject;
pub use table::{TableFormat, matrix_table};
pub use wire::{Exchange, RawRequest, RawResponse, Wire, WireError};
