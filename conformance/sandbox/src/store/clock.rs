//! The wall clock of the stores in this process. (Redis uses its own.)

use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::Millis;

/// The time in milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
