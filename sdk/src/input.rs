//! Checks of arguments before anything is sent. Only what cannot be sent faithfully is refused; whether a code or an id
//! is right is the vendor's to say, and refusing it here would hide the vendor's answer.

use crate::error::InvalidInput;

/// The longest id or code that is sent, in bytes. The longest documented has 36; a server's limit for a whole URL may be
/// as low as 2 KiB.
const LONGEST: usize = 512;

/// Whether `value` can be sent as a session id, a code or an account, in a path as well as in a body.
///
/// The generated client percent-encodes a segment of a path, `/`, `%`, `?` and `#` included. It leaves `.` and `\`, and
/// the URL standard drops a segment of dots with the one before it, and takes a backslash for a slash: with either, the
/// call would go to another path. Dots that are encoded already are refused too, for a gateway that decodes twice. The
/// same holds for values in a body: a vendor's own services put them in paths.
pub(crate) fn identifier(what: &'static str, value: &str) -> Result<(), InvalidInput> {
    let problem = if value.is_empty() {
        "is empty"
    } else if value.len() > LONGEST {
        "is longer than 512 bytes"
    } else if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        // As nearly all are: nothing of what follows is looked for.
        return Ok(());
    } else if value.chars().any(char::is_control) {
        "has a control character"
    } else if value.contains('\\') {
        "has a backslash"
    } else if is_dots(value) {
        "is a relative path"
    } else {
        return Ok(());
    };
    Err(InvalidInput::new(what, problem))
}

/// Whether a segment of the value is `.` or `..`, plain or percent-encoded once or more.
fn is_dots(value: &str) -> bool {
    let mut text = value.to_ascii_lowercase();
    while text.contains("%25") {
        text = text.replace("%25", "%");
    }
    text.replace("%2e", ".").replace("%2f", "/").split('/').any(|segment| matches!(segment, "." | ".."))
}

/// The base address of a client: `https` anywhere, `http` to this machine only, and no query, fragment or credentials.
pub(crate) fn base_url(text: &str) -> Result<reqwest::Url, InvalidInput> {
    let refuse = |problem| InvalidInput::new("base_url", problem);
    let url = reqwest::Url::parse(text).map_err(|_| refuse("is no absolute URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("has credentials in it"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(refuse("is neither https, nor http to this machine")),
    }
}

/// Whether the host is this machine. Only `localhost` is trusted among names: any other may resolve to anything.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_the_path_or_cannot_be_sent_is_refused() {
        let long = "a".repeat(513);
        for wrong in [
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
            assert!(identifier("sid", wrong).is_err(), "{wrong:?}");
        }
        for right in ["a", "...", ".a", "%2e%2ea", "a/b", "?", "#", "ä", "a b", "{x}", "%"] {
            assert!(identifier("sid", right).is_ok(), "{right:?}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for right in [
            "https://api.example.com",
            "https://h:8443/base",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(base_url(right).is_ok(), "{right}");
        }
        for wrong in [
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
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
