//! Servers that send no response, a truncated one or a huge one.
//!
//! They use plain sockets, because `wiremock` always responds, and count requests, because a verify call that is sent
//! twice consumes two attempts.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otp_verify::{Code, Consumption, IncompleteBody, NextStep, d7};

use crate::vendor_call::{CODE, CallResult, SESSION, contracts, program_http_client, verify_as};

/// A server that calls `respond` for every request, and counts connections and requests.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A connection on which a request has arrived.
struct Connection {
    stream: TcpStream,
    /// Whether the request has been read. Closing a socket with unread bytes resets the connection.
    request_read: bool,
}

impl Server {
    fn start(respond: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (connected, requested) = (Arc::clone(&connections), Arc::clone(&requests));
        let respond = Arc::new(respond);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut connection = Connection { stream: stream.unwrap(), request_read: true };
                connected.fetch_add(1, Ordering::SeqCst);
                let (requested, respond) = (Arc::clone(&requested), Arc::clone(&respond));
                std::thread::spawn(move || {
                    // A request that was not read ends the connection.
                    while connection.request_read
                        && connection.stream.peek(&mut [0]).is_ok_and(|read| read > 0)
                    {
                        requested.fetch_add(1, Ordering::SeqCst);
                        connection.request_read = false;
                        respond(&mut connection);
                    }
                });
            }
        });
        Server { url, connections, requests }
    }

    async fn call(&self, vendor: &str) -> CallResult {
        let before = (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst));
        let result = verify_as(vendor, &self.url, SESSION, CODE, Duration::from_millis(400)).await;
        // A retry would follow after 100 to 200 milliseconds.
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert_eq!(self.requests.load(Ordering::SeqCst) - before.1, 1, "{vendor}: not exactly one request");
        assert_eq!(
            self.connections.load(Ordering::SeqCst) - before.0,
            1,
            "{vendor}: not exactly one connection"
        );
        result
    }
}

/// Reads the request, so that closing the connection resets nothing.
fn read_request(connection: &mut Connection) {
    let _ = connection.stream.read(&mut [0; 4096]).unwrap();
    connection.request_read = true;
}

fn send(connection: &mut Connection, bytes: &[u8]) {
    // The client may have closed the connection.
    let _ = connection.stream.write_all(bytes);
}

fn close(connection: &Connection) {
    let _ = connection.stream.shutdown(Shutdown::Both);
}

fn stall() {
    std::thread::sleep(Duration::from_secs(2));
}

/// Lets the client read what was sent, because an immediate reset may overtake it.
fn wait_for_client() {
    std::thread::sleep(Duration::from_millis(100));
}

