//! What a response means for the client: whether an attempt is spent, and what to do next.
//!
//! Both follow from the outcome and the policy, so no document repeats them for each cell. Uses cells and the policy. It
//! never looks at an actual response.

use crate::{Boundary, Cell, Contract, Matching, Mode, Outcome, StateValue};

/// What a request did to the remaining attempts of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// The code was compared, and counted.
    Spent,
    /// No code was compared, so no attempt was counted.
    Kept,
    /// The documents do not say.
    Unknown,
}

/// What the client can do after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Let the user enter the code again; the session is still open.
    EnterAgain,
    /// Request a new code; the session is over.
    NewCode,
    /// Wait for the time in the response; the session is locked until then.
    Wait,
    /// Correct the request; it is refused whatever the code is.
    FixRequest,
}

impl Contract {
    /// Whether a response like this cell of the contract means that an attempt is spent.
    pub fn attempt(&self, cell: &Cell) -> Attempt {
        match cell.outcome {
            Outcome::Approved | Outcome::WrongCode => Attempt::Spent,
            // The wrong code that reaches the limit may get this response itself.
            Outcome::AttemptsExhausted if self.policy.boundary.contains(&Boundary::AttemptsExhausted) => {
                Attempt::Unknown
            }
            // No vendor says whether a malformed code counts, or a request that is in conflict with another.
            Outcome::MalformedCode | Outcome::Conflict => Attempt::Unknown,
            Outcome::Expired
            | Outcome::AttemptsExhausted
            | Outcome::AlreadyUsed
            | Outcome::UnknownSession
            | Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::InvalidRequest
            | Outcome::Unauthorized
            | Outcome::RateLimited
            | Outcome::Cancelled
            | Outcome::Blocked
            // No other operation compares a code.
            | Outcome::Sent
            | Outcome::Reused
            | Outcome::TooSoon
            | Outcome::SendLimit
            | Outcome::Locked
            | Outcome::InvalidRecipient
            | Outcome::Open => Attempt::Kept,
        }
    }

    /// What to do after a response like this cell of the contract; `None` for a success.
    pub fn remedy(&self, cell: &Cell) -> Option<Remedy> {
        let has_lockout = || {
            cell.members
                .iter()
                .any(|member| member.rule.matching == Matching::State(StateValue::LockoutSeconds))
        };
        match cell.outcome {
            Outcome::Approved | Outcome::Sent | Outcome::Reused | Outcome::Open => None,
            // If further attempts must be requested, a wrong code ends the session of a request without them.
            Outcome::WrongCode if self.policy.overrides.retry.is_some() && cell.mode != Some(Mode::Retry) => {
                Some(Remedy::NewCode)
            }
            Outcome::WrongCode | Outcome::MalformedCode => Some(Remedy::EnterAgain),
            Outcome::AttemptsExhausted if has_lockout() => Some(Remedy::Wait),
            Outcome::RateLimited
            | Outcome::Conflict
            | Outcome::TooSoon
            | Outcome::SendLimit
            | Outcome::Locked => Some(Remedy::Wait),
            Outcome::Expired
            | Outcome::AttemptsExhausted
            | Outcome::AlreadyUsed
            | Outcome::UnknownSession
            | Outcome::Cancelled => Some(Remedy::NewCode),
            Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::InvalidRequest
            | Outcome::Unauthorized
            | Outcome::Blocked
            | Outcome::InvalidRecipient => Some(Remedy::FixRequest),
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
    fn the_request_that_reports_the_limit_may_have_spent_the_last_attempt() {
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
    fn the_remedy_for_a_lock_that_ends_by_itself_is_to_wait() {
        assert_eq!(remedy("dailystory", "attempts_exhausted"), Some(Remedy::Wait));
        assert_eq!(remedy("dailystory", "invalidated"), Some(Remedy::NewCode));
        assert_eq!(remedy("exotel", "attempts_exhausted"), Some(Remedy::NewCode));
        assert_eq!(remedy("d7", "approved"), None);
    }
}
