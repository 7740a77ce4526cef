//! Behaviour in which honest servers differ, because no document decides it. A suite must not fail a run for it.
//!
//! May use the effects of faults. A liberty breaks no rule, so it must not be listed among the faults.

use super::row;
use crate::fault::definition::{Effect, Fault};
use crate::fault::faulty_session::SessionDefect as D;
use crate::fault::faulty_store::StoreDefect as T;
use crate::fault::rule::Rule;

/// Every liberty that a sandbox can be started with.
pub static LIBERTIES: &[Fault] = &[
    row(
        "malformed-counts",
        "a malformed request counts as a wrong code",
        Rule::Undecided,
        Effect::Storage(T::MalformedCounts),
    ),
    row(
        "ended-counts",
        "codes for used and expired sessions count, and lock the session in the end",
        Rule::Undecided,
        Effect::Decision(D::EndedCounts),
    ),
    row(
        "expiry-whole-seconds",
        "the clock counts whole seconds, and a code is valid until the second after its lifetime",
        Rule::Undecided,
        Effect::Decision(D::ExpiryWholeSeconds),
    ),
];
