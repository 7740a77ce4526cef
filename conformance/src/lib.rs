//! Checks a server, in any language, against every documented response of an OTP verification API.
//!
//! All expectations come from an annotated contract ([`otp_contract`]). The suite shares these facts with the sandbox
//! that it can start, but no behaviour, so that a mistake in one cannot hide in the other. It sends its own requests,
//! because a typed client would refuse to build half of them.
//!
//! The modules, each of which may use those to its right:
//!
//! ```text
//! cli → suite → runner → report → checks → harness → oracle → http
//!  └──→ timing ─────────────────────────────┘
//!  └──→ faults (which checks find which fault)
//! libtest → suite
//! ```

mod checks;
#[doc(hidden)]
pub mod cli;
mod error;
#[doc(hidden)]
pub mod faults;
mod harness;
mod http;
pub mod libtest;
mod oracle;
mod preflight;
mod report;
mod runner;
mod suite;
mod timing;
mod toml_error;
mod waiver;

pub use checks::{Area, Tier};
pub use error::{Exit, Failure};
pub use harness::{Credentials, Tenant};
pub use http::ConnectionOptions;
pub use oracle::{Basis, Difference};
pub use report::{
    CellReport, CheckReport, CheckResult, CountedResponse, Finding, KnownFinding, OperationReport, Preflight,
    Report, SCHEMA, Setup, ShownExchange, ShownRequest, ShownResponse, ShownStep, StaleWaiver, Stopped,
    Summary, Untried, VendorReport, Verdict,
};
pub use runner::{Event, Options};
pub use suite::{PreparedTenant, SubjectOptions, Suite};
pub use waiver::{Day, Waiver};
