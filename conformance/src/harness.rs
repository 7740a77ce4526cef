//! What a check works with: a subject, tenants and sessions on it, calls, and a recording of everything that happened.
//!
//! May use `oracle` (to say which outcomes are expected) and `http` (to send). It must not know which checks exist, how
//! a run is organised, or how a failure is reported: a check that fails returns plain facts, an [`Abort`].

mod abort;
mod call;
mod capacity;
mod context;
mod control;
mod credentials;
mod delivery;
mod plan;
mod recording;
mod session;
mod shrink;
mod subject;
mod tenant;

pub(crate) use abort::{Abort, Deviation};
pub(crate) use call::{Body, RequestMutation, SubmittedCode, VerifyCall};
pub(crate) use capacity::Capacity;
pub(crate) use context::{CheckContext, Effort};
pub(crate) use control::{
    ControlClient, ControlError, ControlProgram, FIXTURES_TEMPLATE, Fixtures, SessionOptions, SessionState,
};
pub(crate) use credentials::{Credential, Masking};
pub(crate) use delivery::DISCONNECT_DELAYS;
pub(crate) use plan::{Planned, PlannedCall, PlannedSession, Witness};
pub(crate) use recording::{Recording, Step};
pub(crate) use session::{IssuedSession, MAX_ATTEMPTS_TRIED, TrackedSession, attempts};
pub(crate) use subject::Subject;
pub use tenant::{Credentials, Tenant};
