//! The areas of checks. An area is a table of probes; each probe is one assertion with a name that never changes its
//! meaning, a sentence, what says so, and the steps that try it.

use std::future::Future;
use std::pin::Pin;

use otp_contract::{Contract, Place, Situation};

use crate::check::{Area, Check, Making};
use crate::subject::{Bench, Stop};

pub(crate) mod alike;
pub(crate) mod auth;
pub(crate) mod concurrency;
pub(crate) mod consistency;
pub(crate) mod delivery;
pub(crate) mod disclosure;
pub(crate) mod encoding;
pub(crate) mod expiry;
pub(crate) mod isolation;
pub(crate) mod lifecycle;
pub(crate) mod limit;
pub(crate) mod matrix;
pub(crate) mod policy;
pub(crate) mod request;
pub(crate) mod single_use;
pub(crate) mod spelling;

/// What a probe's steps come to.
pub(crate) type Steps<'b> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'b>>;

/// One assertion that is tried in steps of its own.
#[derive(Debug)]
pub struct Probe {
    /// The area.
    pub(crate) area: Area,
    /// The name within the area.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) statement: &'static str,
    /// The situation whose cells of the contract say so; where the contract has such cells, the probe gates.
    pub(crate) says: Option<Situation>,
    /// The standard that says so in any case: document and section.
    pub(crate) standard: (&'static str, &'static str),
    /// Whether it can be tried on this API at all.
    pub(crate) applies: fn(&Contract) -> bool,
    /// Its steps.
    pub(crate) run: for<'b, 'a> fn(&'b mut Bench<'a>) -> Steps<'b>,
}

/// Every probe, area by area.
pub(crate) fn probes() -> impl Iterator<Item = &'static Probe> {
    [
        request::PROBES,
        spelling::PROBES,
        encoding::PROBES,
        delivery::PROBES,
        lifecycle::PROBES,
        limit::PROBES,
        expiry::PROBES,
        single_use::PROBES,
        isolation::PROBES,
        concurrency::PROBES,
        policy::PROBES,
        consistency::PROBES,
        disclosure::PROBES,
        auth::PROBES,
    ]
    .into_iter()
    .flatten()
}

/// What a check ends with.
pub(crate) enum Ending {
    /// The subject conforms, by the answers of these cells.
    Passed(Vec<String>),
    /// It does not, or the check was not made to an end.
    Stopped(Stop),
}

/// Makes one check.
pub(crate) async fn make(check: &Check, bench: &mut Bench<'_>) -> Ending {
    let made = match check.making {
        Making::Answer { situation, mode } => matrix::run(check.area, situation, mode, bench).await,
        Making::Probe(probe) => (probe.run)(bench).await.map(|()| Vec::new()),
    };
    match made {
        Ok(given) => Ending::Passed(given),
        Err(stop) => Ending::Stopped(stop),
    }
}

/// Any API.
pub(crate) fn always(_: &Contract) -> bool {
    true
}

/// An API whose code travels in a JSON body.
pub(crate) fn code_in_body(contract: &Contract) -> bool {
    contract.verify().code.location.place == Place::Body
}

/// An API whose session id travels in a JSON body.
pub(crate) fn session_in_body(contract: &Contract) -> bool {
    contract.verify().session.location.place == Place::Body
}

/// An API that knows a limit of attempts.
pub(crate) fn has_limit(contract: &Contract) -> bool {
    contract.policy.attempts.is_some()
}

/// The body of a proper call as text, with `code` and `session` as JSON in the places of the two; `{session}` and
/// `{code}` in it are filled in later.
pub(crate) fn body_with(contract: &Contract, session: &str, code: &str) -> String {
    let operation = &contract.verify();
    let mut members = Vec::new();
    for (location, value) in [(&operation.session.location, session), (&operation.code.location, code)] {
        if location.place == Place::Body && !value.is_empty() {
            members.push(format!("\"{}\":{value}", location.name));
        }
    }
    format!("{{{}}}", members.join(","))
}

/// The proper session and code as JSON.
pub(crate) const SESSION: &str = "\"{session}\"";
pub(crate) const CODE: &str = "\"{code}\"";

