//! Hands out accounts and sessions that somebody has prepared, each session once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;

use super::{CodeWish, ControlError, Issued, Session};
use crate::harness::Tenant;

/// The state that a prepared session is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    /// No code has been submitted.
    #[default]
    Fresh,
    /// Its lifetime has passed.
    Expired,
    /// Its code has been approved.
    Used,
    /// As many wrong codes have been submitted as its limit allows.
    Locked,
}

impl SessionState {
    /// The word in files and reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SessionState::Fresh => "fresh",
            SessionState::Expired => "expired",
            SessionState::Used => "used",
            SessionState::Locked => "locked",
        }
    }
}

/// A prepared session.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) vendor: String,
    /// The id of its tenant.
    pub(super) tenant: String,
    pub(super) session: Session,
    pub(super) code: String,
    pub(super) state: SessionState,
    /// When a fresh one expires, if that is known.
    pub(super) expires_at: Option<SystemTime>,
    /// Whether a check has it.
    pub(super) is_used: bool,
}

impl Prepared {
    /// Whether a check can have it in this state.
    fn is_available(&self, state: SessionState) -> bool {
        let has_expired = self.expires_at.is_some_and(|at| at <= SystemTime::now());
        !self.is_used && self.state == state && !(state == SessionState::Fresh && has_expired)
    }

    fn issued(&self) -> Issued {
        Issued { session: self.session.clone(), code: self.code.clone(), prepared: Some(self.state) }
    }
}

/// What somebody has prepared.
#[derive(Debug, Default)]
pub(crate) struct Fixtures {
    /// Each with its vendor.
    tenants: Vec<(String, Tenant)>,
    sessions: Mutex<Vec<Prepared>>,
}

impl Fixtures {
    pub(super) fn add_tenant(&mut self, vendor: String, tenant: Tenant) {
        self.tenants.push((vendor, tenant));
    }

    pub(super) fn add_session(&mut self, session: Prepared) {
        self.sessions().push(session);
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Vec<Prepared>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The vendors that there are accounts of, each once.
    pub(super) fn vendors(&self) -> Vec<String> {
        let mut vendors: Vec<String> = Vec::new();
        for (vendor, _) in &self.tenants {
            if !vendors.contains(vendor) {
                vendors.push(vendor.clone());
            }
        }
        vendors
    }

    /// How many accounts of a vendor there are.
    pub(crate) fn count(&self, vendor: &str) -> usize {
        self.tenants.iter().filter(|(own, _)| own == vendor).count()
    }

    /// `count` accounts of a vendor; the one with the most fresh sessions is the first.
    pub(super) fn tenants(&self, vendor: &str, count: usize) -> Result<Vec<Tenant>, ControlError> {
        let sessions = self.sessions();
        let fresh = |tenant: &Tenant| {
            let of_tenant = |one: &&Prepared| one.vendor == vendor && one.tenant == tenant.tenant;
            sessions.iter().filter(of_tenant).filter(|one| one.is_available(SessionState::Fresh)).count()
        };
        let mut tenants: Vec<&Tenant> =
            self.tenants.iter().filter(|(own, _)| own == vendor).map(|(_, tenant)| tenant).collect();
        tenants.sort_by_key(|tenant| std::cmp::Reverse(fresh(tenant)));
        match tenants.get(..count) {
            Some(first) => Ok(first.iter().copied().cloned().collect()),
            None => Err(ControlError::NotOffered(format!(
                "the fixtures have {} of the {count} accounts of {vendor} that this check needs",
                tenants.len()
            ))),
        }
    }

    /// A fresh session of a tenant.
    pub(super) fn take(
        &self,
        vendor: &str,
        tenant: &Tenant,
        code: CodeWish<'_>,
    ) -> Result<Issued, ControlError> {
        let mut sessions = self.sessions();
        let is_right = |one: &&mut Prepared| match code {
            CodeWish::Exactly(code) => one.code == code,
            CodeWish::Preferably(_) => true,
        };
        let mut of_tenant =
            sessions.iter_mut().filter(|one| one.vendor == vendor && one.tenant == tenant.tenant);
        let found = of_tenant.find(|one| one.is_available(SessionState::Fresh) && is_right(one));
        if let Some(session) = found {
            session.is_used = true;
            return Ok(session.issued());
        }
        Err(ControlError::NotOffered(match code {
            CodeWish::Exactly(_) => {
                "the fixtures have no session with the code that this check needs".to_owned()
            }
            CodeWish::Preferably(_) => none_left(vendor, SessionState::Fresh),
        }))
    }

    /// A session of a vendor in a state, and its tenant; `None` if there is none and a check can bring the state about with a
    /// fresh session.
    pub(crate) fn take_in(
        &self,
        vendor: &str,
        state: SessionState,
    ) -> Result<Option<(Tenant, Issued)>, ControlError> {
        let mut sessions = self.sessions();
        let found = sessions.iter_mut().find(|one| one.vendor == vendor && one.is_available(state));
        match found {
            Some(session) => {
                session.is_used = true;
                Ok(self.tenant_of(session).map(|tenant| (tenant, session.issued())))
            }
            None if state == SessionState::Expired => Err(ControlError::NotOffered(none_left(vendor, state))),
            None => Ok(None),
        }
    }

    /// Any session of a tenant, or else of the vendor, for a call that names no session or another one. It is not used up.
    pub(crate) fn example(&self, vendor: &str, tenant: Option<&Tenant>) -> Option<(Tenant, Issued)> {
        let sessions = self.sessions();
        let of_vendor = || sessions.iter().filter(|one| one.vendor == vendor);
        let of_tenant = tenant.and_then(|tenant| of_vendor().find(|one| one.tenant == tenant.tenant));
        let session = of_tenant.or_else(|| of_vendor().next())?;
        let tenant = tenant.cloned().or_else(|| self.tenant_of(session))?;
        Some((tenant, session.issued()))
    }

    /// Takes sessions back with which no call was made.
    pub(crate) fn give_back<'s>(&self, vendor: &str, ids: impl IntoIterator<Item = &'s str>) {
        let mut sessions = self.sessions();
        for id in ids {
            let is_meant = |one: &&mut Prepared| one.vendor == vendor && one.session.session == id;
            if let Some(session) = sessions.iter_mut().find(is_meant) {
                session.is_used = false;
            }
        }
    }

