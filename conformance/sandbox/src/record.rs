//! One session's state, and the single step that a verify call makes it take. Pure: no clock, no lock, no HTTP. A store
//! runs [`Record::attempt`] as one indivisible step; that is what makes single use and the limit hold under load.

use std::num::NonZeroU64;

use otp_contract::{Mode, Outcome, Policy};

use crate::secret::Digest;

/// Milliseconds since the Unix epoch.
pub(crate) type Millis = u64;

/// As many attempts as anybody can make.
const UNLIMITED: u32 = u32::MAX;

/// A session: one code that was issued.
#[derive(Debug, Clone)]
pub struct Record {
    digest: Digest,
    issued_at: Millis,
    /// Never 0: a lock at the epoch itself is told from none by a millisecond.
    locked_at: Option<NonZeroU64>,
    ttl_seconds: u32,
    /// [`UNLIMITED`] where there is no limit.
    max_attempts: u32,
    failed: u32,
    invalidated: bool,
    used: bool,
    superseded: bool,
}

/// What the request itself sets of the policy, within the bounds that the contract gives the parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Whether further attempts are allowed after a wrong code; `None` where the API has no such parameter.
    pub retry: Option<bool>,
    /// The limit of wrong codes for this call.
    pub limit: Option<u32>,
    /// The lifetime for this call, in seconds.
    pub lifetime_seconds: Option<u64>,
}

/// What a verify call decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The decision.
    pub outcome: Outcome,
    /// Which of an API's two ways of calling the decision belongs to.
    pub mode: Option<Mode>,
    /// How many wrong codes will still be compared, where there is a limit.
    pub remaining_attempts: Option<u32>,
    /// How many seconds the session stays locked, where the lock ends by itself.
    pub lockout_seconds: Option<u64>,
    /// When the session was issued, in milliseconds since the Unix epoch.
    pub issued_at: Option<Millis>,
    /// Whether there is a session of that id, and it is another tenant's.
    pub foreign: bool,
}

impl Verdict {
    /// A decision that no session had a part in.
    pub fn without_session(outcome: Outcome) -> Verdict {
        Verdict {
            outcome,
            mode: None,
            remaining_attempts: None,
            lockout_seconds: None,
            issued_at: None,
            foreign: false,
        }
    }
}

impl Record {
    pub(crate) fn new(digest: Digest, now: Millis, ttl_seconds: u64, max_attempts: Option<u32>) -> Record {
        Record {
            digest,
            issued_at: now,
            ttl_seconds: u32::try_from(ttl_seconds).unwrap_or(u32::MAX),
            max_attempts: max_attempts.unwrap_or(UNLIMITED),
            failed: 0,
            locked_at: None,
            invalidated: false,
            used: false,
            superseded: false,
        }
    }

    /// Makes this the record of a new code for the recipient of `earlier`. Wrong codes since the last success count on:
    /// a new secret must not reset the count (NIST SP 800-63B-4 §3.1.3.2). A lock that has ended has paid for them.
    pub(crate) fn succeed(&mut self, earlier: &Record, lockout_seconds: Option<u64>, now: Millis) {
        let locked_at = earlier.locked_at.map(NonZeroU64::get);
        if !earlier.used && !is_over(locked_at, lockout_seconds, now) {
            self.failed = earlier.failed;
            self.locked_at = earlier.locked_at;
        }
    }

    /// Takes the code out of use because its recipient has a newer one.
    pub(crate) fn supersede(&mut self) {
        self.superseded = true;
    }

    /// Moves every timer of the session `millis` into the past.
    pub(crate) fn age(&mut self, millis: Millis) {
        self.issued_at = self.issued_at.saturating_sub(millis);
        self.locked_at = self.locked_at.and_then(|at| lock_at(at.get().saturating_sub(millis)));
    }

    /// When the record may be forgotten: an hour after its last timer has run out.
    pub(crate) fn forget_at(&self, lockout_seconds: u64) -> Millis {
        const HOUR: u64 = 3_600;
        self.issued_at
            .saturating_add((u64::from(self.ttl_seconds) + lockout_seconds + HOUR).saturating_mul(1_000))
    }

