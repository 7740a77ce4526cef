//! Addresses that replace the resolution of a name, as `--resolve` of curl has them.

use std::net::{IpAddr, SocketAddr};

use http::Uri;

/// The addresses of one host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolve {
    text: String,
    host: String,
    port: u16,
    addresses: Vec<IpAddr>,
}

impl Resolve {
    /// Reads `HOST:PORT:ADDRESS`, with more addresses after commas. The host `*` stands for all hosts.
    pub(super) fn parse(text: &str) -> Result<Resolve, String> {
        let read = || {
            let (host, rest) = match text.strip_prefix('[') {
                Some(rest) => rest.split_once("]:")?,
                None => text.split_once(':')?,
            };
            let (port, addresses) = rest.split_once(':')?;
            let addresses = addresses
                .split(',')
                .map(|address| address.trim_matches(['[', ']']).parse().ok())
                .collect::<Option<Vec<IpAddr>>>()?;
            let port = port.parse().ok().filter(|port| *port != 0)?;
            (!host.is_empty()).then(|| Resolve {
                text: text.to_owned(),
                host: host.to_ascii_lowercase(),
                port,
                addresses,
            })
        };
        read().ok_or_else(|| {
            format!(
                "`{}` does not have the form HOST:PORT:ADDRESS, such as api.example.com:443:127.0.0.1",
                text.escape_debug()
            )
        })
    }

    /// Whether it applies to this host and port.
    pub(super) fn is_for(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']);
        self.port == port && (self.host == "*" || self.host.eq_ignore_ascii_case(host))
    }

    /// A URL for each address.
    pub(super) fn uris(&self, port: u16) -> Vec<Uri> {
        let uri = |address: &IpAddr| format!("http://{}", SocketAddr::new(*address, port)).parse().ok();
        self.addresses.iter().filter_map(uri).collect()
    }

    /// What the user wrote.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_have_addresses() {
        let resolve = Resolve::parse("API.example:443:127.0.0.1,[::1]").unwrap();
        assert!(resolve.is_for("api.EXAMPLE", 443) && !resolve.is_for("api.example", 80));
        let uris: Vec<_> = resolve.uris(443).iter().map(Uri::to_string).collect();
        assert_eq!(uris, ["http://127.0.0.1:443/", "http://[::1]:443/"]);
        assert!(Resolve::parse("*:80:::1").unwrap().is_for("any", 80));
    }

    #[test]
    fn another_form_is_an_error() {
        for text in ["", "a:1", "a:1:", "a:0:1.2.3.4", "a:99999:1.2.3.4", "a:80:b", ":80:1.2.3.4", "-a:80"] {
            assert!(Resolve::parse(text).unwrap_err().contains("HOST:PORT:ADDRESS"), "{text}");
        }
    }
}
