//! An engine with deliberate defects: one session's state and the step that a call makes it take, kept as wrongly as
//! the defects say. Without one it decides what `SessionState` decides; it must never be used then.

use std::collections::HashSet;
use std::net::SocketAddr;

use otp_contract::{Contract, Matching, Mode, Outcome, Policy, Situation, StateValue};

use super::observable::{differ, is_told_wrongly};
use super::spelling::Spelling;
use crate::engine::{Decision, Millis, RequestOverrides};
use crate::state::ReplicaId;

/// What is decided wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A used code is approved again.
    Reuse,
    /// A used code is approved again within a second of its use.
    ReuseAtOnce,
    /// A code is marked as used by its spelling, and compared without regard to white space behind it.
    ReuseBySpelling,
    /// That a code was used is forgotten when its lifetime is over, and so is that it has one.
    UseForgotten,
    /// Each connection knows only of the codes that were used over itself.
    UsePerConnection,
    /// Each replica knows only of the codes that were used at itself.
    UsePerReplica,
    /// Between the look whether a code was used and the note that it is now lie some milliseconds.
    UseRace,
    /// The same, only while more than four calls for the session are under way.
    UseRaceWhenBusy,
    /// Wrong codes are compared without end.
    NoLimit,
    /// One wrong code more than allowed is compared.
    LimitHigh,
    /// One wrong code less than allowed is compared.
    LimitLow,
    /// Wrong codes are not counted.
    CountLost,
    /// Every second wrong code is not counted.
    CountHalf,
    /// A wrong code that was tried before is not counted.
    CountDistinct,
    /// Wrong codes are counted some milliseconds after the comparison.
    CountLate,
    /// The count that was read before the comparison is written back after it, raised by one.
    CountOverwritten,
    /// Wrong codes are counted late, only while more than four calls for the session are under way.
    CountLateWhenBusy,
    /// All sessions of a tenant share a count.
    CountPerTenant,
    /// All sessions of the vendor share a count.
    CountPerVendor,
    /// Each connection has a count of its own.
    CountPerConnection,
    /// Each replica has a count of its own.
    CountPerReplica,
    /// Each value of `X-Forwarded-For` has a count of its own.
    CountPerForwarded,
    /// A caller that hangs up undoes what was noted of the session.
    HangUpUndoes,
    /// An approval sets the counts of the tenant's other sessions to zero.
    SuccessResets,
    /// A malformed request sets the count to zero.
    MalformedResets,
    /// A malformed request counts as a wrong code.
    MalformedCounts,
    /// A new code sets the count to zero.
    ResendResets,
    /// A new code leaves the old one valid.
    ResendKeepsOld,
    /// The right code opens a locked session.
    LockOpens,
    /// A dead session is first asked whether the code is right: a wrong one gets the answer of a live session.
    ComparedFirst(Outcome),
    /// One outcome is told as another.
    Told(Outcome, Outcome),
    /// Codes do not expire.
    NoExpiry,
    /// Codes expire five seconds late.
    ExpiryLate,
    /// Codes expire when nine tenths of their lifetime are over.
    ExpiryEarly,
    /// Each attempt starts the lifetime anew.
    ExpiryExtended,
    /// The right code does not expire.
    ExpiryForWrong,
    /// A session is verified for any tenant.
    ForeignTenant,
    /// Another tenant's wrong codes are counted.
    ForeignCounts,
    /// Another tenant's right code uses the session up.
    ForeignConsumes,
    /// Another tenant learns that the session is there, by the answer to a wrong code.
    ForeignTold,
    /// Another tenant learns that the session is there, by the status.
    ForeignStatus,
    /// A session is found by another spelling of its id, for which wrong codes are counted apart.
    SessionSpelling(Spelling),
    /// A wish for more attempts opens a locked session.
    LimitRevives,
    /// A wish for a longer lifetime brings an expired code back.
    LifetimeRevives,
    /// The permission to retry brings back a code that a wrong one has ended.
    RetryRevives,
    /// Each call to a locked session starts the lock anew.
    LockExtended,
    /// One attempt more than there is, is said to remain.
    RemainingHigh,
    /// As many attempts are said to remain as there were at first.
    RemainingStuck,
}

use Defect as D;

