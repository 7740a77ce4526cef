//! A verify call, well formed or deliberately not, and the request that it becomes.
//!
//! One function builds both the request that is sent and the request that reports show: in the latter, the names of
//! shell variables replace the secrets. Typed clients cannot build most of these requests, so this must never use one.

use otp_contract::{BodyEncoding, Contract, Location, Operation, Place};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::credentials::Carried;
use super::{Credential, Masking, Tenant, credentials};
use crate::http::RawRequest;

/// All characters but the unreserved ones of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Placeholders that percent-encoding and JSON leave unchanged, and that become `$NAME` when a request is shown.
const CODE_PLACEHOLDER: &str = "__CODE__";
const SECRET_PLACEHOLDER: &str = "__SECRET__";

/// A code in a call, and what reports show for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubmittedCode<'a> {
    /// The characters.
    pub(crate) text: &'a str,
    /// What reports show, such as `$CODE`; a shell must be able to expand it.
    pub(crate) shown: &'a str,
}

impl<'a> SubmittedCode<'a> {
    /// A code that is no secret, because it was never issued.
    pub(crate) fn plain(text: &'a str) -> SubmittedCode<'a> {
        SubmittedCode { text, shown: text }
    }
}

/// How a request differs from a well-formed one.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestMutation<'a> {
    /// Another method.
    pub(crate) method: Option<&'a str>,
    /// Another `Content-Type`; an empty one omits the header.
    pub(crate) content_type: Option<&'a str>,
    /// Additional header fields.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    /// Text to append to the path.
    pub(crate) path: &'a str,
    /// An additional part of the query, in which `{session}` and `{code}` stand for the call's. If it contains the code,
    /// the regular parameter is omitted.
    pub(crate) query: Option<&'a str>,
    /// Another body.
    pub(crate) body: Option<Body<'a>>,
}

/// A body that replaces the well-formed one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// This text, in which `{session}` and `{code}` stand for the call's.
    Text(&'a str),
}

/// A verify call.
#[derive(Debug, Clone)]
pub(crate) struct VerifyCall<'a> {
    /// The contract of the API.
    pub(crate) contract: &'a Contract,
    /// The operation to call.
    pub(crate) operation: &'a Operation,
    /// The tenant whose account and credentials the call uses.
    pub(crate) tenant: &'a Tenant,
    /// The session; `None` omits it.
    pub(crate) session: Option<&'a str>,
    /// The code; `None` omits it.
    pub(crate) code: Option<SubmittedCode<'a>>,
    /// Whether the call asks for further attempts, if the API has a parameter for it.
    pub(crate) retry: bool,
    /// The lifetime in minutes, if the call has to state it.
    pub(crate) lifetime_minutes: Option<u64>,
    /// The credentials.
    pub(crate) credential: Credential<'a>,
    /// How the request differs from a well-formed one.
    pub(crate) mutation: RequestMutation<'a>,
}

