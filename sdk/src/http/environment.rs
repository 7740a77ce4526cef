//! Reads settings from environment variables. Each vendor's module names its own. No error contains a value.

#![allow(dead_code, reason = "a build may have no vendor")]

use std::env::{self, VarError};
use std::str::FromStr;

use super::{BuildError, InvalidInput};

/// The value of a required variable.
pub fn required(name: &'static str) -> Result<String, BuildError> {
    optional(name)?.ok_or(BuildError::Environment(name))
}

/// The value of a required variable that is no text. `problem` says what any other value must be, such as "must be true
/// or false".
pub fn parsed<T: FromStr>(name: &'static str, problem: &'static str) -> Result<T, BuildError> {
    let text = required(name)?;
    text.trim().parse().map_err(|_| BuildError::InvalidInput(InvalidInput::new(name, problem)))
}

/// The value of an optional variable.
pub(crate) fn optional(name: &'static str) -> Result<Option<String>, BuildError> {
    non_empty(name, env::var(name))
}

/// Treats an empty value as unset, because shells and deployment files unset variables that way.
fn non_empty(name: &'static str, value: Result<String, VarError>) -> Result<Option<String>, BuildError> {
    match value {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(BuildError::Environment(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_unset_and_invalid_unicode_is_an_error() {
        assert_eq!(non_empty("X", Err(VarError::NotPresent)).unwrap(), None);
        assert_eq!(non_empty("X", Ok(String::new())).unwrap(), None);
        assert_eq!(non_empty("X", Ok("a".to_owned())).unwrap().as_deref(), Some("a"));
        let error = non_empty("X", Err(VarError::NotUnicode("a secret".into()))).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable X is not set or is not valid unicode");
        assert!(matches!(
            required("OTP_VERIFY_NEVER_SET"),
            Err(BuildError::Environment("OTP_VERIFY_NEVER_SET"))
        ));
    }
}
