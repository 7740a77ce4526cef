//! Wrong decisions of one session, and the session that makes them. Without a defect it decides exactly as
//! [`crate::SessionState`] does, which the test below checks. This module uses the policy of the contract; it must not know
//! HTTP or other sessions, and must not be used in a sandbox without faults.

use std::collections::HashSet;
use std::net::SocketAddr;

use otp_contract::{Mode, Outcome, Policy};

use crate::engine::{Decision, Millis, RequestOverrides};
use crate::state::ReplicaId;

/// A wrong decision about one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionDefect {
    /// A used code is approved again.
    Reuse,
    /// A used code is approved again within one second of its use.
    ReuseAtOnce,
    /// The comparison ignores trailing white space, but the record of used codes does not.
    ReuseBySpelling,
    /// After the lifetime, neither the use nor the expiry of a code is remembered.
    UseForgotten,
    /// Each connection knows only the codes that were used over it.
    UsePerConnection,
    /// Each replica knows only the codes that it approved itself.
    UsePerReplica,
    /// The number of wrong codes is not limited.
    NoLimit,
    /// One wrong code more than the limit is compared.
    LimitHigh,
    /// One wrong code fewer than the limit is compared.
    LimitLow,
    /// Wrong codes are not counted.
    CountLost,
    /// Only every other wrong code is counted.
    CountHalf,
    /// A wrong code that was tried before is not counted.
    CountDistinct,
    /// The right code unlocks a locked session.
    LockOpens,
    /// In a session with this outcome, a wrong code still gets the response of a live session.
    ComparedFirst(Outcome),
    /// The first outcome is reported as the second.
    Misreported(Outcome, Outcome),
    /// Codes never expire.
    NoExpiry,
    /// Codes expire five seconds late.
    ExpiryLate,
    /// The clock counts whole seconds, and a code is valid until the second after its lifetime.
    ExpiryWholeSeconds,
    /// Codes for a used or expired session count, and lock it in the end.
    EndedCounts,
    /// Codes expire after nine tenths of their lifetime.
    ExpiryEarly,
    /// Each attempt restarts the lifetime.
    ExpiryExtended,
    /// Only wrong codes expire.
    ExpiryForWrongOnly,
    /// A request for a higher limit unlocks a locked session.
    LimitRevives,
    /// A request for a longer lifetime revives an expired code.
    LifetimeRevives,
    /// A request that allows retries revives a code that a wrong attempt had invalidated.
    RetryRevives,
    /// Each call to a locked session restarts the lockout.
    LockExtended,
    /// The reported number of remaining attempts is one too high.
    RemainingHigh,
    /// The reported number of remaining attempts never decreases.
    RemainingStuck,
}

use SessionDefect as D;

/// The outcome that a server with these defects reports for `truth`.
pub(super) fn reported(defects: &[D], truth: Outcome) -> Outcome {
    let reported = defects.iter().find_map(|defect| match defect {
        D::Misreported(misreported, reported) if *misreported == truth => Some(*reported),
        _ => None,
    });
    reported.unwrap_or(truth)
}

/// The wrong codes of a session, or of whatever a defect counts together.
#[derive(Debug, Clone, Default)]
pub(super) struct AttemptCounter {
    /// The wrong codes that count towards the limit.
    pub(super) failed: u32,
    /// When the limit was reached.
    pub(super) locked_at: Option<Millis>,
    /// All wrong codes, counted correctly.
    total: u32,
    seen: HashSet<String>,
}

impl AttemptCounter {
    pub(super) fn count(&mut self, defects: &[D], code: &str) {
        self.total = self.total.saturating_add(1);
        let is_new = self.seen.insert(code.to_owned());
        let counts = match () {
            () if defects.contains(&D::CountLost) => false,
            () if defects.contains(&D::CountHalf) => self.total % 2 == 1,
            () if defects.contains(&D::CountDistinct) => is_new,
            () => true,
        };
        if counts {
            self.failed = self.failed.saturating_add(1);
        }
    }

    /// Whether the lock is in force. Without a lockout in the policy it is permanent.
    pub(super) fn is_locked(&self, policy: &Policy, now: Millis) -> bool {
        self.locked_at.is_some_and(|at| match policy.lockout_seconds {
            Some(seconds) => now < at.saturating_add(seconds.saturating_mul(1_000)),
            None => true,
        })
    }
}

