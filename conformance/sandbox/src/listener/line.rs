//! The octets of one connection. A head that the HTTP library cannot read never becomes a request: the library refuses it
//! with a bare status, and here that refusal gets the body that whoever the path belongs to gives. And a connection that
//! the server ends first is heard out for a moment, for an answer is lost where a caller is still sending and nobody
//! takes what it sends. Knows nothing of what is served.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

/// So much of a head is looked at for its path, in bytes.
const BEGINNING: usize = 256;

/// How long a caller is heard out, and how much of it is taken.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 256 * 1024);

/// What a refusal says.
pub(super) struct Refusal {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// What is said to a head that cannot be read, by the path in it (empty where there is none) and the status.
pub(super) type Refuse = dyn Fn(&str, StatusCode) -> Refusal + Send + Sync;

/// A connection, as the HTTP library reads and writes it.
pub(super) struct Line {
    /// `None` once it is being heard out.
    stream: Option<TcpStream>,
    /// Held for as long as the connection is.
    place: Option<OwnedSemaphorePermit>,
    refuse: Arc<Refuse>,
    /// How the head began that was read last.
    beginning: Vec<u8>,
    /// Whether what is read next begins a head: something was written since.
    begins: bool,
    /// Whether the caller has ended the connection.
    is_over: bool,
    /// A refusal that is not written yet.
    pending: BytesMut,
}

impl Line {
    pub(super) fn new(stream: TcpStream, place: Option<OwnedSemaphorePermit>, refuse: Arc<Refuse>) -> Line {
        let (beginning, pending) = (Vec::with_capacity(BEGINNING), BytesMut::new());
        Line { stream: Some(stream), place, refuse, beginning, begins: true, is_over: false, pending }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let Line { stream: Some(stream), pending, .. } = self else { break };
            match ready!(Pin::new(stream).poll_write(context, pending))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => pending.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether these octets are a refusal of the library's own, which then stands there with a body.
    fn takes(&mut self, octets: &[u8]) -> bool {
        let was_answered = std::mem::replace(&mut self.begins, true);
        let Some((bare, status)) = bare_refusal(octets) else { return false };
        // A head that came along with an earlier one is none that was looked at.
        let beginning = if was_answered { &[] } else { self.beginning.as_slice() };
        let (method, path) = method_and_path(beginning);
        let refusal = (self.refuse)(path, status);
        let length = refusal.body.len();
        let fields = format!(
            "content-type: {}\r\ncache-control: no-store\r\ncontent-length: {length}\r\n",
            refusal.content_type
        );
        self.pending.extend_from_slice(bare.replacen(NO_BODY, &fields, 1).as_bytes());
        if method != "HEAD" {
            self.pending.extend_from_slice(&refusal.body);
        }
        true
    }
}

const NO_BODY: &str = "content-length: 0\r\n";

/// The head of an answer without a body, if that is what it is and it refuses the caller. No answer of a service here is
/// without one.
fn bare_refusal(octets: &[u8]) -> Option<(&str, StatusCode)> {
    let rest = octets.strip_prefix(b"HTTP/1.1 4").or_else(|| octets.strip_prefix(b"HTTP/1.0 4"))?;
    let end = rest.iter().take(64).position(|octet| *octet == b'\n')?;
    let fields = &rest[end + 1..];
    let fields = fields.strip_prefix(b"connection: close\r\n").unwrap_or(fields);
    fields.starts_with(NO_BODY.as_bytes()).then_some(())?;
    let head = std::str::from_utf8(octets).ok()?;
    Some((head, head.get(9..12)?.parse().ok()?))
}

/// The method and the path of a request line, as far as it is one.
fn method_and_path(head: &[u8]) -> (&str, &str) {
    // Empty lines before it are passed over (RFC 9112 §2.2).
    let start = head.iter().position(|octet| !matches!(octet, b'\r' | b'\n')).unwrap_or(head.len());
    let head = &head[start..];
    let line = head.split(|octet| *octet == b'\r' || *octet == b'\n').next().unwrap_or_default();
    let mut words = std::str::from_utf8(line).unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // A target in absolute form has its path behind the authority.
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => target,
    };
    (method, path.split('?').next().unwrap_or_default())
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(line.stream()?.poll_read(context, buffer));
        let heard = &buffer.filled()[before..];
        if heard.is_empty() {
            line.is_over = true;
        } else {
            if std::mem::take(&mut line.begins) {
                line.beginning.clear();
            }
            let room = BEGINNING.saturating_sub(line.beginning.len());
            line.beginning.extend_from_slice(&heard[..heard.len().min(room)]);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        ready!(line.poll_pending(context))?;
        match line.takes(octets) {
            true => Poll::Ready(Ok(octets.len())),
            false => line.stream()?.poll_write(context, octets),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let line = self.get_mut();
        ready!(line.poll_pending(context))?;
        match parts.first() {
            Some(first) if line.takes(first) => Poll::Ready(Ok(first.len())),
            _ => line.stream()?.poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        ready!(line.poll_pending(context))?;
        line.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        ready!(line.poll_pending(context))?;
        line.stream()?.poll_shutdown(context)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take().filter(|_| !self.is_over) else { return };
        let (place, pending) = (self.place.take(), self.pending.split());
        // Where no runtime is left, nobody can be heard out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(LINGER.0, hear_out(stream, &pending)).await;
                drop(place);
            });
        }
    }
}

async fn hear_out(mut stream: TcpStream, pending: &[u8]) -> io::Result<()> {
    stream.write_all(pending).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4_096];
    let mut left = LINGER.1;
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
    fn only_a_refusal_without_a_body_is_bare() {
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_refusal(bare).unwrap().1, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert!(bare_refusal(b"HTTP/1.0 400 Bad Request\r\ncontent-length: 0\r\n\r\n").is_some());
        for other in [
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 01\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
            "{}",
        ] {
            assert!(bare_refusal(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_request_line_is_read_as_far_as_it_is_one() {
        assert_eq!(method_and_path(b"POST /a/b?c=/d HTTP/1.1\r\nhost"), ("POST", "/a/b"));
        assert_eq!(method_and_path(b"POST /a/b"), ("POST", "/a/b"));
        assert_eq!(method_and_path(b"\r\n\r\nPOST http://x:8/a?b HTTP/1.1"), ("POST", "/a"));
        assert_eq!(method_and_path(b"POST http://x"), ("POST", ""));
        assert_eq!(method_and_path(b"\xff\xfe /a"), ("", ""));
        assert_eq!(method_and_path(b""), ("", ""));
    }
}
