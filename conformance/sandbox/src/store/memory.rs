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

/// What a session is kept under.
type Name = [u8; 16];

type Map<T> = HashMap<Name, T, BuildHasherDefault<Prefix>>;

#[derive(Default)]
struct Shard {
    sessions: Map<Kept>,
    /// The sessions whose recipients got a later one, and that one. Few sessions have a successor, and a place for it in
    /// each would cost a tenth of their size.
    successors: Map<Name>,
}

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
    /// Held by a resend that makes a new session: it takes two steps in two shards, and two of them at once would each
    /// leave a code that works.
    succession: Mutex<()>,
    issued: AtomicUsize,
    swept: AtomicUsize,
}

impl MemoryStore {
    /// An empty store. `secret` makes the digests.
    pub fn new(secret: Secret) -> MemoryStore {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect();
        let hashes = std::array::from_fn(|_| RandomState::new());
        MemoryStore {
            secret,
            hashes,
            shards,
            succession: Mutex::new(()),
            issued: AtomicUsize::new(0),
            swept: AtomicUsize::new(0),
        }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| locked(shard).sessions.len()).sum()
    }

    /// Whether no session is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn name(&self, key: Key<'_>) -> (Name, u64) {
        let [first, last, tenant] = &self.hashes;
        let mut name = [0; 16];
        name[..8].copy_from_slice(&first.hash_one((key.vendor, key.session)).to_le_bytes());
        name[8..].copy_from_slice(&last.hash_one((key.vendor, key.session)).to_le_bytes());
        (name, tenant.hash_one((key.vendor, key.tenant)))
    }

    /// The shard of that name. The last byte chooses it, for the first ones choose the place within it.
    fn shard(&self, name: &Name) -> MutexGuard<'_, Shard> {
        locked(&self.shards[usize::from(name[15]) % SHARDS])
    }

    /// Changes the record of `key`'s session; `None` where the tenant has no such session.
    fn change<T>(&self, key: Key<'_>, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let (name, tenant) = self.name(key);
        let mut shard = self.shard(&name);
        let kept = shard.sessions.get_mut(&name).filter(|kept| kept.tenant == tenant)?;
        Some(change(&mut kept.record))
    }

    fn keep(&self, key: Key<'_>, record: Record) {
        let (name, tenant) = self.name(key);
        self.shard(&name).sessions.insert(name, Kept { tenant, record });
    }

    /// Keeps a session for the recipient of an earlier one, in place of the session that recipient has now; `None` where
    /// there is no such session.
    fn keep_successor(
        &self,
        earlier: Key<'_>,
        key: Key<'_>,
        succeed: impl FnOnce(&Record) -> Record,
    ) -> Option<()> {
        let _alone = locked(&self.succession);
        let (mut last, tenant) = self.name(earlier);
        let (own, _) = self.name(key);
        let inherited = loop {
            let mut shard = self.shard(&last);
            let Shard { sessions, successors } = &mut *shard;
            let kept = sessions.get_mut(&last).filter(|kept| kept.tenant == tenant)?;
            let Some(next) = successors.insert(last, own) else {
                // Once superseded, a record does not change any more: nothing is lost before the next step.
                let before = kept.record.clone();
                kept.record.supersede();
                break before;
            };
            last = next;
        };
        self.keep(key, succeed(&inherited));
        Some(())
    }

    fn sweep_next(&self, now: Millis) {
        let next = self.swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut shard = locked(&self.shards[next]);
        let Shard { sessions, successors } = &mut *shard;
        sessions.retain(|_, kept| now < kept.record.forget_at(LONGEST_LOCKOUT));
        successors.retain(|name, _| sessions.contains_key(name));
        if sessions.capacity() > 4 * sessions.len().max(16) {
            sessions.shrink_to_fit();
        }
    }
}

/// A panic while the lock was held cannot leave a record half changed: each step writes plain fields.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Store for MemoryStore {
    fn issue<'a>(&'a self, issue: Issue<'a>) -> Pending<'a, Issued> {
        let now = now();
        if self.issued.fetch_add(1, Ordering::Relaxed).is_multiple_of(ISSUES_A_SWEEP) {
            self.sweep_next(now);
        }
        let record = Record::new(self.secret.code(issue.code), now, issue.ttl_seconds, issue.max_attempts);
        let succeed = |earlier: &Record| {
            let mut record = record.clone();
            record.succeed(earlier, issue.lockout_seconds, now);
            record
        };
        let kept = match issue.resend_of {
            None => {
                self.keep(issue.key, record);
                Some(())
            }
            Some(earlier) if earlier == issue.key => self.change(earlier, |record| *record = succeed(record)),
            Some(earlier) => self.keep_successor(earlier, issue.key, succeed),
        };
        let issued = kept.map_or(Issued::NoSuchSession, |()| Issued::Done);
        Box::pin(std::future::ready(Ok(issued)))
    }

    fn age<'a>(&'a self, key: Key<'a>, seconds: u64) -> Pending<'a, bool> {
        let found = self.change(key, |record| record.age(seconds.saturating_mul(1_000))).is_some();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        let digest = self.secret.code(attempt.code);
        let (name, tenant) = self.name(attempt.key);
        let mut shard = self.shard(&name);
        let verdict = match shard.sessions.get_mut(&name) {
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
