//! Turns credentials into the part of a request that authenticates a call.

#![allow(dead_code, reason = "each vendor uses one scheme, and a build may have one vendor")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

use super::InvalidInput;

/// The credentials of a client.
#[derive(Clone)]
pub enum Credentials {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// `Authorization: Basic …`. The user name is secret too, because it identifies an account with some vendors.
    Basic(SecretString, SecretString),
    /// A key in a place of the vendor's own.
    ApiKey {
        /// The part of the request that contains the key.
        place: KeyPlace,
        /// The name of the header, the query parameter or the cookie.
        name: &'static str,
        /// A word before the key, such as `App` in `Authorization: App …`.
        prefix: Option<&'static str>,
        /// The key.
        key: SecretString,
    },
}

/// The parts of a request that can contain an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header.
    Header,
    /// The query string.
    Query,
    /// A cookie.
    Cookie,
}

/// The part of a request that authenticates it. Its bytes are overwritten when the last clone is dropped.
#[derive(Clone)]
pub(crate) enum Authorization {
    /// A header, marked as sensitive.
    Header(HeaderName, HeaderValue),
    /// A pair of the query string, percent-encoded.
    Query(Arc<Zeroizing<String>>),
}

impl Credentials {
    /// What every request of the client contains.
    pub(crate) fn authorization(&self) -> Result<Authorization, InvalidInput> {
        match self {
            Credentials::Bearer(token) => header(AUTHORIZATION, prefixed(Some("Bearer"), checked(token)?)),
            Credentials::Basic(user, password) => {
                if user.expose_secret().contains(':') {
                    return Err(invalid("have a colon in the user name"));
                }
                let pair = Zeroizing::new(format!("{}:{}", checked(user)?, checked(password)?));
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                header(AUTHORIZATION, prefixed(Some("Basic"), &encoded))
            }
            Credentials::ApiKey { place, name, prefix, key } => {
                let key = checked(key)?;
                match place {
                    KeyPlace::Header => {
                        let name = HeaderName::from_bytes(name.as_bytes())
                            .map_err(|_| invalid("have a name that is not allowed in a header"))?;
                        header(name, prefixed(*prefix, key))
                    }
                    KeyPlace::Cookie => {
                        // Cookies have no escapes, so such a key would end early or add another cookie.
                        if !key.bytes().all(is_allowed_in_cookie) {
                            return Err(invalid("have a character that is not allowed in a cookie"));
                        }
                        let value = prefixed(*prefix, key);
                        header(COOKIE, Zeroizing::new(format!("{name}={}", value.as_str())))
                    }
                    KeyPlace::Query => {
                        let value = prefixed(*prefix, key);
                        let pair = format!("{}={}", encoded(name).as_str(), encoded(&value).as_str());
                        Ok(Authorization::Query(Arc::new(Zeroizing::new(pair))))
                    }
                }
            }
        }
    }
}

fn invalid(problem: &'static str) -> InvalidInput {
    InvalidInput::new("credentials", problem)
}

fn prefixed(prefix: Option<&str>, secret: &str) -> Zeroizing<String> {
    Zeroizing::new(match prefix {
        Some(word) => format!("{word} {secret}"),
        None => secret.to_owned(),
    })
}

fn header(name: HeaderName, text: Zeroizing<String>) -> Result<Authorization, InvalidInput> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(ZeroizedText(text)))
        .map_err(|_| invalid("have a character that is not allowed in a header"))?;
    value.set_sensitive(true);
    Ok(Authorization::Header(name, value))
}

/// Percent-encodes a name or a value of the query string. A space becomes `%20`, which every server understands; not
/// every one reads `+` as a space.
fn encoded(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::new());
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        // A plus sign of the text itself is encoded, so this one is a space.
        encoded.push_str(if part == "+" { "%20" } else { part });
    }
    encoded
}

/// Whether a cookie's value may contain the byte (RFC 6265, section 4.1.1).
fn is_allowed_in_cookie(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// The owner of the header's bytes.
struct ZeroizedText(Zeroizing<String>);

impl AsRef<[u8]> for ZeroizedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Checks that a secret is non-empty and fits in one header line.
fn checked(secret: &SecretString) -> Result<&str, InvalidInput> {
    let text = secret.expose_secret();
    if text.is_empty() {
        return Err(InvalidInput::new("credentials", "are empty"));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(InvalidInput::new("credentials", "have a control character or surrounding white space"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(place: KeyPlace, name: &'static str, prefix: Option<&'static str>, key: &str) -> Credentials {
        Credentials::ApiKey { place, name, prefix, key: key.into() }
    }

    /// The name and the value of the header.
    fn header_of(credentials: &Credentials) -> (String, String) {
        let Ok(Authorization::Header(name, value)) = credentials.authorization() else { panic!("no header") };
        assert!(value.is_sensitive());
        (name.to_string(), value.to_str().unwrap().to_owned())
    }

    fn query_of(credentials: &Credentials) -> String {
        let Ok(Authorization::Query(pair)) = credentials.authorization() else { panic!("no query") };
        pair.to_string()
    }

    #[test]
    fn headers_are_sensitive_and_have_the_prefix() {
        let header = |credentials| header_of(&credentials);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header(key(KeyPlace::Header, "api-key", None, "canary")), pair("api-key", "canary"));
        let app = key(KeyPlace::Header, "authorization", Some("App"), "canary");
        assert_eq!(header(app), pair("authorization", "App canary"));
        assert_eq!(header(key(KeyPlace::Cookie, "sid", None, "a=b")), pair("cookie", "sid=a=b"));
        assert_eq!(header(key(KeyPlace::Cookie, "sid", Some("App"), "ab")), pair("cookie", "sid=App ab"));
        assert_eq!(header(Credentials::Bearer("a".into())), pair("authorization", "Bearer a"));
    }

    #[test]
    fn a_key_in_the_query_is_percent_encoded() {
        assert_eq!(query_of(&key(KeyPlace::Query, "api_key", None, "a-b_1.2")), "api_key=a-b_1.2");
        let odd = key(KeyPlace::Query, "key[]", Some("App"), "a+b c&d=e#f%/ä");
        assert_eq!(query_of(&odd), "key%5B%5D=App%20a%2Bb%20c%26d%3De%23f%25%2F%C3%A4");
    }

    #[test]
    fn credentials_that_cannot_be_sent_unchanged_are_rejected() {
        for invalid in ["", " a", "a\n", "a\r\nx-evil: 1", "\u{0}"] {
            assert!(Credentials::Bearer(invalid.into()).authorization().is_err(), "{invalid:?}");
            assert!(Credentials::Basic("a".into(), invalid.into()).authorization().is_err(), "{invalid:?}");
            for place in [KeyPlace::Header, KeyPlace::Query, KeyPlace::Cookie] {
                assert!(key(place, "k", Some("App"), invalid).authorization().is_err(), "{invalid:?}");
            }
        }
        for invalid in ["a;b", "a b", "a,b", "a\"b", "a\\b", "ä"] {
            assert!(key(KeyPlace::Cookie, "k", None, invalid).authorization().is_err(), "{invalid:?}");
        }
        assert!(Credentials::Basic("a:b".into(), "c".into()).authorization().is_err());
    }
}
