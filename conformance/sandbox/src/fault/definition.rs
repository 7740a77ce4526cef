//! What a fault is: a name, the rule that it breaks, and an effect. It depends on the effects; it must not depend
//! on the catalogue or on the fault layer.

use otp_contract::Situation;

use super::access::Access;
use super::distortion::Distortion;
use super::faulty_session::SessionDefect;
use super::faulty_store::StoreDefect;
use super::leak::Leak;
use super::reading::Reading;
use super::rule::Rule;

/// A deliberate fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The name on the command line.
    pub name: &'static str,
    /// One sentence about what the server does wrong, without the full stop.
    pub summary: &'static str,
    /// The rule of the API that the server breaks.
    pub breaks: Rule,
    /// What the server does wrong.
    pub effect: Effect,
}

/// What a server with a fault does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It distorts each response in one of these situations.
    Response(&'static [Situation], Distortion),
    /// It distorts every third response in one of these situations.
    Intermittent(&'static [Situation], Distortion),
    /// It decides wrongly about one session.
    Decision(SessionDefect),
    /// It handles its sessions as a whole wrongly: races, shared counters, tenants, resends.
    Storage(StoreDefect),
    /// It misreads requests.
    Reading(Reading),
    /// It authenticates callers wrongly or serves other methods.
    Access(Access),
    /// Its responses disclose secrets or lack a required header field.
    Leak(Leak),
}

impl Effect {
    /// Whether the fault is a difference between replicas, so that one replica alone behaves correctly.
    pub(crate) fn spans_replicas(self) -> bool {
        matches!(
            self,
            Effect::Decision(SessionDefect::UsePerReplica) | Effect::Storage(StoreDefect::CountPerReplica)
        )
    }
}

impl Fault {
    /// How many replicas a sandbox needs for the fault to be observable.
    pub fn replicas(&self) -> u32 {
        if self.effect.spans_replicas() { 2 } else { 1 }
    }
}
