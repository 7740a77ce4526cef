//! What a response did wrong, in a form that can be compared: findings with the same observation have the same cause.
//!
//! May use the contract's outcomes and the differences of the matcher. It must not know which check made the observation.

use std::collections::BTreeSet;

use otp_contract::Outcome;

use super::Difference;
use super::interpretation::in_words;

/// What a response did wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Observation {
    /// It means something that the state of the session does not allow.
    Meaning {
        /// What would have been right; empty where any refusal is.
        allowed: BTreeSet<Outcome>,
        /// What the response means.
        found: Found,
    },
    /// It means the right thing and differs from the documented response in these places.
    Places {
        /// The outcomes that the response was compared with.
        outcomes: BTreeSet<Outcome>,
        /// Each place, and what the response has there; `None` where it has nothing.
        places: BTreeSet<(String, Option<String>)>,
    },
    /// It is the server's own error.
    ServerError {
        /// Its status.
        status: u16,
        /// Its body, without what is another one each time.
        body: String,
    },
    /// Something that only the check itself can say.
    Other,
}

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// One of these outcomes.
    Outcomes(BTreeSet<Outcome>),
    /// It is not a documented response; its status.
    Undocumented(u16),
}

impl Found {
    /// What a response with these meanings and this status means.
    pub(crate) fn new(meanings: &BTreeSet<Outcome>, status: u16) -> Found {
        match meanings.is_empty() {
            true => Found::Undocumented(status),
            false => Found::Outcomes(meanings.clone()),
        }
    }

    /// The meaning, as the end of a sentence about the response.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Found::Outcomes(outcomes) => format!("which means {}", in_words(outcomes)),
            Found::Undocumented(_) => "which is not a documented response".to_owned(),
        }
    }

    /// Whether a session that is still valid gets such a response, to the right code or to a wrong one.
    fn is_of_live_session(&self) -> bool {
        let is_live = |outcome: &Outcome| matches!(outcome, Outcome::Approved | Outcome::WrongCode);
        matches!(self, Found::Outcomes(outcomes) if outcomes.iter().any(is_live))
    }

    /// An approval.
    pub(crate) fn approval() -> Found {
        Found::Outcomes(BTreeSet::from([Outcome::Approved]))
    }
}

/// Whether these are outcomes of a session that is over.
fn is_over(allowed: &BTreeSet<Outcome>) -> bool {
    let ends = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::Expired];
    !allowed.is_empty() && allowed.iter().all(|outcome| ends.contains(outcome))
}

impl Observation {
    /// A response that means `found` where `allowed` would have been right.
    pub(crate) fn instead_of(allowed: Outcome, found: Outcome) -> Observation {
        let found = Found::Outcomes(BTreeSet::from([found]));
        Observation::Meaning { allowed: BTreeSet::from([allowed]), found }
    }

    /// A response that should have been one of `outcomes` and differs from it in these places.
    pub(crate) fn of_differences(outcomes: BTreeSet<Outcome>, differences: &[Difference]) -> Observation {
        Observation::Places { outcomes, places: Observation::places(differences) }
    }

    /// The places of these differences, each with what the response has there; `None` where it has nothing.
    pub(crate) fn places(differences: &[Difference]) -> BTreeSet<(String, Option<String>)> {
        let value = |difference: &Difference| {
            let is_missing = matches!(difference.actual.as_str(), "nothing" | "none" | "no JSON");
            (difference.place.clone(), (!is_missing).then(|| difference.actual.clone()))
        };
        differences.iter().map(value).collect()
    }

    /// A server error with this body. Words with a digit, such as ids and times, are another one each time.
    pub(crate) fn server_error(status: u16, body: &str) -> Observation {
        let words = body.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
        let body =
            words.map(|word| if word.contains(|digit: char| digit.is_ascii_digit()) { "#" } else { word });
        Observation::ServerError { status, body: body.collect() }
    }

    /// A response that lacks this header field.
    pub(crate) fn missing_header(outcome: Outcome, name: &str) -> Observation {
        Observation::Places {
            outcomes: BTreeSet::from([outcome]),
            places: BTreeSet::from([(name.to_owned(), None)]),
        }
    }

