//! Settings from environment variables. Each vendor's module names its own; a value is never part of an error.

#![allow(dead_code, reason = "a build may have one vendor")]

use std::ffi::OsString;

use crate::error::BuildError;

/// The value of a variable that must be set.
pub(crate) fn required(name: &'static str) -> Result<String, BuildError> {
    text(name, std::env::var_os(name))?.ok_or(BuildError::Environment(name))
}

/// The value of a variable that may be set.
pub(crate) fn optional(name: &'static str) -> Result<Option<String>, BuildError> {
    text(name, std::env::var_os(name))
}

/// An empty value counts as none: that is how shells and deployment files unset one.
fn text(name: &'static str, value: Option<OsString>) -> Result<Option<String>, BuildError> {
    match value.map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) if text.is_empty() => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(BuildError::Environment(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_none_and_one_that_is_no_text_an_error() {
        assert_eq!(text("X", None).unwrap(), None);
        assert_eq!(text("X", Some("".into())).unwrap(), None);
        assert_eq!(text("X", Some("a".into())).unwrap().as_deref(), Some("a"));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt as _;
            let error = text("X", Some(OsString::from_vec(vec![0xff]))).unwrap_err();
            assert_eq!(error.to_string(), "the environment variable X is not set, or is no text");
        }
        assert!(matches!(
            required("OTP_VERIFY_NEVER_SET"),
            Err(BuildError::Environment("OTP_VERIFY_NEVER_SET"))
        ));
    }
}
