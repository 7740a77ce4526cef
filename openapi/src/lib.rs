//! Reads an annotated OpenAPI document of an OTP verification API into a typed [`Contract`].
//!
//! A contract is the single source of this project: the typed clients, the sandbox, the matrix and the checks are all
//! derived from it. This crate knows what a contract says and never how a server or a check behaves: the sandbox and
//! the suite share these facts and no behaviour, so that a bug in one cannot hide in the other.
//!
//! The annotations (`x-otp-vendor`, `x-otp`) are described in `openapi/README.md` and, for editors and other tools, by
//! `openapi/x-otp.schema.json`.
//!
//! ```
//! use otp_contract::{Contract, Outcome};
//!
//! let zeckta = Contract::of_vendor("zeckta")?;
//! let expired = zeckta.verify().cells.iter().find(|cell| cell.outcome == Outcome::Expired).unwrap();
//! assert_eq!(expired.status.to_string(), "410");
//! assert_eq!(expired.body.pointer("/data/status").unwrap(), "EXPIRED");
//! # Ok::<(), otp_contract::ContractError>(())
//! ```

mod annotation;
mod cell;

mod contract;
mod document_node;
mod documents;
mod error;
mod evidence;
mod field;
mod guidance;
mod operation;
mod outcome;
mod reader;
mod request;
mod status;

pub use cell::{Cell, Certainty, Mode, Source};
pub use contract::{
    Boundary, Contract, Coverage, Lifetime, Limit, Overrides, PathVariant, Policy, Statement, is_vendor_id,
};
pub use documents::{DOCUMENTS, Document};
pub use error::{ContractError, Problem};
pub use evidence::same_value;
pub use field::{FieldRule, Matching, Member, StateValue, VolatileValue};
pub use guidance::{Attempt, Remedy};
pub use operation::{Operation, Role};
pub use outcome::{Outcome, Situation};
pub use request::{
    Account, Alphabet, CodeShape, Location, Parameter, PathTemplate, Place, Resend, Scheme, SecurityScheme,
    Segment, SessionId, ValueKind,
};
pub use status::StatusPattern;
