//! Text that must not be printed: codes, session ids, accounts and other text of requests.
//!
//! Only this crate can read the text, and no `Debug` or `Display` of a public type shows it. Its memory is overwritten
//! when the last clone is dropped.

use std::fmt;
use std::sync::Arc;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The code that a user entered.
///
/// `Debug` and `Display` hide it, and its memory is overwritten when the last clone is dropped. It is sent unchanged:
/// the client neither trims white space nor converts digits, because the vendor decides which codes are valid.
///
/// ```
/// use otp_verify::Code;
///
/// let code = Code::new("123456");
/// assert_eq!(format!("{code} {code:?}"), "[hidden] Code([hidden])");
/// ```
#[derive(Clone)]
pub struct Code(Secret);

impl Code {
    /// Creates a code. The call checks whether it can be sent.
    ///
    /// There is no `From` conversion, so that session id and code cannot be swapped.
    pub fn new(text: impl Into<String>) -> Code {
        Code(Secret::new(text.into()))
    }
}

/// The id that the vendor assigned to the verification: Zeckta's `sessionId`, Kaleyra's `verify_id`, DailyStory's
/// `dsid`, Exotel's `verification_id`, D7's `otp_id`.
///
/// `Debug` and `Display` hide it, because anyone who reads it in a log could try codes for it.
#[derive(Clone)]
pub struct SessionId(Secret);

impl From<&str> for SessionId {
    fn from(text: &str) -> SessionId {
        SessionId(Secret::new(text.to_owned()))
    }
}

impl From<String> for SessionId {
    fn from(text: String) -> SessionId {
        SessionId(Secret::new(text))
    }
}

impl From<&String> for SessionId {
    fn from(text: &String) -> SessionId {
        SessionId::from(text.as_str())
    }
}

impl From<&SessionId> for SessionId {
    fn from(id: &SessionId) -> SessionId {
        id.clone()
    }
}

macro_rules! hidden {
    ($($name:ident)*) => {$(
        impl $name {
            pub(crate) fn into_secret(self) -> Secret {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([hidden])"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[hidden]")
            }
        }
    )*};
}

hidden!(Code SessionId);

/// The text of a [`Code`], a [`SessionId`], an account or another value of a request.
///
/// Generated requests have this type wherever the contract has text. `Display` and
/// `Serialize` show the text, because generated code uses them to build the request; therefore only generated code can
/// name the type.
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Hides the text.
    pub fn new(text: String) -> Secret {
        if text.len() == text.capacity() {
            return Secret(Arc::new(SecretString::from(text)));
        }
        // Shrinking would move the text and leave the original in memory, so it is copied and overwritten.
        let text = Zeroizing::new(text);
        Secret(Arc::new(SecretString::from(text.as_str())))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expose())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

// The generator derives `Deserialize` for every type. No response has a secret.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_generated_code_can_read_the_text() {
        let (code, session) = (Code::new("canary"), SessionId::from("canary"));
        let printed =
            format!("{code} {code:?} {code:#?} {session} {session:?} {:?}", code.clone().into_secret());
        assert!(!printed.contains("canary"), "{printed}");
        assert_eq!(code.into_secret().to_string(), "canary");
        assert_eq!(serde_json::to_string(&session.into_secret()).unwrap(), "\"canary\"");
    }
}
