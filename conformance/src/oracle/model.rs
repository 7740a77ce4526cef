//! The model of a session, as the documents and the control protocol describe it: `step(state, input) → (state, allowed)`.
//!
//! It is pure, and it states what is *allowed*, which is often more than one outcome: if a document leaves a choice, every
//! correct server must be free to make it.

use std::collections::BTreeSet;

use otp_contract::{Contract, Outcome};

/// The rules that apply to a session for its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// How many wrong codes the server compares; `None` where there is no limit.
    pub(crate) limit: Option<u32>,
    /// The age in seconds from which the code is expired; `None` if it never expires.
    pub(crate) ttl: Option<u64>,
    /// How long a lock usually lasts, in seconds; `None` if it does not end.
    pub(crate) lockout: Option<u64>,
    /// Whether one wrong code ends the session unless the call asks for further attempts.
    pub(crate) retry_matters: bool,
    /// Whether the document has a response for a session whose limit is reached.
    pub(crate) lock_is_documented: bool,
}

/// What has happened to a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    age: u64,
    wrong: u32,
    used: bool,
    killed: bool,
    locked_at: Option<u64>,
}

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Input {
    /// The code.
    pub(crate) code: CodeKind,
    /// Whether the caller is another tenant than the session's.
    pub(crate) foreign: bool,
    /// Whether the call asks for further attempts.
    pub(crate) retry: bool,
}

/// How a submitted code relates to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CodeKind {
    /// The one that was issued.
    Right,
    /// Another well-formed one.
    Wrong,
    /// A malformed code, or a request that cannot be parsed.
    Malformed,
}

/// What a correct server may respond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// These.
    pub(crate) outcomes: BTreeSet<Outcome>,
    /// Whether any other refusal is allowed as well.
    pub(crate) any_refusal: bool,
}

impl Rules {
    /// The rules of a session of `contract` with the limits that the control states.
    pub(crate) fn new(contract: &Contract, limit: Option<u32>, ttl: Option<u64>) -> Rules {
        let policy = &contract.policy;
        Rules {
            limit,
            ttl,
            lockout: policy.lockout_seconds,
            retry_matters: policy.overrides.retry.is_some(),
            lock_is_documented: contract
                .verify()
                .cells
                .iter()
                .any(|cell| cell.outcome == Outcome::AttemptsExhausted),
        }
    }

    /// The state after `input` in `state`, and what a correct server may respond.
    ///
    /// The state is certain even if the response is not: the control protocol fixes that with a limit of n, the right
    /// code verifies after n − 1 wrong ones and not after n.
    pub(crate) fn step(&self, state: &State, input: Input) -> (State, Allowed) {
        let mut next = *state;
        if input.foreign {
            // Another tenant learns nothing and changes nothing. Documents leave open how it is refused.
            let outcomes = BTreeSet::from([Outcome::UnknownSession, Outcome::Unauthorized]);
            return (next, Allowed { outcomes, any_refusal: input.code == CodeKind::Malformed });
        }
        if input.code == CodeKind::Malformed {
            return (next, Allowed::refusals());
        }
        let terminal = self.terminal(state);
        if !terminal.is_empty() {
            // After a lock has ended, or after one wrong code has ended the session, the documents only say that the code
            // no longer works.
            let any_refusal = state.killed
                || (state.locked_at.is_some() && (!self.is_locked(state) || !self.lock_is_documented));
            return (next, Allowed { outcomes: terminal, any_refusal });
        }
        if input.code == CodeKind::Right {
            next.used = true;
            return (next, Allowed::only(Outcome::Approved));
        }
        if self.retry_matters && !input.retry {
            next.killed = true;
            return (next, Allowed::only(Outcome::WrongCode));
        }
        next.wrong += 1;
        let mut outcomes = BTreeSet::from([Outcome::WrongCode]);
        if self.limit.is_some_and(|limit| next.wrong >= limit) {
            next.locked_at = Some(next.age);
            // The wrong code that reaches the limit may already get the response for a locked session.
            outcomes.insert(Outcome::AttemptsExhausted);
        }
        let any_refusal = next.locked_at.is_some() && !self.lock_is_documented;
        (next, Allowed { outcomes, any_refusal })
    }

    /// Every terminal state that holds. No document says which of several a server has to report.
    fn terminal(&self, state: &State) -> BTreeSet<Outcome> {
        let mut holding = BTreeSet::new();
        if state.used {
            holding.insert(Outcome::AlreadyUsed);
        }
        if state.killed || state.locked_at.is_some() {
            holding.insert(Outcome::AttemptsExhausted);
        }
        if self.is_expired(state) {
            holding.insert(Outcome::Expired);
        }
        holding
    }

    /// Whether the code's lifetime is over.
    pub(crate) fn is_expired(&self, state: &State) -> bool {
        self.ttl.is_some_and(|ttl| state.age >= ttl)
    }

    /// Whether the lock certainly holds. The documents give only an example of how long a temporary lock lasts, so it may
    /// have ended as soon as time has passed.
    fn is_locked(&self, state: &State) -> bool {
        match self.lockout {
            Some(_) => state.locked_at == Some(state.age),
            None => state.locked_at.is_some(),
        }
    }
}

impl State {
    /// The state `seconds` later.
    pub(crate) fn later(self, seconds: u64) -> State {
        State { age: self.age.saturating_add(seconds), ..self }
    }

    /// How many wrong codes the server has compared.
    pub(crate) fn wrong(&self) -> u32 {
        self.wrong
    }
}

impl Allowed {
    /// Only this outcome.
    pub(crate) fn only(outcome: Outcome) -> Allowed {
        Allowed { outcomes: BTreeSet::from([outcome]), any_refusal: false }
    }

