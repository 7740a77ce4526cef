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
    /// The name, such as `$CODE`.
    pub shown: &'static str,
}

impl<'a> Guess<'a> {
    /// The code that was issued.
    pub fn right(text: &'a str) -> Guess<'a> {
        Guess { text, shown: "$CODE" }
    }

    /// A well-formed code that was not.
    pub fn wrong(text: &'a str) -> Guess<'a> {
        Guess { text, shown: "$WRONG_CODE" }
    }

    /// No code at all by the documented alphabet.
    pub fn malformed(text: &'a str) -> Guess<'a> {
        Guess { text, shown: "$MALFORMED_CODE" }
    }
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
    pub credential: Credential,
    /// A body in place of the proper one.
    pub body: Option<&'a [u8]>,
}

/// What is shown as credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The tenant's own, by the first scheme that the contract lists.
    Own,
    /// Like the tenant's own, and nobody's.
    Wrong,
    /// None.
    Missing,
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
        let operation = &self.contract.operation;
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
        let mut url = format!("{base}{path}");
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&format!("{}={}", encode(name), encode(value)));
        }
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.extend(self.authentication(masking));
        let mut body = None;
        if operation.has_body {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            body = Some(match self.body {
                Some(raw) => raw.to_vec(),
                None => Value::Object(object).to_string().into_bytes(),
            });
        }
        let mut request = RawRequest { method: operation.method.clone(), url, headers, body };
        if masking != Masking::Nothing {
            self.name_stand_ins(&mut request);
        }
        request
    }

    fn authentication(&self, masking: Masking) -> Option<(String, String)> {
        let (scheme, credentials) = self.scheme()?;
        let credentials = match self.credential {
            Credential::Missing => return None,
            Credential::Own => credentials.clone(),
            Credential::Wrong => credentials.spoiled(),
        };
        let shown =
            |secret: &str| if masking == Masking::Nothing { secret.to_owned() } else { SECRET.to_owned() };
        match (scheme, &credentials) {
            (Scheme::Bearer, Credentials::Token { token }) => {
                Some(("authorization".to_owned(), format!("Bearer {}", shown(token))))
            }
            (Scheme::Basic, Credentials::Basic { username, password }) => {
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
                Some(("authorization".to_owned(), format!("Basic {}", shown(&pair))))
            }
            (Scheme::ApiKey { header }, Credentials::Value { value }) => Some((header.clone(), shown(value))),
            _ => None,
        }
    }

    fn name_stand_ins(&self, request: &mut RawRequest) {
        let credentials = match self.credential {
            Credential::Wrong => "$WRONG_CREDENTIALS",
            Credential::Own | Credential::Missing => "$CREDENTIALS",
        };
        let code = self.code.map_or("$CODE", |code| code.shown);
        let named = |text: &str| text.replace(CODE, code).replace(SECRET, credentials);
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
        self.contract.operation.security.iter().find_map(|scheme| {
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
    /// Credentials of the same form that nobody has.
    fn spoiled(&self) -> Credentials {
        let spoil = |secret: &str| format!("{secret}-wrong");
        match self {
            Credentials::Token { token } => Credentials::Token { token: spoil(token) },
            Credentials::Basic { username, password } => {
                Credentials::Basic { username: username.clone(), password: spoil(password) }
            }
            Credentials::Value { value } => Credentials::Value { value: spoil(value) },
        }
    }
}