    fn tenant_of(&self, session: &Prepared) -> Option<Tenant> {
        let is_own = |(vendor, tenant): &&(String, Tenant)| {
            *vendor == session.vendor && tenant.tenant == session.tenant
        };
        self.tenants.iter().find(is_own).map(|(_, tenant)| tenant.clone())
    }
}

fn none_left(vendor: &str, state: SessionState) -> String {
    format!("the fixtures have no session of {vendor} left that is {}", state.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    fn tenant(name: &str) -> Tenant {
        Tenant {
            tenant: name.to_owned(),
            parameters: BTreeMap::new(),
            credentials: BTreeMap::new(),
            number: 0,
        }
    }

    fn fixtures(sessions: &[(&str, &str, SessionState)]) -> Fixtures {
        let mut fixtures = Fixtures::default();
        fixtures.add_tenant("v".to_owned(), tenant("1"));
        fixtures.add_tenant("v".to_owned(), tenant("2"));
        for (tenant, id, state) in sessions {
            fixtures.add_session(Prepared {
                vendor: "v".to_owned(),
                tenant: (*tenant).to_owned(),
                session: Session { session: (*id).to_owned(), ttl_seconds: None, max_attempts: None },
                code: "1".to_owned(),
                state: *state,
                expires_at: None,
                is_used: false,
            });
        }
        fixtures
    }

    const ANY: CodeWish<'_> = CodeWish::Preferably("9");

    #[test]
    fn each_session_is_handed_out_once_and_those_of_no_call_again() {
        let fixtures = fixtures(&[("1", "a", SessionState::Fresh), ("1", "b", SessionState::Fresh)]);
        let first = tenant("1");
        assert_eq!(fixtures.take("v", &first, ANY).unwrap().session.session, "a");
        assert_eq!(fixtures.take("v", &first, ANY).unwrap().session.session, "b");
        let error = fixtures.take("v", &first, ANY).unwrap_err().to_string();
        assert_eq!(error, "the fixtures have no session of v left that is fresh");
        fixtures.give_back("v", ["a"]);
        assert_eq!(fixtures.take("v", &first, ANY).unwrap().session.session, "a");
    }

    #[test]
    fn the_account_with_the_most_fresh_sessions_is_the_first() {
        let (fresh, used) = (SessionState::Fresh, SessionState::Used);
        let fixtures = fixtures(&[("1", "a", used), ("1", "b", used), ("2", "c", fresh)]);
        let names: Vec<_> =
            fixtures.tenants("v", 2).unwrap().into_iter().map(|tenant| tenant.tenant).collect();
        assert_eq!(names, ["2", "1"]);
        assert!(fixtures.tenants("v", 3).unwrap_err().to_string().contains("2 of the 3 accounts"));
    }

    #[test]
    fn a_session_with_a_chosen_code_must_be_there_and_one_that_has_expired_since_is_not_fresh() {
        let fixtures = fixtures(&[("1", "a", SessionState::Fresh)]);
        assert!(fixtures.take("v", &tenant("1"), CodeWish::Exactly("2")).is_err());
        assert!(fixtures.take("v", &tenant("1"), CodeWish::Exactly("1")).is_ok());
        fixtures.give_back("v", ["a"]);
        fixtures.sessions()[0].expires_at = Some(SystemTime::now() - Duration::from_secs(1));
        assert!(fixtures.take("v", &tenant("1"), ANY).is_err());
    }

    #[test]
    fn only_an_expired_session_cannot_be_made_of_a_fresh_one() {
        let fixtures = fixtures(&[("2", "a", SessionState::Expired)]);
        assert!(fixtures.take_in("v", SessionState::Locked).unwrap().is_none());
        let (owner, issued) = fixtures.take_in("v", SessionState::Expired).unwrap().unwrap();
        assert_eq!((owner.tenant.as_str(), issued.session.session.as_str()), ("2", "a"));
        assert!(fixtures.take_in("v", SessionState::Expired).is_err());
    }
}
