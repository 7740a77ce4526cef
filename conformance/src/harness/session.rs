//! Sessions of a check. An [`IssuedSession`] is what the control returned; a [`TrackedSession`] also runs through the
//! model, so that every call on it is compared with what the model allows. All checks but the matrix use tracked ones.

use std::collections::BTreeSet;
use std::time::Instant;

use otp_contract::{Outcome, Source};

use super::control::Session;
use super::{
    Abort, CheckContext, Credential, Planned, RequestMutation, SessionOptions, SubmittedCode, Tenant,
    VerifyCall, Witness,
};
use crate::http::RawResponse;
use crate::oracle::{
    Allowed, Basis, CodeKind, Found, Input, Observation, Rules, States, approves, basis_of_outcome,
    cells_with_outcome, outcomes,
};

/// Options for a session with this limit of attempts.
pub(crate) fn attempts(count: u32) -> SessionOptions {
    SessionOptions { max_attempts: Some(count), ..SessionOptions::default() }
}

/// The highest limit of attempts that checks exhaust. Beyond it they are skipped, because they would send too many calls.
pub(crate) const MAX_ATTEMPTS_TRIED: u32 = 200;

/// A session that a check issued.
#[derive(Debug, Clone)]
pub(crate) struct IssuedSession {
    pub(crate) tenant: Tenant,
    pub(crate) session: Session,
    pub(crate) code: String,
    /// What reports show for the code: a shell variable.
    pub(crate) shown: String,
}

impl IssuedSession {
    /// The right code.
    pub(crate) fn right(&self) -> SubmittedCode<'_> {
        SubmittedCode { text: &self.code, shown: &self.shown }
    }

    /// A shell expression for the right code without its last character.
    pub(crate) fn shown_but_last(&self) -> String {
        format!("${{{}%?}}", self.shown.trim_start_matches('$'))
    }

    /// A shell expression for the right code without its first character.
    pub(crate) fn shown_but_first(&self) -> String {
        format!("${{{}#?}}", self.shown.trim_start_matches('$'))
    }

    /// A shell expression for the first two characters of the right code.
    pub(crate) fn shown_first_two(&self) -> String {
        let rest = "?".repeat(self.code.len().saturating_sub(2));
        format!("${{{}%{rest}}}", self.shown.trim_start_matches('$'))
    }
}

/// An issued session with its state in the model.
#[derive(Debug, Clone)]
pub(crate) struct TrackedSession {
    pub(crate) issued: IssuedSession,
    pub(crate) rules: Rules,
    pub(crate) states: States,
    since: Instant,
}

impl TrackedSession {
    /// How many wrong codes can certainly still be submitted so that the right one verifies afterwards; many without a
    /// limit.
    pub(crate) fn spare_attempts(&self) -> u32 {
        self.rules.limit.map_or(u32::MAX, |limit| limit.saturating_sub(self.states.most_wrong() + 1))
    }

    /// Moves the model ahead by a wrong code whose response was not compared.
    pub(crate) fn count_wrong(&mut self, retry: bool) {
        let wrong = Input { code: CodeKind::Wrong, foreign: false, retry };
        self.states.observe(&self.rules, wrong, &BTreeSet::from([Outcome::WrongCode]));
    }

    /// The limit of attempts in force, if there is one and it is not too high to exhaust.
    pub(crate) fn limit(&self) -> Result<u32, Abort> {
        match self.rules.limit {
            Some(limit) if limit <= MAX_ATTEMPTS_TRIED => Ok(limit),
            Some(limit) => Err(Abort::Skip(format!(
                "the limit of {limit} attempts is above the {MAX_ATTEMPTS_TRIED} that checks try"
            ))),
            None => Err(Abort::Skip("the subject states that it has no limit of attempts".to_owned())),
        }
    }

    /// The lifetime in force, in seconds.
    pub(crate) fn ttl(&self) -> Result<u64, Abort> {
        self.rules
            .ttl
            .ok_or_else(|| Abort::Skip("the subject states that its codes do not expire".to_owned()))
    }
}

