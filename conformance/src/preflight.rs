//! A few calls before the first check: a set-up that no check can judge through ends the run with one message that says what
//! to do, instead of a finding for each check.
//!
//! May use `harness` and `oracle`. It must not judge the server: whatever a server could answer, right or wrong, is left to
//! the checks.

use std::time::{Duration, Instant};

use otp_contract::{Contract, Outcome, Role};

use crate::error::Failure;
use crate::harness::{
    Abort, CheckContext, Credential, Effort, IssuedSession, SessionOptions, Subject, Tenant, VerifyCall,
};
use crate::http::{RawResponse, beginning};
use crate::oracle::{Basis, approves, outcomes};

/// How long after the end of its lifetime a session is tried that the control made older. A server keeps sessions for an hour.
const LONG_AFTER_SECONDS: u64 = 3_000;

/// By when a lifetime of one second has certainly ended: the second after it belongs to the server.
const SHORT_LIFETIME: Duration = Duration::from_millis(2_300);

/// Checks that the subject of this contract can be judged, and returns how long a response takes.
pub(crate) async fn check(contract: &Contract, subject: &Subject) -> Result<Duration, Failure> {
    let id = format!("{}/preflight", contract.vendor);
    let effort = Effort { seed: 0, cases: 0, bursts: 0 };
    let mut context =
        CheckContext::new(contract, Role::Verify, subject, &subject.pooled, &id, effort, Basis::Standard);
    let mut preflight = FirstCalls { contract, context: &mut context, latency: None };
    match preflight.run().await {
        Ok(Some(problem)) | Err(Abort::Error(problem)) => {
            Err(Failure::Preflight { vendor: contract.vendor.clone(), problem })
        }
        // A control that offers less has checks skipped, and a broken connection has its own words.
        Ok(None) | Err(_) => Ok(preflight.latency.unwrap_or_default()),
    }
}

struct FirstCalls<'p, 'a> {
    contract: &'a Contract,
    context: &'p mut CheckContext<'a>,
    /// The shortest time that a response took.
    latency: Option<Duration>,
}

impl FirstCalls<'_, '_> {
    /// What is wrong with the set-up.
    async fn run(&mut self) -> Result<Option<String>, Abort> {
        if let Some(fixtures) = self.context.subject.control.fixtures() {
            let accounts = fixtures.count(&self.contract.vendor);
            return self.try_accounts(accounts).await;
        }
        let tenant = self.context.tenant().await?;
        if let Some(problem) = wrong_names(self.contract, &tenant, "the control returned") {
            return Ok(Some(problem));
        }
        let issued = self.context.issue_for(&tenant, &SessionOptions::default()).await?;
        // The first call also connects, and a server may do more for its first call; the second shows how long one takes.
        let nobody = self.context.unknown_id(&issued.session.session);
        let unknown = self.send(&issued, Some(&nobody), Credential::Own).await?;
        let right = self.send(&issued, None, Credential::Own).await?;
        if approves(self.context.operation, &right) {
            return self.ageing(&tenant).await;
        }
        let own = self.shown(&issued, &right);
        let unauthenticated = self.send(&issued, None, Credential::Wrong).await?;
        let meanings = outcomes(self.context.operation, &right);
        let is_refused = meanings.contains(&Outcome::Unauthorized) || matches!(right.status, 401 | 403);
        if is_refused && is_same(&right, &unauthenticated) {
            return Ok(Some(format!(
                "the target refuses the credentials that the control returned: {own}; check that both belong to one \
                 system, and that the control returns the credentials of the tenant that it has just created"
            )));
        }
        let is_explained = !meanings.is_empty();
        if !is_explained && is_same(&right, &unauthenticated) && is_same(&right, &unknown) {
            return Ok(Some(format!(
                "every call gets the same response, which the contract does not have: {own}; check the address, and \
                 whether something in front of the server answers in its place"
            )));
        }
        Ok(None)
    }

