//! How connections are made in the environment of a test: additional header fields, another host name, addresses instead of
//! name resolution, and certificates.
//!
//! Proxies have no part in it: every connection goes directly to the address, whatever `HTTP_PROXY` and `HTTPS_PROXY` say. A
//! proxy may answer in the server's place, and closes and repeats connections on its own.

use std::path::PathBuf;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery};
use http::{HeaderName, HeaderValue, Uri};

use super::address::{Address, Endpoint};
use super::extra_header::ExtraHeader;
use super::pace::Pace;
use super::resolve::Resolve;

/// How to connect to the server under test, and what to add to every request. The fields have the forms of the options of
/// `check`.
#[derive(Debug, Clone, Default)]
pub struct ConnectionOptions {
    /// Header fields for every request to a target, each as `NAME: VALUE`. Reports never show the values.
    pub headers: Vec<String>,
    /// The host name in requests to the targets and, with TLS, the name that their certificates must have.
    pub host: Option<String>,
    /// Addresses to connect to instead of resolving a name, each as `HOST:PORT:ADDRESS`.
    pub resolve: Vec<String>,
    /// The authorities whose certificates are accepted, in PEM; those of the system if there is none.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate, in PEM, and what lies between it and its authority.
    pub certificate_file: Option<PathBuf>,
    /// The key of the client's certificate, in PEM; in the file of the certificate if there is none.
    pub key_file: Option<PathBuf>,
    /// Whether any certificate is accepted.
    pub insecure: bool,
    /// How long one call may take, connecting included; 5 s if `None`. With a value, the suite also waits that long where a
    /// limit on calls says when to try again (`Retry-After`).
    pub timeout: Option<Duration>,
    /// How many requests are sent in a second, at most, those to the control included.
    pub rate: Option<u32>,
}

/// An option that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OptionError {
    /// The option, as it is written on the command line.
    pub(crate) option: &'static str,
    /// What is wrong with it.
    pub(crate) problem: String,
}

/// A server that requests may go to.
#[derive(Debug)]
struct Route {
    address: Address,
    /// The beginning of the URLs that hyper gets instead of the address; it names a connection.
    authority: Authority,
    /// Whether header fields are added.
    is_target: bool,
}

/// Where requests go, and what is added to them.
#[derive(Debug)]
pub(crate) struct Environment {
    routes: Vec<Route>,
    headers: Vec<ExtraHeader>,
    host: Option<Authority>,
    resolve: Vec<Resolve>,
    pace: Pace,
}

impl Environment {
    /// Reads the options. Header fields and the host name apply to the targets, and to the control only if it is at the same
    /// place as a target: a key is for the server that it was given for.
    pub(crate) fn new(
        targets: &[Address],
        control: Option<&Address>,
        options: &ConnectionOptions,
    ) -> Result<Environment, OptionError> {
        let wrong = |option| move |problem| OptionError { option, problem };
        let headers = ExtraHeader::parse_all(&options.headers).map_err(wrong("--header"))?;
        let host = options.host.as_deref().map(host).transpose().map_err(wrong("--host"))?;
        let resolve = options.resolve.iter().map(|text| Resolve::parse(text)).collect::<Result<_, _>>();
        let resolve = resolve.map_err(wrong("--resolve"))?;
        let mut routes = Vec::new();
        for address in targets.iter().chain(control) {
            let authority = match address.endpoint() {
                Endpoint::Network { authority, .. } => authority.clone(),
                // hyper keeps a pool of connections for each authority. `.invalid` belongs to nobody (RFC 2606).
                Endpoint::Socket(_) => format!("socket-{}.invalid", routes.len())
                    .parse()
                    .map_err(|error: http::uri::InvalidUri| wrong("--target")(error.to_string()))?,
            };
            let is_target = targets.iter().any(|target| target.endpoint() == address.endpoint());
            routes.push(Route { address: address.clone(), authority, is_target });
        }
        let pace = Pace::new(options.timeout, options.rate);
        Ok(Environment { routes, headers, host, resolve, pace })
    }

    /// The pace of all requests.
    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The URL for hyper, and what is added to the request.
    pub(super) fn locate(&self, url: &str) -> Result<(Uri, Vec<(HeaderName, HeaderValue)>), String> {
        let Some((route, rest)) = self.route(url) else {
            return Ok((url.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?, Vec::new()));
        };
        let uri = match route.address.endpoint() {
            Endpoint::Network { .. } => {
                url.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?
            }
            Endpoint::Socket(_) => {
                let rest = if rest.is_empty() { "/" } else { rest };
                let path: PathAndQuery =
                    rest.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
                let uri =
                    Uri::builder().scheme("http").authority(route.authority.clone()).path_and_query(path);
                uri.build().map_err(|error| error.to_string())?
            }
        };
        Ok((uri, self.added(route)))
    }

