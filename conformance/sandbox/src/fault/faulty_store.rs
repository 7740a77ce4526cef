//! Wrong handling of sessions as a whole, and the store that does it: races, shared counters, tenants, resends. It
//! wraps a correct store, records every code that is issued, and decides with `faulty_session` instead of the store
//! inside. It must not know HTTP; whatever a defect needs to know of the request is in [`RequestContext`].

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otp_contract::{Mode, Outcome, Policy};

use super::faulty_session::{AttemptCounter, FaultySession, SessionDefect, VerifyCall, reported};
use super::request_context::{REQUEST_CONTEXT, RequestContext};
use super::spelling::Spelling;
use crate::engine::Decision;
use crate::store::{self, IssueRequest, Issued, SessionKey, Store, StoreFuture, VerifyAttempt};

/// Wrong handling of the sessions in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreDefect {
    /// The check for earlier use and the record of this use are a few milliseconds apart.
    UseRace,
    /// Like [`StoreDefect::UseRace`], but only while more than four calls for the session are in flight.
    UseRaceWhenBusy,
    /// Wrong codes are counted a few milliseconds after the comparison.
    CountLate,
    /// The count is read before the comparison and written back, plus one, after it.
    CountOverwritten,
    /// Like [`StoreDefect::CountLate`], but only while more than four calls for the session are in flight.
    CountLateWhenBusy,
    /// All sessions of a tenant share one count.
    CountPerTenant,
    /// All sessions of the vendor share one count.
    CountPerVendor,
    /// Each connection has its own count.
    CountPerConnection,
    /// Each replica has its own count.
    CountPerReplica,
    /// Each value of `X-Forwarded-For` has its own count.
    CountPerForwarded,
    /// A client that disconnects rolls back what its call changed in the session.
    DisconnectUndoes,
    /// An approval resets the counts of the tenant's other sessions.
    SuccessResets,
    /// A malformed request resets the count.
    MalformedResets,
    /// A malformed request counts as a wrong code.
    MalformedCounts,
    /// A resend resets the count.
    ResendResets,
    /// A resend leaves the old code valid.
    ResendKeepsOld,
    /// Any tenant can verify a session.
    ForeignTenant,
    /// Wrong codes of another tenant count against the owner.
    ForeignCounts,
    /// The right code of another tenant uses up the session.
    ForeignConsumes,
    /// Another tenant gets the response to a wrong code instead of that for an unknown session.
    ForeignRevealed,
    /// The HTTP status reveals to another tenant that the session exists.
    ForeignStatus,
    /// The lookup accepts other spellings of a session id, and each spelling has its own count.
    SessionSpelling(Spelling),
}

use StoreDefect as D;

/// A store with defects.
pub(super) struct FaultyStore {
    inner: Arc<dyn Store>,
    defects: Vec<StoreDefect>,
    session_defects: Vec<SessionDefect>,
    /// Whether this store decides itself instead of the one inside.
    decides: bool,
    state: Mutex<State>,
}

/// A vendor and the id of one of its sessions.
type OwnedSessionKey = (String, String);

#[derive(Default)]
struct State {
    sessions: HashMap<OwnedSessionKey, FaultySession>,
    /// The counters that do not belong to one session, by scope.
    shared_counters: HashMap<String, AttemptCounter>,
    /// The number of calls in flight for each session.
    in_flight: HashMap<OwnedSessionKey, usize>,
}

/// The owner and the valid code of a session.
pub(super) struct KnownSession {
    pub(super) tenant: String,
    pub(super) code: String,
}

/// The time between a check and the change that depends on it.
const RACE_WINDOW: Duration = Duration::from_millis(4);

/// Faults that need a busy session show only with more calls in flight than this.
const BUSY_THRESHOLD: usize = 4;

impl FaultyStore {
    /// A store with these defects. With `decides` it keeps its own counters even without a defect.
    pub(super) fn new(
        inner: Arc<dyn Store>,
        defects: Vec<StoreDefect>,
        session_defects: Vec<SessionDefect>,
        decides: bool,
    ) -> FaultyStore {
        let decides = decides || !defects.is_empty() || !session_defects.is_empty();
        FaultyStore { inner, defects, session_defects, decides, state: Mutex::default() }
    }

