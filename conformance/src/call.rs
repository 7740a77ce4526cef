//! A verify call, well formed or deliberately not, and how it becomes a request. The same function builds the request
//! that is sent and the one that is shown: for the latter, secrets are replaced by the names of shell variables.

use base64::Engine;
use otp_contract::{Contract, Location, Place, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::control::{Credentials, Tenant};
use crate::wire::RawRequest;

/// Everything but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Stand-ins that survive percent-encoding and JSON, and become `$NAME` when a request is shown.
const CODE: &str = "__CODE__";
const SECRET: &str = "__SECRET__";

/// A code in a call, and the name of the shell variable that stands for it where the call is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess<'a> {
    /// The characters.
    pub text: &'a str,
    /// What is shown for it, such as `$CODE`; the shell must be able to expand it.
    pub shown: &'a str,
}

impl<'a> Guess<'a> {
    /// A code that is no secret, because it was never issued.
    pub fn plain(text: &'a str) -> Guess<'a> {
        Guess { text, shown: text }
    }
}

/// What is done to a call that is not proper.
#[derive(Debug, Clone, Default)]
pub struct Twist<'a> {
    /// Another method.
    pub method: Option<&'a str>,
    /// Another `Content-Type`; an empty one leaves the field out.
    pub content_type: Option<&'a str>,
    /// Further header fields.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Text after the path.
    pub path: &'a str,
    /// A further part of the query, in which `{session}` and `{code}` stand for the call's. Where it has the code, the
    /// proper parameter is left out.
    pub query: Option<&'a str>,
    /// Another body.
    pub body: Option<Body<'a>>,
}

/// A body in place of the proper one.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// This text, in which `{session}` and `{code}` stand for the call's.
    Text(&'a str),
}

/// A verify call.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Whose API it is.
    pub contract: &'a Contract,
    /// The tenant whose account and credentials are used.
    pub tenant: &'a Tenant,
    /// The session named; `None` leaves it out.
    pub session: Option<&'a str>,
    /// The code; `None` leaves it out.
    pub code: Option<Guess<'a>>,
    /// Whether the call allows further attempts, where the API has a parameter for it.
    pub retry: bool,
    /// The lifetime in minutes, where it has to be told.
    pub lifetime_minutes: Option<u64>,
    /// What is shown as credentials.
    pub credential: Credential<'a>,
    /// What is not proper about it.
    pub twist: Twist<'a>,
}

/// What is shown as credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// The tenant's own, by the first scheme that the contract lists.
    Own,
    /// Like the tenant's own, and nobody's.
    Wrong,
    /// The tenant's own, with every letter in the other case.
    OtherCase,
    /// The tenant's own, without the last character of the secret.
    Cut,
    /// The tenant's own user name with an empty password; nothing where the scheme has no user name.
    Emptied,
    /// The tenant's own password with another user name; nothing where the scheme has none.
    OtherUser,
    /// None.
    Missing,
    /// The tenant's own secret in this text, where `{secret}` stands for it.
    Raw(&'a str),
    /// The tenant's own, by the scheme of this name.
    Scheme(&'a str),
}

/// What is hidden when a request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masking {
    /// Nothing: the request is to be sent.
    Nothing,
    /// Credentials.
    Credentials,
    /// Credentials and codes.
    CredentialsAndCodes,
}