fn response(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_call_without_a_response_is_unknown_and_not_sent_again() {
    type Fault = fn(&mut Connection);
    let faults: [(&str, Fault); 7] = [
        ("stalls after accepting, and reads nothing", |_| stall()),
        ("stalls after the request", |connection| {
            read_request(connection);
            stall();
        }),
        ("closes after the request", |connection| {
            read_request(connection);
            close(connection);
        }),
        ("resets before the head", |_| {}),
        ("resets within the head", |connection| {
            send(connection, b"HTTP/1.1 200 OK\r\ncontent-ty");
            wait_for_client();
        }),
        ("closes within the head", |connection| {
            read_request(connection);
            send(connection, b"HTTP/1.1 200 OK\r\ncontent-ty");
            close(connection);
        }),
        ("does not speak HTTP", |connection| {
            read_request(connection);
            send(connection, b"SSH-2.0-OpenSSH\r\n");
        }),
    ];
    for (name, fault) in faults {
        let server = Server::start(fault);
        for contract in contracts() {
            let result = server.call(&contract.vendor).await;
            assert_eq!((result.kind, result.status), ("Unanswered", None), "{name}: {result:?}");
            assert_eq!(result.error().attempt_consumed(), Consumption::Unknown, "{name}");
            assert_eq!(result.error().next_step(), NextStep::RequestNewCode, "{name}");
        }
    }
}

#[tokio::test]
async fn a_truncated_response_keeps_its_status_and_the_part_that_arrived() {
    type Fault = fn(&mut Connection);
    let faults: [(&str, Fault, &str); 5] = [
        (
            "resets after the head",
            |connection| {
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n");
                wait_for_client();
            },
            "",
        ),
        (
            "closes after the head",
            |connection| {
                read_request(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n");
                close(connection);
            },
            "",
        ),
        (
            "closes after half a body",
            |connection| {
                read_request(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"status\":\"AP");
                close(connection);
            },
            "{\"status\":\"AP",
        ),
        (
            "stalls after half a body",
            |connection| {
                read_request(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"status\":\"AP");
                stall();
            },
            "{\"status\":\"AP",
        ),
        (
            "closes within a chunk",
            |connection| {
                read_request(connection);
                send(
                    connection,
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n17\r\n{\"status\":\"AP",
                );
                close(connection);
            },
            "{\"status\":\"AP",
        ),
    ];
    for (name, fault, arrived) in faults {
        let server = Server::start(fault);
        for contract in contracts() {
            let result = server.call(&contract.vendor).await;
            assert_eq!((result.kind, result.status), ("Incomplete", Some(200)), "{name}: {result:?}");
            assert_eq!(result.error().incomplete_body(), Some(IncompleteBody::Truncated), "{name}");
            assert_eq!(result.error().attempt_consumed(), Consumption::Unknown, "{name}");
            assert_eq!(result.raw.as_deref(), Some(arrived.as_bytes()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_body_of_5_megabytes_is_read_up_to_64_kib() {
    let server = Server::start(|connection| {
        read_request(connection);
        send(connection, response(&"x".repeat(5 * 1024 * 1024)).as_bytes());
    });
    for contract in contracts() {
        let result = server.call(&contract.vendor).await;
        assert_eq!((result.kind, result.status), ("Incomplete", Some(200)), "{result:?}");
        assert_eq!(result.error().incomplete_body(), Some(IncompleteBody::TooLarge));
        assert_eq!(result.raw.map(|raw| raw.len()), Some(64 * 1024));
    }
}

#[tokio::test]
async fn a_redirect_to_another_port_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(|connection| {
            read_request(connection);
            send(connection, response("{\"status\":\"APPROVED\"}").as_bytes());
        });
        let location = elsewhere.url.clone();
        let server = Server::start(move |connection| {
            read_request(connection);
            let head =
                format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n");
            send(connection, head.as_bytes());
        });
        for contract in contracts() {
            let result = server.call(&contract.vendor).await;
            assert_eq!((result.kind, result.status), ("Undocumented", Some(status)), "{}", contract.vendor);
            assert!(result.message.starts_with("redirect rejected"), "{}", result.message);
        }
        assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_response_after_a_followed_redirect_is_rejected() {
    let elsewhere = Server::start(|connection| {
        read_request(connection);
        send(connection, response("{\"status\":\"APPROVED\"}").as_bytes());
    });
    let location = elsewhere.url.clone();
    let server = Server::start(move |connection| {
        read_request(connection);
        let head = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n");
        send(connection, head.as_bytes());
    });
    let http = program_http_client().build().unwrap();
    let client = d7::Client::builder("token").base_url(&server.url).http_client(http).build().unwrap();
    let error = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert!(matches!(error, d7::Error::Undocumented(_)), "{error:?}");
    assert_eq!((error.status(), error.next_step()), (Some(200), NextStep::FixRequest));
    assert_eq!(
        elsewhere.requests.load(Ordering::SeqCst),
        1,
        "the redirect was not followed, so the test proves nothing"
    );
}

#[tokio::test]
async fn a_call_on_a_connection_that_closes_is_not_sent_again() {
    // The server responds to the first request and closes the connection after reading the second.
    let responses = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |connection| {
        read_request(connection);
        if responses.fetch_add(1, Ordering::SeqCst) == 0 {
            send(connection, response("{\"status\":\"FAILED\"}").as_bytes());
        } else {
            close(connection);
        }
    });
    let client = d7::Client::builder("token").base_url(&server.url).build().unwrap();
    let first = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert!(matches!(first, d7::Error::WrongCode200(_)), "{first:?}");
    let second = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert!(matches!(second, d7::Error::Unanswered(_)), "{second:?}");
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(server.requests.load(Ordering::SeqCst), 2);
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        1,
        "the second call must use the connection of the first"
    );
}

#[tokio::test]
async fn nothing_is_sent_without_a_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for contract in contracts() {
        let result = verify_as(&contract.vendor, &url, SESSION, CODE, Duration::from_secs(5)).await;
        assert_eq!((result.kind, result.status), ("Unsent", None), "{result:?}");
        assert_eq!(result.error().attempt_consumed(), Consumption::No);
    }
}
