//! The server under test: where it is, how it is put into a state, and, for one check at a time, a place to work in
//! with tenants of its own.

use std::collections::BTreeMap;

use otp_contract::{Cell, Contract, ValueKind};

use crate::call::{Call, Credential, Guess, Masking};
use crate::control::{Control, ControlError, Session, Tenant, Wish};
use crate::judge::Expectation;
use crate::wire::{Exchange, RawResponse, Wire};

/// The server under test.
pub struct Subject {
    /// Its addresses, each scheme and authority; several are replicas of one service.
    pub targets: Vec<String>,
    /// How it is put into a state.
    pub control: Control,
    /// The connections to it.
    pub wire: Wire,
    /// What reports hide.
    pub masking: Masking,
}

/// Why a check ends without a verdict of its own.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// It cannot be made with this subject.
    Skip(String),
    /// The set-up or the suite failed.
    Error(String),
}

impl From<ControlError> for Stop {
    fn from(error: ControlError) -> Stop {
        match error {
            ControlError::NotOffered(reason) => Stop::Skip(reason),
            ControlError::Failed { .. } => Stop::Error(error.to_string()),
        }
    }
}

/// What a check works with: tenants of its own, randomness of its own, and a record of what was said.
pub(crate) struct Bench<'a> {
    pub(crate) contract: &'a Contract,
    subject: &'a Subject,
    random: fastrand::Rng,
    /// What was sent and answered, as it may be shown.
    pub(crate) exchanges: Vec<Exchange>,
    /// How many requests went to the subject itself.
    pub(crate) requests: u64,
}

/// A session that a check has issued.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) tenant: Tenant,
    pub(crate) session: Session,
    pub(crate) code: String,
}

