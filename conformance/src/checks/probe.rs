//! A probe: an assertion with steps of its own, and the helpers that many probes share.

use std::future::Future;
use std::pin::Pin;

use otp_contract::{Backing, Contract, Place, Policy, Situation};

use super::Area;
use crate::harness::{Abort, CheckContext};

/// The future of a probe's steps.
pub(crate) type Steps<'b> = Pin<Box<dyn Future<Output = Result<(), Abort>> + Send + 'b>>;

/// What backs the assertion of a probe.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Authority {
    /// The safety core, in this situation. A failure fails the run unless it departs only from something weaker.
    Safety(Situation),
    /// The responses that the contract has in this situation. A failure fails the run if the vendor's page states them.
    Page(Situation),
    /// A number of the policy. A failure fails the run if the vendor's page states it.
    Number(PolicyNumber),
    /// A standard. No failure fails the run.
    Standard,
}

/// A number of the policy that holds for a session without wishes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PolicyNumber {
    /// The lifetime.
    Lifetime,
    /// The limit of wrong codes.
    Attempts,
}

impl PolicyNumber {
    /// What stands behind the number; `None` if the contract has none.
    pub(super) fn backing(self, policy: &Policy) -> Option<&Backing> {
        match self {
            PolicyNumber::Lifetime => Some(&policy.lifetime.backing),
            PolicyNumber::Attempts => policy.attempts.as_ref().map(|limit| &limit.backing),
        }
    }
}

impl Authority {
    /// The situation that the assertion is about, if it is about one.
    pub(crate) fn situation(self) -> Option<Situation> {
        match self {
            Authority::Safety(situation) | Authority::Page(situation) => Some(situation),
            Authority::Number(PolicyNumber::Lifetime) => Some(Situation::Expired),
            Authority::Number(PolicyNumber::Attempts) => Some(Situation::AttemptsExhausted),
            Authority::Standard => None,
        }
    }
}

/// One assertion with steps of its own.
#[derive(Debug)]
pub(crate) struct Probe {
    /// The area.
    pub(crate) area: Area,
    /// The name within the area.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) statement: &'static str,
    /// What backs the assertion.
    pub(crate) authority: Authority,
    /// The standard that backs the assertion in any case: document and section.
    pub(crate) standard: (&'static str, &'static str),
    /// Whether the assertion makes sense for this API.
    pub(crate) applies: fn(&Contract) -> bool,
    /// The steps.
    pub(crate) run: for<'b, 'a> fn(&'b mut CheckContext<'a>) -> Steps<'b>,
}

/// Any API.
pub(super) fn always(_: &Contract) -> bool {
    true
}

/// An API with the code in a JSON body.
pub(super) fn code_in_body(contract: &Contract) -> bool {
    contract.verify().code.location.place == Place::Body
}

/// An API with the session id in a JSON body.
pub(super) fn session_in_body(contract: &Contract) -> bool {
    contract.verify().session.location.place == Place::Body
}

/// The regular session id as JSON.
pub(super) const SESSION: &str = "\"{session}\"";

/// The regular code as JSON.
pub(super) const CODE: &str = "\"{code}\"";

/// The body of a well-formed call as text, with the JSON texts `session` and `code` in their places. The call replaces
/// `{session}` and `{code}` in it later.
pub(super) fn body_with(contract: &Contract, session: &str, code: &str) -> String {
    let operation = contract.verify();
    let mut members = Vec::new();
    for (location, value) in [(&operation.session.location, session), (&operation.code.location, code)] {
        if location.place == Place::Body && !value.is_empty() {
            members.push((location.keys(), value.to_owned()));
        }
    }
    object_text(&members)
}

/// An object as text, with each JSON text at the end of its keys. Unlike a `Value` it may have a name twice.
pub(super) fn object_text(members: &[(Vec<&str>, String)]) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut nested: Vec<&str> = Vec::new();
    for (keys, value) in members {
        match keys.as_slice() {
            [] => {}
            [name] => texts.push(format!("\"{name}\":{value}")),
            [name, ..] if nested.contains(name) => {}
            [name, ..] => {
                nested.push(name);
                let is_inside = |keys: &&(Vec<&str>, String)| keys.0.len() > 1 && keys.0[0] == *name;
                let inner: Vec<_> = members
                    .iter()
                    .filter(is_inside)
                    .map(|(keys, value)| (keys[1..].to_vec(), value.clone()))
                    .collect();
                texts.push(format!("\"{name}\":{}", object_text(&inner)));
            }
        }
    }
    format!("{{{}}}", texts.join(","))
}
