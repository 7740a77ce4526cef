//! A reference server for any annotated OTP verification API, and for the control protocol that puts it into a state
//! (`openapi/control.yaml`).
//!
//! Three parts, each ignorant of the next: the **engine** ([`Record`], [`Store`]) decides outcomes and knows no HTTP;
//! a **dialect** turns a request into an attempt and an outcome into the vendor's answer, and knows nothing but the
//! contract; **faults** are a layer around both, so that engine and dialect contain no deliberate defect.
//!
//! It is a server for tests. It listens where it is told, keeps codes only as keyed digests, and answers every request,
//! however malformed, in the JSON of the vendor whose path it has; a head that cannot be read as well, by what can be read of
//! its first line.

mod answer;
mod auth;
mod control;
mod dialect;
mod fault;
mod json;
mod listener;
mod metrics;
mod mint;
mod query;
mod record;
mod secret;
mod server;
mod store;
mod sync;
mod tenants;

pub use answer::{Answer, Body};
pub use fault::{
    Access, DistortedExample, Distortion, Effect, FAULTS, Fault, Leak, Reading, Rule, SessionDefect,
    Spelling, StoreDefect, Trigger,
};
pub use listener::Limits;
pub use record::{Record, Terms, Verdict};
pub use secret::Secret;
pub use server::{Backend, Sandbox, SandboxError, Settings};
pub use store::{Attempt, Issue, Issued, Key, MemoryStore, Pending, RedisStore, Store, StoreError};
