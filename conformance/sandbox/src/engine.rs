//! Decides verify calls: the state of one session, and the service's secret from which digests and credentials follow.
//!
//! It uses no other module of this crate and knows no clock, no HTTP and no storage.

mod secret;
mod session_state;
pub(crate) mod sync;

pub use self::secret::Secret;
pub(crate) use self::secret::digests_match;
pub use self::session_state::{Decision, RequestOverrides};
pub(crate) use self::session_state::{Millis, SessionState};