impl Issued {
    /// The call that a client would make.
    pub(crate) fn call<'c>(&'c self, contract: &'c Contract, guess: Guess<'c>, retry: bool) -> Call<'c> {
        Call {
            contract,
            tenant: &self.tenant,
            session: Some(&self.session.session),
            code: Some(guess),
            retry,
            lifetime_minutes: lifetime_minutes(contract, &self.session),
            credential: Credential::Own,
            body: None,
        }
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(contract: &'a Contract, subject: &'a Subject, seed: u64) -> Bench<'a> {
        Bench {
            contract,
            subject,
            random: fastrand::Rng::with_seed(seed),
            exchanges: Vec::new(),
            requests: 0,
        }
    }

    pub(crate) async fn tenants(&self, count: usize) -> Result<Vec<Tenant>, Stop> {
        Ok(self.subject.control.tenants(&self.subject.wire, &self.contract.vendor, count).await?)
    }

    pub(crate) async fn tenant(&self) -> Result<Tenant, Stop> {
        match self.tenants(1).await?.pop() {
            Some(tenant) => Ok(tenant),
            None => Err(Stop::Error("the control gave no tenant".to_owned())),
        }
    }

    /// Issues a random code in a tenant of its own.
    pub(crate) async fn issue(&mut self, wish: &Wish) -> Result<Issued, Stop> {
        let tenant = self.tenant().await?;
        self.issue_for(tenant, wish).await
    }

    pub(crate) async fn issue_for(&mut self, tenant: Tenant, wish: &Wish) -> Result<Issued, Stop> {
        let code = self.code();
        let control = &self.subject.control;
        let session = control.issue(&self.subject.wire, &self.contract.vendor, &tenant, &code, wish).await?;
        Ok(Issued { tenant, session, code })
    }

    pub(crate) async fn age(&self, issued: &Issued, seconds: u64) -> Result<(), Stop> {
        let (control, wire) = (&self.subject.control, &self.subject.wire);
        let session = &issued.session.session;
        Ok(control.age(wire, &self.contract.vendor, &issued.tenant, session, seconds).await?)
    }

    /// A random well-formed code.
    pub(crate) fn code(&mut self) -> String {
        (0..self.contract.operation.code.length).map(|_| char::from(b'0' + self.random.u8(0..10))).collect()
    }

    /// A well-formed code that is not `right`.
    pub(crate) fn wrong_code(&mut self, right: &str) -> String {
        loop {
            let code = self.code();
            if code != right {
                return code;
            }
        }
    }

    /// An id of the same form as `id` that no session has: its last characters are others of their kind.
    pub(crate) fn unknown_id(&mut self, id: &str) -> String {
        const CHANGED: usize = 12;
        let mut changed: Vec<char> = id.chars().collect();
        let mut left = CHANGED;
        for character in changed.iter_mut().rev() {
            let other = match *character {
                '0'..='9' => char::from(b'0' + self.random.u8(0..10)),
                'a'..='f' => char::from(b'a' + self.random.u8(0..6)),
                'A'..='F' => char::from(b'A' + self.random.u8(0..6)),
                'g'..='z' => char::from(b'g' + self.random.u8(0..20)),
                'G'..='Z' => char::from(b'G' + self.random.u8(0..20)),
                // Separators are part of the form.
                _ => continue,
            };
            *character = other;
            left -= 1;
            if left == 0 {
                break;
            }
        }
        let changed: String = changed.into_iter().collect();
        if changed == id { format!("{changed}0") } else { changed }
    }

    /// Sends a call and records the exchange.
    pub(crate) async fn send(&mut self, call: &Call<'_>, secrets: &[&str]) -> Result<RawResponse, Stop> {
        let target = &self.subject.targets[self.random.usize(0..self.subject.targets.len())];
        let request = call.request(target, Masking::Nothing);
        self.requests += 1;
        let (response, _) = self
            .subject
            .wire
            .send(&request)
            .await
            .map_err(|error| Stop::Error(format!("{target}: {error}")))?;
        let shown = call.request(target, self.subject.masking);
        let mut hidden: Vec<(&str, &str)> = Vec::new();
        if self.subject.masking == Masking::CredentialsAndCodes {
            hidden.extend(secrets.iter().map(|code| (*code, "$CODE")));
        }
        let response_shown = mask(&response, &hidden);
        self.exchanges.push(Exchange { request: shown, response: response_shown });
        Ok(response)
    }

    pub(crate) fn expectation(&self, cells: Vec<&'a Cell>, call: &Call<'_>) -> Expectation<'a> {
        let mut echoes: BTreeMap<String, String> = call.tenant.parameters.clone();
        echoes.extend(call.session.map(|session| ("session".to_owned(), session.to_owned())));
        echoes.extend(call.code.map(|code| ("code".to_owned(), code.text.to_owned())));
        Expectation { contract: self.contract, cells, echoes, remaining_attempts: None }
    }
}

/// The lifetime in minutes, where the request can tell it and it is not the one that the document takes for granted.
fn lifetime_minutes(contract: &Contract, session: &Session) -> Option<u64> {
    let name = contract.policy.overrides.lifetime_minutes.as_ref()?;
    let parameter = contract.operation.parameters.iter().find(|parameter| parameter.name == *name)?;
    let seconds = session.ttl_seconds.filter(|seconds| *seconds != contract.policy.lifetime.seconds)?;
    let minutes = seconds / 60;
    let ValueKind::Integer { min, max } = parameter.kind else { return None };
    let within = i64::try_from(minutes).is_ok_and(|minutes| (min..=max).contains(&minutes));
    (seconds % 60 == 0 && within).then_some(minutes)
}

fn mask(response: &RawResponse, hidden: &[(&str, &str)]) -> RawResponse {
    let mut masked = response.clone();
    if let Ok(text) = std::str::from_utf8(&response.body) {
        let mut text = text.to_owned();
        for (secret, name) in hidden {
            text = text.replace(secret, name);
        }
        masked.body = text.into();
    }
    for value in masked.headers.values_mut() {
        for (secret, name) in hidden {
            if let Ok(text) = value.to_str()
                && text.contains(secret)
                && let Ok(replaced) = text.replace(secret, name).parse()
            {
                *value = replaced;
            }
        }
    }
    masked
}
