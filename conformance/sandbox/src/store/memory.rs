//! Sessions in this process's memory, in shards with a lock each, so that calls for different sessions rarely wait for
//! each other. A session is kept for an hour after its last timer has run out, so that an expired or used code remains
//! expired or used instead of becoming unknown.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use otp_contract::{Outcome, Policy};

use super::{IssueRequest, Issued, SessionKey, Store, StoreFuture, VerifyAttempt, now};
use crate::engine::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::engine::{Decision, Millis, Secret, SessionState, digests_match};

/// The number of shards: many more than threads, and enough that sweeping one takes well under a millisecond with a
/// million sessions.
const SHARDS: usize = 128;

/// Every so many calls of `issue`, one shard is swept.
const ISSUES_PER_SWEEP: usize = 64;

/// The longest lock that any contract may have. A locked session is kept at least that long.
const MAX_LOCKOUT_SECONDS: u64 = 86_400;

/// A session, with a hash of its tenant.
struct StoredSession {
    tenant: u64,
    state: SessionState,
}

/// The key of a session in the maps: a keyed hash of vendor and id.
type Name = [u8; 16];

type Map<T> = HashMap<Name, T, BuildHasherDefault<Prefix>>;

#[derive(Default)]
struct Shard {
    sessions: Map<StoredSession>,
    /// For each resent session, the session that replaced it. A separate map, because few sessions have a successor and
    /// a field for it would enlarge each by a tenth.
    successors: Map<Name>,
}

/// Hashes names by their first bytes: names are keyed hashes already.
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

    /// Ignores the length that is hashed before an array's bytes.
    fn write_usize(&mut self, _: usize) {}
}

/// Sessions in this process's memory.
pub struct MemoryStore {
    secret: Secret,
    /// The hash keys for names and tenants. They are random, so that nobody can choose colliding ids. A cryptographic
    /// digest would serve as well but takes ten times as long.
    hashes: [RandomState; 3],
    shards: Vec<Mutex<Shard>>,
    /// Held during a resend that creates a new session. Such a resend changes two shards one after the other, and two
    /// concurrent ones could each leave a working code.
    resend: Mutex<()>,
    issues: AtomicUsize,
    next_shard_to_sweep: AtomicUsize,
}

impl MemoryStore {
    /// An empty store. Digests of codes are made with `secret`.
    pub fn new(secret: Secret) -> MemoryStore {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::default())).collect();
        let hashes = std::array::from_fn(|_| RandomState::new());
        MemoryStore {
            secret,
            hashes,
            shards,
            resend: Mutex::new(()),
            issues: AtomicUsize::new(0),
            next_shard_to_sweep: AtomicUsize::new(0),
        }
    }

    /// The number of stored sessions.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| locked(shard).sessions.len()).sum()
    }

    /// Whether the store has no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn name(&self, key: SessionKey<'_>) -> (Name, u64) {
        let [first, last, tenant] = &self.hashes;
        let mut name = [0; 16];
        name[..8].copy_from_slice(&first.hash_one((key.vendor, key.session)).to_le_bytes());
        name[8..].copy_from_slice(&last.hash_one((key.vendor, key.session)).to_le_bytes());
        (name, tenant.hash_one((key.vendor, key.tenant)))
    }

    /// The shard of a name. The last byte selects it, because the first ones select the bucket within the shard.
    fn shard(&self, name: &Name) -> MutexGuard<'_, Shard> {
        locked(&self.shards[usize::from(name[15]) % SHARDS])
    }

    /// Changes a session; `None` if the tenant has no such session.
    fn update<T>(&self, key: SessionKey<'_>, change: impl FnOnce(&mut SessionState) -> T) -> Option<T> {
        let (name, tenant) = self.name(key);
        let mut shard = self.shard(&name);
        let session = shard.sessions.get_mut(&name).filter(|session| session.tenant == tenant)?;
        Some(change(&mut session.state))
    }

    fn insert(&self, key: SessionKey<'_>, state: SessionState) {
        let (name, tenant) = self.name(key);
        self.shard(&name).sessions.insert(name, StoredSession { tenant, state });
    }

    /// Stores a new session for the recipient of `earlier`, and supersedes the recipient's current one; `None` if
    /// `earlier` is unknown.
    fn insert_successor(
        &self,
        earlier: SessionKey<'_>,
        key: SessionKey<'_>,
        successor_of: impl FnOnce(&SessionState) -> SessionState,
    ) -> Option<()> {
        let _exclusive = locked(&self.resend);
        let (mut last, tenant) = self.name(earlier);
        let (own, _) = self.name(key);
        let inherited = loop {
            let mut shard = self.shard(&last);
            let Shard { sessions, successors } = &mut *shard;
            let session = sessions.get_mut(&last).filter(|session| session.tenant == tenant)?;
            let Some(next) = successors.insert(last, own) else {
                // A superseded session no longer changes, so releasing the shard's lock loses no count.
                let inherited = session.state.clone();
                session.state.supersede();
                break inherited;
            };
            last = next;
        };
        self.insert(key, successor_of(&inherited));
        Some(())
    }

    fn sweep_next(&self, now: Millis) {
        let next = self.next_shard_to_sweep.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut shard = locked(&self.shards[next]);
        let Shard { sessions, successors } = &mut *shard;
        sessions.retain(|_, session| now < session.state.delete_at(MAX_LOCKOUT_SECONDS));
        successors.retain(|name, _| sessions.contains_key(name));
        if sessions.capacity() > 4 * sessions.len().max(16) {
            sessions.shrink_to_fit();
        }
    }
}

/// Ignores poisoning: each step writes plain fields, so a panic cannot leave a session half changed.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Store for MemoryStore {
    fn issue<'a>(&'a self, issue: IssueRequest<'a>) -> StoreFuture<'a, Issued> {
        let now = now();
        if self.issues.fetch_add(1, Ordering::Relaxed).is_multiple_of(ISSUES_PER_SWEEP) {
            self.sweep_next(now);
        }
        let state =
            SessionState::new(self.secret.code(issue.code), now, issue.ttl_seconds, issue.max_attempts);
        let successor_of = |earlier: &SessionState| {
            let mut state = state.clone();
            state.inherit(earlier, issue.lockout_seconds, now);
            state
        };
        let stored = match issue.resend_of {
            None => {
                self.insert(issue.key, state);
                Some(())
            }
            Some(earlier) if earlier == issue.key => {
                self.update(earlier, |state| *state = successor_of(state))
            }
            Some(earlier) => self.insert_successor(earlier, issue.key, successor_of),
        };
        let issued = stored.map_or(Issued::NoSuchSession, |()| Issued::Done);
        Box::pin(std::future::ready(Ok(issued)))
    }

    fn age<'a>(&'a self, key: SessionKey<'a>, seconds: u64) -> StoreFuture<'a, bool> {
        let found = self.update(key, |state| state.age(seconds.saturating_mul(1_000))).is_some();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision> {
        let digest = self.secret.code(attempt.code);
        let (name, tenant) = self.name(attempt.key);
        let mut shard = self.shard(&name);
        let decision = match shard.sessions.get_mut(&name) {
            Some(session) if session.tenant == tenant => {
                session.state.attempt(policy, attempt.overrides, now(), |own| digests_match(own, &digest))
            }
            Some(_) => Decision { foreign: true, ..Decision::without_session(Outcome::UnknownSession) },
            None => Decision::without_session(Outcome::UnknownSession),
        };
        Box::pin(std::future::ready(Ok(decision)))
    }

    fn sweep(&self) {
        self.sweep_next(now());
    }
}
