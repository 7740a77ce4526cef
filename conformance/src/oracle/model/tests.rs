//! What holds on every path through the model, and what the model leaves open.

use super::*;

const RULES: Rules = Rules {
    limit: None,
    ttl: Some(60),
    lockout: None,
    retry_matters: false,
    lock_is_documented: true,
    limit_is_documented: true,
};

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
        match action {
            Move::Age(seconds) => {
                let seen = Witness { age: witness.age + seconds, ..witness };
                walk(rules, &state.later(seconds), seen, left - 1, paths);
            }
            Move::Try(input) => {
                let branches = rules.step(state, input);
                assert_eq!(branches, rules.step(state, input), "the same input has the same result");
                assert!(!branches.is_empty(), "something is always allowed");
                let approves =
                    branches.iter().any(|branch| branch.allowed.outcomes.contains(&Outcome::Approved));
                assert_eq!(approves, is_due(rules, witness, input), "{input:?} in {state:?}");
                for branch in branches {
                    let seen = after(rules, witness, input, &branch, state);
                    walk(rules, &branch.next, seen, left - 1, paths);
                }
            }
        }
    }
}

/// Whether the code must be approved in some branch. During the second after its lifetime it may be.
fn is_due(rules: &Rules, witness: Witness, input: Input) -> bool {
    let dead = witness.over || rules.ttl.is_some_and(|ttl| witness.age > ttl);
    let spent = rules.limit.is_some_and(|limit| witness.compared >= limit);
    input.code == CodeKind::Right && !input.foreign && !dead && !spent
}

/// What a branch adds to the witness, which never sees more than the rules allow.
fn after(rules: &Rules, witness: Witness, input: Input, branch: &Branch, state: &State) -> Witness {
    let mut seen = witness;
    let allowed = &branch.allowed;
    assert!(allowed.any_refusal || !allowed.outcomes.is_empty(), "something is always allowed");
    if allowed.outcomes.contains(&Outcome::Approved) {
        assert_eq!(*allowed, Allowed::only(Outcome::Approved), "an approval leaves no choice");
        seen.approvals += 1;
        seen.over = true;
    }
    if input.foreign {
        assert_eq!(branch.next, *state, "{input:?} changes nothing");
    }
    let is_counted = branch.next.wrong > state.wrong || allowed.outcomes.contains(&Outcome::WrongCode);
    // What a server counts after the end of a session makes no difference any more.
    if is_counted && !witness.over {
        seen.compared += 1;
    }
    seen.over |= branch.next.killed;
    assert!(seen.approvals <= 1);
    assert!(rules.limit.is_none_or(|limit| seen.compared <= limit));
    seen
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
    let rules = Rules { limit: Some(2), ..RULES };
    let wrong = Input { code: CodeKind::Wrong, foreign: false, retry: false };
    let mut states = States::default();
    let mut allowed = Vec::new();
    for _ in 0..3 {
        let now = states.allowed(&rules, wrong);
        states.observe(&rules, wrong, &now.outcomes);
        allowed.push(now.outcomes);
    }
    assert_eq!(allowed[0], BTreeSet::from([Outcome::WrongCode]));
    assert_eq!(allowed[1], BTreeSet::from([Outcome::WrongCode, Outcome::AttemptsExhausted]));
    assert_eq!(allowed[2], BTreeSet::from([Outcome::AttemptsExhausted]));
}

#[test]
fn the_last_second_of_a_lifetime_belongs_to_the_server() {
    let rules = RULES;
    let right = Input { code: CodeKind::Right, foreign: false, retry: false };
    let at = |age| States::default().later(age).allowed(&rules, right).outcomes;
    assert_eq!(at(59), BTreeSet::from([Outcome::Approved]));
    assert_eq!(at(60), BTreeSet::from([Outcome::Approved, Outcome::Expired]));
    assert_eq!(at(61), BTreeSet::from([Outcome::Expired]));
    // A code that was approved in that second is used.
    let mut used = States::default().later(60);
    used.observe(&rules, right, &BTreeSet::from([Outcome::Approved]));
    assert!(!used.allowed(&rules, right).outcomes.contains(&Outcome::Approved));
}

#[test]
fn a_server_may_count_malformed_codes_and_codes_for_used_sessions() {
    let rules = Rules { limit: Some(2), ..RULES };
    let call = |code| Input { code, foreign: false, retry: false };
    let mut states = States::default();
    for code in [CodeKind::Malformed, CodeKind::Malformed] {
        states.observe(&rules, call(code), &BTreeSet::from([Outcome::InvalidRequest]));
    }
    let outcomes = states.allowed(&rules, call(CodeKind::Right)).outcomes;
    assert_eq!(outcomes, BTreeSet::from([Outcome::Approved, Outcome::AttemptsExhausted]));
    states.observe(&rules, call(CodeKind::Right), &BTreeSet::from([Outcome::Approved]));
    for _ in 0..2 {
        states.observe(&rules, call(CodeKind::Wrong), &BTreeSet::from([Outcome::AlreadyUsed]));
    }
    let outcomes = states.allowed(&rules, call(CodeKind::Wrong)).outcomes;
    assert_eq!(outcomes, BTreeSet::from([Outcome::AlreadyUsed, Outcome::AttemptsExhausted]));
}

#[test]
fn a_lock_that_may_have_ended_leaves_no_usable_code() {
    let rules = Rules { limit: Some(1), lockout: Some(100), ..RULES };
    let wrong = Input { code: CodeKind::Wrong, foreign: false, retry: false };
    let mut states = States::default();
    states.observe(&rules, wrong, &BTreeSet::from([Outcome::WrongCode]));
    let allowed = states.later(1).allowed(&rules, Input { code: CodeKind::Right, ..wrong });
    assert!(allowed.any_refusal && !allowed.outcomes.contains(&Outcome::Approved));
}
