//! The area `matrix`: creates every situation for which the contract documents responses, and compares the response by
//! status, content type and body.
//!
//! Other checks compare the calls that lead to the situation, so that each defect is reported once.

use std::collections::BTreeSet;

use otp_contract::{Mode, Outcome, Situation, Source};

use crate::harness::{
    Abort, Body, CheckContext, Credential, IssuedSession, MAX_ATTEMPTS_TRIED, RequestMutation,
    SessionOptions, SessionState, SubmittedCode, VerifyCall, Witness, attempts,
};
use crate::http::RawResponse;
use crate::oracle::{
    Allowed, Basis, Difference, Expectation, Found, Judgement, Observation, approves, basis_of_response,
    expected_cells, judge, outcomes,
};

/// The limit of attempts that sessions are asked to have: high enough to notice a missing limit, with few requests.
const FEW_ATTEMPTS: u32 = 3;

/// Runs one check and returns the names of the cells that the subject gave.
pub(super) async fn run(
    situation: Situation,
    mode: Option<Mode>,
    context: &mut CheckContext<'_>,
) -> Result<Vec<String>, Abort> {
    let mut check = MatrixCheck { situation, mode, context, given: Vec::new() };
    check.run().await?;
    Ok(check.given)
}

struct MatrixCheck<'t, 'a> {
    situation: Situation,
    mode: Option<Mode>,
    context: &'t mut CheckContext<'a>,
    given: Vec<String>,
}

impl MatrixCheck<'_, '_> {
    fn retry(&self) -> bool {
        self.mode == Some(Mode::Retry)
    }

    async fn run(&mut self) -> Result<(), Abort> {
        let few = attempts(FEW_ATTEMPTS);
        match self.situation {
            Situation::Approved => {
                let issued = self.context.issue(&SessionOptions::default()).await?;
                self.expect(&issued, issued.right(), None).await
            }
            Situation::WrongCode => {
                let issued = self.context.issue(&few).await?;
                let wrong = self.context.wrong_code(&issued.code);
                let remaining = issued.session.max_attempts.map(|limit| limit.saturating_sub(1));
                self.expect(&issued, SubmittedCode::plain(&wrong), remaining).await
            }
            Situation::Expired => self.expired().await,
            Situation::AttemptsExhausted => self.attempts_exhausted(&few).await,
            Situation::AlreadyUsed => self.already_used().await,
            Situation::UnknownSession => {
                let mut issued = self.context.unnamed_session(None).await?;
                issued.session.session = self.context.unknown_id(&issued.session.session);
                self.expect(&issued, issued.right(), None).await
            }
            Situation::ForeignSession => {
                let [owner, stranger] = self.context.two_tenants().await?;
                let mut issued = self.context.issue_for(&owner, &SessionOptions::default()).await?;
                issued.tenant = stranger;
                self.expect(&issued, issued.right(), None).await
            }
            Situation::MalformedCode => {
                let issued = self.context.issue(&SessionOptions::default()).await?;
                // One character away from the right code, to catch a server that drops characters before it compares.
                let mut malformed = issued.code.clone();
                malformed.pop();
                malformed.push('!');
                let shown = format!("{}!", issued.shown_but_last());
                self.expect(&issued, SubmittedCode { text: &malformed, shown: &shown }, None).await
            }
            Situation::MissingSession
            | Situation::MissingCode
            | Situation::MalformedBody
            | Situation::MissingCredentials
            | Situation::WrongCredentials => self.malformed().await,
        }
    }

    async fn malformed(&mut self) -> Result<(), Abort> {
        let issued = match self.situation {
            Situation::MissingSession => self.context.unnamed_session(None).await?,
            _ => self.context.issue(&SessionOptions::default()).await?,
        };
        let proper = self.context.call_with_retry(&issued, issued.right(), self.retry());
        let call = match self.situation {
            Situation::MissingSession => VerifyCall { session: None, ..proper },
            Situation::MissingCode => VerifyCall { code: None, ..proper },
            Situation::MalformedBody => VerifyCall {
                mutation: RequestMutation {
                    body: Some(Body::Text("{\"cut short\": \"")),
                    ..RequestMutation::default()
                },
                ..proper
            },
            Situation::MissingCredentials => VerifyCall { credential: Credential::Missing, ..proper },
            _ => VerifyCall { credential: Credential::Wrong, ..proper },
        };
        self.expect_call(&call, None).await
    }

    async fn expired(&mut self) -> Result<(), Abort> {
        if let Some(issued) = self.context.prepared(SessionState::Expired)? {
            return self.expect(&issued, issued.right(), None).await;
        }
        let issued = self.context.issue(&SessionOptions::default()).await?;
        // If the subject states that its codes do not expire, the lifetime of the contract applies.
        let seconds = issued.session.ttl_seconds.unwrap_or(self.context.contract.policy.lifetime.seconds);
        self.context.age(&issued, seconds.saturating_add(1)).await?;
        self.expect(&issued, issued.right(), None).await
    }

    async fn already_used(&mut self) -> Result<(), Abort> {
        if let Some(issued) = self.context.prepared(SessionState::Used)? {
            return self.expect(&issued, issued.right(), None).await;
        }
        let issued = self.context.issue(&SessionOptions::default()).await?;
        let call = self.context.call_with_retry(&issued, issued.right(), self.retry());
        let response = self.context.send(&call).await?;
        if !outcomes(self.context.operation, &response).contains(&Outcome::Approved) {
            let approved = format!("{}/matrix/approved", self.context.contract.vendor);
            return Err(Abort::Skip(format!("the subject did not approve the right code; see {approved}")));
        }
        self.expect(&issued, issued.right(), None).await
    }

