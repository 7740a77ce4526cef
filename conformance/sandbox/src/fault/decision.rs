//! Faults in what is decided: a store around a correct one. It sees every code that is issued, and, where a defect of
//! the engine is in force, decides by an engine of its own. It must never see HTTP; what a defect needs to know of the
//! call besides stands in [`Circumstances`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otp_contract::{Mode, Outcome, Policy};

use super::life::{Defect as D, Defects, Life, Step, Tally};
use crate::engine::Decision;
use crate::state::ReplicaId;
use crate::store::{self, IssueRequest, Issued, SessionKey, Store, StoreFuture, VerifyAttempt};

/// What of a call is no part of it, and matters to a defect.
#[derive(Debug, Default)]
pub(super) struct Circumstances {
    /// The other end of the connection.
    pub(super) peer: Option<SocketAddr>,
    /// The replica that answers.
    pub(super) replica: ReplicaId,
    /// The value of `X-Forwarded-For`.
    pub(super) forwarded: Option<String>,
    /// Whether the code was spelled otherwise than it is compared.
    pub(super) respelled: bool,
    /// Set where the session is another tenant's.
    pub(super) is_foreign: AtomicBool,
}

tokio::task_local! {
    /// The circumstances of the call that the task answers.
    pub(super) static CIRCUMSTANCES: Arc<Circumstances>;
}

/// A store with defects.
pub(super) struct FaultyStore {
    inner: Arc<dyn Store>,
    defects: Defects,
    /// Whether the engine of this module decides, and not the one inside.
    decides: bool,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    lives: HashMap<(String, String), Life>,
    /// The counts that are no session's own.
    shared: HashMap<String, Tally>,
    /// How many calls are under way for a session.
    under_way: HashMap<(String, String), usize>,
}

/// Whose session it is, its code, and whether that was used.
pub(super) struct Known {
    pub(super) tenant: String,
    pub(super) code: String,
}

/// Between a look and the act that follows from it.
const GAP: Duration = Duration::from_millis(4);

/// So many calls at once are no crowd yet.
const FEW: usize = 4;

impl FaultyStore {
    /// A store with `defects`; with `decides` it keeps counts of its own without one as well.
    pub(super) fn new(inner: Arc<dyn Store>, defects: Vec<D>, decides: bool) -> FaultyStore {
        let decides = decides || !defects.is_empty();
        FaultyStore { inner, defects: Defects(defects), decides, book: Mutex::default() }
    }

    pub(super) fn has(&self, defect: D) -> bool {
        self.defects.has(defect)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self, vendor: &str, session: &str) -> Option<Known> {
        let book = self.book();
        let life = book.lives.get(&(vendor.to_owned(), session.to_owned()))?;
        Some(Known { tenant: life.tenant.clone(), code: life.codes.last()?.clone() })
    }

    /// Sets the count of a session to zero.
    pub(super) fn reset(&self, vendor: &str, session: &str) {
        if let Some(life) = self.book().lives.get_mut(&(vendor.to_owned(), session.to_owned())) {
            life.tally = Tally::default();
        }
    }

    /// Notes a malformed request of the session's own tenant.
    pub(super) fn note_malformed(&self, vendor: &str, session: &str) {
        if self.has(D::MalformedResets) {
            self.reset(vendor, session);
        }
        if self.has(D::MalformedCounts)
            && let Some(life) = self.book().lives.get_mut(&(vendor.to_owned(), session.to_owned()))
        {
            life.tally.failed = life.tally.failed.saturating_add(1);
        }
    }

