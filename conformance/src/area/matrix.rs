//! The area `matrix`: brings a subject into every situation that its contract documents answers for, and judges the
//! answer by status, content type and body. Steps on the way are judged by checks of their own and not a second time
//! here, so that one defect is found once.

use otp_contract::{Certainty, Mode, Outcome, Situation};

use crate::call::{Call, Credential, Guess};
use crate::check::{Check, allowed};
use crate::control::Wish;
use crate::finding::Finding;
use crate::judge::{Judgement, judge, outcome_of};
use crate::subject::{Bench, Issued, Stop};

/// How many wrong codes a session is wished to allow: enough to tell a limit from none, and few requests.
const FEW_ATTEMPTS: u32 = 3;

/// The highest limit that is walked to.
const MOST_ATTEMPTS: u32 = 200;

/// What a check ends with.
pub(crate) enum Ending {
    /// The subject conforms, by the answers of these cells.
    Passed(Vec<String>),
    /// It does not.
    Failed(Box<Finding>),
    /// The check was not made to an end.
    Stopped(Stop),
}

/// Makes one check.
pub(crate) async fn run(check: &Check, bench: &mut Bench<'_>) -> Ending {
    let mut trial = Trial { check, bench, given: Vec::new(), finding: None };
    match trial.make().await {
        Err(stop) => Ending::Stopped(stop),
        Ok(()) => match trial.finding {
            Some(finding) => Ending::Failed(Box::new(finding)),
            None => Ending::Passed(trial.given),
        },
    }
}

struct Trial<'t, 'a> {
    check: &'t Check,
    bench: &'t mut Bench<'a>,
    given: Vec<String>,
    finding: Option<Finding>,
}

impl Trial<'_, '_> {
    fn retry(&self) -> bool {
        self.check.mode == Some(Mode::Retry)
    }