impl VerifyCall<'_> {
    /// The request to `base`, a scheme and an authority.
    pub(crate) fn request(&self, base: &str, masking: Masking) -> RawRequest {
        let operation = self.operation;
        let code = self.code.map(|code| match masking {
            Masking::CredentialsAndCodes => CODE_PLACEHOLDER,
            _ => code.text,
        });
        let filled = |text: &str| {
            text.replace("{session}", self.session.unwrap_or_default())
                .replace("{code}", code.unwrap_or_default())
        };
        let mut headers = vec![("accept".to_owned(), operation.response_media_types().join(", "))];
        let placeholder = (masking != Masking::Nothing).then_some(SECRET_PLACEHOLDER);
        let mut key = None;
        match credentials::carried(self.credential, &operation.security, self.tenant, placeholder) {
            Some(Carried::Header(name, value)) => headers.push((name, value)),
            Some(Carried::Query(name, value)) => key = Some((name, value)),
            None => {}
        }
        let mut body = None;
        if let Some(encoding) = operation.body {
            let media_type = self.mutation.content_type.unwrap_or(encoding.media_type());
            if !media_type.is_empty() {
                headers.push(("content-type".to_owned(), media_type.to_owned()));
            }
            body = Some(match self.mutation.body {
                Some(Body::Bytes(bytes)) => match (masking, self.code) {
                    (Masking::CredentialsAndCodes, Some(code)) => without_code(bytes, code),
                    _ => bytes.to_vec(),
                },
                Some(Body::Text(text)) => filled(text).into_bytes(),
                None => match encoding {
                    BodyEncoding::Json => self.json(code).to_string().into_bytes(),
                    BodyEncoding::Form => self.form(code).into_bytes(),
                },
            });
        }
        let additional = self.mutation.headers.iter();
        headers.extend(additional.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let method = self.mutation.method.unwrap_or(&operation.method).to_owned();
        let mut request = RawRequest { method, url: self.url(base, code, key, &filled), headers, body };
        if masking != Masking::Nothing {
            self.name_secrets(&mut request);
        }
        request
    }

    /// Session and code, each with its place in the request.
    fn carried<'c>(&'c self, code: Option<&'c str>) -> [(&'c Location, Option<&'c str>); 2] {
        [(&self.operation.session.location, self.session), (&self.operation.code.location, code)]
    }

    fn url(
        &self,
        base: &str,
        code: Option<&str>,
        key: Option<(String, String)>,
        filled: &dyn Fn(&str) -> String,
    ) -> String {
        let carried = self.carried(code);
        let path = self.operation.path.fill(|name| {
            let in_path = |location: &Location| location.place == Place::Path && location.name == name;
            encode(match carried.iter().find(|(location, _)| in_path(location)) {
                Some((_, value)) => value.unwrap_or_default(),
                None => self.tenant.parameters.get(name).map_or("", String::as_str),
            })
        });
        let mut query = Vec::new();
        for (location, value) in carried {
            let replaced = self.mutation.query.is_some_and(|query| query.contains("{code}"));
            if let (Place::Query, Some(value), false) = (location.place, value, replaced) {
                query.push((location.name.as_str(), value.to_owned()));
            }
        }
        let overrides = &self.contract.policy.overrides;
        if let (Some(name), true) = (&overrides.retry, self.retry) {
            query.push((name, "true".to_owned()));
        }
        if let (Some(name), Some(minutes)) = (&overrides.lifetime_minutes, self.lifetime_minutes) {
            query.push((name, minutes.to_string()));
        }
        let mut pairs: Vec<String> = query.iter().map(|(name, value)| pair(name, value)).collect();
        pairs.extend(key.map(|(name, value)| pair(&name, &value)));
        pairs.extend(self.mutation.query.map(filled));
        let mut url = format!("{base}{path}{}", self.mutation.path);
        if !pairs.is_empty() {
            url.push('?');
            url.push_str(&pairs.join("&"));
        }
        url
    }

    /// The well-formed form-encoded body.
    fn form(&self, code: Option<&str>) -> String {
        let fields = self.carried(code).into_iter().filter(|(location, _)| location.place == Place::Form);
        let pairs = fields.filter_map(|(location, value)| Some(pair(&location.name, value?)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The well-formed JSON body.
    fn json(&self, code: Option<&str>) -> Value {
        let mut object = Map::new();
        for (location, value) in self.carried(code) {
            if let (Place::Body, Some(value)) = (location.place, value) {
                insert(&mut object, &location.keys(), value);
            }
        }
        Value::Object(object)
    }

    /// Replaces the placeholders by the names that a script has for the secrets.
    fn name_secrets(&self, request: &mut RawRequest) {
        let credentials = match self.credential {
            Credential::Wrong
            | Credential::Extended
            | Credential::OtherCase
            | Credential::Truncated
            | Credential::EmptyPassword
            | Credential::OtherUser => format!("$WRONG_CREDENTIALS_{}", self.tenant.number),
            _ => format!("$CREDENTIALS_{}", self.tenant.number),
        };
        let code = self.code.map_or("", |code| code.shown);
        let named =
            |text: &str| text.replace(CODE_PLACEHOLDER, code).replace(SECRET_PLACEHOLDER, &credentials);
        request.url = named(&request.url);
        for (_, value) in &mut request.headers {
            *value = named(value);
        }
        if let Some(body) = &mut request.body
            && let Ok(text) = std::str::from_utf8(body)
        {
            *body = named(text).into_bytes();
        }
    }
}

/// A name and a value as a query or a form has them.
/// Puts `value` at the end of `keys`, which name an object at each step.
fn insert(object: &mut Map<String, Value>, keys: &[&str], value: &str) {
    match keys {
        [] => {}
        [name] => {
            object.insert((*name).to_owned(), value.into());
        }
        [name, rest @ ..] => {
            let inner = object.entry(*name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", encode(name), encode(value))
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// `bytes` with the code replaced by its name, in UTF-8 and in UTF-16.
fn without_code(bytes: &[u8], code: SubmittedCode<'_>) -> Vec<u8> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let utf8 = |text: &str| text.as_bytes().to_vec();
    let mut shown = bytes.to_vec();
    for (secret, name) in [(utf8(code.text), utf8(code.shown)), (utf16(code.text), utf16(code.shown))] {
        // A code that was never issued is its own name.
        while !secret.is_empty()
            && secret != name
            && let Some(at) = shown.windows(secret.len()).position(|window| window == secret)
        {
            shown.splice(at..at + secret.len(), name.iter().copied());
        }
    }
    shown
}