    async fn attempts_exhausted(&mut self, options: &SessionOptions) -> Result<(), Abort> {
        let policy = &self.context.contract.policy;
        let ends_at_once = policy.overrides.retry.is_some() && !self.retry();
        // Where one wrong code ends a session, a locked session is in another state.
        if !ends_at_once && let Some(issued) = self.context.prepared(SessionState::Locked)? {
            return self.expect_locked(&issued).await;
        }
        let issued = self.context.issue(options).await?;
        // If the subject states that it has no limit, the limit of the contract applies: it documents the response.
        let documented = policy.attempts.as_ref().map(|limit| limit.limit);
        let limit = match issued.session.max_attempts.or(documented) {
            _ if ends_at_once => 1,
            Some(limit) => limit,
            None => return Err(Abort::Skip("neither the subject nor the document has a limit".to_owned())),
        };
        if limit > MAX_ATTEMPTS_TRIED {
            return Err(Abort::Skip(format!(
                "the limit of {limit} attempts is above the {MAX_ATTEMPTS_TRIED} that checks try"
            )));
        }
        for _ in 0..limit {
            let wrong = self.context.wrong_code(&issued.code);
            let call = self.context.call_with_retry(&issued, SubmittedCode::plain(&wrong), self.retry());
            let response = self.context.send(&call).await?;
            self.context.expect_no_approval(&response)?;
        }
        self.expect_locked(&issued).await
    }

    async fn expect_locked(&mut self, issued: &IssuedSession) -> Result<(), Abort> {
        let wrong = self.context.wrong_code(&issued.code);
        self.expect(issued, SubmittedCode::plain(&wrong), None).await?;
        self.expect(issued, issued.right(), None).await
    }

    async fn expect(
        &mut self,
        issued: &IssuedSession,
        code: SubmittedCode<'_>,
        remaining_attempts: Option<u32>,
    ) -> Result<(), Abort> {
        let call = self.context.call_with_retry(issued, code, self.retry());
        self.expect_call(&call, remaining_attempts).await
    }

    /// Sends `call` and compares the response with the cells of the situation.
    async fn expect_call(
        &mut self,
        call: &VerifyCall<'_>,
        remaining_attempts: Option<u32>,
    ) -> Result<(), Abort> {
        let response = self.context.send(call).await?;
        let operation = self.context.operation;
        let mut cells = expected_cells(operation, self.situation, self.mode);
        if self.situation == Situation::WrongCode && remaining_attempts == Some(0) {
            // The wrong code that reaches the limit may already get the response for a locked session.
            let locked = expected_cells(operation, Situation::AttemptsExhausted, self.mode);
            if locked.is_empty() {
                return self.context.expect_outcome(&response, &Allowed::refusals());
            }
            cells.extend(locked);
        }
        let mut expectation = self.context.expectation(cells, call);
        expectation.remaining_attempts = remaining_attempts;
        match judge(&expectation, &response) {
            Some(Judgement::Conforms(cell)) => self.given.push(cell.name.clone()),
            Some(Judgement::Differs(closest, differences)) => {
                let (basis, source) = self.basis(&expectation, &response);
                let deviation = self.context.deviation_with(
                    expectation.describe(closest),
                    self.context.recording.last_response(),
                    differences.clone(),
                );
                let deviation = deviation.because_of(basis, source);
                return Err(match self.observation(&expectation, &response, &differences) {
                    Some(observation @ Observation::Meaning { .. }) => {
                        deviation.observing(observation).shown_by(Witness::Model)
                    }
                    Some(observation) => {
                        deviation.observing(observation).shown_by(Witness::Places(differences))
                    }
                    None => deviation,
                });
            }
            None => return Err(Abort::Error("the contract has no cell for this situation".to_owned())),
        }
        Ok(())
    }

    /// What a response that is none of the expected cells shows; `None` if it is the server's own error.
    fn observation(
        &self,
        expectation: &Expectation<'_>,
        response: &RawResponse,
        differences: &[Difference],
    ) -> Option<Observation> {
        if response.status >= 500 {
            return None;
        }
        let expected: BTreeSet<Outcome> = expectation.cells.iter().flat_map(|cell| cell.outcomes()).collect();
        let found = outcomes(self.context.operation, response);
        Some(match found.is_disjoint(&expected) {
            true => {
                let found = Found::new(&found, response.status);
                Observation::Meaning { allowed: expected, found }
            }
            false => Observation::of_differences(expected, differences),
        })
    }

    /// What a response that is none of the expected cells contradicts.
    fn basis(&self, expectation: &Expectation<'_>, response: &RawResponse) -> (Basis, Option<Source>) {
        // An approval where there must be none, or none where there must be one.
        if approves(self.context.operation, response) != (self.situation == Situation::Approved) {
            return (Basis::Safety, None);
        }
        let mut situations = vec![self.situation];
        if self.situation == Situation::WrongCode && expectation.remaining_attempts == Some(0) {
            situations.push(Situation::AttemptsExhausted);
        }
        basis_of_response(expectation, &situations, response)
    }
}
