//! Stores of sessions: in memory and in Redis.
//!
//! A store guarantees two things: only a session's own tenant finds it, and each attempt on it is atomic. Stores use
//! the engine and nothing else of this crate; they never see HTTP.

use std::future::Future;
use std::pin::Pin;

use otp_contract::Policy;

use crate::engine::{Decision, RequestOverrides};

mod clock;
mod memory;
mod redis;

pub(crate) use self::clock::now;
pub use self::memory::MemoryStore;
pub use self::redis::RedisStore;
pub(crate) use self::redis::ReplicaSuffix;

/// Identifies a session. Session ids are unique across tenants; a store treats another tenant's session as unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey<'a> {
    /// The vendor's id.
    pub vendor: &'a str,
    /// The tenant's id.
    pub tenant: &'a str,
    /// The session's id, as the caller sent it.
    pub session: &'a str,
}

/// A code to issue.
#[derive(Debug, Clone, Copy)]
pub struct IssueRequest<'a> {
    /// The session to create.
    pub key: SessionKey<'a>,
    /// The code.
    pub code: &'a str,
    /// How long it is valid, in seconds.
    pub ttl_seconds: u64,
    /// How many wrong codes are compared; `None` for no limit.
    pub max_attempts: Option<u32>,
    /// How long a lock lasts, in seconds; `None` if it does not end by itself.
    pub lockout_seconds: Option<u64>,
    /// For a resend: the session whose recipient gets this code. It may be the session itself.
    pub resend_of: Option<SessionKey<'a>>,
}

/// Whether a code was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// It was issued.
    Done,
    /// [`IssueRequest::resend_of`] names no session of this tenant.
    NoSuchSession,
}

/// A well-formed verify call.
#[derive(Debug, Clone, Copy)]
pub struct VerifyAttempt<'a> {
    /// The session named in the request, under the caller's tenant.
    pub key: SessionKey<'a>,
    /// The code in the request.
    pub code: &'a str,
    /// The parts of the policy that the request sets.
    pub overrides: RequestOverrides,
}

/// Why a store could not complete an operation. The caller approves nothing and does not retry: the attempt may have
/// been counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached; nothing was sent.
    #[error("the store cannot be reached; nothing was changed: {0}")]
    Unreachable(String),
    /// The request was sent, and no response arrived.
    #[error("the response of the store was lost; whether anything was changed is unknown: {0}")]
    ResponseLost(String),
    /// The store refused the operation and changed nothing.
    #[error("the store refused the operation; nothing was changed: {0}")]
    Refused(String),
    /// A resend invalidated the recipient's earlier code but could not store the new one.
    #[error("the earlier code was invalidated, but the new one could not be stored: {0}")]
    PartiallyApplied(String),
    /// The store holds or returned data that this service did not write.
    #[error("unexpected data in the store: {0}")]
    UnexpectedData(String),
}

/// A future that a store returns.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Stores sessions.
pub trait Store: Send + Sync {
    /// Issues a code.
    fn issue<'a>(&'a self, issue: IssueRequest<'a>) -> StoreFuture<'a, Issued>;

    /// Makes a session `seconds` older; `false` if it is unknown.
    fn age<'a>(&'a self, key: SessionKey<'a>, seconds: u64) -> StoreFuture<'a, bool>;

    /// Decides a verify call, atomically.
    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision>;

    /// Deletes some of the sessions whose retention is over. Takes no longer than an attempt.
    fn sweep(&self) {}
}
