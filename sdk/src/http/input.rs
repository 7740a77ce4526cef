//! Checks arguments before anything is sent.
//!
//! Rejects only what cannot be sent unchanged. Whether a code or an id is correct is for the vendor to decide;
//! rejecting it here would hide the vendor's response.

use reqwest::Url;
use url::Host;

use super::InvalidInput;

/// The name of the argument with the session id.
pub(crate) const SESSION_ID: &str = "session_id";
/// The name of the argument with the code.
pub(crate) const CODE: &str = "code";

/// The longest id or code. The longest documented one has 36 bytes, and some servers limit a whole URL to 2 KiB.
const MAX_IDENTIFIER_BYTES: usize = 512;

/// Checks that `value` can be sent as a session id, a code or an account, in a path as well as in a body.
///
/// The generated code percent-encodes path segments, but not `.` and `\`. The URL standard removes a segment of dots
/// together with the one before it, and treats a backslash as a slash, so either would change the path of the call.
/// Encoded dots are rejected too, because some gateways decode twice. The same rules apply to values in a body, because
/// a vendor's own services may put them in paths.
pub(crate) fn check_identifier(argument: &'static str, value: &str) -> Result<(), InvalidInput> {
    let problem = if value.is_empty() {
        "is empty"
    } else if value.len() > MAX_IDENTIFIER_BYTES {
        "is longer than 512 bytes"
    } else if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        // The usual case, which needs none of the checks below.
        return Ok(());
    } else if value.chars().any(char::is_control) {
        "has a control character"
    } else if value.contains('\\') {
        "has a backslash"
    } else if has_dot_segment(value) {
        "is a relative path"
    } else {
        return Ok(());
    };
    Err(InvalidInput::new(argument, problem))
}

/// Whether a segment of the value is `.` or `..`, plain or percent-encoded any number of times.
fn has_dot_segment(value: &str) -> bool {
    let mut text = value.to_ascii_lowercase();
    while text.contains("%25") {
        text = text.replace("%25", "%");
    }
    text.replace("%2e", ".").replace("%2f", "/").split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Parses the base URL of a client: `https` to any host or `http` to this machine, without query, fragment and
/// credentials.
pub(crate) fn base_url(text: &str) -> Result<Url, InvalidInput> {
    let invalid = |problem| InvalidInput::new("base_url", problem);
    let url = Url::parse(text).map_err(|_| invalid("is not an absolute url"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("has a query or a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("has credentials"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(invalid("must use https, or http to this machine")),
    }
}

/// Whether the host is this machine. `localhost` is the only trusted name; any other may resolve to any address.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_change_the_path_or_cannot_be_sent_are_rejected() {
        let long = "a".repeat(513);
        for invalid in [
            "",
            ".",
            "..",
            "%2e",
            "%2e%2E",
            ".%2e",
            "%252e%252e",
            "a\nb",
            "\u{0}",
            "a\u{7f}",
            "\u{85}",
            "..\\..",
            "\\",
            "../x",
            "a/../../b",
            "a/.",
            "%2e%2e/x",
            "x%2f..",
            &long,
        ] {
            assert!(check_identifier("sid", invalid).is_err(), "{invalid:?}");
        }
        for valid in ["a", "...", ".a", "%2e%2ea", "a/b", "?", "#", "ä", "a b", "{x}", "%"] {
            assert!(check_identifier("sid", valid).is_ok(), "{valid:?}");
        }
    }

    #[test]
    fn plain_http_is_allowed_to_this_machine_only() {
        for valid in [
            "https://api.example.com",
            "https://h:8443/base",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(base_url(valid).is_ok(), "{valid}");
        }
        for invalid in [
            "http://api.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "api.example.com",
            "",
            "https://user@h",
            "https://:pass@h",
            "https://h?x=1",
            "https://h#x",
        ] {
            assert!(base_url(invalid).is_err(), "{invalid}");
        }
    }
}
