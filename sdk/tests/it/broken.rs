//! Servers that do not answer, or not to the end. Plain sockets: `wiremock` always answers.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::play::{CODE, SESSION, Seen, contracts, verify_as};

/// A server that does `answer` with every connection on which a request arrived, and counts those.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: fn(&mut TcpStream)) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let counter = Arc::clone(&counter);
                std::thread::spawn(move || {
                    let mut head = [0; 4096];
                    if connection.read(&mut head).is_ok_and(|read| read > 0) {
                        counter.fetch_add(1, Ordering::SeqCst);
                        answer(&mut connection);
                    }
                });
            }
        });
        Server { url, requests }
    }

    async fn called_by(&self, vendor: &str) -> Seen {
        let before = self.requests.load(Ordering::SeqCst);
        let seen = verify_as(vendor, &self.url, SESSION, CODE, Duration::from_millis(400)).await;
        // A second attempt would come at once, if it came.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(self.requests.load(Ordering::SeqCst) - before, 1, "{vendor}: not exactly one request");
        seen
    }
}

fn send(connection: &mut TcpStream, text: &str) {
    connection.write_all(text.as_bytes()).unwrap();
}

fn stall() {
    std::thread::sleep(Duration::from_secs(2));
}

#[tokio::test]
async fn a_server_that_closes_after_the_request_leaves_it_unanswered() {
    let server = Server::start(|_| {});
    for contract in contracts() {
        let seen = server.called_by(&contract.vendor).await;
        assert_eq!((seen.kind, seen.status), ("Unanswered", None), "{seen:?}");
    }
}

#[tokio::test]
async fn a_server_that_stalls_after_the_request_leaves_it_unanswered() {
    let server = Server::start(|_| stall());
    for contract in contracts() {
        let seen = server.called_by(&contract.vendor).await;
        assert_eq!((seen.kind, seen.status), ("Unanswered", None), "{seen:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_leaves_the_request_unanswered() {
    let server = Server::start(|connection| send(connection, "SSH-2.0-OpenSSH\r\n"));
    for contract in contracts() {
        assert_eq!(server.called_by(&contract.vendor).await.kind, "Unanswered");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_its_status_and_what_arrived() {
    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n{\"status\":\"AP";
    let closes = Server::start(|connection| send(connection, HEAD));
    let stalls = Server::start(|connection| {
        send(connection, HEAD);
        stall();
    });
    for server in [closes, stalls] {
        for contract in contracts() {
            let seen = server.called_by(&contract.vendor).await;
            assert_eq!((seen.kind, seen.status), ("Incomplete", Some(200)), "{seen:?}");
            assert_eq!(seen.raw.as_deref(), Some(b"{\"status\":\"AP".as_slice()));
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for contract in contracts() {
        let seen = verify_as(&contract.vendor, &url, SESSION, CODE, Duration::from_secs(5)).await;
        assert_eq!((seen.kind, seen.status), ("Unsent", None), "{seen:?}");
    }
}
