//! The state of one session, and the single step that each verify call takes.
//!
//! Pure: no clock, no lock, no HTTP. A store runs [`SessionState::attempt`] atomically; that is what makes single use
//! and the attempt limit hold under concurrency.

use std::num::NonZeroU64;

use otp_contract::{Mode, Outcome, Policy};

use super::secret::Digest;

/// Milliseconds since the Unix epoch.
pub(crate) type Millis = u64;

/// Stands for the absence of a limit.
const UNLIMITED: u32 = u32::MAX;

/// The state of a session, which has one issued code.
#[derive(Debug, Clone)]
pub(crate) struct SessionState {
    digest: Digest,
    issued_at: Millis,
    /// Non-zero, so that the `Option` needs no extra space; a lock at the epoch itself is stored as 1 ms.
    locked_at: Option<NonZeroU64>,
    ttl_seconds: u32,
    /// [`UNLIMITED`] if there is no limit.
    max_attempts: u32,
    failed: u32,
    invalidated: bool,
    used: bool,
    superseded: bool,
}

/// The parts of the policy that a request sets for itself, within the bounds of the contract's parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestOverrides {
    /// Whether further attempts are allowed after a wrong code; `None` if the API has no such parameter.
    pub retry: Option<bool>,
    /// The limit of wrong codes for this call.
    pub limit: Option<u32>,
    /// The lifetime for this call, in seconds.
    pub lifetime_seconds: Option<u64>,
}

/// The result of a verify call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Which of an API's two modes the call used.
    pub mode: Option<Mode>,
    /// How many more wrong codes will be compared, if there is a limit.
    pub remaining_attempts: Option<u32>,
    /// How many seconds the session stays locked, if the lock ends by itself.
    pub lockout_seconds: Option<u64>,
    /// When the session was issued, in milliseconds since the Unix epoch.
    pub issued_at: Option<Millis>,
    /// Whether the session id exists but belongs to another tenant.
    pub foreign: bool,
}

impl Decision {
    /// A decision made without a session.
    pub fn without_session(outcome: Outcome) -> Decision {
        Decision {
            outcome,
            mode: None,
            remaining_attempts: None,
            lockout_seconds: None,
            issued_at: None,
            foreign: false,
        }
    }
}