    /// Decides without regard for the engine inside.
    async fn decide(&self, policy: &Policy, attempt: &VerifyAttempt<'_>) -> Decision {
        let around = CIRCUMSTANCES.try_with(Arc::clone).unwrap_or_default();
        let step = || Step {
            policy,
            overrides: attempt.overrides,
            code: attempt.code,
            now: store::now(),
            peer: around.peer,
            replica: around.replica,
            respelled: around.respelled,
        };
        let Some(session) = self.find(attempt.key) else {
            return self.without_session();
        };
        if self.is_foreign(&session, attempt.key.tenant) {
            around.is_foreign.store(true, Ordering::Relaxed);
            if !self.has(D::ForeignTenant) {
                return Decision { foreign: true, ..self.step_of_stranger(&session, &step()) };
            }
        }
        let scope = self.scope(attempt.key, &session.1, &around);
        if self.has(D::UseRaceWhenBusy) || self.has(D::CountLateWhenBusy) {
            let crowd = self.wait_in_crowd(&session).await;
            if crowd <= FEW {
                return self.step(&session, scope.as_deref(), &step(), attempt.key);
            }
        }
        let gap_before_use = self.has(D::UseRace) || self.has(D::UseRaceWhenBusy);
        let gap_before_count =
            self.has(D::CountLate) || self.has(D::CountLateWhenBusy) || self.has(D::CountOverwritten);
        if !gap_before_use && !gap_before_count {
            return self.step(&session, scope.as_deref(), &step(), attempt.key);
        }
        let step = step();
        let looked = self.book().lives.get(&session).cloned();
        let Some(mut looked) = looked else { return self.without_session() };
        let mut tally = looked.tally.clone();
        let decision = looked.step(&mut tally, &self.defects, &step);
        let is_counted = tally.failed > looked.tally.failed;
        let is_late = match decision.outcome {
            Outcome::Approved => gap_before_use,
            _ => is_counted && gap_before_count,
        };
        if !is_late {
            return self.step(&session, scope.as_deref(), &step, attempt.key);
        }
        tokio::time::sleep(GAP).await;
        if let Some(life) = self.book().lives.get_mut(&session) {
            match decision.outcome {
                Outcome::Approved => life.use_up(&step),
                _ if self.has(D::CountOverwritten) => {
                    life.tally = tally;
                    life.invalidated |= looked.invalidated;
                }
                _ => {
                    let mut tally = std::mem::take(&mut life.tally);
                    life.fail(&mut tally, &self.defects, &step);
                    life.tally = tally;
                }
            }
        }
        decision
    }

    /// The session that is meant, by the spelling of its id that is looked at.
    fn find(&self, key: SessionKey<'_>) -> Option<(String, String)> {
        let book = self.book();
        let exact = (key.vendor.to_owned(), key.session.to_owned());
        if book.lives.contains_key(&exact) {
            return Some(exact);
        }
        let spellings: Vec<_> = self
            .defects
            .0
            .iter()
            .filter_map(|defect| match defect {
                D::SessionSpelling(spelling) => Some(*spelling),
                _ => None,
            })
            .collect();
        if spellings.is_empty() {
            return None;
        }
        book.lives
            .iter()
            .filter(|((vendor, _), life)| *vendor == key.vendor && life.tenant == key.tenant)
            .map(|(name, _)| name)
            .find(|(_, id)| spellings.iter().any(|spelling| spelling.is_taken_for(key.session, id)))
            .cloned()
    }

    fn is_foreign(&self, session: &(String, String), tenant: &str) -> bool {
        self.book().lives.get(session).is_some_and(|life| life.tenant != tenant)
    }

    fn without_session(&self) -> Decision {
        let told = self.defects.0.iter().find_map(|defect| match defect {
            D::Told(Outcome::UnknownSession, told) => Some(*told),
            _ => None,
        });
        Decision::without_session(told.unwrap_or(Outcome::UnknownSession))
    }

    fn step_of_stranger(&self, session: &(String, String), step: &Step<'_>) -> Decision {
        let mut book = self.book();
        if let Some(life) = book.lives.get_mut(session) {
            match life.is_right(&self.defects, step.code) {
                true if self.has(D::ForeignConsumes) => life.use_up(step),
                false if self.has(D::ForeignCounts) => {
                    let mut tally = life.tally.clone();
                    life.step(&mut tally, &self.defects, step);
                    life.tally = tally;
                }
                _ => {}
            }
        }
        match self.has(D::ForeignTold) {
            true => Decision {
                mode: (step.overrides.retry == Some(true)).then_some(Mode::Retry),
                ..Decision::without_session(Outcome::WrongCode)
            },
            false => self.without_session(),
        }
    }

    /// The name under which wrong codes are counted; `None` for the session's own count.
    fn scope(&self, key: SessionKey<'_>, id: &str, around: &Circumstances) -> Option<String> {
        let vendor = key.vendor;
        match () {
            () if self.has(D::CountPerVendor) => Some(vendor.to_owned()),
            () if self.has(D::CountPerTenant) => Some(format!("{vendor} {}", key.tenant)),
            () if self.has(D::CountPerConnection) => Some(format!("{vendor} {id} {:?}", around.peer)),
            () if self.has(D::CountPerReplica) => Some(format!("{vendor} {id} {:?}", around.replica)),
            () if self.has(D::CountPerForwarded) => {
                around.forwarded.as_ref().map(|forwarded| format!("{vendor} {id} {forwarded}"))
            }
            () => (key.session != id).then(|| format!("{vendor} {id} {}", key.session)),
        }
    }

