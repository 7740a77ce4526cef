//! The steps of a finding as reports show them: what the control did, the calls, and a summary of each burst.
//!
//! May use the recording of `harness`. It must not judge: what a response means comes from `oracle`.

use std::collections::BTreeMap;

use otp_contract::{Contract, Operation};
use serde::Serialize;

use crate::harness::{Recording, SessionState, Step};
use crate::http::{Exchange, RawResponse};
use crate::oracle::outcomes;

/// One step of a finding. Accounts and sessions are numbered from 1, and calls are indices into the finding's exchanges.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ShownStep {
    /// The control created an account.
    Tenant {
        /// Its number.
        tenant: usize,
        /// Whether it was there already.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_prepared: bool,
    },
    /// The control issued a code.
    Session {
        /// The number of the session.
        session: usize,
        /// The account.
        tenant: usize,
        /// The lifetime in seconds that was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl_seconds: Option<u64>,
        /// The limit of attempts that was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_attempts: Option<u32>,
        /// The session to whose recipient the code went.
        #[serde(skip_serializing_if = "Option::is_none")]
        recipient_of: Option<usize>,
        /// The state of a session that was there already.
        #[serde(skip_serializing_if = "Option::is_none")]
        prepared: Option<&'static str>,
    },
    /// The control moved the timers of a session ahead.
    Age {
        /// The session.
        session: usize,
        /// By how many seconds.
        seconds: u64,
    },
    /// A call.
    Call {
        /// The exchange.
        exchange: usize,
    },
    /// A call, or the first part of one, whose connection was closed before a response arrived.
    Disconnect {
        /// The exchange.
        exchange: usize,
        /// How many seconds the client waited.
        seconds: f64,
    },
    /// Calls at the same time.
    Burst {
        /// The first of their exchanges.
        exchange: usize,
        /// How many there were.
        calls: usize,
        /// How many responses of each kind there were.
        responses: Vec<CountedResponse>,
    },
}

/// Responses of one kind to a burst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountedResponse {
    /// How many.
    pub count: usize,
    /// Their HTTP status.
    pub status: u16,
    /// What they mean; empty if they are none of the documented responses.
    pub meaning: Vec<String>,
}

impl CountedResponse {
    /// The responses of a burst in words, such as `1 × 200 approved, 15 × 409 already_used`.
    pub(super) fn in_words(all: &[CountedResponse]) -> String {
        let one = |response: &CountedResponse| {
            let meaning = match response.meaning.is_empty() {
                true => "not documented".to_owned(),
                false => response.meaning.join(" or "),
            };
            format!("{} × {} {meaning}", response.count, response.status)
        };
        all.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl ShownStep {
    /// The steps of a recording.
    pub(super) fn all(contract: &Contract, recording: &Recording) -> Vec<ShownStep> {
        let mut numbers = Numbers::default();
        let mut steps = Vec::new();
        let mut exchange = 0;
        for step in &recording.steps {
            steps.push(match step {
                Step::Tenant { number, ids, is_prepared } => {
                    let id = ids.iter().find(|(name, _)| name == "tenant").map(|(_, id)| id.clone());
                    numbers.tenants.insert(id.unwrap_or_default(), *number);
                    ShownStep::Tenant { tenant: *number, is_prepared: *is_prepared }
                }
                Step::Issued { number, tenant, session, options, recipient_of, prepared, .. } => {
                    let earlier = recipient_of.as_ref().and_then(|id| numbers.sessions.get(id).copied());
                    numbers.sessions.insert(session.clone(), *number);
                    ShownStep::Session {
                        session: *number,
                        tenant: numbers.tenants.get(tenant).copied().unwrap_or(1),
                        ttl_seconds: options.ttl_seconds,
                        max_attempts: options.max_attempts,
                        recipient_of: earlier,
                        prepared: prepared.map(SessionState::as_str),
                    }
                }
                Step::Aged { session, seconds, .. } => {
                    let session = numbers.sessions.get(session).copied().unwrap_or(1);
                    ShownStep::Age { session, seconds: *seconds }
                }
                Step::Exchange(_) => ShownStep::Call { exchange },
                Step::Disconnected { seconds, .. } => ShownStep::Disconnect { exchange, seconds: *seconds },
                Step::Burst(exchanges) => ShownStep::Burst {
                    exchange,
                    calls: exchanges.len(),
                    responses: counted(contract.verify(), exchanges),
                },
            });
            exchange += match step {
                Step::Exchange(_) | Step::Disconnected { .. } => 1,
                Step::Burst(exchanges) => exchanges.len(),
                _ => 0,
            };
        }
        steps
    }
}

/// The numbers of accounts and sessions, by their ids.
#[derive(Default)]
struct Numbers {
    tenants: BTreeMap<String, usize>,
    sessions: BTreeMap<String, usize>,
}

fn counted(operation: &Operation, exchanges: &[Exchange]) -> Vec<CountedResponse> {
    let meaning = |response: &RawResponse| -> Vec<String> {
        outcomes(operation, response).iter().map(|outcome| outcome.as_str().to_owned()).collect()
    };
    let mut counts: BTreeMap<(u16, Vec<String>), usize> = BTreeMap::new();
    for exchange in exchanges {
        *counts.entry((exchange.response.status, meaning(&exchange.response))).or_default() += 1;
    }
    counts.into_iter().map(|((status, meaning), count)| CountedResponse { count, status, meaning }).collect()
}
