//! Reads an annotated OpenAPI document of an OTP verification API into a typed [`Contract`].
//!
//! Everything in this project is derived from contracts: the typed clients, the sandbox, the matrix and the checks. This
//! crate contains facts about APIs and never the behaviour of a server or a check. The sandbox and the suite share the
//! facts but no behaviour, so a bug in one cannot hide in the other.
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
mod call;
mod cell;
mod contract;
mod document_node;
mod documents;
mod evidence;
mod field;
mod guidance;
pub mod lint;
mod media_type;
mod operation;
mod outcome;
mod pointer;
mod problem;
mod reader;
mod request;
mod role;
mod send_policy;
mod skeleton;
mod status;
mod yaml;

pub use call::{Call, Recipient, ResultPlace, SecondSend, SendResult};
pub use cell::{Backing, Cell, CellFacts, Certainty, HeaderField, Mode, Source};
pub use contract::{
    Boundary, Contract, Coverage, Lifetime, Limit, Overrides, Policy, Statement, is_vendor_id,
};
pub use documents::{DOCUMENTS, Document};
pub use evidence::same_value;
pub use field::{FieldRule, Matching, Member, StateValue, VolatileValue};
pub use guidance::{Attempt, Remedy};
pub use media_type::{essence, is_json};
pub use operation::{Fact, Operation, PathVariant};
pub use outcome::{Outcome, Situation};
pub use problem::{ContractError, Position, Problem, ProblemKind};
pub use request::{
    Account, Alphabet, ArgumentNames, BodyEncoding, CodeShape, KeyPlace, Location, Parameter, PathTemplate,
    Place, RecipientForm, Resend, Scheme, SecurityScheme, Segment, SessionId, ValueKind,
};
pub use role::Role;
pub use send_policy::{Cited, CodeOnResend, LifetimeOnResend, OlderCode, SendLimit, SendPolicy};
pub use skeleton::{Skeleton, skeleton};
pub use status::StatusPattern;
pub use yaml::parse_yaml;