    /// One indivisible step.
    fn step(
        &self,
        session: &(String, String),
        scope: Option<&str>,
        step: &Step<'_>,
        key: SessionKey<'_>,
    ) -> Decision {
        let mut book = self.book();
        let Book { lives, shared, .. } = &mut *book;
        let Some(life) = lives.get_mut(session) else { return self.without_session() };
        let mut tally = match scope {
            Some(scope) => shared.remove(scope).unwrap_or_default(),
            None => std::mem::take(&mut life.tally),
        };
        let decision = life.step(&mut tally, &self.defects, step);
        match scope {
            Some(scope) => {
                shared.insert(scope.to_owned(), tally);
            }
            None => life.tally = tally,
        }
        if decision.outcome == Outcome::Approved && self.has(D::SuccessResets) {
            for ((vendor, _), life) in lives.iter_mut() {
                if *vendor == key.vendor && life.tenant == key.tenant {
                    life.tally = Tally::default();
                }
            }
        }
        decision
    }

    /// Waits for others, and gives how many calls there are.
    async fn wait_in_crowd(&self, session: &(String, String)) -> usize {
        *self.book().under_way.entry(session.clone()).or_default() += 1;
        let _present = Present { store: self, session };
        tokio::time::sleep(GAP * 2).await;
        let crowd = self.book().under_way.get(session).copied().unwrap_or_default();
        // Who leaves at once would leave the next ones with no crowd.
        tokio::time::sleep(GAP).await;
        crowd
    }
}

/// A call that is under way; it is over as well when its caller hangs up.
struct Present<'a> {
    store: &'a FaultyStore,
    session: &'a (String, String),
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        let mut book = self.store.book();
        if let Some(count) = book.under_way.get_mut(self.session) {
            *count = count.saturating_sub(1);
        }
    }
}

/// A call whose answer is not sent yet; what it noted of the session is undone when its caller hangs up.
struct Unsent<'a> {
    store: &'a FaultyStore,
    session: (String, String),
    is_sent: bool,
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if !self.is_sent
            && let Some(life) = self.store.book().lives.get_mut(&self.session)
        {
            life.tally = Tally::default();
            life.used_at = None;
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
            let mut life =
                Life::new(key.tenant.to_owned(), code.to_owned(), store::now(), ttl_seconds, max_attempts);
            let mut book = self.book();
            let id = |key: SessionKey<'_>| (key.vendor.to_owned(), key.session.to_owned());
            let mut last = resend_of.map(id);
            while let Some(next) = last.as_ref().and_then(|last| book.lives.get(last)?.successor.clone()) {
                last = Some((key.vendor.to_owned(), next));
            }
            if let Some(earlier) = last.and_then(|last| book.lives.get_mut(&last)) {
                earlier.successor = (resend_of != Some(key)).then(|| key.session.to_owned());
                if earlier.used_at.is_none() && !self.has(D::ResendResets) {
                    life.tally = earlier.tally.clone();
                }
                earlier.superseded = !self.has(D::ResendKeepsOld);
                // Where the id stays, the new record takes the place of the old one, and knows its codes.
                let mut codes = earlier.codes.clone();
                codes.append(&mut life.codes);
                life.codes = codes;
            }
            book.lives.insert(id(key), life);
            Ok(issued)
        })
    }

    fn age<'a>(&'a self, key: SessionKey<'a>, seconds: u64) -> StoreFuture<'a, bool> {
        let mut book = self.book();
        if let Some(life) = book.lives.get_mut(&(key.vendor.to_owned(), key.session.to_owned()))
            && life.tenant == key.tenant
        {
            life.age(seconds.saturating_mul(1_000));
        }
        drop(book);
        self.inner.age(key, seconds)
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision> {
        match self.decides {
            true => Box::pin(async move {
                let decision = self.decide(policy, &attempt).await;
                if self.has(D::HangUpUndoes) {
                    let session = (attempt.key.vendor.to_owned(), attempt.key.session.to_owned());
                    let mut unsent = Unsent { store: self, session, is_sent: false };
                    tokio::time::sleep(GAP * 2).await;
                    unsent.is_sent = true;
                }
                Ok(decision)
            }),
            false => self.inner.attempt(policy, attempt),
        }
    }
}