impl Call<'_> {
    /// The request, at `base` (scheme and authority).
    pub fn request(&self, base: &str, masking: Masking) -> RawRequest {
        let operation = &self.contract.verify();
        let code = self.code.map(|code| match masking {
            Masking::CredentialsAndCodes => CODE,
            _ => code.text,
        });
        let path = operation.path.fill(|name| {
            let value = match name {
                _ if operation.session.location.is_path(name) => self.session.unwrap_or_default(),
                _ if operation.code.location.is_path(name) => code.unwrap_or_default(),
                account => self.tenant.parameters.get(account).map_or("", String::as_str),
            };
            encode(value)
        });
        let mut query = Vec::new();
        let mut object = Map::new();
        for (location, value) in
            [(&operation.session.location, self.session), (&operation.code.location, code)]
        {
            let Some(value) = value else { continue };
            match location.place {
                Place::Path => {}
                Place::Query if self.twist.query.is_some_and(|query| query.contains("{code}")) => {}
                Place::Query => query.push((location.name.as_str(), value.to_owned())),
                Place::Body => {
                    object.insert(location.name.clone(), value.into());
                }
            }
        }
        let overrides = &self.contract.policy.overrides;
        if let (Some(name), true) = (&overrides.retry, self.retry) {
            query.push((name, "true".to_owned()));
        }
        if let (Some(name), Some(minutes)) = (&overrides.lifetime_minutes, self.lifetime_minutes) {
            query.push((name, minutes.to_string()));
        }
        let filled = |text: &str| {
            text.replace("{session}", self.session.unwrap_or_default())
                .replace("{code}", code.unwrap_or_default())
        };
        let mut pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.extend(self.twist.query.map(&filled));
        let mut url = format!("{base}{path}{}", self.twist.path);
        if !pairs.is_empty() {
            url.push('?');
            url.push_str(&pairs.join("&"));
        }
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.extend(self.authentication(masking));
        let mut body = None;
        if operation.has_body {
            let kind = self.twist.content_type.unwrap_or("application/json");
            if !kind.is_empty() {
                headers.push(("content-type".to_owned(), kind.to_owned()));
            }
            body = Some(match self.twist.body {
                Some(Body::Bytes(bytes)) => match (masking, self.code) {
                    (Masking::CredentialsAndCodes, Some(code)) => without(bytes, code),
                    _ => bytes.to_vec(),
                },
                Some(Body::Text(text)) => filled(text).into_bytes(),
                None => Value::Object(object).to_string().into_bytes(),
            });
        }
        headers
            .extend(self.twist.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let method = self.twist.method.unwrap_or(&operation.method).to_owned();
        let mut request = RawRequest { method, url, headers, body };
        if masking != Masking::Nothing {
            self.name_stand_ins(&mut request);
        }
        request
    }

    fn authentication(&self, masking: Masking) -> Option<(String, String)> {
        let (scheme, credentials) = self.scheme()?;
        let credentials = match self.credential {
            Credential::Missing => return None,
            Credential::Own | Credential::Raw(_) | Credential::Scheme(_) => credentials.clone(),
            Credential::Wrong => credentials.changed(|secret| format!("{secret}-wrong")),
            Credential::OtherCase => credentials.changed(|secret| {
                let lower = |letter: char| letter.is_ascii_lowercase();
                let swap = |letter: char| match lower(letter) {
                    true => letter.to_ascii_uppercase(),
                    false => letter.to_ascii_lowercase(),
                };
                secret.chars().map(swap).collect()
            }),
            Credential::Cut => credentials.changed(|secret| {
                let kept = secret.chars().count().saturating_sub(1);
                secret.chars().take(kept).collect()
            }),
            Credential::Emptied => match credentials {
                Credentials::Basic { .. } => credentials.changed(|_| String::new()),
                _ => return None,
            },
            Credential::OtherUser => match credentials {
                Credentials::Basic { username, password } => {
                    Credentials::Basic { username: format!("{username}x"), password: password.clone() }
                }
                _ => return None,
            },
        };
        let secret = match (masking, &credentials) {
            (Masking::Nothing, Credentials::Token { token }) => token.clone(),
            (Masking::Nothing, Credentials::Basic { username, password }) => {
                base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"))
            }
            (Masking::Nothing, Credentials::Value { value }) => value.clone(),
            _ => SECRET.to_owned(),
        };
        let (header, word) = match scheme {
            Scheme::Bearer => ("authorization", "Bearer "),
            Scheme::Basic => ("authorization", "Basic "),
            Scheme::ApiKey { header } => (header.as_str(), ""),
        };
        let value = match self.credential {
            Credential::Raw(text) => text.replace("{secret}", &secret),
            _ => format!("{word}{secret}"),
        };
        Some((header.to_owned(), value))
    }

    fn name_stand_ins(&self, request: &mut RawRequest) {
        let credentials = match self.credential {
            Credential::Wrong
            | Credential::OtherCase
            | Credential::Cut
            | Credential::Emptied
            | Credential::OtherUser => format!("$WRONG_CREDENTIALS_{}", self.tenant.number),
            _ => format!("$CREDENTIALS_{}", self.tenant.number),
        };
        let code = self.code.map_or("", |code| code.shown);
        let named = |text: &str| text.replace(CODE, code).replace(SECRET, &credentials);
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

    /// The first scheme of the contract that the tenant has credentials for.
    fn scheme(&self) -> Option<(&Scheme, &Credentials)> {
        let wanted = |name: &str| match self.credential {
            Credential::Scheme(scheme) => scheme == name,
            _ => true,
        };
        self.contract.verify().security.iter().filter(|scheme| wanted(&scheme.name)).find_map(|scheme| {
            let credentials = self.tenant.credentials.get(&scheme.name)?;
            Some((&scheme.scheme, credentials))
        })
    }
}

/// `location` names the path parameter `name`.
trait InPath {
    fn is_path(&self, name: &str) -> bool;
}

impl InPath for Location {
    fn is_path(&self, name: &str) -> bool {
        self.place == Place::Path && self.name == name
    }
}

fn encode(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

impl Credentials {
    /// Credentials of the same form with another secret.
    fn changed(&self, spoil: impl Fn(&str) -> String) -> Credentials {
        match self {
            Credentials::Token { token } => Credentials::Token { token: spoil(token) },
            Credentials::Basic { username, password } => {
                Credentials::Basic { username: username.clone(), password: spoil(password) }
            }
            Credentials::Value { value } => Credentials::Value { value: spoil(value) },
        }
    }
}

/// `bytes` with the name of a code in its place, in UTF-8 and in UTF-16.
fn without(bytes: &[u8], code: Guess<'_>) -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let narrow = |text: &str| text.as_bytes().to_vec();
    let mut shown = bytes.to_vec();
    for (secret, name) in [(narrow(code.text), narrow(code.shown)), (wide(code.text), wide(code.shown))] {
        // A code that was never issued is shown as it is.
        while !secret.is_empty()
            && secret != name
            && let Some(at) = shown.windows(secret.len()).position(|window| window == secret)
        {
            shown.splice(at..at + secret.len(), name.iter().copied());
        }
    }
    shown
}