/// A session.
#[derive(Debug, Clone)]
pub(super) struct FaultySession {
    pub(super) tenant: String,
    /// The valid codes, the newest last. Without a defect there is one.
    pub(super) codes: Vec<String>,
    pub(super) counter: AttemptCounter,
    pub(super) used_at: Option<Millis>,
    pub(super) used_by: Vec<(Option<SocketAddr>, ReplicaId)>,
    pub(super) superseded: bool,
    /// The session that a resend to the same recipient created.
    pub(super) successor: Option<String>,
    pub(super) invalidated: bool,
    issued_at: Millis,
    ttl_seconds: u64,
    max_attempts: Option<u32>,
}

/// A verify call for a session that exists.
pub(super) struct VerifyCall<'a> {
    pub(super) policy: &'a Policy,
    pub(super) overrides: RequestOverrides,
    pub(super) code: &'a str,
    pub(super) now: Millis,
    pub(super) peer: Option<SocketAddr>,
    pub(super) replica: ReplicaId,
    /// Whether the code in the request was spelled differently from `code`.
    pub(super) is_respelled: bool,
}

/// The delay of [`D::ExpiryLate`].
const EXPIRY_DELAY_MS: Millis = 5_000;

/// How long after its use [`D::ReuseAtOnce`] approves a code again.
const REUSE_WINDOW_MS: Millis = 1_000;

impl FaultySession {
    pub(super) fn new(
        tenant: String,
        code: String,
        now: Millis,
        ttl_seconds: u64,
        max_attempts: Option<u32>,
    ) -> FaultySession {
        FaultySession {
            tenant,
            codes: vec![code],
            counter: AttemptCounter::default(),
            used_at: None,
            used_by: Vec::new(),
            superseded: false,
            successor: None,
            invalidated: false,
            issued_at: now,
            ttl_seconds,
            max_attempts,
        }
    }

    pub(super) fn age(&mut self, millis: Millis) {
        self.issued_at = self.issued_at.saturating_sub(millis);
        self.counter.locked_at = self.counter.locked_at.map(|at| at.saturating_sub(millis));
    }

    pub(super) fn is_right(&self, code: &str) -> bool {
        self.codes.iter().any(|valid| valid == code)
    }

    pub(super) fn record_use(&mut self, call: &VerifyCall<'_>) {
        self.used_at = Some(call.now);
        self.used_by.push((call.peer, call.replica));
    }

    /// Decides on the call, and counts a wrong code in `counter`, which is not always the session's own.
    pub(super) fn decide(
        &mut self,
        counter: &mut AttemptCounter,
        defects: &[D],
        call: &VerifyCall<'_>,
    ) -> Decision {
        let right = self.is_right(call.code);
        let limit = self.limit(defects, call.overrides);
        let may_retry = call.overrides.retry != Some(false);
        let reached =
            |failed: u32| !defects.contains(&D::NoLimit) && limit.is_some_and(|limit| failed >= limit);
        if counter.locked_at.is_none() && may_retry && reached(counter.failed) {
            counter.locked_at = Some(call.now);
        }
        if defects.contains(&D::LimitRevives) && !reached(counter.failed) {
            counter.locked_at = None;
        }
        if defects.contains(&D::LockExtended) && counter.is_locked(call.policy, call.now) {
            counter.locked_at = Some(call.now);
        }
        let decision = |outcome, session: &FaultySession, counter: &AttemptCounter| {
            session.decision(counter, defects, outcome, limit, call)
        };
        if let Some(outcome) = self.terminal_outcome(counter, defects, call, right) {
            if defects.contains(&D::EndedCounts) && outcome != Outcome::AttemptsExhausted {
                counter.failed = counter.failed.saturating_add(1);
                if may_retry && reached(counter.failed) {
                    counter.locked_at = Some(call.now);
                }
            }
            let is_compared_first = !right && defects.contains(&D::ComparedFirst(outcome));
            let outcome = if is_compared_first { Outcome::WrongCode } else { outcome };
            return decision(outcome, self, counter);
        }
        if defects.contains(&D::ExpiryExtended) {
            self.issued_at = call.now;
        }
        if right {
            self.record_use(call);
            return decision(Outcome::Approved, self, counter);
        }
        let outcome = match self.record_failure(counter, defects, call) {
            true => call.policy.at_limit(),
            false => Outcome::WrongCode,
        };
        decision(outcome, self, counter)
    }

