//! What a check did, in order: what it asked of the control, what it sent to the subject, and what it was answered, as
//! it may be shown. A finding is told from it, and the script that replays it is written from it.

use crate::control::Wish;
use crate::wire::{Exchange, RawRequest, RawResponse};

/// One thing that a check did.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// An account was made. Tenants are numbered from 1.
    Tenant {
        /// Its number.
        number: usize,
        /// Its id, and the parameters that name its account, each with its value.
        ids: Vec<(String, String)>,
    },
    /// A code was issued. Sessions are numbered from 1.
    Issued {
        /// The session's number.
        number: usize,
        /// The tenant's id.
        tenant: String,
        /// The session's id.
        session: String,
        /// What was wished.
        wish: Wish,
        /// Whether the code began with a zero, which some defects depend on.
        leading_zero: bool,
        /// The session whose recipient got the code.
        recipient_of: Option<String>,
    },
    /// A session was made older.
    Aged {
        /// The tenant's id.
        tenant: String,
        /// The session's id.
        session: String,
        /// By how many seconds.
        seconds: u64,
    },
    /// A call was sent and answered.
    Exchange(Exchange),
    /// A call was sent, or the first part of one, and the connection closed without waiting for an answer.
    HungUp {
        /// What was sent; where only its first part was, it announces the length of the whole.
        request: RawRequest,
        /// How long an answer was waited for.
        seconds: f64,
    },
    /// Several calls were sent at once.
    Burst(Vec<Exchange>),
}

/// What a check did, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    /// Everything.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// Every call that was answered, those of bursts included.
    pub(crate) fn exchanges(&self) -> Vec<&Exchange> {
        let mut all = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Exchange(exchange) => all.push(exchange),
                Entry::Burst(exchanges) => all.extend(exchanges),
                _ => {}
            }
        }
        all
    }

    /// Every call, those that were not answered included.
    pub(crate) fn calls(&self) -> Vec<(&RawRequest, Option<&RawResponse>)> {
        fn answered(exchange: &Exchange) -> (&RawRequest, Option<&RawResponse>) {
            (&exchange.request, Some(&exchange.response))
        }
        let mut all = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Exchange(exchange) => all.push(answered(exchange)),
                Entry::Burst(exchanges) => all.extend(exchanges.iter().map(answered)),
                Entry::HungUp { request, .. } => all.push((request, None)),
                _ => {}
            }
        }
        all
    }

    pub(crate) fn tenants(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Tenant { .. })).count()
    }

    pub(crate) fn sessions(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Issued { .. })).count()
    }
}
