//! The model of a session, as the documents and the control protocol describe it: `step(state, input) → branches`.
//!
//! It is pure, and it states what is *allowed*, which is often more than one outcome: if a document leaves a choice, every
//! correct server must be free to make it. A choice that a response does not show, such as whether a malformed code counts
//! as an attempt, makes several branches. A response leaves only those that allow it.

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
    /// Whether the document mentions a limit at all.
    pub(crate) limit_is_documented: bool,
}

/// What has happened to a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct State {
    age: u64,
    wrong: u32,
    used: bool,
    killed: bool,
    locked_at: Option<u64>,
}

/// One way in which a correct server may handle a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    /// The state that it leads to.
    pub(crate) next: State,
    /// What the server may respond.
    pub(crate) allowed: Allowed,
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
            limit_is_documented: policy.attempts.is_some(),
            lock_is_documented: contract
                .verify()
                .cells
                .iter()
                .any(|cell| cell.outcome == Outcome::AttemptsExhausted),
        }
    }

    /// What a correct server may do with `input` in `state`: each way with the state that it leads to.
    ///
    /// The control protocol fixes that with a limit of n, the right code verifies after n − 1 wrong ones and not after n.
    /// No page says whether a malformed code, or a code for a session that is over, counts as an attempt, and the last
    /// second of a lifetime belongs to the server: clocks count whole seconds.
    pub(crate) fn step(&self, state: &State, input: Input) -> Vec<Branch> {
        if input.foreign {
            // Another tenant learns nothing and changes nothing. Documents leave open how it is refused.
            let outcomes = BTreeSet::from([Outcome::UnknownSession, Outcome::Unauthorized]);
            let any_refusal = input.code == CodeKind::Malformed;
            return vec![Branch { next: *state, allowed: Allowed { outcomes, any_refusal } }];
        }
        let mut branches = Vec::new();
        if self.may_be_live(state) {
            branches.extend(self.step_live(state, input));
        }
        if state.is_over() || self.is_expired(state) {
            branches.extend(self.step_over(state, input));
        }
        branches
    }

    /// The branches of a session whose code can still be approved.
    fn step_live(&self, state: &State, input: Input) -> Vec<Branch> {
        match input.code {
            CodeKind::Malformed => self.counted_or_not(state, &Allowed::refusals(), input.retry),
            CodeKind::Right => {
                let next = State { used: true, ..*state };
                vec![Branch { next, allowed: Allowed::only(Outcome::Approved) }]
            }
            CodeKind::Wrong => {
                let next = self.count(state, input.retry);
                let mut outcomes = BTreeSet::from([Outcome::WrongCode]);
                if next.locked_at.is_some() {
                    // The wrong code that reaches the limit may already get the response for a locked session.
                    outcomes.insert(Outcome::AttemptsExhausted);
                }
                let any_refusal = next.locked_at.is_some() && !self.lock_is_documented;
                vec![Branch { next, allowed: Allowed { outcomes, any_refusal } }]
            }
        }
    }

    /// The branches of a session that is used, locked or expired.
    fn step_over(&self, state: &State, input: Input) -> Vec<Branch> {
        if input.code == CodeKind::Malformed {
            return self.counted_or_not(state, &Allowed::refusals(), input.retry);
        }
        // After a lock has ended, or after one wrong code has ended the session, the documents only say that the code no
        // longer works.
        let any_refusal = state.killed
            || (state.locked_at.is_some() && (!self.is_locked(state) || !self.lock_is_documented));
        let allowed = Allowed { outcomes: self.terminal(state), any_refusal };
        self.counted_or_not(state, &allowed, input.retry)
    }

    fn counted_or_not(&self, state: &State, allowed: &Allowed, retry: bool) -> Vec<Branch> {
        let counted = self.count(state, retry);
        let mut branches = vec![Branch { next: *state, allowed: allowed.clone() }];
        if counted != *state {
            let mut allowed = allowed.clone();
            if counted.locked_at.is_some() && !allowed.outcomes.is_empty() {
                allowed.outcomes.insert(Outcome::AttemptsExhausted);
                allowed.any_refusal |= !self.lock_is_documented;
            }
            branches.push(Branch { next: counted, allowed });
        }
        branches
    }

    /// The state after one more attempt. A server stops to count at its limit.
    fn count(&self, state: &State, retry: bool) -> State {
        let mut next = *state;
        if self.retry_matters && !retry {
            next.killed = true;
            return next;
        }
        match self.limit {
            Some(limit) if next.wrong < limit => {
                next.wrong += 1;
                if next.wrong >= limit {
                    next.locked_at = Some(next.age);
                }
            }
            Some(_) | None => {}
        }
        next
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

    /// Whether the code can have expired. During the second after its lifetime it may be expired or not.
    fn is_expired(&self, state: &State) -> bool {
        self.ttl.is_some_and(|ttl| state.age >= ttl)
    }

    fn may_be_live(&self, state: &State) -> bool {
        !state.is_over() && self.ttl.is_none_or(|ttl| state.age <= ttl)
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

/// The states in which a session may be, after all responses so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct States(BTreeSet<State>);

impl Default for States {
    fn default() -> States {
        States(BTreeSet::from([State::default()]))
    }
}

impl States {
    /// What a correct server may respond in any of the states.
    pub(crate) fn allowed(&self, rules: &Rules, input: Input) -> Allowed {
        let branches = self.0.iter().flat_map(|state| rules.step(state, input));
        branches.map(|branch| branch.allowed).reduce(Allowed::or).unwrap_or_else(Allowed::refusals)
    }

    /// Moves on by `input`, whose response may mean any of `outcomes`; all branches remain if none allows it.
    pub(crate) fn observe(&mut self, rules: &Rules, input: Input, outcomes: &BTreeSet<Outcome>) {
        let branches: Vec<_> = self.0.iter().flat_map(|state| rules.step(state, input)).collect();
        let allowing: BTreeSet<_> = branches
            .iter()
            .filter(|branch| branch.allowed.admits(outcomes))
            .map(|branch| branch.next)
            .collect();
        self.0 = match allowing.is_empty() {
            false => allowing,
            true => branches.into_iter().map(|branch| branch.next).collect(),
        };
    }

    /// Adds the states after `input`, of which nobody knows whether the server processed it.
    pub(crate) fn maybe(&mut self, rules: &Rules, input: Input) {
        let branches: Vec<_> = self.0.iter().flat_map(|state| rules.step(state, input)).collect();
        self.0.extend(branches.into_iter().map(|branch| branch.next));
    }

    /// The states `seconds` later.
    #[must_use]
    pub(crate) fn later(&self, seconds: u64) -> States {
        States(self.0.iter().map(|state| state.later(seconds)).collect())
    }

    /// Either of the two sets.
    #[must_use]
    pub(crate) fn or(mut self, other: States) -> States {
        self.0.extend(other.0);
        self
    }

    /// The largest number of wrong codes that the server may have counted.
    pub(crate) fn most_wrong(&self) -> u32 {
        self.0.iter().map(|state| state.wrong).max().unwrap_or(0)
    }

    /// How many wrong codes the server has counted, if that is certain.
    pub(crate) fn wrong(&self) -> Option<u32> {
        let mut counts = self.0.iter().map(|state| state.wrong);
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }

    /// Whether the limit is reached in some state.
    pub(crate) fn may_be_locked(&self) -> bool {
        self.0.iter().any(|state| state.locked_at.is_some())
    }

    /// Whether the code can have expired in some state.
    pub(crate) fn may_be_expired(&self, rules: &Rules) -> bool {
        self.0.iter().any(|state| rules.is_expired(state))
    }

    /// Every state.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &State> {
        self.0.iter()
    }
}

impl State {
    /// Whether the session has ended for another reason than its lifetime.
    fn is_over(&self) -> bool {
        self.used || self.killed || self.locked_at.is_some()
    }

    /// The state `seconds` later.
    pub(crate) fn later(self, seconds: u64) -> State {
        State { age: self.age.saturating_add(seconds), ..self }
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

    /// What is allowed, for people.
    pub(crate) fn in_words(&self) -> String {
        let outcomes = self.outcomes.iter().map(ToString::to_string);
        let any = self.any_refusal.then(|| "any refusal".to_owned());
        outcomes.chain(any).collect::<Vec<_>>().join(" or ")
    }

    /// Whether a response with this status, which may mean any of `outcomes`, is allowed. Any 4xx refuses the call, even if the
    /// contract documents no response with that status.
    pub(crate) fn admits_response(&self, outcomes: &BTreeSet<Outcome>, status: u16) -> bool {
        let is_undocumented_refusal = outcomes.is_empty() && (400..500).contains(&status);
        self.admits(outcomes) || (self.any_refusal && is_undocumented_refusal)
    }
}

#[cfg(test)]
mod tests;
