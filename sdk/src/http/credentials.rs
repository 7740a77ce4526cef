//! Turns credentials into the header that authenticates a call.

#![allow(dead_code, reason = "each vendor uses one scheme, and a build may have one vendor")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::InvalidInput;

/// The credentials of a client.
#[derive(Clone)]
pub enum Credentials {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// `Authorization: Basic …`. The user name is secret too, because it identifies an account with some vendors.
    Basic(SecretString, SecretString),
    /// A custom header.
    Header(&'static str, SecretString),
}

impl Credentials {
    /// The header, marked as sensitive. Its bytes are overwritten when the last clone is dropped.
    pub(crate) fn header(&self) -> Result<(HeaderName, HeaderValue), InvalidInput> {
        let (name, text) = match self {
            Credentials::Bearer(token) => {
                (AUTHORIZATION, Zeroizing::new(format!("Bearer {}", checked(token)?)))
            }
            Credentials::Basic(user, password) => {
                if user.expose_secret().contains(':') {
                    return Err(InvalidInput::new("credentials", "have a colon in the user name"));
                }
                let pair = Zeroizing::new(format!("{}:{}", checked(user)?, checked(password)?));
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                (AUTHORIZATION, Zeroizing::new(format!("Basic {}", encoded.as_str())))
            }
            Credentials::Header(name, key) => {
                (HeaderName::from_static(name), Zeroizing::new(checked(key)?.to_owned()))
            }
        };
        let mut value =
            HeaderValue::from_maybe_shared(Bytes::from_owner(ZeroizedText(text))).map_err(|_| {
                InvalidInput::new("credentials", "have a character that is not allowed in a header")
            })?;
        value.set_sensitive(true);
        Ok((name, value))
    }
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

    #[test]
    fn the_header_is_sensitive() {
        let (name, value) = Credentials::Header("api-key", "canary".into()).header().unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("api-key", b"canary".as_slice()));
        assert!(value.is_sensitive());
    }

    #[test]
    fn credentials_that_do_not_fit_in_a_header_are_rejected() {
        for invalid in ["", " a", "a\n", "a\r\nx-evil: 1", "\u{0}"] {
            assert!(Credentials::Bearer(invalid.into()).header().is_err(), "{invalid:?}");
            assert!(Credentials::Basic("a".into(), invalid.into()).header().is_err(), "{invalid:?}");
        }
        assert!(Credentials::Basic("a:b".into(), "c".into()).header().is_err());
    }
}