    async fn make(&mut self) -> Result<(), Stop> {
        let few = Wish { max_attempts: Some(FEW_ATTEMPTS), ..Wish::default() };
        match self.check.situation {
            Situation::Approved => {
                let issued = self.bench.issue(&Wish::default()).await?;
                self.expect(&issued, Guess::right(&issued.code), None).await
            }
            Situation::WrongCode => {
                let issued = self.bench.issue(&few).await?;
                let wrong = self.bench.wrong_code(&issued.code);
                let left = issued.session.max_attempts.map(|limit| limit.saturating_sub(1));
                self.expect(&issued, Guess::wrong(&wrong), left).await
            }
            Situation::Expired => self.expired().await,
            Situation::AttemptsExhausted => self.attempts_exhausted(&few).await,
            Situation::AlreadyUsed => self.already_used().await,
            Situation::UnknownSession => {
                let mut issued = self.bench.issue(&Wish::default()).await?;
                issued.session.session = self.bench.unknown_id(&issued.session.session);
                self.expect(&issued, Guess::right(&issued.code), None).await
            }
            Situation::ForeignSession => {
                let [owner, stranger] = self
                    .bench
                    .tenants(2)
                    .await?
                    .try_into()
                    .map_err(|_| Stop::Error("the control gave no two tenants".to_owned()))?;
                let mut issued = self.bench.issue_for(owner, &Wish::default()).await?;
                issued.tenant = stranger;
                self.expect(&issued, Guess::right(&issued.code), None).await
            }
            Situation::MalformedCode => {
                let issued = self.bench.issue(&Wish::default()).await?;
                // One character away from the right code, so that a server which filters before it compares is seen.
                let mut malformed = issued.code.clone();
                malformed.replace_range(1..2, "!");
                self.expect(&issued, Guess::malformed(&malformed), None).await
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
        let proper = issued.call(contract, Guess::right(&issued.code), self.retry());
        let call = match self.check.situation {
            Situation::MissingSession => Call { session: None, ..proper },
            Situation::MissingCode => Call { code: None, ..proper },
            Situation::MalformedBody => Call { body: Some(b"{\"cut short\": \""), ..proper },
            Situation::MissingCredentials => Call { credential: Credential::Missing, ..proper },
            _ => Call { credential: Credential::Wrong, ..proper },
        };
        self.expect_call(&call, &issued, None).await
    }

    async fn expired(&mut self) -> Result<(), Stop> {
        let issued = self.bench.issue(&Wish::default()).await?;
        let lifetime = &self.bench.contract.policy.lifetime;
        let seconds = match issued.session.ttl_seconds {
            Some(seconds) => seconds,
            // A subject that says its codes never expire is held to a lifetime that the document states.
            None if lifetime.certainty == Certainty::Documented => lifetime.seconds,
            None => return Err(Stop::Skip("the subject says that its codes do not expire".to_owned())),
        };
        self.bench.age(&issued, seconds.saturating_add(1)).await?;
        self.expect(&issued, Guess::right(&issued.code), None).await
    }

    async fn already_used(&mut self) -> Result<(), Stop> {
        let issued = self.bench.issue(&Wish::default()).await?;
        let right = Guess::right(&issued.code);
        let call = issued.call(self.bench.contract, right, self.retry());
        let answer = self.bench.send(&call, &[&issued.code]).await?;
        let refused =
            outcome_of(self.bench.contract, &answer).is_some_and(|outcome| outcome != Outcome::Approved);
        if answer.status / 100 != 2 || refused {
            let approved = format!("{}/{}/approved", self.bench.contract.vendor, self.check.area.as_str());
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
        let documented =
            contract.policy.attempts.as_ref().filter(|limit| limit.certainty == Certainty::Documented);
        let limit = match (issued.session.max_attempts, documented) {
            _ if one_only => 1,
            (Some(limit), _) => limit,
            (None, Some(documented)) => documented.limit,
            (None, None) => {
                return Err(Stop::Skip("the subject says that it has no limit of attempts".to_owned()));
            }
        };
        if limit > MOST_ATTEMPTS {
            return Err(Stop::Skip(format!(
                "the limit of {limit} is more than the {MOST_ATTEMPTS} that are walked to"
            )));
        }
        for attempt in 1..=limit {
            let wrong = self.bench.wrong_code(&issued.code);
            let call = issued.call(contract, Guess::wrong(&wrong), self.retry());
            let answer = self.bench.send(&call, &[&issued.code]).await?;
            if answer.status / 100 == 2 && outcome_of(contract, &answer) == Some(Outcome::Approved) {
                return Err(Stop::Error(format!("wrong code number {attempt} was approved")));
            }
        }
        let wrong = self.bench.wrong_code(&issued.code);
        self.expect(&issued, Guess::wrong(&wrong), None).await?;
        if self.finding.is_none() {
            self.expect(&issued, Guess::right(&issued.code), None).await?;
        }
        Ok(())
    }

    async fn expect(&mut self, issued: &Issued, guess: Guess<'_>, left: Option<u32>) -> Result<(), Stop> {
        let call = issued.call(self.bench.contract, guess, self.retry());
        self.expect_call(&call, issued, left).await
    }

    /// Sends `call` and judges the answer by the cells of the check's situation.
    async fn expect_call(&mut self, call: &Call<'_>, issued: &Issued, left: Option<u32>) -> Result<(), Stop> {
        let answer = self.bench.send(call, &[&issued.code]).await?;
        let contract = self.bench.contract;
        let mut cells = allowed(contract, self.check.situation, self.check.mode);
        if self.check.situation == Situation::WrongCode && left == Some(0) {
            // The wrong code that reaches the limit may already be told so.
            cells.extend(allowed(contract, Situation::AttemptsExhausted, self.check.mode));
        }
        let mut expectation = self.bench.expectation(cells, call);
        expectation.remaining_attempts = left;
        match judge(&expectation, &answer) {
            Some(Judgement::Conforms(cell)) => self.given.push(cell.name.clone()),
            Some(Judgement::Differs(nearest, mismatches)) => {
                self.finding = Some(Finding::new(&expectation, nearest, &mismatches, &self.bench.exchanges));
            }
            None => return Err(Stop::Error("the contract has no cell for this situation".to_owned())),
        }
        Ok(())
    }
}
