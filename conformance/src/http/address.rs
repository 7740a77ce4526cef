//! The address of a server, as a user writes it: a URL or a Unix socket.
//!
//! May use nothing else. Its messages repeat what the user wrote, and must never repeat a password or a query, which may
//! have a key.

use std::path::{Path, PathBuf};

use http::Uri;
use http::uri::{Authority, Scheme};

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    endpoint: Endpoint,
}

/// What a connection is made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A host and a port.
    Network {
        /// Whether the scheme is `https`.
        tls: bool,
        /// The host, and the port if there is one.
        authority: Authority,
    },
    /// A Unix socket.
    Socket(PathBuf),
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with the text, which the message repeats without secrets.
    pub(crate) fn parse(text: &str) -> Result<Address, String> {
        let wrong = |problem: &str| Err(format!("`{}` {problem}", shown(text)));
        if text.trim().is_empty() {
            return Err("the address is empty".to_owned());
        }
        if let Some(path) = text.strip_prefix("unix:") {
            // `unix:///run/app.sock` and `unix:/run/app.sock` are the same.
            let path = if path.starts_with("//") { path.replacen("//", "", 1) } else { path.to_owned() };
            return match path.trim_matches('/').is_empty() {
                true => wrong("names no socket; write unix:/path/to/socket"),
                false if cfg!(not(unix)) => wrong("is a Unix socket, which this system does not have"),
                false => {
                    Ok(Address { text: text.to_owned(), endpoint: Endpoint::Socket(PathBuf::from(path)) })
                }
            };
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!(
                "`{0}` has no scheme; write http://{0} or https://{0}",
                shown(text).trim_start_matches('/')
            ));
        };
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return wrong("does not begin with http://, https:// or unix:");
        }
        if rest.contains('@') {
            return wrong(
                "contains credentials, which an address must not; they come from the control or the config file",
            );
        }
        if rest.contains('?') {
            return wrong("has a query; the address of an API is what stands before its paths");
        }
        if rest.contains('#') {
            return wrong("has a fragment; the address of an API is what stands before its paths");
        }
        if rest.is_empty() || rest.starts_with(['/', ':']) {
            return wrong("names no host");
        }
        let uri = match text.parse::<Uri>() {
            Ok(uri) => uri,
            Err(error) => return wrong(&format!("is not a valid URL: {error}")),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return wrong("names no host");
        };
        let port = authority.as_str().trim_start_matches(authority.host());
        if !port.is_empty() && authority.port_u16().is_none() {
            return wrong("has no valid port");
        }
        let endpoint =
            Endpoint::Network { tls: uri.scheme() == Some(&Scheme::HTTPS), authority: authority.clone() };
        Ok(Address { text: text.trim_end_matches('/').to_owned(), endpoint })
    }

    /// What the user wrote, without a slash at the end; the URLs of requests begin with it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What a connection is made to.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether the connection is encrypted.
    pub(crate) fn has_tls(&self) -> bool {
        matches!(self.endpoint, Endpoint::Network { tls: true, .. })
    }

    /// The path of its Unix socket, if it is one.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match &self.endpoint {
            Endpoint::Socket(path) => Some(path),
            Endpoint::Network { .. } => None,
        }
    }
}

/// The text without what may be a secret, on one line.
fn shown(text: &str) -> String {
    const MOST: usize = 120;
    let start = text.find("://").map_or(0, |at| at + 3);
    let public = match text.rfind('@').filter(|at| *at >= start) {
        Some(at) => format!("{}…{}", &text[..start], &text[at..]),
        None => text.to_owned(),
    };
    let public = match public.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => public,
    };
    let line: String = public.chars().take(MOST).flat_map(char::escape_debug).collect();
    if public.chars().count() > MOST { format!("{line}…") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_address_is_repeated_with_what_is_wrong_and_without_secrets() {
        for (text, problem) in [
            ("", "the address is empty"),
            (
                "127.0.0.1:80",
                "`127.0.0.1:80` has no scheme; write http://127.0.0.1:80 or https://127.0.0.1:80",
            ),
            ("localhost:80/api", "`localhost:80/api` has no scheme; write http://localhost:80/api or "),
            ("//host", "write http://host"),
            ("u:s3cret@host", "`…@host` has no scheme"),
            ("ws://host", "`ws://host` does not begin with http://, https:// or unix:"),
            ("http://u:s3cret@host/x", "`http://…@host/x` contains credentials"),
            ("http://u:s3/cret@host", "`http://…@host` contains credentials"),
            ("http://host/x?key=s3cret", "`http://host/x?…` has a query"),
            ("http://host/x#y", "has a fragment"),
            ("http:///x", "`http:///x` names no host"),
            ("http://:80", "names no host"),
            ("http://host:", "has no valid port"),
            ("http://host:99999", "port"),
            ("http://a b", "`http://a b` is not a valid URL"),
            ("http://a\n\u{1b}[2J", "`http://a\\n\\u{1b}[2J` is not a valid URL"),
            ("unix:", "`unix:` names no socket"),
            ("unix:///", "names no socket"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.contains(problem), "{text:?}: {error}");
            assert!(!error.contains("s3"), "{error}");
        }
    }

    #[test]
    fn an_address_keeps_its_path_and_loses_its_slash() {
        let address = Address::parse("https://[::1]:8443/api/").unwrap();
        assert_eq!(address.text(), "https://[::1]:8443/api");
        assert!(address.has_tls());
        for text in ["unix:/run/a.sock", "unix:///run/a.sock"] {
            assert_eq!(Address::parse(text).unwrap().socket(), Some(Path::new("/run/a.sock")), "{text}");
        }
    }
}
