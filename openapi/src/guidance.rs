//! What an answer means for whoever asked: whether an attempt is spent, and what helps. Both follow from the outcome and
//! the policy, so they stand here once, and no document repeats them for each of its cells.

use crate::{Boundary, Cell, Contract, Matching, Mode, Outcome, StateValue};

/// What a call did to the attempts that its session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// The code was compared, and counted.
    Spent,
    /// No code was compared, so none was counted.
    Kept,
    /// No document says.
    Unknown,
}

/// What helps after an answer that is no approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The session lives: the code may be entered again.
    EnterAgain,
    /// The session is over: only a new code helps.
    NewCode,
    /// The session is locked for a time that the answer tells.
    Wait,
    /// The same request will be refused again, whatever the code.
    FixRequest,
}

impl Contract {
    /// Whether this cell of the contract means that an attempt is spent.
    pub fn attempt(&self, cell: &Cell) -> Attempt {
        match cell.outcome {
            Outcome::Approved | Outcome::WrongCode => Attempt::Spent,
            // The wrong code that reaches the limit may be told so at once.
            Outcome::AttemptsExhausted if self.policy.boundary.contains(&Boundary::AttemptsExhausted) => {
                Attempt::Unknown
            }
            // Whether a code that cannot be right is counted is said by no vendor.
            Outcome::MalformedCode => Attempt::Unknown,
            Outcome::Expired
            | Outcome::AttemptsExhausted
            | Outcome::AlreadyUsed
            | Outcome::UnknownSession
            | Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::InvalidRequest
            | Outcome::Unauthorized => Attempt::Kept,
        }
    }

    /// What helps after this cell of the contract; `None` where it is an approval.
    pub fn remedy(&self, cell: &Cell) -> Option<Remedy> {
        let tells_lockout = || {
            cell.members
                .iter()
                .any(|member| member.rule.matching == Matching::State(StateValue::LockoutSeconds))
        };
        match cell.outcome {
            Outcome::Approved => None,
            // Where a request must ask for further attempts, a wrong code ends the session of one that did not.
            Outcome::WrongCode if self.policy.overrides.retry.is_some() && cell.mode != Some(Mode::Retry) => {
                Some(Remedy::NewCode)
            }
            Outcome::WrongCode | Outcome::MalformedCode => Some(Remedy::EnterAgain),
            Outcome::AttemptsExhausted if tells_lockout() => Some(Remedy::Wait),
            Outcome::Expired
            | Outcome::AttemptsExhausted
            | Outcome::AlreadyUsed
            | Outcome::UnknownSession => Some(Remedy::NewCode),
            Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::InvalidRequest
            | Outcome::Unauthorized => Some(Remedy::FixRequest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(vendor: &str, cell: &str) -> Option<Remedy> {
        let contract = Contract::of_vendor(vendor).unwrap();
        contract.remedy(contract.verify().cell(cell).unwrap())
    }

    #[test]
    fn the_call_that_finds_a_limit_reached_may_be_the_one_that_reached_it() {
        let zeckta = Contract::of_vendor("zeckta").unwrap();
        let attempt = |cell: &str| zeckta.attempt(zeckta.verify().cell(cell).unwrap());
        assert_eq!(attempt("attempts_exhausted"), Attempt::Unknown);
        assert_eq!((attempt("wrong_code"), attempt("expired")), (Attempt::Spent, Attempt::Kept));
    }

    #[test]
    fn a_wrong_code_may_be_entered_again_unless_it_ended_the_session() {
        assert_eq!(remedy("zeckta", "wrong_code"), Some(Remedy::EnterAgain));
        assert_eq!(remedy("dailystory", "wrong_code"), Some(Remedy::NewCode));
        assert_eq!(remedy("dailystory", "wrong_code_retry"), Some(Remedy::EnterAgain));
    }

    #[test]
    fn a_lock_that_ends_by_itself_is_waited_for() {
        assert_eq!(remedy("dailystory", "attempts_exhausted"), Some(Remedy::Wait));
        assert_eq!(remedy("dailystory", "invalidated"), Some(Remedy::NewCode));
        assert_eq!(remedy("exotel", "attempts_exhausted"), Some(Remedy::NewCode));
        assert_eq!(remedy("d7", "approved"), None);
    }
}