    /// Counts a wrong code. Returns whether it locks the session.
    pub(super) fn record_failure(
        &mut self,
        counter: &mut AttemptCounter,
        defects: &[D],
        call: &VerifyCall<'_>,
    ) -> bool {
        counter.count(defects, call.code);
        if call.overrides.retry == Some(false) {
            self.invalidated = true;
            return false;
        }
        let limit = self.limit(defects, call.overrides);
        let locks = !defects.contains(&D::NoLimit) && limit.is_some_and(|limit| counter.failed >= limit);
        if locks {
            counter.locked_at = Some(call.now);
        }
        locks
    }

    /// The limit on wrong codes that applies to a call with these overrides.
    fn limit(&self, defects: &[D], overrides: RequestOverrides) -> Option<u32> {
        let limit = match (self.max_attempts, overrides.limit) {
            (Some(_), Some(requested)) => Some(requested),
            (own, _) => own,
        };
        match () {
            () if defects.contains(&D::LimitHigh) => limit.map(|limit| limit.saturating_add(1)),
            () if defects.contains(&D::LimitLow) => limit.map(|limit| limit.saturating_sub(1)),
            () => limit,
        }
    }

    /// The outcome of a session in which no code is compared any more.
    fn terminal_outcome(
        &self,
        counter: &AttemptCounter,
        defects: &[D],
        call: &VerifyCall<'_>,
        right: bool,
    ) -> Option<Outcome> {
        let holds = |outcome: &Outcome| match outcome {
            Outcome::AlreadyUsed => self.is_used(defects, call),
            Outcome::AttemptsExhausted => {
                let is_revived = defects.contains(&D::RetryRevives) && call.overrides.retry == Some(true);
                let is_dead = (self.invalidated && !is_revived) || counter.is_locked(call.policy, call.now);
                is_dead && !(right && defects.contains(&D::LockOpens))
            }
            Outcome::Expired => self.is_expired(counter, defects, call, right),
            _ => false,
        };
        if defects.contains(&D::EndedCounts) && holds(&Outcome::AttemptsExhausted) {
            return Some(Outcome::AttemptsExhausted);
        }
        call.policy.order().find(|outcome| holds(outcome))
    }

    fn is_used(&self, defects: &[D], call: &VerifyCall<'_>) -> bool {
        let Some(at) = self.used_at else { return false };
        match () {
            () if defects.contains(&D::Reuse) => false,
            () if defects.contains(&D::ReuseAtOnce) => call.now >= at.saturating_add(REUSE_WINDOW_MS),
            () if defects.contains(&D::ReuseBySpelling) => !call.is_respelled,
            () if defects.contains(&D::UseForgotten) => !self.is_past(self.ttl_seconds, call.now),
            () if defects.contains(&D::UsePerConnection) => {
                self.used_by.iter().any(|(peer, _)| *peer == call.peer)
            }
            () if defects.contains(&D::UsePerReplica) => {
                self.used_by.iter().any(|(_, replica)| *replica == call.replica)
            }
            () => true,
        }
    }

    fn is_past(&self, seconds: u64, now: Millis) -> bool {
        now >= self.issued_at.saturating_add(seconds.saturating_mul(1_000))
    }

    fn is_expired(
        &self,
        counter: &AttemptCounter,
        defects: &[D],
        call: &VerifyCall<'_>,
        right: bool,
    ) -> bool {
        let seconds = match call.overrides.lifetime_seconds {
            Some(requested) if defects.contains(&D::LifetimeRevives) => requested,
            Some(requested) => requested.min(self.ttl_seconds),
            None => self.ttl_seconds,
        };
        let now = match () {
            () if defects.contains(&D::ExpiryLate) => call.now.saturating_sub(EXPIRY_DELAY_MS),
            () if defects.contains(&D::ExpiryEarly) => call.now.saturating_add(seconds.saturating_mul(100)),
            () => call.now,
        };
        let is_ignored = defects.contains(&D::NoExpiry)
            || (right && defects.contains(&D::ExpiryForWrongOnly))
            || (self.used_at.is_some() && defects.contains(&D::UseForgotten));
        let is_past = match defects.contains(&D::ExpiryWholeSeconds) {
            true => now / 1_000 > (self.issued_at / 1_000).saturating_add(seconds),
            false => self.is_past(seconds, now),
        };
        let is_past = is_past && !is_ignored;
        is_past
            || self.superseded
            || (counter.locked_at.is_some() && !counter.is_locked(call.policy, call.now))
    }

