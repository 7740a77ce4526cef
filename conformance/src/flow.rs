//! A session under the eyes of the model: every call is stepped through it, and an answer that it does not allow is a
//! finding. Checks of every area but the matrix are written in these steps.

use std::collections::BTreeSet;
use std::time::Instant;

use otp_contract::Outcome;

use crate::call::{Call, Credential, Guess, Twist};
use crate::control::{Tenant, Wish};
use crate::finding::{Finding, last_answer};
use crate::model::{Allowed, Input, Kind, Rules, State};
use crate::reading::{approves, readings};
use crate::subject::{Bench, Issued, Stop};
use crate::wire::RawResponse;

/// A session that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) issued: Issued,
    pub(crate) rules: Rules,
    pub(crate) state: State,
    since: Instant,
}

impl Live {
    /// How many wrong codes can still be tried with the right one verifying afterwards; many where there is no limit.
    pub(crate) fn spare(&self) -> u32 {
        self.rules.limit.map_or(u32::MAX, |limit| limit.saturating_sub(self.state.wrong() + 1))
    }

    /// Notes a wrong code that was sent without the model's eyes on the answer.
    pub(crate) fn note_wrong(&mut self, retry: bool) {
        let wrong = Input { guess: Kind::Wrong, foreign: false, retry };
        self.state = self.rules.step(&self.state, wrong).0;
    }

    pub(crate) fn limit(&self) -> Result<u32, Stop> {
        match self.rules.limit {
            Some(limit) if limit <= MOST_ATTEMPTS => Ok(limit),
            Some(limit) => Err(Stop::Skip(format!(
                "the limit of {limit} is more than the {MOST_ATTEMPTS} that are walked to"
            ))),
            None => Err(Stop::Skip("the subject says that it has no limit of attempts".to_owned())),
        }
    }

    pub(crate) fn ttl(&self) -> Result<u64, Stop> {
        self.rules.ttl.ok_or_else(|| Stop::Skip("the subject says that its codes do not expire".to_owned()))
    }
}

/// The highest limit that is walked to.
pub(crate) const MOST_ATTEMPTS: u32 = 200;

/// A wish for a session that bears a few wrong codes.
pub(crate) fn attempts(count: u32) -> Wish {
    Wish { max_attempts: Some(count), ..Wish::default() }
}

