//! Faults in what is decided: a store around a correct one, which sees the correct decision and spoils it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otp_contract::{Mode, Outcome, Policy};

use super::{Effect, Fault};
use crate::record::Verdict;
use crate::store::{Attempt, Issue, Issued, Key, Pending, Store};

/// A store with defects.
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Vec<&'static Fault>,
    issued: Mutex<HashMap<(String, String), Remembered>>,
}

/// What a correct store would not tell: whose session it is, and its code.
#[derive(Clone)]
struct Remembered {
    tenant: String,
    code: String,
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn Store>, faults: Vec<&'static Fault>) -> FaultyStore {
        FaultyStore { inner, faults, issued: Mutex::default() }
    }

    fn has(&self, effect: Effect) -> bool {
        self.faults.iter().any(|fault| fault.effect == effect)
    }

    fn issued(&self) -> MutexGuard<'_, HashMap<(String, String), Remembered>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, key: &Key) -> Option<Remembered> {
        self.issued().get(&(key.vendor.clone(), key.session.clone())).cloned()
    }
}

impl Store for FaultyStore {
    fn issue(&self, mut issue: Issue) -> Pending<'_, Issued> {
        let key = (issue.key.vendor.clone(), issue.key.session.clone());
        let remembered = Remembered { tenant: issue.key.tenant.clone(), code: issue.code.clone() };
        self.issued().insert(key, remembered);
        if self.has(Effect::LimitOffByOne) {
            issue.max_attempts = issue.max_attempts.map(|limit| limit.saturating_add(1));
        }
        self.inner.issue(issue)
    }

    fn age<'a>(&'a self, key: &'a Key, seconds: u64) -> Pending<'a, bool> {
        self.inner.age(key, seconds)
    }

    fn is_foreign<'a>(&'a self, key: &'a Key) -> Pending<'a, bool> {
        self.inner.is_foreign(key)
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, mut attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        Box::pin(async move {
            let remembered = self.remembered(&attempt.key);
            if let Some(remembered) = &remembered
                && self.has(Effect::ForeignTenant)
            {
                attempt.key.tenant.clone_from(&remembered.tenant);
            }
            if self.has(Effect::LimitOffByOne) {
                attempt.terms.limit = attempt.terms.limit.map(|limit| limit.saturating_add(1));
            }
            let verdict = self.inner.attempt(policy, attempt.clone()).await;
            let is_right = remembered.is_some_and(|remembered| remembered.code == attempt.code);
            let compared = Verdict {
                outcome: if is_right { Outcome::Approved } else { Outcome::WrongCode },
                mode: (attempt.terms.retry == Some(true)).then_some(Mode::Retry),
                ..verdict
            };
            match verdict.outcome {
                Outcome::AlreadyUsed if self.has(Effect::Reuse) => compared,
                Outcome::Expired if self.has(Effect::NoExpiry) => compared,
                Outcome::AttemptsExhausted if self.has(Effect::NoLimit) => compared,
                Outcome::AttemptsExhausted if self.has(Effect::LockOpens) && is_right => compared,
                _ => verdict,
            }
        })
    }
}
