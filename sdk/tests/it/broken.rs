//! Servers that do not answer, or not to the end, or too much. Plain sockets, for `wiremock` always answers, and requests
//! that are counted: a verify call that is sent twice spends two attempts.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otp_verify::{Code, Consumption, NextStep, Shortfall, d7};

use crate::play::{CODE, SESSION, Seen, contracts, own_http_client, verify_as};

/// A server that does `answer` with every connection on which a request arrived, and counts both.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A connection on which a request has arrived.
struct Connection {
    stream: TcpStream,
    /// Whether the request has been read. A socket that is closed with bytes unread is reset.
    taken: bool,
}

impl Server {
    fn start(answer: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (connected, requested) = (Arc::clone(&connections), Arc::clone(&requests));
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut connection = Connection { stream: stream.unwrap(), taken: true };
                connected.fetch_add(1, Ordering::SeqCst);
                let (requested, answer) = (Arc::clone(&requested), Arc::clone(&answer));
                std::thread::spawn(move || {
                    // Where the answer left a request unread, the connection is over.
                    while connection.taken && connection.stream.peek(&mut [0]).is_ok_and(|seen| seen > 0) {
                        requested.fetch_add(1, Ordering::SeqCst);
                        connection.taken = false;
                        answer(&mut connection);
                    }
                });
            }
        });
        Server { url, connections, requests }
    }

    async fn called_by(&self, vendor: &str) -> Seen {
        let before = (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst));
        let seen = verify_as(vendor, &self.url, SESSION, CODE, Duration::from_millis(400)).await;
        // A second try would come after a pause of 100 to 200 milliseconds, if it came.
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert_eq!(self.requests.load(Ordering::SeqCst) - before.1, 1, "{vendor}: not exactly one request");
        assert_eq!(
            self.connections.load(Ordering::SeqCst) - before.0,
            1,
            "{vendor}: not exactly one connection"
        );
        seen
    }
}

/// Reads the request, so that closing the connection resets nothing.
fn take(connection: &mut Connection) {
    let _ = connection.stream.read(&mut [0; 4096]).unwrap();
    connection.taken = true;
}

fn send(connection: &mut Connection, bytes: &[u8]) {
    // The client may have had enough.
    let _ = connection.stream.write_all(bytes);
}

/// Says that nothing more comes.
fn close(connection: &Connection) {
    let _ = connection.stream.shutdown(Shutdown::Both);
}

fn stall() {
    std::thread::sleep(Duration::from_secs(2));
}

/// Lets the other side read what was sent: a reset that follows at once may overtake it.
fn settle() {
    std::thread::sleep(Duration::from_millis(100));
}

fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn what_may_have_arrived_and_got_no_answer_is_unknown_and_not_sent_again() {
    type Fault = fn(&mut Connection);
    let faults: [(&str, Fault); 7] = [
        ("stalls after accepting, and reads nothing", |_| stall()),
        ("stalls after the request", |connection| {
            take(connection);
            stall();
        }),
        ("closes after the request", |connection| {
            take(connection);
            close(connection);
        }),
        ("resets before the head", |_| {}),
        ("resets within the head", |connection| {
            send(connection, b"HTTP/1.1 200 OK\r\ncontent-ty");
            settle();
        }),
        ("closes within the head", |connection| {
            take(connection);
            send(connection, b"HTTP/1.1 200 OK\r\ncontent-ty");
            close(connection);
        }),
        ("speaks no HTTP", |connection| {
            take(connection);
            send(connection, b"SSH-2.0-OpenSSH\r\n");
        }),
    ];
    for (name, fault) in faults {
        let server = Server::start(fault);
        for contract in contracts() {
            let seen = server.called_by(&contract.vendor).await;
            assert_eq!((seen.kind, seen.status), ("Unanswered", None), "{name}: {seen:?}");
            assert_eq!(seen.error().attempt_consumed(), Consumption::Unknown, "{name}");
            assert_eq!(seen.error().next_step(), NextStep::RequestNewCode, "{name}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_its_status_and_what_arrived() {
    type Fault = fn(&mut Connection);
    let faults: [(&str, Fault, &str); 5] = [
        (
            "resets after the head",
            |connection| {
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n");
                settle();
            },
            "",
        ),
        (
            "closes after the head",
            |connection| {
                take(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n");
                close(connection);
            },
            "",
        ),
        (
            "closes after half a body",
            |connection| {
                take(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"status\":\"AP");
                close(connection);
            },
            "{\"status\":\"AP",
        ),
        (
            "stalls after half a body",
            |connection| {
                take(connection);
                send(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"status\":\"AP");
                stall();
            },
            "{\"status\":\"AP",
        ),
        (
            "closes within a chunk",
            |connection| {
                take(connection);
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
            let seen = server.called_by(&contract.vendor).await;
            assert_eq!((seen.kind, seen.status), ("Incomplete", Some(200)), "{name}: {seen:?}");
            assert_eq!(seen.error().shortfall(), Some(Shortfall::BrokenOff), "{name}");
            assert_eq!(seen.error().attempt_consumed(), Consumption::Unknown, "{name}");
            assert_eq!(seen.raw.as_deref(), Some(arrived.as_bytes()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_body_of_5_megabytes_is_read_up_to_64_kib() {
    let server = Server::start(|connection| {
        take(connection);
        send(connection, answer(&"x".repeat(5 * 1024 * 1024)).as_bytes());
    });
    for contract in contracts() {
        let seen = server.called_by(&contract.vendor).await;
        assert_eq!((seen.kind, seen.status), ("Incomplete", Some(200)), "{seen:?}");
        assert_eq!(seen.error().shortfall(), Some(Shortfall::TooLarge));
        assert_eq!(seen.raw.map(|raw| raw.len()), Some(64 * 1024));
    }
}

#[tokio::test]
async fn a_redirect_to_another_port_is_an_answer_and_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(|connection| {
            take(connection);
            send(connection, answer("{\"status\":\"APPROVED\"}").as_bytes());
        });
        let location = elsewhere.url.clone();
        let server = Server::start(move |connection| {
            take(connection);
            let head =
                format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n");
            send(connection, head.as_bytes());
        });
        for contract in contracts() {
            let seen = server.called_by(&contract.vendor).await;
            assert_eq!((seen.kind, seen.status), ("Undocumented", Some(status)), "{}", contract.vendor);
            assert!(seen.message.starts_with("redirect refused"), "{}", seen.message);
        }
        assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn an_http_client_that_follows_redirects_is_not_believed() {
    let elsewhere = Server::start(|connection| {
        take(connection);
        send(connection, answer("{\"status\":\"APPROVED\"}").as_bytes());
    });
    let location = elsewhere.url.clone();
    let server = Server::start(move |connection| {
        take(connection);
        let head = format!("HTTP/1.1 307 Elsewhere\r\nlocation: {location}/\r\ncontent-length: 0\r\n\r\n");
        send(connection, head.as_bytes());
    });
    let http = own_http_client().build().unwrap();
    let client = d7::Client::builder("token").base_url(&server.url).http_client(http).build().unwrap();
    let error = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert!(matches!(error, d7::Error::Undocumented(_)), "{error:?}");
    assert_eq!((error.status(), error.next_step()), (Some(200), NextStep::FixRequest));
    assert_eq!(
        elsewhere.requests.load(Ordering::SeqCst),
        1,
        "the test proves nothing unless it was followed"
    );
}

#[tokio::test]
async fn a_connection_that_dies_under_a_second_call_is_not_made_again() {
    // It answers the first request of a connection, and closes on the second, which then was sent and is not answered.
    let answered = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |connection| {
        take(connection);
        if answered.fetch_add(1, Ordering::SeqCst) == 0 {
            send(connection, answer("{\"status\":\"FAILED\"}").as_bytes());
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
        "the second call was to go over the first one's"
    );
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for contract in contracts() {
        let seen = verify_as(&contract.vendor, &url, SESSION, CODE, Duration::from_secs(5)).await;
        assert_eq!((seen.kind, seen.status), ("Unsent", None), "{seen:?}");
        assert_eq!(seen.error().attempt_consumed(), Consumption::No);
    }
}