    pub(super) fn has(&self, defect: D) -> bool {
        self.defects.contains(&defect)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self, vendor: &str, session: &str) -> Option<KnownSession> {
        let state = self.state();
        let session = state.sessions.get(&(vendor.to_owned(), session.to_owned()))?;
        Some(KnownSession { tenant: session.tenant.clone(), code: session.codes.last()?.clone() })
    }

    /// Resets the count of a session.
    pub(super) fn reset(&self, vendor: &str, session: &str) {
        if let Some(session) = self.state().sessions.get_mut(&(vendor.to_owned(), session.to_owned())) {
            session.counter = AttemptCounter::default();
        }
    }

    /// Records a malformed request from the owner of the session.
    pub(super) fn record_malformed(&self, vendor: &str, session: &str) {
        if self.has(D::MalformedResets) {
            self.reset(vendor, session);
        }
        if self.has(D::MalformedCounts)
            && let Some(session) = self.state().sessions.get_mut(&(vendor.to_owned(), session.to_owned()))
        {
            session.counter.failed = session.counter.failed.saturating_add(1);
        }
    }

    /// Decides without the store inside.
    async fn decide(&self, policy: &Policy, attempt: &VerifyAttempt<'_>) -> Decision {
        let context = REQUEST_CONTEXT.try_with(Arc::clone).unwrap_or_default();
        let call = || VerifyCall {
            policy,
            overrides: attempt.overrides,
            code: attempt.code,
            now: store::now(),
            peer: context.peer,
            replica: context.replica,
            is_respelled: context.is_respelled,
        };
        let Some(session) = self.find(attempt.key) else {
            return self.without_session();
        };
        if self.is_foreign(&session, attempt.key.tenant) {
            context.is_foreign.store(true, Ordering::Relaxed);
            if !self.has(D::ForeignTenant) {
                return Decision { foreign: true, ..self.decide_for_stranger(&session, &call()) };
            }
        }
        let scope = self.counter_scope(attempt.key, &session.1, &context);
        if self.has(D::UseRaceWhenBusy) || self.has(D::CountLateWhenBusy) {
            let in_flight = self.wait_for_others(&session).await;
            if in_flight <= BUSY_THRESHOLD {
                return self.decide_atomically(&session, scope.as_deref(), &call(), attempt.key);
            }
        }
        let is_atomic = !self.races_on_use() && !self.races_on_count();
        if is_atomic {
            return self.decide_atomically(&session, scope.as_deref(), &call(), attempt.key);
        }
        self.decide_with_race(&session, scope.as_deref(), &call(), attempt.key).await
    }

    fn races_on_use(&self) -> bool {
        self.has(D::UseRace) || self.has(D::UseRaceWhenBusy)
    }

    fn races_on_count(&self) -> bool {
        self.has(D::CountLate) || self.has(D::CountLateWhenBusy) || self.has(D::CountOverwritten)
    }

    /// Decides on a snapshot of the session, and changes the session only after [`RACE_WINDOW`].
    async fn decide_with_race(
        &self,
        session: &OwnedSessionKey,
        scope: Option<&str>,
        call: &VerifyCall<'_>,
        key: SessionKey<'_>,
    ) -> Decision {
        let snapshot = self.state().sessions.get(session).cloned();
        let Some(mut snapshot) = snapshot else { return self.without_session() };
        let mut counter = snapshot.counter.clone();
        let decision = snapshot.decide(&mut counter, &self.session_defects, call);
        let is_counted = counter.failed > snapshot.counter.failed;
        let is_delayed = match decision.outcome {
            Outcome::Approved => self.races_on_use(),
            _ => is_counted && self.races_on_count(),
        };
        if !is_delayed {
            return self.decide_atomically(session, scope, call, key);
        }
        tokio::time::sleep(RACE_WINDOW).await;
        if let Some(session) = self.state().sessions.get_mut(session) {
            match decision.outcome {
                Outcome::Approved => session.record_use(call),
                _ if self.has(D::CountOverwritten) => {
                    session.counter = counter;
                    session.invalidated |= snapshot.invalidated;
                }
                _ => {
                    let mut counter = std::mem::take(&mut session.counter);
                    session.record_failure(&mut counter, &self.session_defects, call);
                    session.counter = counter;
                }
            }
        }
        decision
    }

