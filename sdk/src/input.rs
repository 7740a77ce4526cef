//! Checks of arguments before anything is sent. Only what cannot be sent faithfully is refused; whether a code or an id
//! is right is the vendor's to say, and refusing it here would hide the vendor's answer.

use crate::error::InvalidInput;

/// The longest id that is put in a path. The longest documented has 36 characters; a server's limit for a whole URL may be
/// as low as 2 KiB.
const LONGEST: usize = 512;

/// Whether `value` can stand as one segment of a path.
///
/// The generated client percent-encodes a segment, `/`, `%`, `?` and `#` included. It leaves `.` and `\`, and the URL
/// standard drops a segment of dots with the one before it, and takes a backslash for a slash: with either, the call
/// would go to another path.
pub(crate) fn path_segment(what: &'static str, value: &str) -> Result<(), InvalidInput> {
    let problem = if value.is_empty() {
        "is empty"
    } else if value == "." || value == ".." {
        "is a relative path"
    } else if value.chars().any(char::is_control) {
        "has a control character"
    } else if value.contains('\\') {
        "has a backslash"
    } else if value.len() > LONGEST {
        "is longer than 512 bytes"
    } else {
        return Ok(());
    };
    Err(InvalidInput::new(what, problem))
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
    fn a_segment_that_would_change_the_path_is_refused() {
        let long = "a".repeat(513);
        for wrong in ["", ".", "..", "a\nb", "\u{0}", "a\u{7f}", "\u{85}", "..\\..", "\\", &long] {
            assert!(path_segment("sid", wrong).is_err(), "{wrong:?}");
        }
        for right in ["a", "...", ".a", "%2e%2e", "a/b", "?", "#", "ä", "a b", "{x}"] {
            assert!(path_segment("sid", right).is_ok(), "{right:?}");
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
