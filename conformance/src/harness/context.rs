//! The context of one check: tenants and randomness of its own, calls to the subject, and a recording of all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use otp_contract::{Cell, Contract, Operation, Role, ValueKind};

use super::control::{CodeWish, Issued, Session};
use super::{
    Abort, Capacity, ControlError, Credential, Credentials, IssuedSession, Masking, Planned, PlannedCall,
    PlannedSession, Recording, RequestMutation, SessionOptions, SessionState, Step, Subject, SubmittedCode,
    Tenant, VerifyCall,
};
use crate::http::{Exchange, HttpClient, HttpError, RawRequest, RawResponse};
use crate::oracle::{Basis, Expectation, limited, retry_after};

/// How much a check tries, and from which seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// The seed of the run; every choice follows from it.
    pub(crate) seed: u64,
    /// How many random walks the lifecycle check runs.
    pub(crate) cases: u32,
    /// How many bursts each concurrency check sends.
    pub(crate) bursts: u32,
}

/// What a check works with.
pub(crate) struct CheckContext<'a> {
    pub(crate) contract: &'a Contract,
    /// The operation that the check calls.
    pub(crate) operation: &'a Operation,
    pub(crate) subject: &'a Subject,
    /// The connections that calls use by default.
    pub(crate) client: &'a Arc<HttpClient>,
    pub(crate) random: fastrand::Rng,
    pub(crate) effort: Effort,
    /// What a deviation contradicts unless it says otherwise: what backs the check.
    pub(crate) basis: Basis,
    /// What happened so far, masked as reports may show it.
    pub(crate) recording: Recording,
    /// The same in a form that can be done again.
    pub(crate) plan: Vec<Planned>,
    /// How many requests went to the subject, without those to its control.
    pub(crate) requests: u64,
    /// What the report says about a check that passed.
    pub(crate) note: Option<String>,
    /// What the run may do at the same time; `None` where there is no run.
    pub(crate) capacity: Option<Arc<Capacity>>,
    /// The issued codes, each with the name that reports show for it.
    codes: Vec<(String, String)>,
    /// How many of them were issued before the recording starts.
    earlier_codes: usize,
    /// The tenants of the recording.
    known_tenants: Vec<Tenant>,
}