impl CheckContext<'_> {
    /// Issues a code in a new tenant and tracks its session.
    pub(crate) async fn start_session(&mut self, options: &SessionOptions) -> Result<TrackedSession, Abort> {
        let issued = self.issue(options).await?;
        Ok(self.track(issued))
    }

    /// Issues a code in `tenant` and tracks its session.
    pub(crate) async fn start_session_for(
        &mut self,
        tenant: &Tenant,
        options: &SessionOptions,
    ) -> Result<TrackedSession, Abort> {
        let issued = self.issue_for(tenant, options).await?;
        Ok(self.track(issued))
    }

    /// Tracks an issued session.
    pub(crate) fn track(&self, issued: IssuedSession) -> TrackedSession {
        let rules = Rules::new(self.contract, issued.session.max_attempts, issued.session.ttl_seconds);
        TrackedSession { issued, rules, states: States::default(), since: Instant::now() }
    }

    /// Submits the right code.
    pub(crate) async fn submit_right(&mut self, session: &mut TrackedSession) -> Result<RawResponse, Abort> {
        let issued = session.issued.clone();
        self.submit(session, CodeKind::Right, issued.right(), RequestMutation::default()).await
    }

    /// Submits a random wrong code.
    pub(crate) async fn submit_wrong(&mut self, session: &mut TrackedSession) -> Result<RawResponse, Abort> {
        let code = self.wrong_code(&session.issued.code);
        self.submit(session, CodeKind::Wrong, SubmittedCode::plain(&code), RequestMutation::default()).await
    }

    /// Sends one call as the session's own tenant and compares the response with the model.
    pub(crate) async fn submit(
        &mut self,
        session: &mut TrackedSession,
        kind: CodeKind,
        code: SubmittedCode<'_>,
        mutation: RequestMutation<'_>,
    ) -> Result<RawResponse, Abort> {
        let retry = self.retries();
        let issued = session.issued.clone();
        let call = VerifyCall { mutation, ..self.call(&issued, code) };
        let response = self.send(&call).await?;
        if let Some(Planned::Call(planned)) = self.plan.last_mut() {
            planned.kind = Some(kind);
        }
        let input = Input { code: kind, foreign: false, retry };
        // Real time passes as well, so a code near the end of its lifetime may expire between two calls.
        let elapsed = session.since.elapsed().as_secs() + 1;
        let later = session.states.later(elapsed);
        let may_expire =
            later.may_be_expired(&session.rules) && !session.states.may_be_expired(&session.rules);
        let mut states = session.states.clone();
        if may_expire && elapsed > 1 {
            states = states.or(later);
        }
        let allowed = states.allowed(&session.rules, input);
        let may_be_locked = states.may_be_locked();
        states.observe(&session.rules, input, &outcomes(self.operation, &response));
        session.states = states;
        match self.expect_outcome(&response, &allowed) {
            // A limit that only the subject states is held to as well, but no page asks for it.
            Err(abort) if may_be_locked && !session.rules.limit_is_documented => {
                Err(abort.because_of(Basis::Standard, None))
            }
            Err(abort) => Err(abort),
            Ok(()) => Ok(response),
        }
    }

    /// Sends one call as another tenant, with that tenant's account and credentials.
    pub(crate) async fn submit_as(
        &mut self,
        session: &TrackedSession,
        stranger: &Tenant,
        code: SubmittedCode<'_>,
    ) -> Result<RawResponse, Abort> {
        let issued = IssuedSession { tenant: stranger.clone(), ..session.issued.clone() };
        let response = self.send(&self.call(&issued, code)).await?;
        self.expect_outcome(&response, &Allowed::refusals())?;
        Ok(response)
    }

    /// Sends one malformed call. It must be refused, and must not count as an attempt.
    pub(crate) async fn submit_malformed(
        &mut self,
        session: &mut TrackedSession,
        mutation: RequestMutation<'_>,
    ) -> Result<RawResponse, Abort> {
        let issued = session.issued.clone();
        let response = self.submit(session, CodeKind::Malformed, issued.right(), mutation).await?;
        self.expect_client_error(&response)?;
        Ok(response)
    }

    /// Sends the right code with other credentials than the tenant's.
    pub(crate) async fn submit_with(
        &mut self,
        session: &TrackedSession,
        credential: Credential<'_>,
    ) -> Result<RawResponse, Abort> {
        let issued = session.issued.clone();
        let call = VerifyCall { credential, ..self.call(&issued, issued.right()) };
        self.send(&call).await
    }

    /// Moves the session `seconds` ahead, on the subject and in the model.
    pub(crate) async fn advance(&mut self, session: &mut TrackedSession, seconds: u64) -> Result<(), Abort> {
        let issued = session.issued.clone();
        self.age(&issued, seconds).await?;
        session.states = session.states.later(seconds);
        Ok(())
    }

    /// A deviation unless the response has an allowed meaning.
    pub(crate) fn expect_outcome(&self, response: &RawResponse, allowed: &Allowed) -> Result<(), Abort> {
        let meanings = outcomes(self.operation, response);
        if allowed.admits_response(&meanings, response.status) {
            return Ok(());
        }
        let found = Found::new(&meanings, response.status);
        let actual = format!("{}, {}", self.recording.last_response(), found.in_words());
        let deviation = self.deviation(allowed.in_words(), actual);
        let (basis, source) = self.basis_of(response, &meanings, allowed);
        let deviation = deviation.because_of(basis, source);
        if response.status >= 500 {
            return Err(deviation);
        }
        let observation = Observation::Meaning { allowed: allowed.outcomes.clone(), found };
        Err(deviation.observing(observation).shown_by(Witness::Model))
    }

    /// What a response that means something else than what is allowed contradicts.
    fn basis_of(
        &self,
        response: &RawResponse,
        meanings: &BTreeSet<Outcome>,
        allowed: &Allowed,
    ) -> (Basis, Option<Source>) {
        let approved = BTreeSet::from([Outcome::Approved]);
        if *meanings == approved {
            return (Basis::Safety, None);
        }
        if *allowed == Allowed::only(Outcome::Approved) {
            // A check that rests on a standard alone asks for approvals that no page promises.
            return (if self.basis == Basis::Standard { Basis::Standard } else { Basis::Safety }, None);
        }
        if response.status >= 500 {
            return (Basis::Standard, None);
        }
        let outcomes = allowed.outcomes.iter().copied().filter(|outcome| *outcome != Outcome::Approved);
        let cells = |outcome| cells_with_outcome(self.operation, &BTreeSet::from([outcome]));
        basis_of_outcome(cells, outcomes, response)
    }

    /// A deviation if the response approves, whatever happened to the session before.
    pub(crate) fn expect_no_approval(&self, response: &RawResponse) -> Result<(), Abort> {
        match approves(self.operation, response) {
            false => Ok(()),
            true => Err(self
                .deviation("no approval", self.recording.last_response())
                .because_of(Basis::Safety, None)
                .observing(Observation::Meaning { allowed: BTreeSet::new(), found: Found::approval() })
                .shown_by(Witness::Status)),
        }
    }

    /// A deviation unless the response has a 4xx status.
    pub(crate) fn expect_client_error(&self, response: &RawResponse) -> Result<(), Abort> {
        if (400..500).contains(&response.status) {
            return Ok(());
        }
        let deviation = self.deviation("a 4xx status", self.recording.last_response());
        Err(deviation.because_of(Basis::Standard, None).shown_by(Witness::Status))
    }

    /// A deviation unless the response has a 4xx status, or is a documented refusal with a 2xx status.
    pub(crate) fn expect_client_error_or_refusal(&self, response: &RawResponse) -> Result<(), Abort> {
        let meanings = outcomes(self.operation, response);
        let refuses = !meanings.is_empty() && !meanings.contains(&Outcome::Approved);
        match (200..300).contains(&response.status) && refuses {
            true => Ok(()),
            false => self.expect_client_error(response),
        }
    }

    /// Whether every target responds to a plain call over a new connection. If a replica is gone, the remaining ones
    /// must not be blamed for calls that got no response.
    pub(crate) async fn every_target_responds(&mut self) -> bool {
        let Ok(session) = self.start_session(&SessionOptions::default()).await else { return false };
        let subject = self.subject;
        let call = VerifyCall {
            credential: Credential::Missing,
            ..self.call(&session.issued, session.issued.right())
        };
        for target in &subject.targets {
            if self.exchange(&call, target, &subject.unpooled).await.is_err() {
                return false;
            }
        }
        true
    }
}
