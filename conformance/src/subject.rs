//! The server under test: where it is, how it is put into a state, and, for one check at a time, a place to work in
//! with tenants of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use otp_contract::{Cell, Contract, ValueKind};

use crate::call::{Call, Credential, Guess, Masking, Twist};
use crate::control::{Control, ControlError, Session, Tenant, Wish};
use crate::finding::Finding;
use crate::journal::{Entry, Journal};
use crate::judge::Expectation;
use crate::run::Options;
use crate::wire::{Exchange, PATIENCE, RawResponse, Wire, WireError};

/// The server under test.
pub struct Subject {
    /// Its addresses, each scheme and authority; several are replicas of one service.
    pub targets: Vec<String>,
    /// How it is put into a state.
    pub control: Control,
    /// The connections to it.
    pub wire: Arc<Wire>,
    /// Connections for one request each.
    pub fresh: Arc<Wire>,
    /// What reports hide.
    pub masking: Masking,
}

/// Why a check ends before it has passed.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The subject does not conform.
    Found(Box<Finding>),
    /// It cannot be made with this subject.
    Skip(String),
    /// A connection broke, which on one that was open for long may mean nothing.
    Lost(String),
    /// A call that was sent for itself was not answered.
    Unanswered(String),
    /// The set-up or the suite failed.
    Error(String),
}

impl From<ControlError> for Stop {
    fn from(error: ControlError) -> Stop {
        match error {
            ControlError::NotOffered(reason) => Stop::Skip(reason),
            ControlError::Lost { .. } => Stop::Lost(error.to_string()),
            ControlError::Failed { .. } => Stop::Error(error.to_string()),
        }
    }
}

/// What a check works with: tenants of its own, randomness of its own, and a record of what was said.
pub(crate) struct Bench<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) subject: &'a Subject,
    /// The connections that are used.
    pub(crate) wire: &'a Arc<Wire>,
    pub(crate) random: fastrand::Rng,
    /// The id of the check.
    pub(crate) id: &'a str,
    /// The seed of the run.
    pub(crate) seed: u64,
    /// What was done, as it may be shown.
    pub(crate) journal: Journal,
    /// How many requests went to the subject itself.
    pub(crate) requests: u64,
    /// What the report says of a check that passed.
    pub(crate) note: Option<String>,
    /// How many random walks are made.
    pub(crate) cases: u32,
    /// How many sessions a check of concurrency bursts on.
    pub(crate) bursts: u32,
    /// The codes that were issued, and what is shown for each.
    codes: Vec<(String, String)>,
    /// How many of them were issued before the journal begins.
    earlier_codes: usize,
}

/// A session that a check has issued.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) tenant: Tenant,
    pub(crate) session: Session,
    pub(crate) code: String,
    /// What is shown for the code.
    pub(crate) shown: String,
}

