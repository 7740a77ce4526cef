//! Parses a verify call by the request shape of its operation.

use otp_contract::{BodyEncoding, Contract, Location, Operation, Place, Situation, ValueKind};
use serde_json::Value;

use crate::engine::RequestOverrides;
use crate::http::json::{self, Object};
use crate::http::{PathParameters, query};

/// A verify call, parsed.
#[derive(Debug)]
pub(crate) enum VerifyRequest {
    /// A well-formed call.
    WellFormed { session: String, code: String, overrides: RequestOverrides },
    /// A call that is refused without looking up a session.
    Malformed { situation: Situation, session: Option<String> },
}

impl VerifyRequest {
    /// Parses a call of `operation`. `path` has the decoded path parameters.
    pub(super) fn parse(
        contract: &Contract,
        operation: &Operation,
        path: &PathParameters<'_>,
        query: Option<&str>,
        body: &[u8],
    ) -> VerifyRequest {
        let malformed = |situation, session| VerifyRequest::Malformed { situation, session };
        let Some(pairs) = query::read_pairs(query.unwrap_or_default()) else {
            return malformed(Situation::MalformedBody, None);
        };
        let mut object = Object::default();
        let mut fields = Vec::new();
        match operation.body {
            None => {}
            Some(BodyEncoding::Json) => match json::read_object(body) {
                Some(read) => object = read,
                None => return malformed(Situation::MalformedBody, None),
            },
            Some(BodyEncoding::Form) => match std::str::from_utf8(body).ok().and_then(query::read_pairs) {
                Some(read) => fields = read,
                None => return malformed(Situation::MalformedBody, None),
            },
        }
        let value_at = |location: &Location| match location.place {
            Place::Path => RequestValue::from_text(path.get(&location.name)),
            Place::Query => RequestValue::from_pairs(&pairs, &location.name),
            Place::Body => RequestValue::from_object(&object, &location.keys()),
            Place::Form => RequestValue::from_pairs(&fields, &location.name),
        };
        let session = match value_at(&operation.session.location) {
            RequestValue::Text(session) => session,
            RequestValue::Absent => return malformed(Situation::MissingSession, None),
            RequestValue::Invalid => return malformed(Situation::MalformedBody, None),
        };
        let code = match value_at(&operation.code.location) {
            RequestValue::Text(code) => code,
            RequestValue::Absent => return malformed(Situation::MissingCode, Some(session)),
            RequestValue::Invalid => return malformed(Situation::MalformedBody, Some(session)),
        };
        if !operation.code.admits(&code) {
            return malformed(Situation::MalformedCode, Some(session));
        }
        match parse_overrides(contract, operation, &pairs) {
            Some(overrides) => VerifyRequest::WellFormed { session, code, overrides },
            None => malformed(Situation::MalformedBody, Some(session)),
        }
    }
}

/// The parts of the policy that the query sets; `None` if a parameter is out of bounds.
fn parse_overrides(
    contract: &Contract,
    operation: &Operation,
    pairs: &[(String, String)],
) -> Option<RequestOverrides> {
    for parameter in &operation.parameters {
        match (RequestValue::from_pairs(pairs, &parameter.name), parameter.kind) {
            (RequestValue::Absent, _) if parameter.required => return None,
            (RequestValue::Absent, _) | (RequestValue::Text(_), ValueKind::Text) => {}
            (RequestValue::Text(text), ValueKind::Boolean) if text == "true" || text == "false" => {}
            (RequestValue::Text(text), ValueKind::Integer { min, max })
                if text.bytes().all(|byte| byte.is_ascii_digit())
                    && text.parse().is_ok_and(|number| (min..=max).contains(&number)) => {}
            _ => return None,
        }
    }
    let text = |name: &Option<String>| {
        let name = name.as_ref()?;
        pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    };
    let names = &contract.policy.overrides;
    Some(RequestOverrides {
        retry: names.retry.is_some().then(|| text(&names.retry) == Some("true")),
        limit: text(&names.limit).and_then(|number| number.parse().ok()),
        lifetime_seconds: text(&names.lifetime_minutes)
            .and_then(|number| number.parse::<u64>().ok())
            .map(|minutes| minutes.saturating_mul(60)),
    })
}

/// A value in a request.
enum RequestValue {
    Text(String),
    /// Missing, empty or null.
    Absent,
    /// Of the wrong type, or ambiguous.
    Invalid,
}

impl RequestValue {
    fn from_text(text: Option<&str>) -> RequestValue {
        match text {
            None | Some("") => RequestValue::Absent,
            Some(text) => RequestValue::Text(text.to_owned()),
        }
    }

    fn from_member(member: Option<&Value>) -> RequestValue {
        match member {
            None | Some(Value::Null) => RequestValue::Absent,
            Some(Value::String(text)) => RequestValue::from_text(Some(text)),
            Some(_) => RequestValue::Invalid,
        }
    }

    /// The value at the end of `keys`, which is a member of an object at each step.
    fn from_object(object: &Object, keys: &[&str]) -> RequestValue {
        let [first, rest @ ..] = keys else { return RequestValue::Absent };
        let mut member = object.get(first);
        for key in rest {
            member = match member {
                None | Some(Value::Null) => return RequestValue::Absent,
                Some(Value::Object(inner)) => inner.get(*key),
                Some(_) => return RequestValue::Invalid,
            };
        }
        RequestValue::from_member(member)
    }

    /// A parameter that appears twice is ambiguous.
    fn from_pairs(pairs: &[(String, String)], name: &str) -> RequestValue {
        let mut values = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            Some(_) => RequestValue::Invalid,
            None => RequestValue::from_text(first),
        }
    }
}
