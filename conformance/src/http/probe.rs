//! Tries a connection before the first request, and says what is wrong with it.
//!
//! It sends no complete request: no contract says how a server responds to a bare path.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_service::Service;

use super::address::{Address, Endpoint};
use super::client::innermost;
use super::connector::{BoxError, Connector, Stream, with_tls};
use super::environment::Environment;
use super::tls::Tls;
use super::tls_error;

/// How long a server may take to refuse a client certificate, or its absence, after the handshake of TLS 1.3.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// How long a server without TLS is given to object to the beginning of a request. One that speaks TLS objects at once.
const OBJECTION_TIME: Duration = Duration::from_millis(100);

/// Why a server cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProbeError {
    /// There is no connection; there may be one later.
    NotConnected(String),
    /// The two sides do not agree on TLS; waiting does not help.
    Tls(String),
}

/// Opens a connection to a server and, with TLS, completes the handshake. `is_called` says whether a request follows at once,
/// which shows by itself whether the server understands it.
pub(crate) async fn probe(
    environment: &Arc<Environment>,
    tls: &Tls,
    address: &Address,
    is_called: bool,
) -> Result<(), ProbeError> {
    let (uri, _) = environment.locate(address.text()).map_err(ProbeError::NotConnected)?;
    if address.has_tls() {
        return handshake(environment, tls, uri).await;
    }
    let connecting = Connector::new(environment).call(uri);
    let stream = in_time(environment, connecting).await?.map_err(|error| not_connected(&error))?;
    match is_called || address.socket().is_some() || !objects(TokioIo::new(stream)).await {
        true => Ok(()),
        false => expects_tls(environment, address).await,
    }
}

/// The result of connecting, if there is one in time.
async fn in_time<T>(environment: &Environment, connecting: impl Future<Output = T>) -> Result<T, ProbeError> {
    let timeout = environment.pace().timeout();
    let late =
        |_| ProbeError::NotConnected(format!("no connection within {}", humantime::format_duration(timeout)));
    tokio::time::timeout(timeout, connecting).await.map_err(late)
}

/// An error if a server with an `http` address speaks TLS.
pub(crate) async fn expects_tls(environment: &Arc<Environment>, address: &Address) -> Result<(), ProbeError> {
    let Endpoint::Network { tls: false, authority } = address.endpoint() else { return Ok(()) };
    let host = authority.host();
    let uri = format!("https://{host}:{}", authority.port_u16().unwrap_or(80)).parse::<Uri>();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let (Ok(uri), Ok(name), Some(config)) = (uri, name, Tls::without_verification()) else { return Ok(()) };
    let names = Arc::new(FixedServerNameResolver::new(name));
    let connecting = HttpsConnector::new(Connector::new(environment), config, true, names).call(uri);
    match in_time(environment, connecting).await {
        Ok(Ok(_)) => Err(ProbeError::Tls("it speaks TLS; write https:// instead of http://".to_owned())),
        _ => Ok(()),
    }
}

async fn handshake(environment: &Arc<Environment>, tls: &Tls, uri: Uri) -> Result<(), ProbeError> {
    tls.client.reset();
    let name = environment.certificate_name(&uri).to_owned();
    let explained = |error: &BoxError| match cause::<rustls::Error>(error.as_ref()) {
        Some(error) => ProbeError::Tls(tls_error::explain(error, tls, &name)),
        None => match cause::<io::Error>(error.as_ref()).map(io::Error::kind) {
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                ProbeError::Tls(tls_error::ended(tls))
            }
            _ => not_connected(error),
        },
    };
    let connecting = with_tls(environment, tls).call(uri);
    let stream = in_time(environment, connecting).await?.map_err(|error| explained(&error))?;
    if tls.client.is_requested() {
        // With TLS 1.3, the server looks at the client's certificate after the client has completed the handshake.
        let mut stream = TokioIo::new(stream);
        let read = tokio::time::timeout(REFUSAL_TIME, stream.read(&mut [0])).await;
        match read {
            Ok(Err(error)) => return Err(explained(&error.into())),
            Ok(Ok(0)) => return Err(ProbeError::Tls(tls_error::ended(tls))),
            // Nothing is said before there is a request.
            Ok(Ok(_)) | Err(_) => {}
        }
    }
    Ok(())
}

/// Whether a server objects to the beginning of a request line. One that speaks HTTP waits for the rest.
async fn objects(mut stream: TokioIo<Stream>) -> bool {
    if stream.write_all(b"OPTIONS").await.is_err() {
        return true;
    }
    tokio::time::timeout(OBJECTION_TIME, stream.read(&mut [0])).await.is_ok()
}

fn not_connected(error: &BoxError) -> ProbeError {
    ProbeError::NotConnected(innermost(error.as_ref()))
}

/// The innermost cause of this type. An `io::Error` does not name the error that it contains as its source.
fn cause<'e, E: std::error::Error + 'static>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e E> {
    let inner = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
        None => error.source(),
    };
    // The innermost `io::Error` is the one whose kind says something.
    inner.and_then(cause).or_else(|| error.downcast_ref())
}
