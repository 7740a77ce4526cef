//! The blocking client, also on a thread of an asynchronous runtime.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use otp_verify::{Code, blocking, d7, dailystory};

/// A server that sends this response to one request on each connection.
fn server(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let length = body.len();
            let _ = write!(
                connection,
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

fn d7(url: String) -> blocking::Client<d7::D7> {
    blocking::Client::new(d7::Client::builder("token").base_url(url).build().unwrap()).unwrap()
}

#[test]
fn a_call_blocks_until_its_result_is_known() {
    let client = d7(server(200, r#"{"status":"APPROVED"}"#));
    assert!(client.verify("s", Code::new("1")).is_ok());
    assert!(client.clone().verify("s", Code::new("1")).is_ok());
    let client = d7(server(200, r#"{"status":"FAILED"}"#));
    assert!(matches!(client.verify("s", Code::new("1")), Err(d7::Error::WrongCode200(_))));
    assert!(matches!(client.verify("..", Code::new("1")), Err(d7::Error::InvalidInput(_))));
}

#[test]
fn a_prepared_call_has_the_options_of_the_asynchronous_one() {
    let url = server(400, r#"{"Status":false,"Message":"m","Response":{"remaining_attempts":2}}"#);
    let client = dailystory::Client::builder("token").base_url(url).build().unwrap();
    let client = blocking::Client::new(client).unwrap();
    let call = client.prepare("s", Code::new("1")).allow_retry(true).timeout(Duration::from_secs(5));
    assert_eq!(client.send(call).unwrap_err().attempts_left(), Some(2));
}

#[test]
fn threads_can_share_a_client() {
    let client = d7(server(200, r#"{"status":"APPROVED"}"#));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(client.verify("s", Code::new("1")).is_ok()));
        }
    });
}

#[tokio::test]
async fn an_asynchronous_program_can_use_and_drop_a_client() {
    let client = d7(server(200, r#"{"status":"APPROVED"}"#));
    assert!(client.verify("s", Code::new("1")).is_ok());
    drop(client);
}

#[tokio::test]
async fn a_call_does_not_wait_for_a_connection_of_the_blocked_runtime() {
    let server = wiremock::MockServer::start().await;
    let response = wiremock::ResponseTemplate::new(418);
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let client = d7::Client::builder("token").base_url(server.uri()).build().unwrap();
    for _ in 0..2 {
        let _ = client.verify("s", Code::new("1")).await;
    }
    let client = blocking::Client::new(client).unwrap();
    let call = client.prepare("s", Code::new("1")).timeout(Duration::from_secs(5));
    assert_eq!(client.send(call).unwrap_err().status(), Some(418));
}
