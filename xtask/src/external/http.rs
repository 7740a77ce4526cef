//! One HTTP request on a connection of its own, to a server on this machine.
//!
//! It speaks HTTP/1.0, so the body of a response ends with the connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context as _;

/// How long a server may take for a response.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request to a server on this machine.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// The path, with the query.
    pub(super) target: &'a str,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

/// Sends a request to `port`, and returns the status and the body of the response.
pub(super) fn send(port: u16, request: &Request<'_>) -> anyhow::Result<(u16, Vec<u8>)> {
    let (method, target) = (request.method, request.target);
    exchange(port, request).with_context(|| format!("{method} {target} at port {port}"))
}

fn exchange(port: u16, request: &Request<'_>) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut text = format!("{} {} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = request.body.as_deref().unwrap_or_default();
    if request.body.is_some() {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);

    let mut connection = TcpStream::connect(("127.0.0.1", port)).context("no connection")?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.write_all(text.as_bytes())?;
    let mut response = Vec::new();
    connection.read_to_end(&mut response).context("no complete response")?;
    parse(&response).context("the response is not HTTP")
}

fn parse(response: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&response[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, response[end + 4..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_a_status_and_a_body() {
        let response = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(response), Some((404, b"{}".to_vec())));
        assert_eq!(parse(b"HTTP/1.1 404 Not Found\r\n"), None);
    }
}
