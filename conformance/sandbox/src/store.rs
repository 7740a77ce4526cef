//! Where sessions are kept. A store guarantees two things: a session is found only by its own tenant, and an attempt on
//! it is one indivisible step. It never sees HTTP.

use std::future::Future;
use std::pin::Pin;

use otp_contract::Policy;

use crate::record::{Terms, Verdict};

mod memory;
mod redis;

pub use self::memory::MemoryStore;
pub(crate) use self::memory::now;
pub(crate) use self::redis::Own;
pub use self::redis::RedisStore;

/// What names a session. Its id is the service's own, and no two tenants have the same; another tenant's session is
/// treated as one that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// The vendor's id.
    pub vendor: &'a str,
    /// The tenant's id.
    pub tenant: &'a str,
    /// The session's id, as the caller sent it.
    pub session: &'a str,
}

/// A code to be issued.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The session to be made.
    pub key: Key<'a>,
    /// The code.
    pub code: &'a str,
    /// How long it is valid, in seconds.
    pub ttl_seconds: u64,
    /// How many wrong codes are compared.
    pub max_attempts: Option<u32>,
    /// How long a lock lasts, in seconds, where it ends by itself.
    pub lockout_seconds: Option<u64>,
    /// The session whose recipient gets this code, where it is a resend. It may be the same session.
    pub resend_of: Option<Key<'a>>,
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
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The session named in the request, under the caller's tenant.
    pub key: Key<'a>,
    /// The code in the request.
    pub code: &'a str,
    /// What the request sets of the policy.
    pub terms: Terms,
}

/// Why a store gave no answer. Nothing is approved then, and nothing is tried again: whether the attempt was counted may
/// be unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, and was not asked.
    #[error("the store cannot be reached, and nothing was changed: {0}")]
    Unreachable(String),
    /// It was asked, and its answer did not arrive.
    #[error("the answer of the store was lost, and whether it changed anything is unknown: {0}")]
    Lost(String),
    /// It refused, and changed nothing.
    #[error("the store refused, and nothing was changed: {0}")]
    Refused(String),
    /// It took a recipient's code out of use, and could not keep the new one.
    #[error("the earlier code is out of use, and the new one was not kept: {0}")]
    Halfway(String),
    /// It answered what no store of this kind answers.
    #[error("the store holds what this service did not write: {0}")]
    Foreign(String),
}

/// A future that a store returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where sessions are kept.
pub trait Store: Send + Sync {
    /// Issues a code.
    fn issue<'a>(&'a self, issue: Issue<'a>) -> Pending<'a, Issued>;

    /// Makes a session `seconds` older; `false` where it is not there.
    fn age<'a>(&'a self, key: Key<'a>, seconds: u64) -> Pending<'a, bool>;

    /// Decides one call, as one indivisible step.
    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict>;

    /// Forgets a part of what nobody may ask for any more. It takes no longer than an attempt does.
    fn sweep(&self) {}
}
