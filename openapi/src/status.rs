//! The HTTP statuses that a response may have: one status, or a class if the vendor names none.
//!
//! Uses nothing of this crate, and must not know what a response means.

use std::fmt;
use std::str::FromStr;

/// A key of an OpenAPI `responses` object: `404`, or a range such as `4XX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusPattern {
    /// Exactly this status.
    Exact(u16),
    /// Any status of this class: 4 stands for 400 to 499.
    Class(u8),
}

impl StatusPattern {
    /// Whether the pattern includes `status`.
    pub fn matches(self, status: u16) -> bool {
        match self {
            StatusPattern::Exact(exact) => status == exact,
            StatusPattern::Class(class) => status / 100 == u16::from(class),
        }
    }

    /// The status, if the pattern includes only one.
    pub fn exact(self) -> Option<u16> {
        match self {
            StatusPattern::Exact(exact) => Some(exact),
            StatusPattern::Class(_) => None,
        }
    }

    /// Whether the pattern includes only 2xx statuses.
    pub fn is_success(self) -> bool {
        match self {
            StatusPattern::Exact(exact) => exact / 100 == 2,
            StatusPattern::Class(class) => class == 2,
        }
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatusPattern::Exact(exact) => f.pad(&exact.to_string()),
            StatusPattern::Class(class) => f.pad(&format!("{class}xx")),
        }
    }
}

impl FromStr for StatusPattern {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(class) = text.strip_suffix("XX") {
            return match class.parse() {
                Ok(class @ 1..=5) => Ok(StatusPattern::Class(class)),
                _ => Err(()),
            };
        }
        match text.parse() {
            Ok(exact @ 100..=599) => Ok(StatusPattern::Exact(exact)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_its_whole_class_and_nothing_else() {
        let range: StatusPattern = "4XX".parse().unwrap();
        assert!(range.matches(400) && range.matches(499));
        assert!(!range.matches(399) && !range.matches(500));
    }

    #[test]
    fn only_the_keys_that_openapi_allows_are_parsed() {
        for key in ["", "XX", "0XX", "6XX", "4xx", "40", "600", "default", "-1"] {
            assert!(key.parse::<StatusPattern>().is_err(), "{key}");
        }
    }
}
