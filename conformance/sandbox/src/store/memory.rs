//! Sessions in this process's memory: in shards, each under a lock of its own, so that calls for different sessions do
//! not wait for each other. A record is kept for an hour after its last timer has run out, so that an expired or used
//! code stays expired or used and does not become unknown.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use otp_contract::{Outcome, Policy};

use super::{Attempt, Issue, Issued, Key, Pending, Store};
use crate::record::{Millis, Record, Verdict};
use crate::secret::{Secret, same};
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};

/// How many shards there are. Many more than threads, and so many that one is swept in well under a millisecond when a
/// million sessions live.
const SHARDS: usize = 128;

/// So many calls of `issue` lead to one shard being swept.
const ISSUES_A_SWEEP: usize = 64;

/// The longest lock of any contract that a forgotten record could still owe an answer for, in seconds.
const LONGEST_LOCKOUT: u64 = 86_400;

/// A session and whose it is.
struct Kept {
    tenant: u64,
    record: Record,
}

type Shard = HashMap<[u8; 16], Kept, BuildHasherDefault<Prefix>>;

/// Names are keyed hashes already: their first bytes are as good as any hash of them.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(Ok(first)) = bytes.get(..8).map(<[u8; 8]>::try_from) {
            self.0 = u64::from_le_bytes(first);
        }
    }

    /// The length that goes before an array's bytes says nothing.
    fn write_usize(&mut self, _: usize) {}
}

/// Sessions in this process's memory.
pub struct MemoryStore {
    secret: Secret,
    /// What names and tenants are hashed with. Keys of this process's own, so that nobody can choose ids that meet; a
    /// digest would do as well and take ten times as long.
    hashes: [RandomState; 3],
    shards: Vec<Mutex<Shard>>,
    issued: AtomicUsize,
    swept: AtomicUsize,
}

impl MemoryStore {
    /// An empty store. `secret` makes the digests.
    pub fn new(secret: Secret) -> MemoryStore {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect();
        let hashes = std::array::from_fn(|_| RandomState::new());
        MemoryStore { secret, hashes, shards, issued: AtomicUsize::new(0), swept: AtomicUsize::new(0) }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| locked(shard).len()).sum()
    }

    /// Whether no session is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&self, key: Key<'_>) -> ([u8; 16], u64, &Mutex<Shard>) {
        let [first, last, tenant] = &self.hashes;
        let mut name = [0; 16];
        name[..8].copy_from_slice(&first.hash_one((key.vendor, key.session)).to_le_bytes());
        name[8..].copy_from_slice(&last.hash_one((key.vendor, key.session)).to_le_bytes());
        // The last byte chooses the shard, for the first ones choose the place within it.
        let shard = &self.shards[usize::from(name[15]) % SHARDS];
        (name, tenant.hash_one((key.vendor, key.tenant)), shard)
    }

    /// Changes the record of `key`'s session; `None` where the tenant has no such session.
    fn change<T>(&self, key: Key<'_>, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let (name, tenant, shard) = self.place(key);
        let mut shard = locked(shard);
        let kept = shard.get_mut(&name).filter(|kept| kept.tenant == tenant)?;
        Some(change(&mut kept.record))
    }

    /// Takes a session's code out of use, and gives what its successor inherits.
    fn supersede(&self, key: Key<'_>) -> Option<Record> {
        self.change(key, |record| {
            let before = record.clone();
            record.supersede();
            before
        })
    }

    fn sweep_next(&self, now: Millis) {
        let next = self.swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut shard = locked(&self.shards[next]);
        shard.retain(|_, kept| now < kept.record.forget_at(LONGEST_LOCKOUT));
        if shard.capacity() > 4 * shard.len().max(16) {
            shard.shrink_to_fit();
        }
    }
}

/// A panic while the lock was held cannot leave a record half changed: each step writes plain fields.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Store for MemoryStore {
    fn issue<'a>(&'a self, issue: Issue<'a>) -> Pending<'a, Issued> {
        let now = now();
        if self.issued.fetch_add(1, Ordering::Relaxed).is_multiple_of(ISSUES_A_SWEEP) {
            self.sweep_next(now);
        }
        let mut record =
            Record::new(self.secret.code(issue.code), now, issue.ttl_seconds, issue.max_attempts);
        if let Some(earlier) = issue.resend_of {
            // Once superseded, the earlier record does not change any more: nothing is lost between the two steps.
            let Some(earlier) = self.supersede(earlier) else {
                return Box::pin(std::future::ready(Ok(Issued::NoSuchSession)));
            };
            record.succeed(&earlier, issue.lockout_seconds, now);
        }
        let (name, tenant, shard) = self.place(issue.key);
        locked(shard).insert(name, Kept { tenant, record });
        Box::pin(std::future::ready(Ok(Issued::Done)))
    }

    fn age<'a>(&'a self, key: Key<'a>, seconds: u64) -> Pending<'a, bool> {
        let found = self.change(key, |record| record.age(seconds.saturating_mul(1_000))).is_some();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        let digest = self.secret.code(attempt.code);
        let (name, tenant, shard) = self.place(attempt.key);
        let mut shard = locked(shard);
        let verdict = match shard.get_mut(&name) {
            Some(kept) if kept.tenant == tenant => {
                kept.record.attempt(policy, attempt.terms, now(), |own| same(own, &digest))
            }
            Some(_) => Verdict { foreign: true, ..Verdict::without_session(Outcome::UnknownSession) },
            None => Verdict::without_session(Outcome::UnknownSession),
        };
        Box::pin(std::future::ready(Ok(verdict)))
    }

    fn sweep(&self) {
        self.sweep_next(now());
    }
}

/// The time, in milliseconds since the Unix epoch.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