    /// Whether both observations show the same defect.
    ///
    /// What is missing everywhere is one defect, whatever the situation; a wrong value is one defect only in the situations
    /// that the two have in common. Where any refusal would have been right, the observation alone says too little, so
    /// `same_area` decides.
    pub(crate) fn has_cause_of(&self, other: &Observation, same_area: bool) -> bool {
        match (self, other) {
            (
                Observation::Meaning { allowed, found },
                Observation::Meaning { allowed: other_allowed, found: other_found },
            ) => {
                let overlap = match (allowed.is_empty(), other_allowed.is_empty()) {
                    (false, false) => !allowed.is_disjoint(other_allowed),
                    (true, true) => same_area,
                    _ => false,
                };
                let treats_as_live = [(allowed, found), (other_allowed, other_found)]
                    .into_iter()
                    .all(|(allowed, found)| is_over(allowed) && found.is_of_live_session());
                overlap && (treats_as_live || found == other_found)
            }
            (
                Observation::Places { outcomes, places },
                Observation::Places { outcomes: other_outcomes, places: other_places },
            ) => {
                let all_missing = places.iter().all(|(_, value)| value.is_none());
                places == other_places && (all_missing || !outcomes.is_disjoint(other_outcomes))
            }
            (Observation::ServerError { .. }, Observation::ServerError { .. }) => self == other,
            _ => false,
        }
    }

    /// How many situations the observation leaves possible. The fewer, the better it names its cause.
    pub(crate) fn breadth(&self) -> usize {
        match self {
            Observation::Meaning { allowed, .. } => allowed.len(),
            Observation::Places { outcomes, .. } => outcomes.len(),
            Observation::ServerError { .. } | Observation::Other => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved_instead_of(allowed: &[Outcome]) -> Observation {
        Observation::Meaning { allowed: allowed.iter().copied().collect(), found: Found::approval() }
    }

    #[test]
    fn an_approval_has_another_cause_for_each_situation_that_forbids_it() {
        let reuse = approved_instead_of(&[Outcome::AlreadyUsed]);
        assert!(reuse.has_cause_of(&approved_instead_of(&[Outcome::AlreadyUsed, Outcome::Expired]), false));
        assert!(!reuse.has_cause_of(&approved_instead_of(&[Outcome::Expired]), true));
        assert!(!reuse.has_cause_of(&approved_instead_of(&[]), true));
    }

    #[test]
    fn a_session_that_does_not_end_has_one_cause_for_the_right_and_for_a_wrong_code() {
        let compared = Observation::Meaning {
            allowed: BTreeSet::from([Outcome::AlreadyUsed]),
            found: Found::Outcomes(BTreeSet::from([Outcome::WrongCode])),
        };
        assert!(compared.has_cause_of(&approved_instead_of(&[Outcome::AlreadyUsed]), false));
        assert!(!compared.has_cause_of(&approved_instead_of(&[Outcome::WrongCode]), false));
    }

    #[test]
    fn where_any_refusal_is_right_only_the_same_area_has_the_same_cause() {
        let any = approved_instead_of(&[]);
        assert!(any.has_cause_of(&any, true) && !any.has_cause_of(&any, false));
    }

    #[test]
    fn a_server_error_is_the_same_whatever_id_it_has() {
        let error =
            |id: &str| Observation::server_error(500, &format!("{{\"error\":\"oops\",\"id\":\"{id}\"}}"));
        assert!(error("a1-9f").has_cause_of(&error("7c-0b"), false));
        assert!(!error("a1-9f").has_cause_of(&Observation::server_error(503, ""), true));
    }

    #[test]
    fn what_is_missing_everywhere_has_one_cause_and_a_wrong_value_one_for_each_situation() {
        let differs = |outcome, actual: &str| {
            let difference =
                Difference { place: "/code".into(), expected: "1".into(), actual: actual.into() };
            Observation::of_differences(BTreeSet::from([outcome]), &[difference])
        };
        let missing = |outcome| differs(outcome, "nothing");
        assert!(missing(Outcome::Expired).has_cause_of(&missing(Outcome::WrongCode), false));
        assert!(!differs(Outcome::Expired, "2").has_cause_of(&differs(Outcome::WrongCode, "2"), true));
        assert!(differs(Outcome::Expired, "2").has_cause_of(&differs(Outcome::Expired, "2"), false));
    }
}