    /// The session that the key names, exactly or in a spelling that a defect accepts.
    fn find(&self, key: SessionKey<'_>) -> Option<OwnedSessionKey> {
        let accepts = |id: &str| {
            self.defects.iter().any(|defect| match defect {
                D::SessionSpelling(spelling) => spelling.accepts(key.session, id),
                _ => false,
            })
        };
        let state = self.state();
        let exact = (key.vendor.to_owned(), key.session.to_owned());
        if state.sessions.contains_key(&exact) {
            return Some(exact);
        }
        state
            .sessions
            .iter()
            .filter(|((vendor, _), session)| *vendor == key.vendor && session.tenant == key.tenant)
            .map(|(name, _)| name)
            .find(|(_, id)| accepts(id))
            .cloned()
    }

    fn is_foreign(&self, session: &OwnedSessionKey, tenant: &str) -> bool {
        self.state().sessions.get(session).is_some_and(|session| session.tenant != tenant)
    }

    fn without_session(&self) -> Decision {
        Decision::without_session(reported(&self.session_defects, Outcome::UnknownSession))
    }

    fn decide_for_stranger(&self, session: &OwnedSessionKey, call: &VerifyCall<'_>) -> Decision {
        let mut state = self.state();
        if let Some(session) = state.sessions.get_mut(session) {
            match session.is_right(call.code) {
                true if self.has(D::ForeignConsumes) => session.record_use(call),
                false if self.has(D::ForeignCounts) => {
                    let mut counter = session.counter.clone();
                    session.decide(&mut counter, &self.session_defects, call);
                    session.counter = counter;
                }
                _ => {}
            }
        }
        match self.has(D::ForeignRevealed) {
            true => Decision {
                mode: (call.overrides.retry == Some(true)).then_some(Mode::Retry),
                ..Decision::without_session(Outcome::WrongCode)
            },
            false => self.without_session(),
        }
    }

    /// The name of the counter for this call; `None` for the session's own.
    fn counter_scope(&self, key: SessionKey<'_>, id: &str, context: &RequestContext) -> Option<String> {
        let vendor = key.vendor;
        match () {
            () if self.has(D::CountPerVendor) => Some(vendor.to_owned()),
            () if self.has(D::CountPerTenant) => Some(format!("{vendor} {}", key.tenant)),
            () if self.has(D::CountPerConnection) => Some(format!("{vendor} {id} {:?}", context.peer)),
            () if self.has(D::CountPerReplica) => Some(format!("{vendor} {id} {:?}", context.replica)),
            () if self.has(D::CountPerForwarded) => {
                context.forwarded.as_ref().map(|forwarded| format!("{vendor} {id} {forwarded}"))
            }
            // Each spelling of the id that a defect accepts has its own counter.
            () => (key.session != id).then(|| format!("{vendor} {id} {}", key.session)),
        }
    }

    fn decide_atomically(
        &self,
        session: &OwnedSessionKey,
        scope: Option<&str>,
        call: &VerifyCall<'_>,
        key: SessionKey<'_>,
    ) -> Decision {
        let mut state = self.state();
        let State { sessions, shared_counters, .. } = &mut *state;
        let Some(session) = sessions.get_mut(session) else { return self.without_session() };
        let mut counter = match scope {
            Some(scope) => shared_counters.remove(scope).unwrap_or_default(),
            None => std::mem::take(&mut session.counter),
        };
        let decision = session.decide(&mut counter, &self.session_defects, call);
        match scope {
            Some(scope) => {
                shared_counters.insert(scope.to_owned(), counter);
            }
            None => session.counter = counter,
        }
        if decision.outcome == Outcome::Approved && self.has(D::SuccessResets) {
            for ((vendor, _), session) in sessions.iter_mut() {
                if *vendor == key.vendor && session.tenant == key.tenant {
                    session.counter = AttemptCounter::default();
                }
            }
        }
        decision
    }