impl Bench<'_> {
    pub(crate) async fn open(&mut self, wish: &Wish) -> Result<Live, Stop> {
        let issued = self.issue(wish).await?;
        Ok(self.watch(issued))
    }

    pub(crate) async fn open_for(&mut self, tenant: &Tenant, wish: &Wish) -> Result<Live, Stop> {
        let issued = self.issue_for(tenant, wish).await?;
        Ok(self.watch(issued))
    }

    /// Puts an issued session under the model's eyes.
    pub(crate) fn watch(&self, issued: Issued) -> Live {
        let rules = Rules::new(self.contract, issued.session.max_attempts, issued.session.ttl_seconds);
        Live { issued, rules, state: State::default(), since: Instant::now() }
    }

    /// Whether calls of this contract have to say that further attempts are allowed.
    pub(crate) fn retries(&self) -> bool {
        self.contract.policy.overrides.retry.is_some()
    }

    pub(crate) async fn right(&mut self, live: &mut Live) -> Result<RawResponse, Stop> {
        let issued = live.issued.clone();
        self.attempt(live, Kind::Right, issued.right(), Twist::default()).await
    }

    pub(crate) async fn wrong(&mut self, live: &mut Live) -> Result<RawResponse, Stop> {
        let code = self.wrong_code(&live.issued.code);
        self.attempt(live, Kind::Wrong, Guess::plain(&code), Twist::default()).await
    }

    /// One call by the session's own tenant, stepped through the model.
    pub(crate) async fn attempt(
        &mut self,
        live: &mut Live,
        kind: Kind,
        guess: Guess<'_>,
        twist: Twist<'_>,
    ) -> Result<RawResponse, Stop> {
        let retry = self.retries();
        let issued = live.issued.clone();
        let call = Call { twist, ..issued.call(self.contract, guess, retry) };
        let answer = self.send(&call).await?;
        let input = Input { guess: kind, foreign: false, retry };
        let (next, mut allowed) = live.rules.step(&live.state, input);
        // Real time runs as well: a code at the end of its life may run out between two calls.
        let elapsed = live.since.elapsed().as_secs() + 1;
        let later = live.rules.age(&live.state, elapsed);
        if live.rules.is_expired(&later) && !live.rules.is_expired(&live.state) && elapsed > 1 {
            allowed = allowed.or(live.rules.step(&later, input).1);
        }
        live.state = next;
        self.demand(&answer, &allowed)?;
        Ok(answer)
    }

    /// One call by another tenant, with its own account and credentials.
    pub(crate) async fn foreign(
        &mut self,
        live: &Live,
        stranger: &Tenant,
        guess: Guess<'_>,
    ) -> Result<RawResponse, Stop> {
        let retry = self.retries();
        let issued = Issued { tenant: stranger.clone(), ..live.issued.clone() };
        let answer = self.send(&issued.call(self.contract, guess, retry)).await?;
        self.demand(&answer, &Allowed::refusals())?;
        Ok(answer)
    }

    /// One call that is none by the documented shape: it must be refused, and must cost nothing.
    pub(crate) async fn misshapen(&mut self, live: &mut Live, twist: Twist<'_>) -> Result<RawResponse, Stop> {
        let issued = live.issued.clone();
        let answer = self.attempt(live, Kind::Shapeless, issued.right(), twist).await?;
        self.demand_client_error(&answer)?;
        Ok(answer)
    }

    /// One call with other credentials than the tenant's.
    pub(crate) async fn as_whom(
        &mut self,
        live: &Live,
        credential: Credential<'_>,
    ) -> Result<RawResponse, Stop> {
        let issued = live.issued.clone();
        let call = Call { credential, ..issued.call(self.contract, issued.right(), self.retries()) };
        self.send(&call).await
    }

    pub(crate) async fn pass(&mut self, live: &mut Live, seconds: u64) -> Result<(), Stop> {
        let issued = live.issued.clone();
        self.age(&issued, seconds).await?;
        live.state = live.rules.age(&live.state, seconds);
        Ok(())
    }

    /// A finding unless the answer may mean what is allowed.
    pub(crate) fn demand(&self, answer: &RawResponse, allowed: &Allowed) -> Result<(), Stop> {
        let told = readings(self.contract, answer);
        if allowed.admits(&told) {
            return Ok(());
        }
        // A refusal by any 4xx is a refusal, whether or not the contract has an answer of that status.
        if allowed.any_refusal && told.is_empty() && (400..500).contains(&answer.status) {
            return Ok(());
        }
        let mut expected: Vec<_> = allowed.outcomes.iter().map(ToString::to_string).collect();
        if allowed.any_refusal {
            expected.push("any refusal".to_owned());
        }
        let meaning = match told.is_empty() {
            true => "which is no documented answer".to_owned(),
            false => format!("which says {}", words(&told)),
        };
        Err(self.found(expected.join(" or "), format!("{}, {meaning}", last_answer(self))))
    }

    /// A finding if the answer approves.
    pub(crate) fn demand_no_approval(&self, answer: &RawResponse) -> Result<(), Stop> {
        match approves(self.contract, answer) {
            false => Ok(()),
            true => Err(self.found("no approval".to_owned(), last_answer(self))),
        }
    }

    /// A finding unless the answer is a 4xx.
    pub(crate) fn demand_client_error(&self, answer: &RawResponse) -> Result<(), Stop> {
        match (400..500).contains(&answer.status) {
            true => Ok(()),
            false => Err(self.found("a 4xx".to_owned(), last_answer(self))),
        }
    }

    /// A finding unless the answer is a 4xx, or a refusal by whatever status the contract has for one.
    pub(crate) fn demand_client_error_or_refusal(&self, answer: &RawResponse) -> Result<(), Stop> {
        let told = readings(self.contract, answer);
        match (200..300).contains(&answer.status) && !told.is_empty() && !told.contains(&Outcome::Approved) {
            true => Ok(()),
            false => self.demand_client_error(answer),
        }
    }

    /// Whether every target answers a plain call, over a connection of its own. Of several replicas one may have gone, and
    /// what nobody answers then is no fault of those that are left.
    pub(crate) async fn is_alive(&mut self) -> bool {
        let Ok(live) = self.open(&Wish::default()).await else { return false };
        let subject = self.subject;
        let plain = live.issued.call(self.contract, live.issued.right(), self.retries());
        let call = Call { credential: Credential::Missing, ..plain };
        for target in &subject.targets {
            if self.exchange(&call, target, &subject.fresh).await.is_err() {
                return false;
            }
        }
        true
    }

    /// A finding in words.
    pub(crate) fn found(&self, expected: impl Into<String>, actual: impl Into<String>) -> Stop {
        Stop::Found(Box::new(Finding::told(expected.into(), actual.into(), self)))
    }
}

fn words(outcomes: &BTreeSet<Outcome>) -> String {
    outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(" or ")
}
