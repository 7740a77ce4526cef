//! One vendor's way of asking and answering, derived from its contract alone. A dialect decides nothing: what is well
//! formed becomes an attempt, what is not becomes a situation, and either is rendered as the cell that the contract
//! has for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, StatusCode, header};
use otp_contract::{
    Cell, Contract, Location, Matching, Mode, Outcome, Place, Situation, StateValue, ValueKind, VolatileValue,
};
use serde_json::Value;

use crate::answer::{Answer, Body};
use crate::json::Object;
use crate::mint::mint;
use crate::query::Parameters;
use crate::record::{Terms, Verdict};
use crate::tenants::Tenant;
use crate::{json, query, store};

/// A contract to be spoken.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) contract: Arc<Contract>,
    preferred: BTreeSet<String>,
    /// The cell that is given in each situation, where there is one.
    chosen: BTreeMap<(Situation, Option<Mode>), Chosen>,
}

/// A cell that is given.
#[derive(Debug, Clone)]
struct Chosen {
    /// Its place in the contract.
    place: usize,
    name: Arc<str>,
    /// Its body, where that is the same for every call.
    body: Option<Body>,
}

/// What a request asks.
#[derive(Debug)]
pub(crate) enum Request {
    /// A well-formed verify call.
    Attempt { session: String, code: String, terms: Terms },
    /// A call that no session needs to be looked up for.
    Misshapen { situation: Situation, session: Option<String> },
}

/// What an answer is filled in from.
#[derive(Default, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) session: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) verdict: Option<&'a Verdict>,
}

impl Dialect {
    /// `preferred` are the names of cells to be given where the contract allows them.
    pub(crate) fn new(contract: Arc<Contract>, preferred: BTreeSet<String>) -> Dialect {
        let chosen = |place: usize| {
            let cell = &contract.verify().cells[place];
            let varies = |matching: &Matching| {
                matches!(matching, Matching::Echo(_) | Matching::State(_) | Matching::Volatile(_))
            };
            let is_shared = !cell.members.iter().any(|member| varies(&member.rule.matching));
            let body = is_shared.then(|| Body::shared(&cell.body));
            Chosen { place, name: cell.name.as_str().into(), body }
        };
        let situations = Situation::ALL.into_iter().flat_map(|situation| MODES.map(|mode| (situation, mode)));
        let chosen = situations
            .filter_map(|(situation, mode)| {
                let place = choose(&contract, &preferred, situation, mode)?;
                Some(((situation, mode), chosen(place)))
            })
            .collect();
        Dialect { contract, preferred, chosen }
    }