    /// Waits for concurrent calls and returns how many are in flight.
    async fn wait_for_others(&self, session: &OwnedSessionKey) -> usize {
        *self.state().in_flight.entry(session.clone()).or_default() += 1;
        let _guard = InFlight { store: self, session };
        tokio::time::sleep(RACE_WINDOW * 2).await;
        let in_flight = self.state().in_flight.get(session).copied().unwrap_or_default();
        // If a call left at once, those that still wait would count too few.
        tokio::time::sleep(RACE_WINDOW).await;
        in_flight
    }
}

/// Counts a call as in flight until it ends or its client disconnects.
struct InFlight<'a> {
    store: &'a FaultyStore,
    session: &'a OwnedSessionKey,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.store.state();
        if let Some(count) = state.in_flight.get_mut(self.session) {
            *count = count.saturating_sub(1);
        }
    }
}

/// A call whose response is not sent yet. If its client disconnects, its changes to the session are rolled back.
struct UnsentResponse<'a> {
    store: &'a FaultyStore,
    session: OwnedSessionKey,
    is_sent: bool,
}

impl Drop for UnsentResponse<'_> {
    fn drop(&mut self) {
        if !self.is_sent
            && let Some(session) = self.store.state().sessions.get_mut(&self.session)
        {
            session.counter = AttemptCounter::default();
            session.used_at = None;
        }
    }
}

impl Store for FaultyStore {
    fn issue<'a>(&'a self, issue: IssueRequest<'a>) -> StoreFuture<'a, Issued> {
        Box::pin(async move {
            let issued = self.inner.issue(issue).await?;
            if issued == Issued::NoSuchSession {
                return Ok(issued);
            }
            let IssueRequest { key, code, ttl_seconds, max_attempts, resend_of, .. } = issue;
            let mut session = FaultySession::new(
                key.tenant.to_owned(),
                code.to_owned(),
                store::now(),
                ttl_seconds,
                max_attempts,
            );
            let mut state = self.state();
            let id = |key: SessionKey<'_>| (key.vendor.to_owned(), key.session.to_owned());
            let mut last = resend_of.map(id);
            while let Some(next) = last.as_ref().and_then(|last| state.sessions.get(last)?.successor.clone())
            {
                last = Some((key.vendor.to_owned(), next));
            }
            if let Some(earlier) = last.and_then(|last| state.sessions.get_mut(&last)) {
                earlier.successor = (resend_of != Some(key)).then(|| key.session.to_owned());
                if earlier.used_at.is_none() && !self.has(D::ResendResets) {
                    session.counter = earlier.counter.clone();
                }
                earlier.superseded = !self.has(D::ResendKeepsOld);
                // If the id stays the same, the new session replaces the old one, so it has to know the old codes.
                if self.has(D::ResendKeepsOld) {
                    let mut codes = earlier.codes.clone();
                    codes.append(&mut session.codes);
                    session.codes = codes;
                }
            }
            state.sessions.insert(id(key), session);
            Ok(issued)
        })
    }

    fn age<'a>(&'a self, key: SessionKey<'a>, seconds: u64) -> StoreFuture<'a, bool> {
        let mut state = self.state();
        if let Some(session) = state.sessions.get_mut(&(key.vendor.to_owned(), key.session.to_owned()))
            && session.tenant == key.tenant
        {
            session.age(seconds.saturating_mul(1_000));
        }
        drop(state);
        self.inner.age(key, seconds)
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision> {
        match self.decides {
            true => Box::pin(async move {
                let decision = self.decide(policy, &attempt).await;
                if self.has(D::DisconnectUndoes) {
                    let session = (attempt.key.vendor.to_owned(), attempt.key.session.to_owned());
                    let mut unsent = UnsentResponse { store: self, session, is_sent: false };
                    tokio::time::sleep(RACE_WINDOW * 2).await;
                    unsent.is_sent = true;
                }
                Ok(decision)
            }),
            false => self.inner.attempt(policy, attempt),
        }
    }
}
