//! A verify session as the documents and the control protocol describe it: `step(state, input) → (state, allowed)`. It
//! is pure, it is the suite's own, and it says what is *allowed*, which is often more than one outcome: where a document
//! leaves room, every correct server must be able to use it. It must never be derived from the sandbox, nor the sandbox
//! from it; if they shared a mistake, it would pass.

use std::collections::BTreeSet;

use otp_contract::{Contract, Outcome};

/// What is fixed for a session's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How many wrong codes are compared; `None` where there is no limit.
    pub limit: Option<u32>,
    /// From which age on the code is expired, in seconds; `None` where it never is.
    pub ttl: Option<u64>,
    /// How long a lock usually holds, in seconds; `None` where it does not end.
    pub lockout: Option<u64>,
    /// Whether one wrong code ends the session unless the call says otherwise.
    pub retry_matters: bool,
    /// Whether the document has an answer for a session whose limit is reached.
    pub lock_is_told: bool,
}

/// What has happened to a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct State {
    age: u64,
    wrong: u32,
    used: bool,
    killed: bool,
    locked_at: Option<u64>,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Input {
    /// The code.
    pub guess: Kind,
    /// Whether another tenant than the session's asks.
    pub foreign: bool,
    /// Whether the call allows further attempts.
    pub retry: bool,
}

/// What a code is to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The one that was issued.
    Right,
    /// Another one of the documented shape.
    Wrong,
    /// No code at all by the documented shape, or a request that cannot be read.
    Shapeless,
}

/// The outcomes that a correct server may give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// These.
    pub outcomes: BTreeSet<Outcome>,
    /// And any refusal besides.
    pub any_refusal: bool,
}

impl Rules {
    /// The rules of a session of `contract` with the limits that the control stated.
    pub fn new(contract: &Contract, limit: Option<u32>, ttl: Option<u64>) -> Rules {
        let policy = &contract.policy;
        Rules {
            limit,
            ttl,
            lockout: policy.lockout_seconds,
            retry_matters: policy.overrides.retry.is_some(),
            lock_is_told: contract
                .verify()
                .cells
                .iter()
                .any(|cell| cell.outcome == Outcome::AttemptsExhausted),
        }
    }

    /// What a correct server may answer to `input` in `state`, and the state afterwards.
    ///
    /// The state is certain even where the answer is not: the control protocol fixes that the right code verifies after
    /// one wrong code less than the limit, and not after as many.
    pub fn step(&self, state: &State, input: Input) -> (State, Allowed) {
        let mut next = *state;
        if input.foreign {
            // Another tenant sees nothing, and costs nothing. How it is refused is the document's room.
            let outcomes = BTreeSet::from([Outcome::UnknownSession, Outcome::Unauthorized]);
            return (next, Allowed { outcomes, any_refusal: input.guess == Kind::Shapeless });
        }
        if input.guess == Kind::Shapeless {
            return (next, Allowed::refusals());
        }
        let terminal = self.terminal(state);
        if !terminal.is_empty() {
            // A lock that has ended, or a code that one wrong guess killed, is documented as dead and no more.
            let any_refusal =
                state.killed || (state.locked_at.is_some() && (!self.is_locked(state) || !self.lock_is_told));
            return (next, Allowed { outcomes: terminal, any_refusal });
        }
        if input.guess == Kind::Right {
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
            // The wrong code that reaches the limit may already be told so; no document says.
            outcomes.insert(Outcome::AttemptsExhausted);
        }
        let any_refusal = next.locked_at.is_some() && !self.lock_is_told;
        (next, Allowed { outcomes, any_refusal })
    }

    /// The session, `seconds` later.
    pub fn age(&self, state: &State, seconds: u64) -> State {
        State { age: state.age.saturating_add(seconds), ..*state }
    }

    /// Every terminal state that holds; which of several is told is nobody's rule.
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
    pub fn is_expired(&self, state: &State) -> bool {
        self.ttl.is_some_and(|ttl| state.age >= ttl)
    }

    /// Whether the lock certainly holds. How long one that ends by itself lasts is the server's own: the documents give
    /// an example and no rule, so once time has passed it may have ended.
    fn is_locked(&self, state: &State) -> bool {
        match self.lockout {
            Some(_) => state.locked_at == Some(state.age),
            None => state.locked_at.is_some(),
        }
    }
}