impl Issued {
    /// The right code.
    pub(crate) fn right(&self) -> Guess<'_> {
        Guess { text: &self.code, shown: &self.shown }
    }

    /// What is shown for the right code without its last character, in the shell's words.
    pub(crate) fn shown_but_last(&self) -> String {
        format!("${{{}%?}}", self.shown.trim_start_matches('$'))
    }

    /// What is shown for the right code without its first character.
    pub(crate) fn shown_but_first(&self) -> String {
        format!("${{{}#?}}", self.shown.trim_start_matches('$'))
    }

    /// What is shown for the first two characters of the right code.
    pub(crate) fn shown_first_two(&self) -> String {
        let rest = "?".repeat(self.code.len().saturating_sub(2));
        format!("${{{}%{rest}}}", self.shown.trim_start_matches('$'))
    }

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
            twist: Twist::default(),
        }
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        contract: &'a Contract,
        subject: &'a Subject,
        id: &'a str,
        options: &Options,
    ) -> Bench<'a> {
        let seed = options.seed;
        Bench {
            contract,
            subject,
            wire: &subject.wire,
            random: fastrand::Rng::with_seed(seed_of(seed, id)),
            id,
            seed,
            journal: Journal::default(),
            requests: 0,
            note: None,
            cases: options.cases,
            bursts: options.bursts,
            codes: Vec::new(),
            earlier_codes: 0,
        }
    }

    pub(crate) async fn tenants(&mut self, count: usize) -> Result<Vec<Tenant>, Stop> {
        let made = self.subject.control.tenants(self.wire, &self.contract.vendor, count).await?;
        let mut numbered = Vec::new();
        for mut tenant in made {
            tenant.number = self.journal.tenants() + 1;
            let mut ids = vec![("tenant".to_owned(), tenant.tenant.clone())];
            ids.extend(tenant.parameters.clone());
            self.journal.entries.push(Entry::Tenant { number: tenant.number, ids });
            numbered.push(tenant);
        }
        Ok(numbered)
    }

    pub(crate) async fn tenant(&mut self) -> Result<Tenant, Stop> {
        match self.tenants(1).await?.pop() {
            Some(tenant) => Ok(tenant),
            None => Err(Stop::Error("the control gave no tenant".to_owned())),
        }
    }

    /// Two accounts.
    pub(crate) async fn two_tenants(&mut self) -> Result<[Tenant; 2], Stop> {
        let made = self.tenants(2).await?;
        made.try_into().map_err(|_| Stop::Error("the control gave no two tenants".to_owned()))
    }

    /// Issues a random code in a tenant of its own.
    pub(crate) async fn issue(&mut self, wish: &Wish) -> Result<Issued, Stop> {
        let tenant = self.tenant().await?;
        self.issue_for(&tenant, wish).await
    }

    pub(crate) async fn issue_for(&mut self, tenant: &Tenant, wish: &Wish) -> Result<Issued, Stop> {
        let code = self.code();
        self.issue_code(tenant, code, wish, None).await
    }

    /// Issues a new code to the recipient of `earlier`.
    pub(crate) async fn resend(&mut self, earlier: &Issued, wish: &Wish) -> Result<Issued, Stop> {
        let code = self.wrong_code(&earlier.code);
        self.issue_code(&earlier.tenant, code, wish, Some(&earlier.session.session)).await
    }

    pub(crate) async fn issue_code(
        &mut self,
        tenant: &Tenant,
        code: String,
        wish: &Wish,
        recipient_of: Option<&str>,
    ) -> Result<Issued, Stop> {
        let (control, wire) = (&self.subject.control, self.wire);
        let session = control.issue(wire, &self.contract.vendor, tenant, &code, wish, recipient_of).await?;
        let number = self.journal.sessions() + 1;
        self.journal.entries.push(Entry::Issued {
            number,
            tenant: tenant.tenant.clone(),
            session: session.session.clone(),
            wish: wish.clone(),
            leading_zero: code.starts_with('0'),
            recipient_of: recipient_of.map(ToOwned::to_owned),
        });
        let shown = format!("$CODE_{number}");
        self.codes.push((code.clone(), shown.clone()));
        Ok(Issued { tenant: tenant.clone(), session, code, shown })
    }

    pub(crate) async fn age(&mut self, issued: &Issued, seconds: u64) -> Result<(), Stop> {
        let (control, wire) = (&self.subject.control, self.wire);
        let (tenant, session) = (&issued.tenant, issued.session.session.clone());
        control.age(wire, &self.contract.vendor, tenant, &session, seconds).await?;
        self.journal.entries.push(Entry::Aged { tenant: tenant.tenant.clone(), session, seconds });
        Ok(())
    }

    /// A random well-formed code.
    pub(crate) fn code(&mut self) -> String {
        (0..self.contract.verify().code.length).map(|_| char::from(b'0' + self.random.u8(0..10))).collect()
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

    /// `count` well-formed codes, none of which is `right` or another of them.
    pub(crate) fn wrong_codes(&mut self, right: &str, count: usize) -> Vec<String> {
        let mut codes = Vec::new();
        while codes.len() < count {
            let code = self.wrong_code(right);
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
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

    /// An address of the subject.
    pub(crate) fn target(&mut self) -> &'a str {
        let subject = self.subject;
        &subject.targets[self.random.usize(0..subject.targets.len())]
    }

    /// Sends a call and records the exchange.
    pub(crate) async fn send(&mut self, call: &Call<'_>) -> Result<RawResponse, Stop> {
        let target = self.target();
        let wire = self.wire;
        match self.exchange(call, target, wire).await {
            Ok(response) => Ok(response),
            // Who was not there was not asked.
            Err(error @ WireError::Unreached(_)) => {
                let what = self.note_unanswered(call, target);
                Err(Stop::Lost(format!("{error}, to {what}")))
            }
            Err(error @ (WireError::Broken(_) | WireError::Late)) => {
                let what = self.note_unanswered(call, target);
                Err(Stop::Unanswered(format!("{error}, to {what}")))
            }
            Err(error) => Err(Stop::Error(format!("{target}: {error}"))),
        }
    }

    /// Sends a call to which hanging up is an answer too; `None` where that is what came.
    pub(crate) async fn try_send(&mut self, call: &Call<'_>) -> Result<Option<RawResponse>, Stop> {
        let target = self.target();
        // On a connection of its own: one that the server has hung up on must not be another check's.
        let fresh = &self.subject.fresh;
        match self.exchange(call, target, fresh).await {
            Ok(response) => Ok(Some(response)),
            Err(WireError::Broken(_)) => {
                self.note_unanswered(call, target);
                Ok(None)
            }
            Err(error @ WireError::Unreached(_)) => {
                let what = self.note_unanswered(call, target);
                Err(Stop::Lost(format!("{error}, to {what}")))
            }
            Err(error) => Err(Stop::Error(format!("{target}: {error}"))),
        }
    }

    /// Notes a call that was not answered; which it was.
    pub(crate) fn note_unanswered(&mut self, call: &Call<'_>, target: &str) -> String {
        let request = call.request(target, self.subject.masking);
        let what = format!("{} to {}", request.method, request.url);
        self.journal.entries.push(Entry::HungUp { request, seconds: PATIENCE.as_secs_f64() });
        what
    }

    pub(crate) async fn exchange(
        &mut self,
        call: &Call<'_>,
        target: &str,
        wire: &Wire,
    ) -> Result<RawResponse, WireError> {
        let request = call.request(target, Masking::Nothing);
        self.requests += 1;
        let (response, _) = wire.send(&request).await?;
        let exchange = self.shown(call, target, &response);
        self.journal.entries.push(Entry::Exchange(exchange));
        Ok(response)
    }

    /// Forgets what was done, before something that has nothing to do with it.
    ///
    /// The codes of the journal before are still hidden, for a subject may come back to them; those of all journals would
    /// be looked for in each answer.
    pub(crate) fn forget(&mut self) {
        self.journal.entries.clear();
        self.codes.drain(..self.earlier_codes);
        self.earlier_codes = self.codes.len();
    }

    /// Forgets what was done with sessions, and keeps the tenants.
    pub(crate) fn forget_sessions(&mut self) {
        self.journal.entries.retain(|entry| matches!(entry, Entry::Tenant { .. }));
    }

    /// The exchange as it may be shown.
    pub(crate) fn shown(&self, call: &Call<'_>, target: &str, response: &RawResponse) -> Exchange {
        let response = match self.subject.masking {
            Masking::CredentialsAndCodes => mask(response, &self.codes),
            _ => response.clone(),
        };
        Exchange { request: call.request(target, self.subject.masking), response }
    }

    pub(crate) fn expectation(&self, cells: Vec<&'a Cell>, call: &Call<'_>) -> Expectation<'a> {
        let mut echoes: BTreeMap<String, String> = call.tenant.parameters.clone();
        echoes.extend(call.session.map(|session| ("session".to_owned(), session.to_owned())));
        echoes.extend(call.code.map(|code| ("code".to_owned(), code.text.to_owned())));
        Expectation { contract: self.contract, cells, echoes, remaining_attempts: None }
    }
}