    /// The step of one verify call with a well-formed code.
    ///
    /// State comes before comparison: a session that is used, locked or expired answers the right and a wrong code
    /// alike, so that its answer tells nothing of the code. `is_right` compares in constant time.
    pub fn attempt(
        &mut self,
        policy: &Policy,
        terms: Terms,
        now: Millis,
        is_right: impl FnOnce(&Digest) -> bool,
    ) -> Verdict {
        let own = (self.max_attempts != UNLIMITED).then_some(self.max_attempts);
        let limit = match (own, terms.limit) {
            (Some(_), Some(asked)) => Some(asked),
            (own, _) => own,
        };
        let may_retry = terms.retry != Some(false);
        // A limit that is lower than the count already reached locks as well.
        if self.locked_at.is_none() && may_retry && limit.is_some_and(|limit| self.failed >= limit) {
            self.locked_at = lock_at(now);
        }
        if let Some(outcome) = self.terminal(policy, terms, now) {
            return self.verdict(policy, outcome, limit, now, terms);
        }
        if is_right(&self.digest) {
            self.used = true;
            return self.verdict(policy, Outcome::Approved, limit, now, terms);
        }
        self.failed = self.failed.saturating_add(1);
        if !may_retry {
            self.invalidated = true;
            return self.verdict(policy, Outcome::WrongCode, limit, now, terms);
        }
        let outcome = if limit.is_some_and(|limit| self.failed >= limit) {
            self.locked_at = lock_at(now);
            policy.at_limit()
        } else {
            Outcome::WrongCode
        };
        self.verdict(policy, outcome, limit, now, terms)
    }

    fn terminal(&self, policy: &Policy, terms: Terms, now: Millis) -> Option<Outcome> {
        let holds = |outcome: &Outcome| match outcome {
            Outcome::AlreadyUsed => self.used,
            Outcome::AttemptsExhausted => self.invalidated || self.is_locked(policy, now),
            Outcome::Expired => self.is_expired(policy, terms, now),
            _ => false,
        };
        policy.order().find(|outcome| holds(outcome))
    }

    fn is_locked(&self, policy: &Policy, now: Millis) -> bool {
        self.locked_at.is_some_and(|at| match policy.lockout_seconds {
            Some(seconds) => now < at.get().saturating_add(seconds.saturating_mul(1_000)),
            None => true,
        })
    }

    /// A lock that has ended leaves a session without a usable code, and so does a newer code.
    fn is_expired(&self, policy: &Policy, terms: Terms, now: Millis) -> bool {
        // A request may shorten the lifetime that the code was issued with, and never lengthen it.
        let own = u64::from(self.ttl_seconds);
        let seconds = terms.lifetime_seconds.map_or(own, |asked| asked.min(own));
        let over = now >= self.issued_at.saturating_add(seconds.saturating_mul(1_000));
        over || self.superseded || (self.locked_at.is_some() && !self.is_locked(policy, now))
    }

    fn verdict(
        &self,
        policy: &Policy,
        outcome: Outcome,
        limit: Option<u32>,
        now: Millis,
        terms: Terms,
    ) -> Verdict {
        let mode = match outcome {
            // What a dead session says follows from how it died, not from how it is asked.
            Outcome::AttemptsExhausted => self.locked_at.map(|_| Mode::Retry),
            _ => (terms.retry == Some(true)).then_some(Mode::Retry),
        };
        let lockout_seconds = match (policy.lockout_seconds, self.locked_at) {
            (Some(seconds), Some(at)) => {
                let end = at.get().saturating_add(seconds.saturating_mul(1_000));
                Some(end.saturating_sub(now).div_ceil(1_000))
            }
            _ => None,
        };
        Verdict {
            outcome,
            mode,
            remaining_attempts: limit.map(|limit| limit.saturating_sub(self.failed)),
            lockout_seconds,
            issued_at: Some(self.issued_at),
            foreign: false,
        }
    }
}

/// Whether a lock that began then has ended by itself.
fn is_over(locked_at: Option<Millis>, lockout_seconds: Option<u64>, now: Millis) -> bool {
    let end = |(at, seconds): (Millis, u64)| at.saturating_add(seconds.saturating_mul(1_000));
    locked_at.zip(lockout_seconds).is_some_and(|lock| end(lock) <= now)
}

fn lock_at(now: Millis) -> Option<NonZeroU64> {
    NonZeroU64::new(now.max(1))
}