    /// Whether the media type and encoding of the body are those that the contract has.
    pub(crate) fn accepts(&self, headers: &HeaderMap) -> bool {
        if !self.contract.verify().has_body {
            return true;
        }
        // Two are ambiguous: whoever reads the other one sees another body.
        let is_twice = |name| headers.get_all(name).iter().count() > 1;
        if is_twice(header::CONTENT_ENCODING) || is_twice(header::CONTENT_TYPE) {
            return false;
        }
        if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return false;
        }
        let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
            return false;
        };
        let mut parts = kind.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let mut charsets = parts.filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
        });
        essence.eq_ignore_ascii_case("application/json")
            && charsets.all(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }

    /// Reads a request whose caller is known. `path` are the decoded path parameters.
    pub(crate) fn read(&self, path: &Parameters<'_>, query: Option<&str>, body: &[u8]) -> Request {
        let misshapen = |situation, session| Request::Misshapen { situation, session };
        let operation = &self.contract.verify();
        let Some(pairs) = query::read_pairs(query.unwrap_or_default()) else {
            return misshapen(Situation::MalformedBody, None);
        };
        let object = match operation.has_body {
            true => match json::read_object(body) {
                Some(object) => object,
                None => return misshapen(Situation::MalformedBody, None),
            },
            false => Object::default(),
        };
        let part = |location: &Location| match location.place {
            Place::Path => Part::of_text(path.get(&location.name)),
            Place::Query => Part::of_pairs(&pairs, &location.name),
            Place::Body => Part::of_member(object.get(&location.name)),
        };
        let session = match part(&operation.session.location) {
            Part::Text(session) => session,
            Part::Absent => return misshapen(Situation::MissingSession, None),
            Part::Mistyped => return misshapen(Situation::MalformedBody, None),
        };
        let code = match part(&operation.code.location) {
            Part::Text(code) => code,
            Part::Absent => return misshapen(Situation::MissingCode, Some(session)),
            Part::Mistyped => return misshapen(Situation::MalformedBody, Some(session)),
        };
        if !operation.code.admits(&code) {
            return misshapen(Situation::MalformedCode, Some(session));
        }
        match self.terms(&pairs) {
            Some(terms) => Request::Attempt { session, code, terms },
            None => misshapen(Situation::MalformedBody, Some(session)),
        }
    }

    /// What the request sets of the policy; `None` where a parameter is not within its bounds.
    fn terms(&self, pairs: &[(String, String)]) -> Option<Terms> {
        for parameter in &self.contract.verify().parameters {
            match (Part::of_pairs(pairs, &parameter.name), parameter.kind) {
                (Part::Absent, _) if parameter.required => return None,
                (Part::Absent, _) | (Part::Text(_), ValueKind::Text) => {}
                (Part::Text(text), ValueKind::Boolean) if text == "true" || text == "false" => {}
                (Part::Text(text), ValueKind::Integer { min, max })
                    if text.bytes().all(|byte| byte.is_ascii_digit())
                        && text.parse().is_ok_and(|number| (min..=max).contains(&number)) => {}
                _ => return None,
            }
        }
        let text = |name: &Option<String>| {
            let name = name.as_ref()?;
            pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
        };
        let overrides = &self.contract.policy.overrides;
        Some(Terms {
            retry: overrides.retry.is_some().then(|| text(&overrides.retry) == Some("true")),
            limit: text(&overrides.limit).and_then(|number| number.parse().ok()),
            lifetime_seconds: text(&overrides.lifetime_minutes)
                .and_then(|number| number.parse::<u64>().ok())
                .map(|minutes| minutes.saturating_mul(60)),
        })
    }

    /// The answer to a decided attempt.
    pub(crate) fn answer_verdict(&self, verdict: &Verdict, scene: Scene<'_>) -> Answer {
        let situation = match verdict.outcome {
            Outcome::Approved => Situation::Approved,
            Outcome::WrongCode => Situation::WrongCode,
            Outcome::Expired => Situation::Expired,
            Outcome::AttemptsExhausted => Situation::AttemptsExhausted,
            Outcome::AlreadyUsed => Situation::AlreadyUsed,
            Outcome::UnknownSession => Situation::UnknownSession,
            Outcome::MissingSession => Situation::MissingSession,
            Outcome::MissingCode => Situation::MissingCode,
            Outcome::MalformedCode => Situation::MalformedCode,
            Outcome::InvalidRequest => Situation::MalformedBody,
            Outcome::Unauthorized => Situation::WrongCredentials,
        };
        self.answer(situation, verdict.mode, Scene { verdict: Some(verdict), ..scene })
    }

    /// The answer to a situation.
    pub(crate) fn answer(&self, situation: Situation, mode: Option<Mode>, scene: Scene<'_>) -> Answer {
        let Some(chosen) = self.chosen.get(&(situation, mode)) else {
            let status = match situation {
                Situation::MissingCredentials | Situation::WrongCredentials => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            let refusal = Answer::refusal(&self.contract.refusal, status);
            return Answer { situation: Some(situation), ..refusal };
        };
        let cell = &self.contract.verify().cells[chosen.place];
        Answer {
            status: cell.sandbox_status,
            content_type: "application/json",
            headers: Vec::new(),
            body: match &chosen.body {
                Some(body) => body.clone(),
                None => render(cell, scene).into(),
            },
            cell: Some(Arc::clone(&chosen.name)),
            situation: Some(situation),
        }
    }

    /// Whether a cell is preferred that tells a foreign session from an unknown one.
    pub(crate) fn tells_foreign_sessions(&self) -> bool {
        self.contract.verify().cells.iter().any(|cell| {
            self.preferred.contains(&cell.name)
                && cell.answers(Situation::ForeignSession)
                && !cell.answers(Situation::UnknownSession)
        })
    }
}

