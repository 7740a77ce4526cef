//! The area `matrix`: brings a subject into every situation that its contract documents answers for, and judges the
//! answer by status, content type and body. Steps on the way are judged by checks of their own and not a second time
//! here, so that one defect is found once.

use otp_contract::{Mode, Outcome, Situation};

use crate::call::{Body, Call, Credential, Guess, Twist};
use crate::check::{Area, allowed};
use crate::control::Wish;
use crate::finding::Finding;
use crate::flow::MOST_ATTEMPTS;
use crate::judge::{Judgement, judge};
use crate::model::Allowed;
use crate::reading::readings;
use crate::subject::{Bench, Issued, Stop};

/// How many wrong codes a session is wished to allow: enough to tell a limit from none, and few requests.
const FEW_ATTEMPTS: u32 = 3;

/// Makes one check; the names of the cells that were given.
pub(crate) async fn run(
    area: Area,
    situation: Situation,
    mode: Option<Mode>,
    bench: &mut Bench<'_>,
) -> Result<Vec<String>, Stop> {
    let mut trial = Trial { area, situation, mode, bench, given: Vec::new() };
    trial.make().await?;
    Ok(trial.given)
}

struct Trial<'t, 'a> {
    area: Area,
    situation: Situation,
    mode: Option<Mode>,
    bench: &'t mut Bench<'a>,
    given: Vec<String>,
}

impl Trial<'_, '_> {
    fn retry(&self) -> bool {
        self.mode == Some(Mode::Retry)
    }

    async fn make(&mut self) -> Result<(), Stop> {
        let few = Wish { max_attempts: Some(FEW_ATTEMPTS), ..Wish::default() };
        match self.situation {
            Situation::Approved => {
                let issued = self.bench.issue(&Wish::default()).await?;
                self.expect(&issued, issued.right(), None).await
            }
            Situation::WrongCode => {
                let issued = self.bench.issue(&few).await?;
                let wrong = self.bench.wrong_code(&issued.code);
                let left = issued.session.max_attempts.map(|limit| limit.saturating_sub(1));
                self.expect(&issued, Guess::plain(&wrong), left).await
            }
            Situation::Expired => self.expired().await,
            Situation::AttemptsExhausted => self.attempts_exhausted(&few).await,
            Situation::AlreadyUsed => self.already_used().await,
            Situation::UnknownSession => {
                let mut issued = self.bench.issue(&Wish::default()).await?;
                issued.session.session = self.bench.unknown_id(&issued.session.session);
                self.expect(&issued, issued.right(), None).await
            }
            Situation::ForeignSession => {
                let [owner, stranger] = self.bench.two_tenants().await?;
                let mut issued = self.bench.issue_for(&owner, &Wish::default()).await?;
                issued.tenant = stranger;
                self.expect(&issued, issued.right(), None).await
            }
            Situation::MalformedCode => {
                let issued = self.bench.issue(&Wish::default()).await?;
                // One character away from the right code, so that a server which filters before it compares is seen.
                let mut malformed = issued.code.clone();
                malformed.pop();
                malformed.push('!');
                let shown = format!("{}!", issued.shown_but_last());
                self.expect(&issued, Guess { text: &malformed, shown: &shown }, None).await
            }
            Situation::MissingSession
            | Situation::MissingCode
            | Situation::MalformedBody
            | Situation::MissingCredentials
            | Situation::WrongCredentials => self.misshapen().await,
        }
    }

    async fn misshapen(&mut self) -> Result<(), Stop> {
        let issued = self.bench.issue(&Wish::default()).await?;
        let contract = self.bench.contract;
        let proper = issued.call(contract, issued.right(), self.retry());
        let call = match self.situation {
            Situation::MissingSession => Call { session: None, ..proper },
            Situation::MissingCode => Call { code: None, ..proper },
            Situation::MalformedBody => Call {
                twist: Twist { body: Some(Body::Text("{\"cut short\": \"")), ..Twist::default() },
                ..proper
            },
            Situation::MissingCredentials => Call { credential: Credential::Missing, ..proper },
            _ => Call { credential: Credential::Wrong, ..proper },
        };
        self.expect_call(&call, None).await
    }

