//! Credentials → the one header that authenticates a call.

#![allow(dead_code, reason = "each vendor has its own scheme, and a build may have one vendor")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::InvalidInput;

/// What a vendor authenticates a call by.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// `Authorization: Bearer …`
    Bearer(SecretString),
    /// `Authorization: Basic …`; the user name is as secret as the rest, for it is some vendor's account.
    Basic(SecretString, SecretString),
    /// A header of the vendor's own.
    Header(&'static str, SecretString),
}

impl Credentials {
    /// The header, marked as sensitive.
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
        // The header's own bytes are overwritten as well when the last client is gone.
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Kept(text)))
            .map_err(|_| InvalidInput::new("credentials", "have a character that no header can carry"))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

/// The text of the header, as what owns the header's bytes.
struct Kept(Zeroizing<String>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A secret that is there and can be one line of a header.
fn checked(secret: &SecretString) -> Result<&str, InvalidInput> {
    let text = secret.expose_secret();
    if text.is_empty() {
        return Err(InvalidInput::new("credentials", "are empty"));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(InvalidInput::new("credentials", "have a control character, or white space around them"));
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
    fn what_no_header_can_carry_is_refused() {
        for wrong in ["", " a", "a\n", "a\r\nx-evil: 1", "\u{0}"] {
            assert!(Credentials::Bearer(wrong.into()).header().is_err(), "{wrong:?}");
            assert!(Credentials::Basic("a".into(), wrong.into()).header().is_err(), "{wrong:?}");
        }
        assert!(Credentials::Basic("a:b".into(), "c".into()).header().is_err());
    }
}
