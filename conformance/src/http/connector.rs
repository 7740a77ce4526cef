//! Opens connections: to a host and a port, to an address that replaces the resolution of the host, or to a Unix socket.
//!
//! Uses no proxy, and repeats nothing: whatever the environment says, a connection goes where the address says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tower_service::Service;

use super::environment::Environment;
use super::tls::Tls;

/// Whatever went wrong.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections, encrypted ones for `https`.
pub(super) type TlsConnector = HttpsConnector<Connector>;

/// A connector with encryption for `https`.
pub(super) fn with_tls(environment: &Arc<Environment>, tls: &Tls) -> TlsConnector {
    let names = Arc::clone(environment);
    let name = move |uri: &Uri| -> Result<ServerName<'static>, rustls::pki_types::InvalidDnsNameError> {
        ServerName::try_from(names.certificate_name(uri).to_owned())
    };
    HttpsConnector::new(Connector::new(environment), Arc::clone(&tls.config), false, Arc::new(name))
}

/// Opens connections without encryption.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    environment: Arc<Environment>,
}

impl Connector {
    pub(super) fn new(environment: &Arc<Environment>) -> Connector {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(environment.pace().timeout()));
        Connector { tcp, environment: Arc::clone(environment) }
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, BoxError> {
        if let Some(path) = self.environment.socket(&uri) {
            return Stream::open(path).await.map_err(Into::into);
        }
        let resolved = self.environment.resolved(&uri);
        let mut failure = None;
        for uri in if resolved.is_empty() { vec![uri] } else { resolved } {
            match self.tcp.call(uri).await {
                Ok(stream) => return Ok(Stream::Tcp(stream)),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.map_or_else(|| "there is no address".into(), Into::into))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection without encryption.
#[derive(Debug)]
pub(super) enum Stream {
    /// To a host and a port.
    Tcp(TokioIo<TcpStream>),
    /// To a Unix socket.
    #[cfg(unix)]
    Socket(TokioIo<tokio::net::UnixStream>),
}

impl Stream {
    #[cfg(unix)]
    async fn open(path: &std::path::Path) -> io::Result<Stream> {
        Ok(Stream::Socket(TokioIo::new(tokio::net::UnixStream::connect(path).await?)))
    }

    #[cfg(not(unix))]
    async fn open(_: &std::path::Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Calls a method of the connection, whichever it is.
macro_rules! delegate {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            #[cfg(unix)]
            Stream::Socket(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self, poll_read(context, buffer))
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(context))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Stream::Socket(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write_vectored(context, pieces))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Stream::Tcp(stream) => stream.connected(),
            #[cfg(unix)]
            Stream::Socket(_) => Connected::new(),
        }
    }
}
