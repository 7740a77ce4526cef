//! What curl needs to reach a server as the suite does: a script that repeats a finding passes these options on.

use super::address::{Address, Endpoint};
use super::environment::{ConnectionOptions, Environment};

/// A server, as curl has to call it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CurlAddress {
    /// The address to put before paths.
    pub(crate) url: String,
    /// The arguments, not quoted. Those with the value of a header have the name of a variable in its place, such as
    /// `x-key: $HEADER_X_KEY`, which the shell has to expand.
    pub(crate) arguments: Vec<String>,
    /// The variables that the arguments name. The user has to set them, because their values may be secrets.
    pub(crate) variables: Vec<String>,
}

impl CurlAddress {
    /// What curl needs for one address of an environment.
    pub(crate) fn new(
        environment: &Environment,
        options: &ConnectionOptions,
        address: &Address,
    ) -> CurlAddress {
        let mut curl = CurlAddress { url: address.text().to_owned(), ..CurlAddress::default() };
        let host = environment.host().filter(|_| environment.is_target(address));
        match address.endpoint() {
            Endpoint::Socket(path) => {
                curl.push("--unix-socket", path.display());
                "http://localhost".clone_into(&mut curl.url);
                if let Some(host) = host {
                    curl.push("-H", format_args!("host: {host}"));
                }
            }
            Endpoint::Network { tls, authority } => {
                // The suite uses no proxy, and a proxy would get the header fields.
                curl.push("--noproxy", "*");
                for resolve in environment.overrides() {
                    curl.push("--resolve", resolve.text());
                }
                match host {
                    // curl verifies the name in the URL, whatever the header says.
                    Some(host) if *tls => {
                        let (name, port) = (host.host(), host.port_u16().unwrap_or(443));
                        let (own, own_port) = (authority.host(), authority.port_u16().unwrap_or(443));
                        curl.push("--connect-to", format_args!("{name}:{port}:{own}:{own_port}"));
                        curl.url = curl.url.replacen(authority.as_str(), host.as_str(), 1);
                    }
                    Some(host) => curl.push("-H", format_args!("host: {host}")),
                    None => {}
                }
            }
        }
        if address.has_tls() {
            curl.add_tls(options);
        }
        if environment.is_target(address) {
            for header in environment.headers() {
                curl.push("-H", format_args!("{}: ${}", header.name, header.variable));
                curl.variables.push(header.variable.clone());
            }
        }
        curl
    }

    fn add_tls(&mut self, options: &ConnectionOptions) {
        let files = [
            ("--cacert", &options.ca_file),
            ("--cert", &options.certificate_file),
            ("--key", &options.key_file),
        ];
        for (option, file) in files {
            if let Some(file) = file {
                self.push(option, file.display());
            }
        }
        if options.insecure {
            self.arguments.push("--insecure".to_owned());
        }
    }

    fn push(&mut self, option: &str, value: impl std::fmt::Display) {
        self.arguments.extend([option.to_owned(), value.to_string()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curl(address: &str, options: &ConnectionOptions) -> CurlAddress {
        let address = Address::parse(address).unwrap();
        let environment = Environment::new(std::slice::from_ref(&address), None, options).unwrap();
        CurlAddress::new(&environment, options, &address)
    }

    #[test]
    fn curl_gets_every_option_and_no_value_of_a_header() {
        let options = ConnectionOptions {
            headers: vec!["x-key: s3cret".to_owned()],
            host: Some("api.example".to_owned()),
            resolve: vec!["a:1:127.0.0.1".to_owned()],
            ca_file: Some("ca.pem".into()),
            certificate_file: Some("me.pem".into()),
            key_file: Some("me.key".into()),
            ..ConnectionOptions::default()
        };
        let encrypted = curl("https://10.0.0.1:8443/api", &options);
        assert_eq!(encrypted.url, "https://api.example/api");
        assert_eq!(
            encrypted.arguments.join(" "),
            "--noproxy * --resolve a:1:127.0.0.1 --connect-to api.example:443:10.0.0.1:8443 --cacert ca.pem --cert me.pem \
             --key me.key -H x-key: $HEADER_X_KEY"
        );
        assert_eq!(encrypted.variables, ["HEADER_X_KEY"]);
        let plain = curl("http://10.0.0.1", &options);
        assert_eq!(plain.url, "http://10.0.0.1");
        assert!(plain.arguments.join(" ").ends_with("-H host: api.example -H x-key: $HEADER_X_KEY"));
        let socket = curl("unix:/run/a b.sock", &options);
        assert_eq!(
            (socket.url.as_str(), &socket.arguments[..2]),
            ("http://localhost", &["--unix-socket".to_owned(), "/run/a b.sock".to_owned()][..])
        );
    }

    #[test]
    fn curl_accepts_any_certificate_only_where_the_suite_does() {
        let insecure = ConnectionOptions { insecure: true, ..ConnectionOptions::default() };
        assert!(curl("https://a", &insecure).arguments.contains(&"--insecure".to_owned()));
        assert!(!curl("http://a", &insecure).arguments.contains(&"--insecure".to_owned()));
    }
}