impl SessionState {
    pub(crate) fn new(
        digest: Digest,
        now: Millis,
        ttl_seconds: u64,
        max_attempts: Option<u32>,
    ) -> SessionState {
        SessionState {
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

    /// Inherits the failed attempts of `earlier`, the previous session of the same recipient: a new secret must not
    /// reset the count (NIST SP 800-63B-4 §3.1.3.2). A success or a lock that has ended resets it.
    pub(crate) fn inherit(&mut self, earlier: &SessionState, lockout_seconds: Option<u64>, now: Millis) {
        let locked_at = earlier.locked_at.map(NonZeroU64::get);
        if !earlier.used && !has_lock_ended(locked_at, lockout_seconds, now) {
            self.failed = earlier.failed;
            self.locked_at = earlier.locked_at;
        }
    }

    /// Invalidates the code because its recipient has a newer one.
    pub(crate) fn supersede(&mut self) {
        self.superseded = true;
    }

    /// Moves every timer of the session `millis` into the past.
    pub(crate) fn age(&mut self, millis: Millis) {
        self.issued_at = self.issued_at.saturating_sub(millis);
        self.locked_at = self.locked_at.and_then(|at| lock_at(at.get().saturating_sub(millis)));
    }

    /// When the state may be deleted: an hour after its last timer has run out.
    pub(crate) fn delete_at(&self, lockout_seconds: u64) -> Millis {
        const HOUR: u64 = 3_600;
        self.issued_at
            .saturating_add((u64::from(self.ttl_seconds) + lockout_seconds + HOUR).saturating_mul(1_000))
    }

    /// Takes the step of one verify call with a well-formed code.
    ///
    /// The state is checked before the code is compared: a session that is used, locked or expired responds to the
    /// right code and to a wrong one in the same way, and so reveals nothing about the code. `is_right` compares in
    /// constant time.
    pub(crate) fn attempt(
        &mut self,
        policy: &Policy,
        overrides: RequestOverrides,
        now: Millis,
        is_right: impl FnOnce(&Digest) -> bool,
    ) -> Decision {
        let own = (self.max_attempts != UNLIMITED).then_some(self.max_attempts);
        let limit = match (own, overrides.limit) {
            (Some(_), Some(asked)) => Some(asked),
            (own, _) => own,
        };
        let may_retry = overrides.retry != Some(false);
        // A request may set a limit below the count already reached, which locks as well.
        if self.locked_at.is_none() && may_retry && limit.is_some_and(|limit| self.failed >= limit) {
            self.locked_at = lock_at(now);
        }
        if let Some(outcome) = self.terminal_outcome(policy, overrides, now) {
            return self.decision(policy, outcome, limit, now, overrides);
        }
        if is_right(&self.digest) {
            self.used = true;
            return self.decision(policy, Outcome::Approved, limit, now, overrides);
        }
        self.failed = self.failed.saturating_add(1);
        if !may_retry {
            self.invalidated = true;
            return self.decision(policy, Outcome::WrongCode, limit, now, overrides);
        }
        let outcome = if limit.is_some_and(|limit| self.failed >= limit) {
            self.locked_at = lock_at(now);
            policy.at_limit()
        } else {
            Outcome::WrongCode
        };
        self.decision(policy, outcome, limit, now, overrides)
    }

    fn terminal_outcome(&self, policy: &Policy, overrides: RequestOverrides, now: Millis) -> Option<Outcome> {
        let applies = |outcome: &Outcome| match outcome {
            Outcome::AlreadyUsed => self.used,
            Outcome::AttemptsExhausted => self.invalidated || self.is_locked(policy, now),
            Outcome::Expired => self.is_expired(policy, overrides, now),
            _ => false,
        };
        policy.order().find(|outcome| applies(outcome))
    }

    fn is_locked(&self, policy: &Policy, now: Millis) -> bool {
        self.locked_at.is_some_and(|at| match policy.lockout_seconds {
            Some(seconds) => now < at.get().saturating_add(seconds.saturating_mul(1_000)),
            None => true,
        })
    }

    /// A session whose lock has ended has no usable code any more, and neither has one with a newer code.
    fn is_expired(&self, policy: &Policy, overrides: RequestOverrides, now: Millis) -> bool {
        // A request may shorten the lifetime that the code was issued with, but never extend it.
        let own = u64::from(self.ttl_seconds);
        let seconds = overrides.lifetime_seconds.map_or(own, |asked| asked.min(own));
        let over = now >= self.issued_at.saturating_add(seconds.saturating_mul(1_000));
        over || self.superseded || (self.locked_at.is_some() && !self.is_locked(policy, now))
    }

    fn decision(
        &self,
        policy: &Policy,
        outcome: Outcome,
        limit: Option<u32>,
        now: Millis,
        overrides: RequestOverrides,
    ) -> Decision {
        let mode = match outcome {
            // The response of a locked session depends on the mode in which it was locked, not on the mode of this
            // call.
            Outcome::AttemptsExhausted => self.locked_at.map(|_| Mode::Retry),
            _ => (overrides.retry == Some(true)).then_some(Mode::Retry),
        };
        let lockout_seconds = match (policy.lockout_seconds, self.locked_at) {
            (Some(seconds), Some(at)) => {
                let end = at.get().saturating_add(seconds.saturating_mul(1_000));
                Some(end.saturating_sub(now).div_ceil(1_000))
            }
            _ => None,
        };
        Decision {
            outcome,
            mode,
            remaining_attempts: limit.map(|limit| limit.saturating_sub(self.failed)),
            lockout_seconds,
            issued_at: Some(self.issued_at),
            foreign: false,
        }
    }
}

/// Whether a lock that began at `locked_at` has ended by itself.
fn has_lock_ended(locked_at: Option<Millis>, lockout_seconds: Option<u64>, now: Millis) -> bool {
    let end = |(at, seconds): (Millis, u64)| at.saturating_add(seconds.saturating_mul(1_000));
    locked_at.zip(lockout_seconds).is_some_and(|lock| end(lock) <= now)
}

fn lock_at(now: Millis) -> Option<NonZeroU64> {
    NonZeroU64::new(now.max(1))
}