    fn decision(
        &self,
        counter: &AttemptCounter,
        defects: &[D],
        outcome: Outcome,
        limit: Option<u32>,
        call: &VerifyCall<'_>,
    ) -> Decision {
        let outcome = reported(defects, outcome);
        let mode = match outcome {
            Outcome::AttemptsExhausted => counter.locked_at.map(|_| Mode::Retry),
            _ => (call.overrides.retry == Some(true)).then_some(Mode::Retry),
        };
        let lockout_seconds = match (call.policy.lockout_seconds, counter.locked_at) {
            (Some(seconds), Some(at)) => {
                let end = at.saturating_add(seconds.saturating_mul(1_000));
                Some(end.saturating_sub(call.now).div_ceil(1_000))
            }
            _ => None,
        };
        let remaining_attempts = limit.map(|limit| match () {
            () if defects.contains(&D::RemainingStuck) => limit,
            () if defects.contains(&D::RemainingHigh) => {
                limit.saturating_sub(counter.failed).saturating_add(1)
            }
            () => limit.saturating_sub(counter.failed),
        });
        Decision {
            outcome,
            mode,
            remaining_attempts,
            lockout_seconds,
            issued_at: Some(self.issued_at),
            foreign: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use otp_contract::Contract;
    use proptest::prelude::*;

    use super::*;
    use crate::engine::SessionState;

    const RIGHT: &str = "123456";
    const TTL: u64 = 900;

    #[derive(Debug, Clone)]
    enum Step {
        Age(u64),
        Call { right: bool, overrides: RequestOverrides },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let overrides = (any::<bool>(), prop::option::of(1_u32..=10), prop::option::of(180_u64..=1_200))
            .prop_map(|(retry, limit, lifetime_seconds)| RequestOverrides {
                retry: Some(retry),
                limit,
                lifetime_seconds,
            });
        let step = prop_oneof![
            1 => prop::sample::select(vec![1, 60, 600, 7_200]).prop_map(Step::Age),
            2 => any::<bool>().prop_map(|right| Step::Call { right, overrides: RequestOverrides::default() }),
            4 => (prop::bool::weighted(0.2), overrides).prop_map(|(right, overrides)| Step::Call { right, overrides }),
        ];
        prop::collection::vec(step, 1..20)
    }

    proptest! {
        /// Otherwise a fault could be found by a difference that is not the fault's own.
        #[test]
        fn without_a_defect_it_decides_like_the_correct_engine(steps in steps(), limit in 1_u32..6) {
            for vendor in ["dailystory", "exotel", "d7"] {
                let contract = Contract::of_vendor(vendor);
                let contract = contract.map_err(|error| TestCaseError::fail(error.to_string()))?;
                let policy = contract.policy;
                let limit = policy.attempts.as_ref().map(|_| limit);
                let now = 1_000_000_000_000;
                let mut record = SessionState::new([0; 16], now, TTL, limit);
                let mut session = FaultySession::new("t".to_owned(), RIGHT.to_owned(), now, TTL, limit);
                let mut counter = AttemptCounter::default();
                for step in &steps {
                    let (right, overrides) = match step {
                        Step::Age(seconds) => {
                            record.age(seconds * 1_000);
                            session.counter = std::mem::take(&mut counter);
                            session.age(seconds * 1_000);
                            counter = std::mem::take(&mut session.counter);
                            continue;
                        }
                        Step::Call { right, overrides } => (*right, *overrides),
                    };
                    let code = if right { RIGHT } else { "654321" };
                    let expected = record.attempt(&policy, overrides, now, |_| right);
                    let replica = ReplicaId::default();
                    let call =
                        VerifyCall { policy: &policy, overrides, code, now, peer: None, replica, is_respelled: false };
                    let actual = session.decide(&mut counter, &[], &call);
                    prop_assert_eq!(expected, actual);
                }
            }
        }
    }
}