/// The standards that probes cite, each once.
pub(crate) mod standard {
    pub(crate) const SINGLE_USE: (&str, &str) = ("NIST SP 800-63B-4", "§3.1.3.2, accepted only once");
    pub(crate) const RACES: (&str, &str) =
        ("OWASP ASVS 5.0", "15.4.2, check and use are one atomic operation");
    pub(crate) const LIMIT: (&str, &str) = ("NIST SP 800-63B-4", "§3.2.2, rate limiting");
    pub(crate) const PARALLEL: (&str, &str) = ("RFC 4226", "§7.3, lockout across login sessions");
    pub(crate) const RESEND: (&str, &str) =
        ("NIST SP 800-63B-4", "§3.1.3.2, a new secret does not reset the failed count");
    pub(crate) const LIFETIME: (&str, &str) = ("OWASP ASVS 5.0", "6.5.5, a defined lifetime");
    pub(crate) const ISOLATION: (&str, &str) =
        ("OWASP API Security Top 10 2023", "API1, object level authorization");
    pub(crate) const BOUND: (&str, &str) = ("OWASP ASVS 5.0", "6.6.2, a code is bound to its request");
    pub(crate) const ENUMERATION: (&str, &str) = ("OWASP WSTG", "IDNT-04, account enumeration");
    pub(crate) const STATE: (&str, &str) =
        ("OWASP Business Logic Cheat Sheet", "Enforce Workflows as State Machines");
    pub(crate) const TYPES: (&str, &str) = ("OWASP ASVS 5.0", "15.3.5, strict types");
    pub(crate) const INJECTION: (&str, &str) = ("OWASP WSTG", "INPV-05.6, NoSQL injection");
    pub(crate) const POLLUTION: (&str, &str) = ("OWASP ASVS 5.0", "15.3.7, parameter pollution");
    pub(crate) const ASSIGNMENT: (&str, &str) = ("OWASP ASVS 5.0", "15.3.3, mass assignment");
    pub(crate) const SIZE: (&str, &str) = ("OWASP API Security Top 10 2023", "API4, limits on input size");
    pub(crate) const FRAMING: (&str, &str) = ("RFC 9112", "§6.3, message body length");
    pub(crate) const INCOMPLETE: (&str, &str) = ("RFC 9112", "§8, handling incomplete messages");
    pub(crate) const FAIL_CLOSED: (&str, &str) = ("OWASP ASVS 5.0", "16.5.3, fail securely");
    pub(crate) const CANONICAL: (&str, &str) = ("OWASP ASVS 5.0", "1.1.1, canonicalise once");
    pub(crate) const METHOD: (&str, &str) = ("RFC 9110", "§15.5.6, 405 carries Allow");
    pub(crate) const CONTENT_TYPE: (&str, &str) = ("RFC 9110", "§8.3, Content-Type");
    pub(crate) const CHALLENGE: (&str, &str) = ("RFC 9110", "§15.5.2, 401 carries WWW-Authenticate");
    pub(crate) const SCHEME: (&str, &str) = ("RFC 9110", "§11.1, scheme names are case-insensitive");
    pub(crate) const AUTHENTICATION: (&str, &str) =
        ("OWASP ASVS 5.0", "8.3.1, authorization at a trusted layer");
    pub(crate) const LEAK: (&str, &str) = ("OWASP ASVS 5.0", "14.2.1, no secrets in responses");
    pub(crate) const INTERNALS: (&str, &str) = ("OWASP ASVS 5.0", "16.5.1, generic error messages");
    pub(crate) const CACHING: (&str, &str) = ("OWASP ASVS 5.0", "14.3.2, no caching of sensitive answers");
    pub(crate) const PROXIES: (&str, &str) = ("OWASP ASVS 5.0", "4.1.3, forwarding headers are not trusted");
    pub(crate) const POLICY: (&str, &str) = ("OWASP ASVS 5.0", "2.3.2, limits are the server's");
    pub(crate) const CONSISTENT: (&str, &str) = ("RFC 9457", "§3.1, body and status agree");
}