    /// Any refusal, and no approval.
    pub(crate) fn refusals() -> Allowed {
        Allowed { outcomes: BTreeSet::new(), any_refusal: true }
    }

    /// What either of the two allows.
    #[must_use]
    pub(crate) fn or(mut self, other: Allowed) -> Allowed {
        self.outcomes.extend(other.outcomes);
        self.any_refusal |= other.any_refusal;
        self
    }

    /// Whether a response that may mean any of `outcomes` is allowed.
    pub(crate) fn admits(&self, outcomes: &BTreeSet<Outcome>) -> bool {
        let refuses = !outcomes.is_empty() && !outcomes.contains(&Outcome::Approved);
        (self.any_refusal && refuses) || !self.outcomes.is_disjoint(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Move {
        Try(Input),
        Age(u64),
    }

    fn moves(rules: &Rules) -> Vec<Move> {
        let half = rules.ttl.unwrap_or(60).div_ceil(2);
        let mut all = vec![Move::Age(half)];
        for code in [CodeKind::Right, CodeKind::Wrong, CodeKind::Malformed] {
            for retry in if rules.retry_matters { vec![true, false] } else { vec![false] } {
                all.push(Move::Try(Input { code, foreign: false, retry }));
            }
        }
        all.push(Move::Try(Input { code: CodeKind::Right, foreign: true, retry: true }));
        all
    }

    /// What holds on every path through the model, stated independently of the model.
    #[derive(Default, Clone, Copy)]
    struct Witness {
        approvals: u32,
        compared: u32,
        age: u64,
        over: bool,
    }

    fn walk(rules: &Rules, state: &State, witness: Witness, left: usize, paths: &mut u64) {
        *paths += 1;
        if left == 0 {
            return;
        }
        for action in moves(rules) {
            let mut seen = witness;
            let next = match action {
                Move::Age(seconds) => {
                    seen.age += seconds;
                    state.later(seconds)
                }
                Move::Try(input) => {
                    let (next, allowed) = rules.step(state, input);
                    let again = rules.step(state, input);
                    assert_eq!((next, &allowed), (again.0, &again.1), "the same input has the same result");
                    assert!(
                        allowed.any_refusal || !allowed.outcomes.is_empty(),
                        "something is always allowed"
                    );
                    let approves = allowed.outcomes.contains(&Outcome::Approved);
                    let dead = seen.over || rules.ttl.is_some_and(|ttl| seen.age >= ttl);
                    let spent = rules.limit.is_some_and(|limit| seen.compared >= limit);
                    let due = input.code == CodeKind::Right && !input.foreign && !dead && !spent;
                    assert_eq!(approves, due, "{input:?} in {state:?}");
                    if approves {
                        assert_eq!(allowed, Allowed::only(Outcome::Approved), "an approval leaves no choice");
                        seen.approvals += 1;
                        seen.over = true;
                    }
                    if allowed.outcomes.contains(&Outcome::WrongCode) {
                        seen.compared += 1;
                        seen.over |= rules.retry_matters && !input.retry;
                    }
                    if input.foreign || input.code == CodeKind::Malformed {
                        assert_eq!(next, *state, "{input:?} changes nothing");
                    }
                    next
                }
            };
            assert!(seen.approvals <= 1);
            assert!(rules.limit.is_none_or(|limit| seen.compared <= limit));
            walk(rules, &next, seen, left - 1, paths);
        }
    }

    #[test]
    fn every_path_of_every_policy_keeps_single_use_limit_and_lifetime() {
        let mut paths = 0;
        for contract in Contract::all().unwrap() {
            for limit in [1, 2, 3] {
                let limit = contract.policy.attempts.is_some().then_some(limit);
                let rules = Rules::new(&contract, limit, Some(60));
                let length = if rules.retry_matters { 5 } else { 6 };
                walk(&rules, &State::default(), Witness::default(), length, &mut paths);
            }
        }
        // 5 or 8 moves per step, 6 or 5 steps: fewer paths would mean that the walk was cut short.
        assert!(paths > 200_000, "{paths}");
    }

    #[test]
    fn the_wrong_code_that_reaches_the_limit_has_two_possible_outcomes_and_the_next_only_one() {
        let rules = Rules {
            limit: Some(2),
            ttl: Some(60),
            lockout: None,
            retry_matters: false,
            lock_is_documented: true,
        };
        let wrong = Input { code: CodeKind::Wrong, foreign: false, retry: false };
        let (state, first) = rules.step(&State::default(), wrong);
        let (state, second) = rules.step(&state, wrong);
        let (_, third) = rules.step(&state, wrong);
        assert_eq!(first.outcomes, BTreeSet::from([Outcome::WrongCode]));
        assert_eq!(second.outcomes, BTreeSet::from([Outcome::WrongCode, Outcome::AttemptsExhausted]));
        assert_eq!(third.outcomes, BTreeSet::from([Outcome::AttemptsExhausted]));
    }

    #[test]
    fn a_lock_that_may_have_ended_leaves_no_usable_code() {
        let rules = Rules {
            limit: Some(1),
            ttl: Some(60),
            lockout: Some(100),
            retry_matters: false,
            lock_is_documented: true,
        };
        let wrong = Input { code: CodeKind::Wrong, foreign: false, retry: false };
        let (locked, _) = rules.step(&State::default(), wrong);
        let later = locked.later(1);
        let (_, allowed) = rules.step(&later, Input { code: CodeKind::Right, ..wrong });
        assert!(allowed.any_refusal && !allowed.outcomes.contains(&Outcome::Approved));
    }
}
