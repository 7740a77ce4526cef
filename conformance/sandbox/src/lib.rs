//! A reference server for any annotated OTP verification API, and for the control protocol with which tests put it into
//! a state (`openapi/control.yaml`).
//!
//! ```text
//!  server     Sandbox, Settings, Backend: assembles and starts a sandbox
//!    │
//!  service    what each listener serves: vendors, control protocol, monitoring
//!    ├──────────────┐
//!  fault          control    deliberate defects around handler and store │ the control protocol
//!    │              │
//!  handler          │        one call: route, authenticate, parse, decide, render
//!    ├──────────────┘
//!  state      what all requests share: routes, tenants, store, limits, metrics
//!    ├──────────────┐
//!  vendor         metrics    one adapter for each operation of each contract │ counters
//!    │              │
//!  store            │        sessions in memory or in Redis
//!    │              │
//!  engine         http       decides verify calls, without I/O │ HTTP, without vendors
//! ```
//!
//! A module uses modules below it and never one above. The **engine** decides outcomes and knows no HTTP. A **vendor
//! adapter** translates between HTTP and the engine and knows nothing but the contract. **Faults** are a layer around
//! both, so that neither contains a deliberate defect.
//!
//! The sandbox is a server for tests. It stores codes only as keyed digests, and it responds to every request, however
//! malformed, in the JSON format of the vendor whose path the request has, even if the request head cannot be parsed.

mod control;
mod engine;
mod fault;
mod handler;
mod http;
mod metrics;
mod server;
mod service;
mod state;
mod store;
mod vendor;

pub use self::engine::{Decision, RequestOverrides, Secret};
pub use self::fault::{
    Access, DistortedExample, Distortion, Effect, FAULTS, Fault, LIBERTIES, Leak, Reading, Rule,
    SessionDefect, Spelling, StoreDefect, Trigger,
};
pub use self::http::Limits;
pub use self::server::{Backend, Sandbox, SandboxError, Settings};
pub use self::store::{
    IssueRequest, Issued, MemoryStore, RedisStore, SessionKey, Store, StoreError, StoreFuture, VerifyAttempt,
};