impl<'a> CheckContext<'a> {
    /// A context for the check with this id, which calls the operation with this role. `client` is the subject's pooled
    /// or unpooled client.
    pub(crate) fn new(
        contract: &'a Contract,
        role: Role,
        subject: &'a Subject,
        client: &'a Arc<HttpClient>,
        id: &str,
        effort: Effort,
        basis: Basis,
    ) -> CheckContext<'a> {
        CheckContext {
            contract,
            operation: contract.operation(role).unwrap_or_else(|| contract.verify()),
            subject,
            client,
            random: fastrand::Rng::with_seed(seed_of(effort.seed, id)),
            effort,
            basis,
            recording: Recording::default(),
            plan: Vec::new(),
            requests: 0,
            note: None,
            capacity: None,
            codes: Vec::new(),
            earlier_codes: 0,
            known_tenants: Vec::new(),
        }
    }

    /// A context for a part of the check: the same subject and effort, and a recording of its own.
    pub(super) fn part(&self) -> CheckContext<'a> {
        CheckContext {
            contract: self.contract,
            operation: self.operation,
            subject: self.subject,
            client: self.client,
            random: self.random.clone(),
            effort: self.effort,
            basis: self.basis,
            recording: Recording::default(),
            plan: Vec::new(),
            requests: 0,
            note: None,
            capacity: self.capacity.clone(),
            codes: Vec::new(),
            earlier_codes: 0,
            known_tenants: Vec::new(),
        }
    }

    /// Goes on with the recording of a part.
    pub(super) fn take_recording(&mut self, part: CheckContext<'a>) {
        self.recording = part.recording;
        self.plan = part.plan;
        self.known_tenants = part.known_tenants;
        self.codes = part.codes;
        self.earlier_codes = part.earlier_codes;
    }

    /// `count` accounts.
    pub(crate) async fn tenants(&mut self, count: usize) -> Result<Vec<Tenant>, Abort> {
        let created = self.subject.control.tenants(self.client, &self.contract.vendor, count).await?;
        Ok(created.into_iter().map(|tenant| self.numbered(tenant)).collect())
    }

    /// The account with its number, once it is recorded.
    fn numbered(&mut self, mut tenant: Tenant) -> Tenant {
        tenant.number = self.recording.tenants() + 1;
        let mut ids = vec![("tenant".to_owned(), tenant.tenant.clone())];
        ids.extend(tenant.parameters.clone());
        let is_prepared = self.subject.control.has_only_prepared_tenants();
        self.recording.steps.push(Step::Tenant { number: tenant.number, ids, is_prepared });
        self.known_tenants.push(tenant.clone());
        tenant
    }

    /// One account.
    pub(crate) async fn tenant(&mut self) -> Result<Tenant, Abort> {
        match self.tenants(1).await?.pop() {
            Some(tenant) => Ok(tenant),
            None => Err(Abort::Error("the control created no tenant".to_owned())),
        }
    }

    /// The first account of the recording, or a new one.
    pub(crate) async fn first_tenant(&mut self) -> Result<Tenant, Abort> {
        match self.known_tenants.first().cloned() {
            Some(tenant) => Ok(tenant),
            None => self.tenant().await,
        }
    }

    /// Two accounts.
    pub(crate) async fn two_tenants(&mut self) -> Result<[Tenant; 2], Abort> {
        let created = self.tenants(2).await?;
        created.try_into().map_err(|_| Abort::Error("the control did not create two tenants".to_owned()))
    }

    /// Issues a random code in a new tenant.
    pub(crate) async fn issue(&mut self, options: &SessionOptions) -> Result<IssuedSession, Abort> {
        let tenant = self.tenant().await?;
        self.issue_for(&tenant, options).await
    }

    /// Issues a random code in `tenant`.
    pub(crate) async fn issue_for(
        &mut self,
        tenant: &Tenant,
        options: &SessionOptions,
    ) -> Result<IssuedSession, Abort> {
        let code = self.code();
        self.issue_wish(tenant, CodeWish::Preferably(&code), options, None).await
    }

    /// Issues a new code to the recipient of `earlier`.
    pub(crate) async fn resend(
        &mut self,
        earlier: &IssuedSession,
        options: &SessionOptions,
    ) -> Result<IssuedSession, Abort> {
        let code = self.wrong_code(&earlier.code);
        self.issue_code(&earlier.tenant, code, options, Some(&earlier.session.session)).await
    }

    /// Issues `code` in `tenant`, to the recipient of another session if one is named.
    pub(crate) async fn issue_code(
        &mut self,
        tenant: &Tenant,
        code: String,
        options: &SessionOptions,
        recipient_of: Option<&str>,
    ) -> Result<IssuedSession, Abort> {
        self.issue_wish(tenant, CodeWish::Exactly(&code), options, recipient_of).await
    }

    async fn issue_wish(
        &mut self,
        tenant: &Tenant,
        code: CodeWish<'_>,
        options: &SessionOptions,
        recipient_of: Option<&str>,
    ) -> Result<IssuedSession, Abort> {
        let (control, client) = (&self.subject.control, self.client);
        let issued = control.issue(client, &self.contract.vendor, tenant, code, options, recipient_of).await;
        let issued = issued.map_err(|error| self.unprepared(error))?;
        Ok(self.recorded(tenant, issued, options, recipient_of))
    }

    /// The session with the name of its code, once it is recorded.
    fn recorded(
        &mut self,
        tenant: &Tenant,
        issued: Issued,
        options: &SessionOptions,
        recipient_of: Option<&str>,
    ) -> IssuedSession {
        let Issued { session, code, prepared } = issued;
        let number = self.recording.sessions() + 1;
        self.recording.steps.push(Step::Issued {
            number,
            tenant: tenant.tenant.clone(),
            session: session.session.clone(),
            options: options.clone(),
            leading_zero: code.starts_with('0'),
            recipient_of: recipient_of.map(ToOwned::to_owned),
            prepared,
        });
        self.plan.push(Planned::Session(PlannedSession {
            tenant: tenant.number,
            id: session.session.clone(),
            code: code.clone(),
            options: options.clone(),
            recipient_of: recipient_of.map(ToOwned::to_owned),
        }));
        let shown = format!("$CODE_{number}");
        self.codes.push((code.clone(), shown.clone()));
        IssuedSession { tenant: tenant.clone(), session, code, shown }
    }

    /// A session that somebody has prepared in a state. `None` if there is none and the check has to bring the state about.
    pub(crate) fn prepared(&mut self, state: SessionState) -> Result<Option<IssuedSession>, Abort> {
        let Some(fixtures) = self.subject.control.fixtures() else { return Ok(None) };
        let Some((tenant, issued)) = fixtures.take_in(&self.contract.vendor, state)? else { return Ok(None) };
        let tenant = self.numbered(tenant);
        Ok(Some(self.recorded(&tenant, issued, &SessionOptions::default(), None)))
    }

    /// A session whose id no call names: a new one, or any of those that somebody has prepared, which is not used up. It is one
    /// of `tenant`, if an account is given.
    pub(crate) async fn unnamed_session(&mut self, tenant: Option<&Tenant>) -> Result<IssuedSession, Abort> {
        if let Some(fixtures) = self.subject.control.fixtures()
            && let Some((own, issued)) = fixtures.example(&self.contract.vendor, tenant)
        {
            let tenant = if tenant.is_some() { own } else { self.numbered(own) };
            let session = self.recorded(&tenant, issued, &SessionOptions::default(), None);
            // It is not this check's to give back.
            self.plan.pop();
            return Ok(session);
        }
        match tenant {
            Some(tenant) => self.issue_for(tenant, &SessionOptions::default()).await,
            None => self.issue(&SessionOptions::default()).await,
        }
    }

    /// Skips a check that only a control tells something.
    pub(crate) fn require_control(&self, what: &str) -> Result<(), Abort> {
        match self.subject.control.fixtures() {
            Some(_) => Err(Abort::Skip(format!("only a control says {what}, and there are only fixtures"))),
            None => Ok(()),
        }
    }

    /// A check that ends because something is not there returns the prepared sessions that it has not used.
    fn unprepared(&self, error: ControlError) -> Abort {
        if let (Some(fixtures), 0) = (self.subject.control.fixtures(), self.requests) {
            let ids = self.planned_sessions();
            fixtures.give_back(&self.contract.vendor, ids.iter().map(|session| session.id.as_str()));
        }
        error.into()
    }

    /// Moves every timer of a session `seconds` ahead.
    pub(crate) async fn age(&mut self, issued: &IssuedSession, seconds: u64) -> Result<(), Abort> {
        let (control, client) = (&self.subject.control, self.client);
        let (tenant, session) = (&issued.tenant, issued.session.session.clone());
        let aged = control.age(client, &self.contract.vendor, tenant, &session, seconds).await;
        aged.map_err(|error| self.unprepared(error))?;
        let planned = self.planned_sessions().iter().rposition(|planned| planned.id == session);
        self.plan.push(match planned {
            Some(session) => Planned::Age { session, seconds },
            None => Planned::Opaque,
        });
        self.recording.steps.push(Step::Aged { tenant: tenant.tenant.clone(), session, seconds });
        Ok(())
    }

    /// The sessions that the plan has so far.
    fn planned_sessions(&self) -> Vec<&PlannedSession> {
        let sessions = self.plan.iter().filter_map(|step| match step {
            Planned::Session(session) => Some(session),
            _ => None,
        });
        sessions.collect()
    }

    /// The plan of a call; none where the call is not that of one tenant.
    fn planned(&self, call: &VerifyCall<'_>, client: &HttpClient) -> Planned {
        if !self.known_tenants.contains(call.tenant) {
            return Planned::Opaque;
        }
        let unpooled = std::ptr::eq(client, &raw const *self.subject.unpooled);
        Planned::Call(Box::new(PlannedCall::new(call, &self.planned_sessions(), unpooled)))
    }

    /// A random well-formed code.
    pub(crate) fn code(&mut self) -> String {
        (0..self.operation.code.length).map(|_| char::from(b'0' + self.random.u8(0..10))).collect()
    }

    /// A well-formed code other than `right`.
    pub(crate) fn wrong_code(&mut self, right: &str) -> String {
        loop {
            let code = self.code();
            if code != right {
                return code;
            }
        }
    }

    /// `count` different well-formed codes, none of them `right`.
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

    /// An id of the same form as `id` that no session has: its last characters are replaced by others of their kind.
    pub(crate) fn unknown_id(&mut self, id: &str) -> String {
        const REPLACED: usize = 12;
        let mut characters: Vec<char> = id.chars().collect();
        let mut left = REPLACED;
        for character in characters.iter_mut().rev() {
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
        let other: String = characters.into_iter().collect();
        if other == id { format!("{other}0") } else { other }
    }

    /// Whether calls of this contract must ask for further attempts, because one wrong code ends the session otherwise.
    pub(crate) fn retries(&self) -> bool {
        self.contract.policy.overrides.retry.is_some()
    }

    /// The call that an ordinary client would send for this session; it asks for further attempts where the API can.
    pub(crate) fn call<'c>(&self, issued: &'c IssuedSession, code: SubmittedCode<'c>) -> VerifyCall<'c>
    where
        'a: 'c,
    {
        self.call_with_retry(issued, code, self.retries())
    }

    /// The same call, with an explicit choice about further attempts.
    pub(crate) fn call_with_retry<'c>(
        &self,
        issued: &'c IssuedSession,
        code: SubmittedCode<'c>,
        retry: bool,
    ) -> VerifyCall<'c>
    where
        'a: 'c,
    {
        VerifyCall {
            contract: self.contract,
            operation: self.operation,
            tenant: &issued.tenant,
            session: Some(&issued.session.session),
            code: Some(code),
            retry,
            lifetime_minutes: lifetime_minutes(self.contract, self.operation, &issued.session),
            credential: Credential::Own,
            mutation: RequestMutation::default(),
        }
    }

    /// An address of the subject, chosen at random among its replicas.
    pub(crate) fn target(&mut self) -> &'a str {
        let subject = self.subject;
        &subject.targets[self.random.usize(0..subject.targets.len())]
    }

    /// Sends a call and records the exchange.
    pub(crate) async fn send(&mut self, call: &VerifyCall<'_>) -> Result<RawResponse, Abort> {
        let target = self.target();
        let client = self.client;
        match self.exchange(call, target, client).await {
            Ok(response) => Ok(response),
            // If no connection was made, nothing was sent.
            Err(error @ HttpError::NotConnected(_)) => {
                let description = self.record_unanswered(call, target);
                Err(Abort::ConnectionLost(format!("{error} ({description})")))
            }
            Err(error @ (HttpError::Disconnected(_) | HttpError::TimedOut(_))) => {
                let description = self.record_unanswered(call, target);
                Err(Abort::NoResponse(format!("{error} ({description})")))
            }
            Err(error) => Err(Abort::Error(format!("{target}: {error}"))),
        }
    }

    /// Sends a call that the subject may also refuse by closing the connection; `None` if it does.
    pub(crate) async fn send_allowing_disconnect(
        &mut self,
        call: &VerifyCall<'_>,
    ) -> Result<Option<RawResponse>, Abort> {
        let target = self.target();
        // Another check must never pick up a pooled connection that the server is about to close.
        let unpooled = &self.subject.unpooled;
        match self.exchange(call, target, unpooled).await {
            Ok(response) => Ok(Some(response)),
            Err(HttpError::Disconnected(_)) => {
                self.record_unanswered(call, target);
                Ok(None)
            }
            Err(error @ HttpError::NotConnected(_)) => {
                let description = self.record_unanswered(call, target);
                Err(Abort::ConnectionLost(format!("{error} ({description})")))
            }
            Err(error) => Err(Abort::Error(format!("{target}: {error}"))),
        }
    }

    /// Records a call that got no response, and describes it.
    pub(crate) fn record_unanswered(&mut self, call: &VerifyCall<'_>, target: &str) -> String {
        let request = call.request(target, self.subject.masking);
        let description = format!("{} {}", request.method, request.url);
        self.plan.push(Planned::Opaque);
        let seconds = self.client.pace().timeout().as_secs_f64();
        self.recording.steps.push(Step::Disconnected { request, seconds });
        description
    }

    /// Sends a call over the connections of `client` and records the exchange.
    pub(crate) async fn exchange(
        &mut self,
        call: &VerifyCall<'_>,
        target: &str,
        client: &HttpClient,
    ) -> Result<RawResponse, HttpError> {
        let request = call.request(target, Masking::Nothing);
        let response = self.send_unlimited(&request, client).await?;
        let exchange = self.masked(call, target, &response);
        self.recording.steps.push(Step::Exchange(exchange));
        self.plan.push(self.planned(call, client));
        match limited(self.operation, &response) {
            Some(reason) => Err(HttpError::Limited(reason)),
            None => Ok(response),
        }
    }

    /// Sends a request, and again when the server asks for that, as far as the options allow. A limit has refused the first
    /// one, so the server has not processed it.
    async fn send_unlimited(
        &mut self,
        request: &RawRequest,
        client: &HttpClient,
    ) -> Result<RawResponse, HttpError> {
        let mut waited = Duration::ZERO;
        loop {
            self.requests += 1;
            let (response, _) = client.send(request).await?;
            let wait = limited(self.operation, &response)
                .and_then(|_| retry_after(&response))
                .and_then(|seconds| client.pace().wait_for(seconds, waited));
            let Some(wait) = wait else { return Ok(response) };
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }

    /// Starts a new recording, for something that does not depend on what happened before.
    ///
    /// Codes of the previous recording stay masked, because a subject may still mention them. Older ones are dropped:
    /// searching every response for the codes of all earlier recordings takes time quadratic in their number.
    pub(crate) fn reset_recording(&mut self) {
        self.recording.steps.clear();
        self.plan.clear();
        self.known_tenants.clear();
        self.codes.drain(..self.earlier_codes);
        self.earlier_codes = self.codes.len();
    }

    /// Drops all steps but the tenants.
    pub(crate) fn forget_sessions(&mut self) {
        self.recording.steps.retain(|step| matches!(step, Step::Tenant { .. }));
        self.plan.clear();
    }

    /// An exchange as reports may show it.
    pub(crate) fn masked(&self, call: &VerifyCall<'_>, target: &str, response: &RawResponse) -> Exchange {
        // A server may repeat what it was sent, credentials included.
        let tenants = self.known_tenants.iter();
        let mut secrets: Vec<(String, String)> = tenants
            .flat_map(|tenant| {
                let name = format!("$CREDENTIALS_{}", tenant.number);
                let of_scheme = tenant.credentials.values().flat_map(Credentials::secrets);
                of_scheme.map(move |secret| (secret, name.clone()))
            })
            .collect();
        if self.subject.masking == Masking::CredentialsAndCodes {
            secrets.extend(self.codes.iter().cloned());
        }
        let response = mask(response, &secrets);
        Exchange { request: call.request(target, self.subject.masking), response }
    }

    /// The expectation that the response to `call` is one of `cells`.
    pub(crate) fn expectation(&self, cells: Vec<&'a Cell>, call: &VerifyCall<'_>) -> Expectation<'a> {
        let mut echoes: BTreeMap<String, String> = call.tenant.parameters.clone();
        echoes.extend(call.session.map(|session| ("session".to_owned(), session.to_owned())));
        echoes.extend(call.code.map(|code| ("code".to_owned(), code.text.to_owned())));
        Expectation { operation: self.operation, cells, echoes, remaining_attempts: None }
    }
}

/// The seed of one check: FNV-1a over its id, so that a check does the same whichever other checks run.
fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The lifetime in minutes, if a request can state it and it is not the documented default.
fn lifetime_minutes(contract: &Contract, operation: &Operation, session: &Session) -> Option<u64> {
    let parameter = operation.parameter(contract.policy.overrides.lifetime_minutes.as_ref()?)?;
    let seconds = session.ttl_seconds.filter(|seconds| *seconds != contract.policy.lifetime.seconds)?;
    let minutes = seconds / 60;
    let ValueKind::Integer { min, max } = parameter.kind else { return None };
    let within = i64::try_from(minutes).is_ok_and(|minutes| (min..=max).contains(&minutes));
    (seconds % 60 == 0 && within).then_some(minutes)
}

/// A response with each secret replaced by its name.
fn mask(response: &RawResponse, secrets: &[(String, String)]) -> RawResponse {
    let mut masked = response.clone();
    if let Ok(text) = std::str::from_utf8(&response.body) {
        let mut text = text.to_owned();
        for (secret, name) in secrets {
            text = text.replace(secret.as_str(), name);
        }
        masked.body = text.into();
    }
    for value in masked.headers.values_mut() {
        for (secret, name) in secrets {
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