impl Defect {
    pub(super) fn shows(self, contract: &Contract) -> bool {
        let policy = &contract.policy;
        let limited = policy.attempts.is_some();
        match self {
            D::NoLimit
            | D::LimitHigh
            | D::LimitLow
            | D::CountLost
            | D::CountHalf
            | D::CountDistinct
            | D::CountLate
            | D::CountOverwritten
            | D::CountLateWhenBusy
            | D::CountPerTenant
            | D::CountPerVendor
            | D::CountPerConnection
            | D::CountPerReplica
            | D::CountPerForwarded
            | D::SuccessResets
            | D::MalformedResets
            | D::ResendResets
            | D::LockOpens
            | D::ForeignCounts => limited,
            // A code of another shape may count as a wrong one; a body that cannot be read may not.
            D::MalformedCounts => limited && contract.verify().has_body,
            D::SessionSpelling(spelling) => limited && spelling.shows(contract),
            D::ComparedFirst(outcome) => {
                (limited || outcome != Outcome::AttemptsExhausted)
                    && differ(contract, situation(outcome), Situation::WrongCode)
            }
            D::Told(truth, told) => {
                (limited || truth != Outcome::AttemptsExhausted)
                    && is_told_wrongly(contract, situation(truth), situation(told))
            }
            D::ForeignTold => differ(contract, Situation::UnknownSession, Situation::WrongCode),
            D::LimitRevives => limited && policy.overrides.limit.is_some(),
            D::LifetimeRevives => policy.overrides.lifetime_minutes.is_some(),
            D::RetryRevives => policy.overrides.retry.is_some(),
            D::LockExtended => limited && policy.lockout_seconds.is_some(),
            D::RemainingHigh | D::RemainingStuck => contract.verify().cells.iter().any(|cell| {
                let told = Matching::State(StateValue::RemainingAttempts);
                !cell.alternative && cell.members.iter().any(|member| member.rule.matching == told)
            }),
            _ => true,
        }
    }
}

fn situation(outcome: Outcome) -> Situation {
    match outcome {
        Outcome::WrongCode => Situation::WrongCode,
        Outcome::Expired => Situation::Expired,
        Outcome::AttemptsExhausted => Situation::AttemptsExhausted,
        Outcome::AlreadyUsed => Situation::AlreadyUsed,
        Outcome::UnknownSession => Situation::UnknownSession,
        _ => Situation::Approved,
    }
}

/// The defects in force.
#[derive(Debug, Default)]
pub(super) struct Defects(pub(super) Vec<Defect>);

impl Defects {
    pub(super) fn has(&self, defect: Defect) -> bool {
        self.0.contains(&defect)
    }
}

/// Wrong codes, as they are counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) failed: u32,
    tries: u32,
    pub(super) locked_at: Option<Millis>,
    seen: HashSet<String>,
}

/// One session.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) tenant: String,
    /// The last is the one in force.
    pub(super) codes: Vec<String>,
    pub(super) tally: Tally,
    pub(super) used_at: Option<Millis>,
    pub(super) used_by: Vec<(Option<SocketAddr>, ReplicaId)>,
    pub(super) superseded: bool,
    /// The session that its recipient got next.
    pub(super) successor: Option<String>,
    pub(super) invalidated: bool,
    issued_at: Millis,
    ttl_seconds: u64,
    max_attempts: Option<u32>,
}

/// One call.
pub(super) struct Step<'a> {
    pub(super) policy: &'a Policy,
    pub(super) overrides: RequestOverrides,
    pub(super) code: &'a str,
    pub(super) now: Millis,
    pub(super) peer: Option<SocketAddr>,
    pub(super) replica: ReplicaId,
    /// Whether the code was spelled otherwise than it is compared.
    pub(super) respelled: bool,
}

/// How late [`Defect::ExpiryLate`] is, in milliseconds.
const LATE: Millis = 5_000;