impl State {
    /// Whether no code can be approved any more, whatever time it is.
    pub fn is_dead(&self) -> bool {
        self.used || self.killed || self.locked_at.is_some()
    }

    /// How many wrong codes were compared.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }
}

impl Allowed {
    /// This one outcome.
    pub fn only(outcome: Outcome) -> Allowed {
        Allowed { outcomes: BTreeSet::from([outcome]), any_refusal: false }
    }

    /// Any refusal, and no approval.
    pub fn refusals() -> Allowed {
        Allowed { outcomes: BTreeSet::new(), any_refusal: true }
    }

    /// These, or those.
    #[must_use]
    pub fn or(mut self, other: Allowed) -> Allowed {
        self.outcomes.extend(other.outcomes);
        self.any_refusal |= other.any_refusal;
        self
    }

    /// Whether an answer that may mean each of `readings` is allowed.
    pub fn admits(&self, readings: &BTreeSet<Outcome>) -> bool {
        let refuses = !readings.is_empty() && !readings.contains(&Outcome::Approved);
        (self.any_refusal && refuses) || !self.outcomes.is_disjoint(readings)
    }
}

#[cfg(test)]
mod tests {
    use otp_contract::DOCUMENTS;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Move {
        Try(Input),
        Age(u64),
    }

    fn moves(rules: &Rules) -> Vec<Move> {
        let half = rules.ttl.unwrap_or(60).div_ceil(2);
        let mut all = vec![Move::Age(half)];
        for guess in [Kind::Right, Kind::Wrong, Kind::Shapeless] {
            for retry in if rules.retry_matters { vec![true, false] } else { vec![false] } {
                all.push(Move::Try(Input { guess, foreign: false, retry }));
            }
        }
        all.push(Move::Try(Input { guess: Kind::Right, foreign: true, retry: true }));
        all
    }

    /// What every path through the model obeys, stated without the model's own words.
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
                    rules.age(state, seconds)
                }
                Move::Try(input) => {
                    let (next, allowed) = rules.step(state, input);
                    let again = rules.step(state, input);
                    assert_eq!(
                        (next, &allowed),
                        (again.0, &again.1),
                        "the same question has the same answer"
                    );
                    assert!(
                        allowed.any_refusal || !allowed.outcomes.is_empty(),
                        "something is always allowed"
                    );
                    let approves = allowed.outcomes.contains(&Outcome::Approved);
                    let dead = seen.over || rules.ttl.is_some_and(|ttl| seen.age >= ttl);
                    let spent = rules.limit.is_some_and(|limit| seen.compared >= limit);
                    let due = input.guess == Kind::Right && !input.foreign && !dead && !spent;
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
                    if input.foreign || input.guess == Kind::Shapeless {
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
        for document in DOCUMENTS {
            let contract = Contract::of_vendor(document.vendor).unwrap();
            for limit in [1, 2, 3] {
                let limit = contract.policy.attempts.is_some().then_some(limit);
                let rules = Rules::new(&contract, limit, Some(60));
                let length = if rules.retry_matters { 5 } else { 6 };
                walk(&rules, &State::default(), Witness::default(), length, &mut paths);
            }
        }
        // 5 or 8 moves to a length of 6 or 5: fewer paths would mean that the walk was cut short.
        assert!(paths > 200_000, "{paths}");
    }

    #[test]
    fn the_wrong_code_that_reaches_the_limit_may_be_told_either_way_and_the_next_only_one() {
        let rules =
            Rules { limit: Some(2), ttl: Some(60), lockout: None, retry_matters: false, lock_is_told: true };
        let wrong = Input { guess: Kind::Wrong, foreign: false, retry: false };
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
            lock_is_told: true,
        };
        let wrong = Input { guess: Kind::Wrong, foreign: false, retry: false };
        let (locked, _) = rules.step(&State::default(), wrong);
        let later = rules.age(&locked, 1);
        let (_, allowed) = rules.step(&later, Input { guess: Kind::Right, ..wrong });
        assert!(allowed.any_refusal && !allowed.outcomes.contains(&Outcome::Approved));
    }
}
