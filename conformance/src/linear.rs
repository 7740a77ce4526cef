//! Whether a burst of calls on one session could have happened one after the other: Wing and Gong's search, with what
//! has been tried remembered. Knows the model and times, and no server.

use std::collections::{BTreeSet, HashSet};

use otp_contract::Outcome;

use crate::model::{Input, Rules, State};

/// One call of a burst.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// What was tried.
    pub input: Input,
    /// When it was sent; any unit.
    pub sent: u64,
    /// When it was answered, and what the answer may mean; `None` where no answer came, and it may have been applied.
    pub answered: Option<(u64, BTreeSet<Outcome>)>,
}

/// The longest burst that is searched.
pub(crate) const LONGEST: usize = 16;

/// Whether some order of `operations`, in which none comes before one that was answered before it was sent, is what the
/// model allows. Bursts of more than [`LONGEST`] are not searched, and held to be possible.
pub(crate) fn is_linearizable(rules: &Rules, start: State, operations: &[Operation]) -> bool {
    if operations.len() > LONGEST {
        return true;
    }
    let mut tried = HashSet::new();
    search(rules, operations, 0, start, &mut tried)
}

fn search(
    rules: &Rules,
    operations: &[Operation],
    done: u32,
    state: State,
    tried: &mut HashSet<(u32, State)>,
) -> bool {
    let open = || operations.iter().enumerate().filter(|(index, _)| done & (1 << index) == 0);
    // Calls without an answer may have been lost before they were applied.
    if open().all(|(_, operation)| operation.answered.is_none()) {
        return true;
    }
    if !tried.insert((done, state)) {
        return false;
    }
    let first_answer = open()
        .filter_map(|(_, operation)| operation.answered.as_ref().map(|(at, _)| *at))
        .min()
        .unwrap_or(u64::MAX);
    for (index, operation) in open() {
        // Whatever was sent after an open call was answered comes after that call.
        if operation.sent > first_answer {
            continue;
        }
        let (next, allowed) = rules.step(&state, operation.input);
        let fits = match &operation.answered {
            Some((_, readings)) => allowed.admits(readings),
            None => true,
        };
        if fits && search(rules, operations, done | (1 << index), next, tried) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn operation(guess: Kind, sent: u64, answered: u64, outcome: Outcome) -> Operation {
        let input = Input { guess, foreign: false, retry: true };
        Operation { input, sent, answered: Some((answered, BTreeSet::from([outcome]))) }
    }

    const RULES: Rules =
        Rules { limit: Some(3), ttl: Some(60), lockout: None, retry_matters: false, lock_is_told: true };

    #[test]
    fn one_approval_among_many_right_codes_is_possible_and_two_are_not() {
        let used = |count| {
            let mut all = vec![operation(Kind::Right, 0, 10, Outcome::AlreadyUsed); 16 - count];
            all.extend(vec![operation(Kind::Right, 0, 10, Outcome::Approved); count]);
            is_linearizable(&RULES, State::default(), &all)
        };
        assert!(used(1));
        assert!(!used(2));
        assert!(!used(0), "somebody was first");
    }

    #[test]
    fn no_more_wrong_codes_are_compared_than_the_limit() {
        let compared = |count| {
            let mut all = vec![operation(Kind::Wrong, 0, 10, Outcome::AttemptsExhausted); 12 - count];
            all.extend(vec![operation(Kind::Wrong, 0, 10, Outcome::WrongCode); count]);
            is_linearizable(&RULES, State::default(), &all)
        };
        // The wrong code that reaches the limit may be told either way.
        assert!(compared(3) && compared(2));
        assert!(!compared(4));
    }

    #[test]
    fn an_order_that_time_forbids_is_not_considered() {
        let late = [
            operation(Kind::Right, 0, 5, Outcome::AlreadyUsed),
            operation(Kind::Right, 6, 9, Outcome::Approved),
        ];
        assert!(!is_linearizable(&RULES, State::default(), &late));
        let overlapping = [
            operation(Kind::Right, 0, 7, Outcome::AlreadyUsed),
            operation(Kind::Right, 6, 9, Outcome::Approved),
        ];
        assert!(is_linearizable(&RULES, State::default(), &overlapping));
    }

    #[test]
    fn a_call_without_an_answer_may_or_may_not_have_been_applied() {
        let lost = Operation {
            input: Input { guess: Kind::Right, foreign: false, retry: true },
            sent: 0,
            answered: None,
        };
        let used = operation(Kind::Right, 5, 9, Outcome::AlreadyUsed);
        let approved = operation(Kind::Right, 5, 9, Outcome::Approved);
        assert!(is_linearizable(&RULES, State::default(), &[lost.clone(), used]));
        assert!(is_linearizable(&RULES, State::default(), &[lost, approved]));
    }
}