impl Life {
    pub(super) fn new(
        tenant: String,
        code: String,
        now: Millis,
        ttl_seconds: u64,
        max_attempts: Option<u32>,
    ) -> Life {
        Life {
            tenant,
            codes: vec![code],
            tally: Tally::default(),
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
        self.tally.locked_at = self.tally.locked_at.map(|at| at.saturating_sub(millis));
    }

    pub(super) fn is_right(&self, defects: &Defects, code: &str) -> bool {
        match defects.has(D::ResendKeepsOld) {
            true => self.codes.iter().any(|own| own == code),
            false => self.codes.last().is_some_and(|own| own == code),
        }
    }

    /// Notes the approval.
    pub(super) fn use_up(&mut self, step: &Step<'_>) {
        self.used_at = Some(step.now);
        self.used_by.push((step.peer, step.replica));
    }

    pub(super) fn step(&mut self, tally: &mut Tally, defects: &Defects, step: &Step<'_>) -> Decision {
        let right = self.is_right(defects, step.code);
        let limit = self.limit(defects, step.overrides);
        let may_retry = step.overrides.retry != Some(false);
        let reached = |failed: u32| !defects.has(D::NoLimit) && limit.is_some_and(|limit| failed >= limit);
        if tally.locked_at.is_none() && may_retry && reached(tally.failed) {
            tally.locked_at = Some(step.now);
        }
        if defects.has(D::LimitRevives) && !reached(tally.failed) {
            tally.locked_at = None;
        }
        if defects.has(D::LockExtended) && is_locked(tally, step) {
            tally.locked_at = Some(step.now);
        }
        let decision =
            |outcome, life: &Life, tally: &Tally| life.decision(tally, defects, outcome, limit, step);
        if let Some(outcome) = self.terminal(tally, defects, step, right) {
            let told = match !right && defects.has(D::ComparedFirst(outcome)) {
                true => Outcome::WrongCode,
                false => outcome,
            };
            return decision(told, self, tally);
        }
        if defects.has(D::ExpiryExtended) {
            self.issued_at = step.now;
        }
        if right {
            self.use_up(step);
            return decision(Outcome::Approved, self, tally);
        }
        let outcome = match self.fail(tally, defects, step) {
            true => step.policy.at_limit(),
            false => Outcome::WrongCode,
        };
        decision(outcome, self, tally)
    }

    /// Notes a wrong code; whether it locks the session.
    pub(super) fn fail(&mut self, tally: &mut Tally, defects: &Defects, step: &Step<'_>) -> bool {
        tally.count(defects, step.code);
        if step.overrides.retry == Some(false) {
            self.invalidated = true;
            return false;
        }
        let limit = self.limit(defects, step.overrides);
        let locks = !defects.has(D::NoLimit) && limit.is_some_and(|limit| tally.failed >= limit);
        if locks {
            tally.locked_at = Some(step.now);
        }
        locks
    }

    fn limit(&self, defects: &Defects, overrides: RequestOverrides) -> Option<u32> {
        let limit = match (self.max_attempts, overrides.limit) {
            (Some(_), Some(asked)) => Some(asked),
            (own, _) => own,
        };
        match () {
            () if defects.has(D::LimitHigh) => limit.map(|limit| limit.saturating_add(1)),
            () if defects.has(D::LimitLow) => limit.map(|limit| limit.saturating_sub(1)),
            () => limit,
        }
    }

    fn terminal(&self, tally: &Tally, defects: &Defects, step: &Step<'_>, right: bool) -> Option<Outcome> {
        let holds = |outcome: &Outcome| match outcome {
            Outcome::AlreadyUsed => self.is_used(defects, step),
            Outcome::AttemptsExhausted => {
                let revived = defects.has(D::RetryRevives) && step.overrides.retry == Some(true);
                let dead = (self.invalidated && !revived) || is_locked(tally, step);
                dead && !(right && defects.has(D::LockOpens))
            }
            Outcome::Expired => self.is_expired(tally, defects, step, right),
            _ => false,
        };
        step.policy.order().find(|outcome| holds(outcome))
    }

    fn is_used(&self, defects: &Defects, step: &Step<'_>) -> bool {
        let Some(at) = self.used_at else { return false };
        match () {
            () if defects.has(D::Reuse) => false,
            () if defects.has(D::ReuseAtOnce) => step.now >= at.saturating_add(1_000),
            () if defects.has(D::ReuseBySpelling) => !step.respelled,
            () if defects.has(D::UseForgotten) => !self.is_over(self.ttl_seconds, step.now),
            () if defects.has(D::UsePerConnection) => self.used_by.iter().any(|(peer, _)| *peer == step.peer),
            () if defects.has(D::UsePerReplica) => {
                self.used_by.iter().any(|(_, replica)| *replica == step.replica)
            }
            () => true,
        }
    }

    fn is_over(&self, seconds: u64, now: Millis) -> bool {
        now >= self.issued_at.saturating_add(seconds.saturating_mul(1_000))
    }

    fn is_expired(&self, tally: &Tally, defects: &Defects, step: &Step<'_>, right: bool) -> bool {
        let seconds = match step.overrides.lifetime_seconds {
            Some(asked) if defects.has(D::LifetimeRevives) => asked,
            Some(asked) => asked.min(self.ttl_seconds),
            None => self.ttl_seconds,
        };
        let now = match () {
            () if defects.has(D::ExpiryLate) => step.now.saturating_sub(LATE),
            () if defects.has(D::ExpiryEarly) => step.now.saturating_add(seconds.saturating_mul(100)),
            () => step.now,
        };
        let forgiven = defects.has(D::NoExpiry)
            || (right && defects.has(D::ExpiryForWrong))
            || (self.used_at.is_some() && defects.has(D::UseForgotten));
        let over = self.is_over(seconds, now) && !forgiven;
        over || self.superseded || (tally.locked_at.is_some() && !is_locked(tally, step))
    }

    fn decision(
        &self,
        tally: &Tally,
        defects: &Defects,
        outcome: Outcome,
        limit: Option<u32>,
        step: &Step<'_>,
    ) -> Decision {
        let told = defects.0.iter().find_map(|defect| match defect {
            D::Told(truth, told) if *truth == outcome => Some(*told),
            _ => None,
        });
        let outcome = told.unwrap_or(outcome);
        let mode = match outcome {
            Outcome::AttemptsExhausted => tally.locked_at.map(|_| Mode::Retry),
            _ => (step.overrides.retry == Some(true)).then_some(Mode::Retry),
        };
        let lockout_seconds = match (step.policy.lockout_seconds, tally.locked_at) {
            (Some(seconds), Some(at)) => {
                let end = at.saturating_add(seconds.saturating_mul(1_000));
                Some(end.saturating_sub(step.now).div_ceil(1_000))
            }
            _ => None,
        };
        let remaining_attempts = limit.map(|limit| match () {
            () if defects.has(D::RemainingStuck) => limit,
            () if defects.has(D::RemainingHigh) => limit.saturating_sub(tally.failed).saturating_add(1),
            () => limit.saturating_sub(tally.failed),
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

impl Tally {
    fn count(&mut self, defects: &Defects, code: &str) {
        self.tries = self.tries.saturating_add(1);
        let is_new = self.seen.insert(code.to_owned());
        let counts = match () {
            () if defects.has(D::CountLost) => false,
            () if defects.has(D::CountHalf) => self.tries % 2 == 1,
            () if defects.has(D::CountDistinct) => is_new,
            () => true,
        };
        if counts {
            self.failed = self.failed.saturating_add(1);
        }
    }
}

fn is_locked(tally: &Tally, step: &Step<'_>) -> bool {
    tally.locked_at.is_some_and(|at| match step.policy.lockout_seconds {
        Some(seconds) => step.now < at.saturating_add(seconds.saturating_mul(1_000)),
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SessionState;
    use proptest::prelude::*;

    const RIGHT: &str = "123456";
    const TTL: u64 = 900;

    #[derive(Debug, Clone)]
    enum Move {
        Age(u64),
        Call { right: bool, overrides: RequestOverrides },
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let overrides = (any::<bool>(), prop::option::of(1_u32..=10), prop::option::of(180_u64..=1_200))
            .prop_map(|(retry, limit, lifetime_seconds)| RequestOverrides {
                retry: Some(retry),
                limit,
                lifetime_seconds,
            });
        let step = prop_oneof![
            1 => prop::sample::select(vec![1, 60, 600, 7_200]).prop_map(Move::Age),
            2 => any::<bool>().prop_map(|right| Move::Call { right, overrides: RequestOverrides::default() }),
            4 => (prop::bool::weighted(0.2), overrides).prop_map(|(right, overrides)| Move::Call { right, overrides }),
        ];
        prop::collection::vec(step, 1..20)
    }

    proptest! {
        /// What a fault shows is the fault's alone: without one, this engine decides what the clean one does.
        #[test]
        fn without_a_defect_it_decides_what_the_clean_engine_does(moves in moves(), limit in 1_u32..6) {
            for vendor in ["dailystory", "exotel", "d7"] {
                let contract = Contract::of_vendor(vendor);
                let contract = contract.map_err(|error| TestCaseError::fail(error.to_string()))?;
                let policy = contract.policy;
                let limit = policy.attempts.as_ref().map(|_| limit);
                let now = 1_000_000_000_000;
                let mut record = SessionState::new([0; 16], now, TTL, limit);
                let mut life = Life::new("t".to_owned(), RIGHT.to_owned(), now, TTL, limit);
                let mut tally = Tally::default();
                for step in &moves {
                    let (right, overrides) = match step {
                        Move::Age(seconds) => {
                            record.age(seconds * 1_000);
                            life.tally = std::mem::take(&mut tally);
                            life.age(seconds * 1_000);
                            tally = std::mem::take(&mut life.tally);
                            continue;
                        }
                        Move::Call { right, overrides } => (*right, *overrides),
                    };
                    let code = if right { RIGHT } else { "654321" };
                    let proper = record.attempt(&policy, overrides, now, |_| right);
                    let call = Step { policy: &policy, overrides, code, now, peer: None, replica: ReplicaId::default(), respelled: false };
                    let given = life.step(&mut tally, &Defects::default(), &call);
                    prop_assert_eq!(proper, given);
                }
            }
        }
    }
}