    async fn expired(&mut self) -> Result<(), Stop> {
        let issued = self.bench.issue(&Wish::default()).await?;
        // A subject that says its codes do not expire is held to the document's lifetime, or to the usual one.
        let seconds = issued.session.ttl_seconds.unwrap_or(self.bench.contract.policy.lifetime.seconds);
        self.bench.age(&issued, seconds.saturating_add(1)).await?;
        self.expect(&issued, issued.right(), None).await
    }

    async fn already_used(&mut self) -> Result<(), Stop> {
        let issued = self.bench.issue(&Wish::default()).await?;
        let right = issued.right();
        let call = issued.call(self.bench.contract, right, self.retry());
        let answer = self.bench.send(&call).await?;
        if !readings(self.bench.contract, &answer).contains(&Outcome::Approved) {
            let approved = format!("{}/{}/approved", self.bench.contract.vendor, self.area.as_str());
            return Err(Stop::Skip(format!(
                "the right code was not approved in the first place; see {approved}"
            )));
        }
        self.expect(&issued, right, None).await
    }

    async fn attempts_exhausted(&mut self, wish: &Wish) -> Result<(), Stop> {
        let issued = self.bench.issue(wish).await?;
        let contract = self.bench.contract;
        let one_only = contract.policy.overrides.retry.is_some() && !self.retry();
        // A subject that says it has no limit is held to the document's, which has an answer for reaching one.
        let usual = contract.policy.attempts.as_ref().map(|limit| limit.limit);
        let limit = match issued.session.max_attempts.or(usual) {
            _ if one_only => 1,
            Some(limit) => limit,
            None => return Err(Stop::Skip("neither the subject nor the document has a limit".to_owned())),
        };
        if limit > MOST_ATTEMPTS {
            return Err(Stop::Skip(format!(
                "the limit of {limit} is more than the {MOST_ATTEMPTS} that are walked to"
            )));
        }
        for _ in 0..limit {
            let wrong = self.bench.wrong_code(&issued.code);
            let answer = self.bench.send(&issued.call(contract, Guess::plain(&wrong), self.retry())).await?;
            self.bench.demand_no_approval(&answer)?;
        }
        let wrong = self.bench.wrong_code(&issued.code);
        self.expect(&issued, Guess::plain(&wrong), None).await?;
        self.expect(&issued, issued.right(), None).await
    }

    async fn expect(&mut self, issued: &Issued, guess: Guess<'_>, left: Option<u32>) -> Result<(), Stop> {
        let call = issued.call(self.bench.contract, guess, self.retry());
        self.expect_call(&call, left).await
    }

    /// Sends `call` and judges the answer by the cells of the check's situation.
    async fn expect_call(&mut self, call: &Call<'_>, left: Option<u32>) -> Result<(), Stop> {
        let answer = self.bench.send(call).await?;
        let contract = self.bench.contract;
        let mut cells = allowed(contract, self.situation, self.mode);
        if self.situation == Situation::WrongCode && left == Some(0) {
            // The wrong code that reaches the limit may already be told so.
            let locked = allowed(contract, Situation::AttemptsExhausted, self.mode);
            if locked.is_empty() {
                return self.bench.demand(&answer, &Allowed::refusals());
            }
            cells.extend(locked);
        }
        let mut expectation = self.bench.expectation(cells, call);
        expectation.remaining_attempts = left;
        match judge(&expectation, &answer) {
            Some(Judgement::Conforms(cell)) => self.given.push(cell.name.clone()),
            Some(Judgement::Differs(nearest, mismatches)) => {
                let finding = Finding::of_cells(&expectation, nearest, &mismatches, self.bench);
                return Err(Stop::Found(Box::new(finding)));
            }
            None => return Err(Stop::Error("the contract has no cell for this situation".to_owned())),
        }
        Ok(())
    }
}
