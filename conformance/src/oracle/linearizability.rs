//! Whether a burst of calls on one session could have happened one after the other: Wing and Gong's search with
//! memoisation.

use std::collections::{BTreeSet, HashSet};

use otp_contract::Outcome;

use super::model::State;
use super::{Input, Rules, States};

/// One call of a burst.
#[derive(Debug, Clone)]
pub(crate) struct ObservedCall {
    /// The call.
    pub(crate) input: Input,
    /// When it was sent, in any unit.
    pub(crate) sent: u64,
    /// When its response arrived, and what it may mean; `None` if none arrived, so that the call may or may not have been
    /// applied.
    pub(crate) response: Option<(u64, BTreeSet<Outcome>)>,
}

/// The longest burst for which the search is feasible.
pub(crate) const MAX_CALLS: usize = 16;

/// Whether the model allows the responses in some order of `calls` that respects time: a call that was sent after another
/// one's response comes after it. Bursts of more than [`MAX_CALLS`] are not searched and count as possible.
pub(crate) fn is_linearizable(rules: &Rules, start: &States, calls: &[ObservedCall]) -> bool {
    if calls.len() > MAX_CALLS {
        return true;
    }
    let mut tried = HashSet::new();
    start.iter().any(|state| search(rules, calls, 0, *state, &mut tried))
}

fn search(
    rules: &Rules,
    calls: &[ObservedCall],
    done: u32,
    state: State,
    tried: &mut HashSet<(u32, State)>,
) -> bool {
    let open = || calls.iter().enumerate().filter(|(index, _)| done & (1 << index) == 0);
    // A call without a response may have been lost before it was applied.
    if open().all(|(_, call)| call.response.is_none()) {
        return true;
    }
    if !tried.insert((done, state)) {
        return false;
    }
    let first_response =
        open().filter_map(|(_, call)| call.response.as_ref().map(|(at, _)| *at)).min().unwrap_or(u64::MAX);
    for (index, call) in open() {
        // A call that was sent after an open call's response comes after that call.
        if call.sent > first_response {
            continue;
        }
        for branch in rules.step(&state, call.input) {
            let fits = call.response.as_ref().is_none_or(|(_, outcomes)| branch.allowed.admits(outcomes));
            if fits && search(rules, calls, done | (1 << index), branch.next, tried) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::CodeKind;

    fn call(code: CodeKind, sent: u64, response: u64, outcome: Outcome) -> ObservedCall {
        let input = Input { code, foreign: false, retry: true };
        ObservedCall { input, sent, response: Some((response, BTreeSet::from([outcome]))) }
    }

    const RULES: Rules = Rules {
        limit: Some(3),
        ttl: Some(60),
        lockout: None,
        retry_matters: false,
        lock_is_documented: true,
        limit_is_documented: true,
    };

    #[test]
    fn one_approval_among_many_right_codes_is_possible_and_two_are_not() {
        let used = |count| {
            let mut all = vec![call(CodeKind::Right, 0, 10, Outcome::AlreadyUsed); 16 - count];
            all.extend(vec![call(CodeKind::Right, 0, 10, Outcome::Approved); count]);
            is_linearizable(&RULES, &States::default(), &all)
        };
        assert!(used(1));
        assert!(!used(2));
        assert!(!used(0), "one call was first");
    }

    #[test]
    fn no_more_wrong_codes_are_compared_than_the_limit() {
        let compared = |count| {
            let mut all = vec![call(CodeKind::Wrong, 0, 10, Outcome::AttemptsExhausted); 12 - count];
            all.extend(vec![call(CodeKind::Wrong, 0, 10, Outcome::WrongCode); count]);
            is_linearizable(&RULES, &States::default(), &all)
        };
        // The wrong code that reaches the limit has two possible outcomes.
        assert!(compared(3) && compared(2));
        assert!(!compared(4));
    }

    #[test]
    fn an_order_that_time_forbids_is_not_considered() {
        let late = [
            call(CodeKind::Right, 0, 5, Outcome::AlreadyUsed),
            call(CodeKind::Right, 6, 9, Outcome::Approved),
        ];
        assert!(!is_linearizable(&RULES, &States::default(), &late));
        let overlapping = [
            call(CodeKind::Right, 0, 7, Outcome::AlreadyUsed),
            call(CodeKind::Right, 6, 9, Outcome::Approved),
        ];
        assert!(is_linearizable(&RULES, &States::default(), &overlapping));
    }

    #[test]
    fn a_call_without_a_response_may_or_may_not_have_been_applied() {
        let lost = ObservedCall {
            input: Input { code: CodeKind::Right, foreign: false, retry: true },
            sent: 0,
            response: None,
        };
        let used = call(CodeKind::Right, 5, 9, Outcome::AlreadyUsed);
        let approved = call(CodeKind::Right, 5, 9, Outcome::Approved);
        assert!(is_linearizable(&RULES, &States::default(), &[lost.clone(), used]));
        assert!(is_linearizable(&RULES, &States::default(), &[lost, approved]));
    }
}