/// A check's own seed, so that what one check does is the same whichever others are made (FNV-1a over its id).
fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The lifetime in minutes, where the request can tell it and it is not the one that the document takes for granted.
fn lifetime_minutes(contract: &Contract, session: &Session) -> Option<u64> {
    let name = contract.policy.overrides.lifetime_minutes.as_ref()?;
    let parameter = contract.verify().parameters.iter().find(|parameter| parameter.name == *name)?;
    let seconds = session.ttl_seconds.filter(|seconds| *seconds != contract.policy.lifetime.seconds)?;
    let minutes = seconds / 60;
    let ValueKind::Integer { min, max } = parameter.kind else { return None };
    let within = i64::try_from(minutes).is_ok_and(|minutes| (min..=max).contains(&minutes));
    (seconds % 60 == 0 && within).then_some(minutes)
}

fn mask(response: &RawResponse, hidden: &[(String, String)]) -> RawResponse {
    let mut masked = response.clone();
    if let Ok(text) = std::str::from_utf8(&response.body) {
        let mut text = text.to_owned();
        for (secret, name) in hidden {
            text = text.replace(secret.as_str(), name);
        }
        masked.body = text.into();
    }
    for value in masked.headers.values_mut() {
        for (secret, name) in hidden {
            if let Ok(text) = value.to_str()
                && text.contains(secret.as_str())
                && let Ok(replaced) = text.replace(secret.as_str(), name).parse()
            {
                *value = replaced;
            }
        }
    }
    masked
}
