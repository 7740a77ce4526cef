//! What a check did, in order: its control operations, its calls, and the responses, masked as reports may show them.
//!
//! A finding and the script that reproduces it are built from a recording. Nothing here may hold an unmasked secret.

use super::{SessionOptions, SessionState};
use crate::http::{Exchange, RawRequest, RawResponse};

/// One thing that a check did.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The control created an account. Tenants are numbered from 1.
    Tenant {
        /// Its number.
        number: usize,
        /// Its id, and the parameters that name its account, each with its value.
        ids: Vec<(String, String)>,
        /// Whether it was there already.
        is_prepared: bool,
    },
    /// The control issued a code. Sessions are numbered from 1.
    Issued {
        /// The session's number.
        number: usize,
        /// The tenant's id.
        tenant: String,
        /// The session's id.
        session: String,
        /// The limits that were asked for.
        options: SessionOptions,
        /// Whether the code starts with a zero, because some defects depend on it.
        leading_zero: bool,
        /// The session to whose recipient the code went.
        recipient_of: Option<String>,
        /// The state of a session that was there already.
        prepared: Option<SessionState>,
    },
    /// The control moved a session's timers ahead.
    Aged {
        /// The tenant's id.
        tenant: String,
        /// The session's id.
        session: String,
        /// By how many seconds.
        seconds: u64,
    },
    /// A call, and its response.
    Exchange(Exchange),
    /// A call, or the first part of one, whose connection was closed before a response arrived.
    Disconnected {
        /// The request; a truncated one announces its full length.
        request: RawRequest,
        /// How many seconds the client waited for a response.
        seconds: f64,
    },
    /// Several calls at the same time.
    Burst(Vec<Exchange>),
}

/// What a check did, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    /// The steps.
    pub(crate) steps: Vec<Step>,
}

impl Recording {
    /// Every call that got a response, those of bursts included.
    pub(crate) fn exchanges(&self) -> Vec<&Exchange> {
        let mut all = Vec::new();
        for step in &self.steps {
            match step {
                Step::Exchange(exchange) => all.push(exchange),
                Step::Burst(exchanges) => all.extend(exchanges),
                _ => {}
            }
        }
        all
    }

    /// Every call, with its response if one arrived.
    pub(crate) fn calls(&self) -> Vec<(&RawRequest, Option<&RawResponse>)> {
        fn with_response(exchange: &Exchange) -> (&RawRequest, Option<&RawResponse>) {
            (&exchange.request, Some(&exchange.response))
        }
        let mut all = Vec::new();
        for step in &self.steps {
            match step {
                Step::Exchange(exchange) => all.push(with_response(exchange)),
                Step::Burst(exchanges) => all.extend(exchanges.iter().map(with_response)),
                Step::Disconnected { request, .. } => all.push((request, None)),
                _ => {}
            }
        }
        all
    }

    /// The last response on one line: status and body; empty where there is none.
    pub(crate) fn last_response(&self) -> String {
        self.exchanges().last().map_or_else(String::new, |exchange| {
            let body = String::from_utf8_lossy(&exchange.response.body);
            format!("HTTP {} {body}", exchange.response.status)
        })
    }

    /// The id of the session with this number.
    pub(crate) fn session_id(&self, wanted: usize) -> Option<&str> {
        self.steps.iter().find_map(|step| match step {
            Step::Issued { number, session, .. } if *number == wanted => Some(session.as_str()),
            _ => None,
        })
    }

    /// The ids of the tenant with this number, each with its name.
    pub(crate) fn tenant_ids(&self, wanted: usize) -> &[(String, String)] {
        let ids = self.steps.iter().find_map(|step| match step {
            Step::Tenant { number, ids, .. } if *number == wanted => Some(ids.as_slice()),
            _ => None,
        });
        ids.unwrap_or_default()
    }

    /// How many tenants there are.
    pub(crate) fn tenants(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Tenant { .. })).count()
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Issued { .. })).count()
    }
}
