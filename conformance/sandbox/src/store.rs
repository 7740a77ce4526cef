//! Where sessions are kept. A store guarantees two things: a session is found only by its own tenant, and an attempt on
//! it is one indivisible step. It never sees HTTP.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use otp_contract::{Outcome, Policy};
use ring::hmac;
use ring::rand::SystemRandom;

use crate::record::{Millis, Record, Terms, Verdict};

/// What names a session. The tenant is part of it: another tenant's session is simply not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The vendor's id.
    pub vendor: String,
    /// The tenant's id.
    pub tenant: String,
    /// The session's id, as the caller sent it.
    pub session: String,
}

/// A code to be issued.
#[derive(Debug, Clone)]
pub struct Issue {
    /// The session to be made.
    pub key: Key,
    /// The code.
    pub code: String,
    /// How long it is valid, in seconds.
    pub ttl_seconds: u64,
    /// How many wrong codes are compared.
    pub max_attempts: Option<u32>,
    /// The session whose recipient gets this code, where it is a resend. It may be the same session.
    pub resend_of: Option<Key>,
}

/// Whether a code could be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// It was.
    Done,
    /// The session whose recipient was meant is not there.
    NoSuchSession,
}

/// One well-formed verify call.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The session named in the request, under the caller's tenant.
    pub key: Key,
    /// The code in the request.
    pub code: &'a str,
    /// What the request sets of the policy.
    pub terms: Terms,
}

/// A future that a store returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where sessions are kept.
pub trait Store: Send + Sync {
    /// Issues a code.
    fn issue(&self, issue: Issue) -> Pending<'_, Issued>;

    /// Makes a session `seconds` older; `false` where it is not there.
    fn age<'a>(&'a self, key: &'a Key, seconds: u64) -> Pending<'a, bool>;

    /// Whether another tenant of the vendor has a session of that id. Only a sandbox that was told to tell foreign
    /// sessions from unknown ones asks.
    fn is_foreign<'a>(&'a self, key: &'a Key) -> Pending<'a, bool>;

    /// Decides one call, as one indivisible step.
    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict>;
}

/// Sessions in this process's memory, under one lock.
pub struct MemoryStore {
    secret: hmac::Key,
    sessions: Mutex<Sessions>,
}

#[derive(Default)]
struct Sessions {
    records: HashMap<Key, Record>,
    issued_since_sweep: usize,
}

/// How many sessions are issued between two sweeps for those that may be forgotten.
const SWEEP_EVERY: usize = 4_096;

/// The longest lock of any contract that a forgotten record could still owe an answer for, in seconds.
const LONGEST_LOCKOUT: u64 = 86_400;

impl MemoryStore {
    /// An empty store with a digest key of its own; `None` where the system gives no randomness.
    pub fn new() -> Option<MemoryStore> {
        let secret = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok()?;
        Some(MemoryStore { secret, sessions: Mutex::default() })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        // A panic while the lock was held cannot leave a record half changed: each step writes plain fields.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn issue(&self, issue: Issue) -> Pending<'_, Issued> {
        let now = now();
        let digest = hmac::sign(&self.secret, issue.code.as_bytes());
        let mut record = Record::new(digest, now, issue.ttl_seconds, issue.max_attempts);
        let mut sessions = self.sessions();
        sessions.sweep(now);
        if let Some(earlier) = &issue.resend_of {
            let Some(earlier) = sessions.records.get_mut(earlier) else {
                return Box::pin(std::future::ready(Issued::NoSuchSession));
            };
            record.succeed(earlier);
            earlier.supersede();
        }
        sessions.records.insert(issue.key, record);
        Box::pin(std::future::ready(Issued::Done))
    }

    fn age<'a>(&'a self, key: &'a Key, seconds: u64) -> Pending<'a, bool> {
        let found = match self.sessions().records.get_mut(key) {
            Some(record) => {
                record.age(seconds.saturating_mul(1_000));
                true
            }
            None => false,
        };
        Box::pin(std::future::ready(found))
    }

    fn is_foreign<'a>(&'a self, key: &'a Key) -> Pending<'a, bool> {
        let same = |other: &Key| other.vendor == key.vendor && other.session == key.session;
        let found = self.sessions().records.keys().any(|other| same(other) && other.tenant != key.tenant);
        Box::pin(std::future::ready(found))
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        let is_right =
            |digest: &hmac::Tag| hmac::verify(&self.secret, attempt.code.as_bytes(), digest.as_ref()).is_ok();
        let verdict = match self.sessions().records.get_mut(&attempt.key) {
            Some(record) => record.attempt(policy, attempt.terms, now(), is_right),
            None => Verdict::without_session(Outcome::UnknownSession),
        };
        Box::pin(std::future::ready(verdict))
    }
}

impl Sessions {
    /// Drops what nobody may ask for any more, so that a long-lived sandbox does not grow without end.
    fn sweep(&mut self, now: Millis) {
        self.issued_since_sweep += 1;
        if self.issued_since_sweep >= SWEEP_EVERY {
            self.issued_since_sweep = 0;
            self.records.retain(|_, record| now < record.forget_at(LONGEST_LOCKOUT));
        }
    }
}

/// The time, in milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