    /// The header fields that are added to a request.
    fn added(&self, route: &Route) -> Vec<(HeaderName, HeaderValue)> {
        let mut added = Vec::new();
        let host = self.host.as_ref().filter(|_| route.is_target).map(Authority::as_str);
        // As curl does with --unix-socket and a URL of the host `localhost`.
        let host = host.or_else(|| route.address.socket().map(|_| "localhost"));
        if let Some(value) = host.and_then(|host| HeaderValue::from_str(host).ok()) {
            added.push((http::header::HOST, value));
        }
        if route.is_target {
            added.extend(self.headers.iter().map(|header| (header.name.clone(), header.value.clone())));
        }
        added
    }

    /// The server to which a URL belongs, and the rest of the URL.
    fn route<'u>(&self, url: &'u str) -> Option<(&Route, &'u str)> {
        let matching = self.routes.iter().filter_map(|route| {
            let rest = url.strip_prefix(route.address.text())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((route, rest))
        });
        matching.max_by_key(|(route, _)| route.address.text().len())
    }

    /// The Unix socket that a URL for hyper stands for.
    pub(super) fn socket(&self, uri: &Uri) -> Option<&std::path::Path> {
        let route = self.routes.iter().find(|route| uri.authority() == Some(&route.authority))?;
        route.address.socket()
    }

    /// The URLs to connect to instead of this one, whose host must not be resolved; none if it must.
    pub(super) fn resolved(&self, uri: &Uri) -> Vec<Uri> {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let found = self.resolve.iter().find(|resolve| resolve.is_for(host, port));
        found.map(|resolve| resolve.uris(port)).unwrap_or_default()
    }

    /// The name that the certificate of a server must have.
    pub(super) fn certificate_name<'e>(&'e self, uri: &'e Uri) -> &'e str {
        let is_target = |route: &&Route| route.is_target && uri.authority() == Some(&route.authority);
        let host = self.host.as_ref().filter(|_| self.routes.iter().any(|route| is_target(&route)));
        host.map_or(uri.host().unwrap_or_default(), Authority::host).trim_matches(['[', ']'])
    }

    /// The names of the additional header fields.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|header| &header.name)
    }

    /// The additional header fields.
    pub(super) fn headers(&self) -> &[ExtraHeader] {
        &self.headers
    }

    /// The host name that the targets are called by.
    pub(super) fn host(&self) -> Option<&Authority> {
        self.host.as_ref()
    }

    /// The addresses that replace the resolution of names.
    pub(super) fn overrides(&self) -> &[Resolve] {
        &self.resolve
    }

    /// Whether this address gets the additional header fields and the host name.
    pub(super) fn is_target(&self, address: &Address) -> bool {
        self.routes.iter().any(|route| route.is_target && route.address.endpoint() == address.endpoint())
    }
}

fn host(text: &str) -> Result<Authority, String> {
    match text.parse::<Authority>() {
        Ok(authority) if !authority.host().is_empty() && !text.contains('@') => Ok(authority),
        _ => Err(format!(
            "`{}` is not a host name such as api.example.com or api.example.com:8443",
            text.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(targets: &[&str], control: &str, options: &ConnectionOptions) -> Environment {
        let targets: Vec<_> = targets.iter().map(|text| Address::parse(text).unwrap()).collect();
        Environment::new(&targets, Some(&Address::parse(control).unwrap()), options).unwrap()
    }

    fn added(environment: &Environment, url: &str) -> String {
        let (uri, added) = environment.locate(url).unwrap();
        let added = added.iter().map(|(name, value)| format!(" {name}={}", value.to_str().unwrap()));
        format!("{uri}{}", added.collect::<String>())
    }

    #[test]
    fn header_fields_go_to_the_targets_and_to_a_control_at_the_same_place() {
        let options = ConnectionOptions {
            headers: vec!["x-key: 1".to_owned()],
            host: Some("api.example".to_owned()),
            ..ConnectionOptions::default()
        };
        let environment = environment(&["http://a:1/api", "http://b:1"], "http://a:1", &options);
        let with_header = "http://a:1/_control/v1 host=api.example x-key=1";
        assert_eq!(added(&environment, "http://a:1/_control/v1"), with_header);
        assert_eq!(added(&environment, "http://b:1/x?y"), "http://b:1/x?y host=api.example x-key=1");
        let apart = self::environment(&["http://a:1"], "http://a:12", &options);
        assert_eq!(added(&apart, "http://a:12/_control/v1"), "http://a:12/_control/v1");
    }

    #[test]
    fn a_socket_has_an_authority_of_its_own_and_is_called_localhost() {
        let environment = environment(&["unix:/run/a"], "unix:/run/ab", &ConnectionOptions::default());
        assert_eq!(added(&environment, "unix:/run/a/x?y=1"), "http://socket-0.invalid/x?y=1 host=localhost");
        assert_eq!(added(&environment, "unix:/run/ab/x"), "http://socket-1.invalid/x host=localhost");
        let uri = "http://socket-1.invalid/x".parse().unwrap();
        assert_eq!(environment.socket(&uri), Some(std::path::Path::new("/run/ab")));
    }
}