const MODES: [Option<Mode>; 2] = [None, Some(Mode::Retry)];

/// The place of the cell that is given: the preferred one that the contract has for a situation, or else its main one.
fn choose(
    contract: &Contract,
    preferred: &BTreeSet<String>,
    situation: Situation,
    mode: Option<Mode>,
) -> Option<usize> {
    let in_mode = |mode| {
        let fitting = || {
            let cells = contract.verify().cells.iter().enumerate();
            cells.filter(move |(_, cell)| cell.mode == mode && cell.answers(situation))
        };
        let found = fitting()
            .find(|(_, cell)| preferred.contains(&cell.name))
            .or_else(|| fitting().find(|(_, cell)| !cell.alternative));
        found.map(|(place, _)| place)
    };
    in_mode(mode).or_else(|| in_mode(None)).or_else(|| match situation {
        // Few vendors have a word for each way to get a request wrong.
        Situation::MissingSession | Situation::MissingCode | Situation::MalformedCode => {
            choose(contract, preferred, Situation::MalformedBody, mode)
        }
        _ => None,
    })
}

fn render(cell: &Cell, scene: Scene<'_>) -> Value {
    let mut body = cell.body.clone();
    for member in &cell.members {
        let value: Option<Value> = match &member.rule.matching {
            Matching::Echo(name) => match name.as_str() {
                "session" => scene.session.map(Into::into),
                "code" => scene.code.map(Into::into),
                account => scene
                    .tenant
                    .and_then(|tenant| tenant.accounts.get(account))
                    .map(|text| text.as_str().into()),
            },
            Matching::State(StateValue::RemainingAttempts) => {
                scene.verdict.and_then(|verdict| verdict.remaining_attempts).map(Into::into)
            }
            Matching::State(StateValue::LockoutSeconds) => {
                scene.verdict.and_then(|verdict| verdict.lockout_seconds).map(Into::into)
            }
            Matching::Volatile(VolatileValue::IssuedAt) => {
                scene.verdict.and_then(|verdict| verdict.issued_at).map(timestamp)
            }
            Matching::Volatile(VolatileValue::Now) => Some(timestamp(store::now())),
            Matching::Volatile(VolatileValue::RequestId) => mint("{hex:32}").map(Into::into),
            Matching::Volatile(VolatileValue::Username) => {
                scene.tenant.and_then(Tenant::username).map(Into::into)
            }
            _ => None,
        };
        let Some(value) = value else { continue };
        if let Some(place) = body.pointer_mut(&member.pointer) {
            *place = value;
        }
    }
    body
}

fn timestamp(millis: u64) -> Value {
    let at = UNIX_EPOCH + Duration::from_millis(millis);
    humantime::format_rfc3339_seconds(at).to_string().into()
}

/// A value that a request may carry.
enum Part {
    Text(String),
    Absent,
    Mistyped,
}

impl Part {
    fn of_text(text: Option<&str>) -> Part {
        match text {
            None | Some("") => Part::Absent,
            Some(text) => Part::Text(text.to_owned()),
        }
    }

    fn of_member(member: Option<&Value>) -> Part {
        match member {
            None | Some(Value::Null) => Part::Absent,
            Some(Value::String(text)) => Part::of_text(Some(text)),
            Some(_) => Part::Mistyped,
        }
    }

    /// A parameter that stands twice is ambiguous, and counts as mistyped.
    fn of_pairs(pairs: &[(String, String)], name: &str) -> Part {
        let mut values = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            Some(_) => Part::Mistyped,
            None => Part::of_text(first),
        }
    }
}