    /// What is wrong with the prepared accounts. The calls name a session that does not exist, so that none is used up, unless
    /// the contract gives such a session and wrong credentials the same response.
    async fn try_accounts(&mut self, count: usize) -> Result<Option<String>, Abort> {
        for tenant in self.context.tenants(count).await? {
            if let Some(problem) = wrong_names(self.contract, &tenant, "the fixtures have") {
                return Ok(Some(problem));
            }
            let mut example = self.context.unnamed_session(Some(&tenant)).await?;
            example.session.session = self.context.unknown_id(&example.session.session);
            let own = self.send(&example, None, Credential::Own).await?;
            let other = self.send(&example, None, Credential::Wrong).await?;
            if !is_same(&own, &other) {
                continue;
            }
            let shown = self.shown(&example, &own);
            let meanings = outcomes(self.context.operation, &own);
            let is_refusal = |response: &RawResponse| matches!(response.status, 401 | 403);
            if meanings.contains(&Outcome::Unauthorized) || is_refusal(&own) {
                if meanings.contains(&Outcome::UnknownSession) {
                    // An account without sessions cannot be tried.
                    let issued = self.context.issue_for(&tenant, &SessionOptions::default()).await;
                    let Ok(issued) = issued else { continue };
                    if !is_same(&own, &self.send(&issued, None, Credential::Own).await?) {
                        continue;
                    }
                }
                return Ok(Some(format!(
                    "the target refuses the credentials of account {} in the fixtures: {shown}",
                    tenant.tenant
                )));
            }
            let without = VerifyCall { session: None, ..self.context.call(&example, example.right()) };
            if meanings.is_empty() && is_same(&own, &self.context.send(&without).await?) {
                return Ok(Some(format!(
                    "every call gets the same response, which the contract does not have: {shown}; check the address, \
                     and whether something in front of the server answers in its place"
                )));
            }
        }
        Ok(None)
    }

    /// What is wrong with a control that says it made a session older, if the session is as young as before.
    ///
    /// A server whose codes never expire looks the same, so the suite waits for a short lifetime to end by itself: only if
    /// that code is refused, the control is what does not work.
    async fn ageing(&mut self, tenant: &Tenant) -> Result<Option<String>, Abort> {
        let aged = self.context.issue_for(tenant, &SessionOptions::default()).await?;
        let Some(ttl) = aged.session.ttl_seconds else { return Ok(None) };
        let seconds = ttl.saturating_add(LONG_AFTER_SECONDS);
        self.context.age(&aged, seconds).await?;
        let response = self.send(&aged, None, Credential::Own).await?;
        if !approves(self.context.operation, &response) {
            return Ok(None);
        }
        let shortest = SessionOptions { ttl_seconds: Some(1), ..SessionOptions::default() };
        let short = self.context.issue_for(tenant, &shortest).await?;
        if short.session.ttl_seconds != Some(1) {
            return Ok(None);
        }
        tokio::time::sleep(SHORT_LIFETIME).await;
        let response = self.send(&short, None, Credential::Own).await?;
        Ok((!approves(self.context.operation, &response)).then(|| {
            format!(
                "the control answered `sessions/age` without effect: a code with a lifetime of {ttl} s was approved after it \
                 was made {seconds} s older, and one with a lifetime of 1 s was refused after that time; the operation must \
                 move every timer of the session"
            )
        }))
    }

    async fn send(
        &mut self,
        issued: &IssuedSession,
        session: Option<&str>,
        credential: Credential<'_>,
    ) -> Result<RawResponse, Abort> {
        let mut call = VerifyCall { credential, ..self.context.call(issued, issued.right()) };
        if let Some(session) = session {
            call.session = Some(session);
        }
        let started = Instant::now();
        let response = self.context.send(&call).await?;
        let elapsed = started.elapsed();
        self.latency = Some(self.latency.map_or(elapsed, |shortest| shortest.min(elapsed)));
        Ok(response)
    }

    /// The call and its response on one line.
    fn shown(&self, issued: &IssuedSession, response: &RawResponse) -> String {
        let call = self.context.call(issued, issued.right());
        let target = self.context.subject.targets.first().map_or("", String::as_str);
        let request = call.request(target, self.context.subject.masking);
        format!("{} {} → HTTP {} {}", request.method, request.url, response.status, beginning(&response.body))
    }
}

/// Which names of a tenant are not those of the contract.
fn wrong_names(contract: &Contract, tenant: &Tenant, source: &str) -> Option<String> {
    let operation = contract.verify();
    let schemes: Vec<_> = operation.security.iter().map(|scheme| scheme.name.as_str()).collect();
    if !schemes.iter().any(|name| tenant.credentials.contains_key(*name)) {
        let returned: Vec<_> = tenant.credentials.keys().map(String::as_str).collect();
        let returned = if returned.is_empty() { "none".to_owned() } else { returned.join(", ") };
        return Some(format!(
            "{source} credentials for {returned}, and the contract has the schemes {}; credentials must have one of these \
             names",
            schemes.join(", ")
        ));
    }
    let missing = operation.accounts.iter().find(|account| !tenant.parameters.contains_key(&account.name))?;
    Some(format!(
        "{source} no parameter `{}`, which names the account in the path {}",
        missing.name, operation.path
    ))
}

/// Whether two responses are the same to a client: status and body.
fn is_same(one: &RawResponse, other: &RawResponse) -> bool {
    one.status == other.status && one.body == other.body
}
