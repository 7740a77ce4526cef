//! The bytes of one connection, between hyper and the socket.
//!
//! It does two things for which hyper has no setting. A request head that hyper cannot parse never reaches a service,
//! and hyper responds with a bare status (there is no hook, see <https://github.com/hyperium/hyper/issues/3225>); this
//! module adds the error body of the vendor whose path the head names. And when the server closes first, it keeps
//! reading for a moment: closing a socket with unread input resets the connection, and the client may lose the
//! response. It knows nothing of what is served.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::VendorResponse;

/// How many bytes of a request head are kept to find the method and the path.
const HEAD_PREFIX_BYTES: usize = 256;

/// How long a closed connection is drained at most.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// How many bytes are drained at most.
const DRAIN_LIMIT_BYTES: usize = 256 * 1024;

/// Renders the error response to an unparsable head, from the path in it (empty if there is none) and the status. Only
/// the media type and the body are used.
pub(super) type RenderError = dyn Fn(&str, StatusCode) -> VendorResponse + Send + Sync;

/// A connection as hyper reads and writes it.
pub(super) struct Connection {
    /// `None` once the connection is being drained.
    stream: Option<TcpStream>,
    /// Counts against the limit of connections until the stream is closed.
    permit: Option<OwnedSemaphorePermit>,
    render_error: Arc<RenderError>,
    /// The first bytes of the latest head.
    head_prefix: Vec<u8>,
    /// Whether the next byte read starts a new head, because something was written since the last one.
    starts_head: bool,
    /// Whether the client has closed its side.
    is_closed_by_client: bool,
    /// An error response not yet written.
    pending: BytesMut,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        permit: Option<OwnedSemaphorePermit>,
        render_error: Arc<RenderError>,
    ) -> Connection {
        Connection {
            stream: Some(stream),
            permit,
            render_error,
            head_prefix: Vec::with_capacity(HEAD_PREFIX_BYTES),
            starts_head: true,
            is_closed_by_client: false,
            pending: BytesMut::new(),
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let Connection { stream: Some(stream), pending, .. } = self else { break };
            match ready!(Pin::new(stream).poll_write(context, pending))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => pending.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes over `bytes` if they are a bare error response of hyper's, and queues it with a body. Returns whether it
    /// did.
    fn intercept_error(&mut self, bytes: &[u8]) -> bool {
        let has_responded = std::mem::replace(&mut self.starts_head, true);
        let Some((bare, status)) = bare_error(bytes) else { return false };
        // After an earlier response without a read in between, the prefix belongs to an earlier head.
        let prefix = if has_responded { &[] } else { self.head_prefix.as_slice() };
        let (method, path) = method_and_path(prefix);
        let error = (self.render_error)(path, status);
        let body = error.body.bytes();
        let fields = format!(
            "content-type: {}\r\ncache-control: no-store\r\ncontent-length: {}\r\n",
            error.content_type,
            body.len()
        );
        self.pending.extend_from_slice(bare.replacen(NO_BODY, &fields, 1).as_bytes());
        if method != "HEAD" {
            self.pending.extend_from_slice(&body);
        }
        true
    }
}

const NO_BODY: &str = "content-length: 0\r\n";

/// The head and status of a 4xx response without a body, if `bytes` are one. The sandbox itself sends no such response.
fn bare_error(bytes: &[u8]) -> Option<(&str, StatusCode)> {
    let rest = bytes.strip_prefix(b"HTTP/1.1 4").or_else(|| bytes.strip_prefix(b"HTTP/1.0 4"))?;
    let end = rest.iter().take(64).position(|byte| *byte == b'\n')?;
    let fields = &rest[end + 1..];
    let fields = fields.strip_prefix(b"connection: close\r\n").unwrap_or(fields);
    fields.starts_with(NO_BODY.as_bytes()).then_some(())?;
    let head = std::str::from_utf8(bytes).ok()?;
    Some((head, head.get(9..12)?.parse().ok()?))
}

/// The method and the path of a request line; empty where the bytes have none.
fn method_and_path(head: &[u8]) -> (&str, &str) {
    // Servers ignore empty lines before the request line (RFC 9112 §2.2).
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
    let head = &head[start..];
    let line = head.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let mut words = std::str::from_utf8(line).unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // A target in absolute form has its path after the authority.
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => target,
    };
    (method, path.split('?').next().unwrap_or_default())
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(connection.stream()?.poll_read(context, buffer));
        let received = &buffer.filled()[before..];
        if received.is_empty() {
            connection.is_closed_by_client = true;
        } else {
            if std::mem::take(&mut connection.starts_head) {
                connection.head_prefix.clear();
            }
            let room = HEAD_PREFIX_BYTES.saturating_sub(connection.head_prefix.len());
            connection.head_prefix.extend_from_slice(&received[..received.len().min(room)]);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        ready!(connection.poll_pending(context))?;
        match connection.intercept_error(bytes) {
            true => Poll::Ready(Ok(bytes.len())),
            false => connection.stream()?.poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        ready!(connection.poll_pending(context))?;
        match parts.first() {
            Some(first) if connection.intercept_error(first) => Poll::Ready(Ok(first.len())),
            _ => connection.stream()?.poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        ready!(connection.poll_pending(context))?;
        connection.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        ready!(connection.poll_pending(context))?;
        connection.stream()?.poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take().filter(|_| !self.is_closed_by_client) else { return };
        let (permit, pending) = (self.permit.take(), self.pending.split());
        // Without a runtime, nothing can be read any more.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain(stream, &pending)).await;
                drop(permit);
            });
        }
    }
}

/// Sends what is pending, closes the sending side, and reads until the client closes its own.
async fn drain(mut stream: TcpStream, pending: &[u8]) -> io::Result<()> {
    stream.write_all(pending).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4_096];
    let mut left = DRAIN_LIMIT_BYTES;
    while left > 0 {
        match stream.read(&mut rest).await? {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_response_without_a_body_is_bare() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_error(bare).unwrap().1, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert!(bare_error(b"HTTP/1.0 400 Bad Request\r\ncontent-length: 0\r\n\r\n").is_some());
        for other in [
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 01\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
            "{}",
        ] {
            assert!(bare_error(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_partial_or_malformed_request_line_yields_what_it_has() {
        assert_eq!(method_and_path(b"POST /a/b?c=/d HTTP/1.1\r\nhost"), ("POST", "/a/b"));
        assert_eq!(method_and_path(b"POST /a/b"), ("POST", "/a/b"));
        assert_eq!(method_and_path(b"\r\n\r\nPOST http://x:8/a?b HTTP/1.1"), ("POST", "/a"));
        assert_eq!(method_and_path(b"POST http://x"), ("POST", ""));
        assert_eq!(method_and_path(b"\xff\xfe /a"), ("", ""));
        assert_eq!(method_and_path(b""), ("", ""));
    }
}
