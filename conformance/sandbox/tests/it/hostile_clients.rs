//! Malicious and broken clients: the server refuses them in time, releases their resources, and keeps serving.

use std::time::Duration;

use otp_sandbox::{Limits, Settings};
use otp_test_support::{TestServer, contracts};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn with_short_timeouts() -> TestServer {
    let limits = Limits {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    TestServer::start(Settings { contracts: contracts(), limits, ..Settings::default() }).await
}

/// Reads until the server closes the connection, and panics if it does not.
async fn read_to_end(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let timeout = Duration::from_secs(10);
    // A reset also closes the connection.
    let _ = tokio::time::timeout(timeout, connection.read_to_end(&mut read)).await.expect("it is closed");
    String::from_utf8_lossy(&read).into_owned()
}

async fn assert_serves(server: &TestServer) {
    let contract = &contracts()[0];
    let tenant = server.tenant(&contract.vendor).await;
    let session = server.session(&tenant, "123456", json!({})).await;
    let response = server.verify(contract, &tenant, &session, "123456").await;
    assert_eq!(response.status, 200);
}

/// Asserts that the response to these bytes is one error response in JSON with this status and beginning of the body.
async fn assert_refused(server: &TestServer, bytes: &[u8], status: &str, body_start: &str) {
    let mut connection = server.http().connect().await;
    // The server may close the connection before it has read everything.
    let _ = connection.write_all(bytes).await;
    let response = read_to_end(&mut connection).await;
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned();
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{beginning:?}: {response}");
    assert_eq!(response.matches("HTTP/1.1").count(), 1, "{beginning:?}: {response}");
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json\r\n"), "{beginning:?}: {head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{beginning:?}: {response}");
    assert!(body.starts_with(body_start), "{beginning:?}: {body}");
    serde_json::from_str::<serde_json::Value>(body).unwrap();
}

const ZECKTA: &str = "{\"success\":false";

#[tokio::test]
async fn a_head_without_an_end_is_limited_in_size_and_time() {
    let server = with_short_timeouts().await;
    for padding in ["x".repeat(20_000), "x".repeat(200 * 1024), "a: b\r\n".repeat(500)] {
        let head = format!("POST /v1/messaging/otp/verify HTTP/1.1\r\nhost: x\r\nx: {padding}\r\n\r\n");
        assert_refused(&server, head.as_bytes(), "431", ZECKTA).await;
        let head = head.replace("/v1/messaging/otp/verify", "/_control/v1/sessions");
        assert_refused(&server, head.as_bytes(), "431", "{\"error\":").await;
    }
    let mut connection = server.http().connect().await;
    connection.write_all(b"POST /v1/messaging/otp/verify HTTP/1.1\r\nhost").await.unwrap();
    assert_eq!(read_to_end(&mut connection).await, "");
    assert_serves(&server).await;
}

/// Sends the parts with pauses in between and returns everything that the server sends.
async fn send_in_parts(server: &TestServer, parts: &[&str]) -> String {
    let mut connection = server.http().connect().await;
    for part in parts {
        connection.write_all(part.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    read_to_end(&mut connection).await
}

#[tokio::test]
async fn an_unparsable_head_gets_the_error_format_of_its_path_however_it_arrives() {
    let server = TestServer::start_default().await;
    let good = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let bad = "POST /v1/messaging/otp/verify HTTP/1.1\r\nhost: x\r\na b: c\r\n\r\n";
    let absolute = bad.replace("/v1", "http://x:80/v1");
    let old = bad.replace("1.1", "1.0");
    let after_empty_lines = format!("\r\n\r\n{bad}");
    for parts in [
        [good, bad],
        ["P", &bad[1..]],
        ["POST ", &bad[5..]],
        ["", &absolute],
        ["", &old],
        ["", &after_empty_lines],
    ] {
        let response = send_in_parts(&server, &parts).await;
        let last = &response[response.rfind("HTTP/1.").unwrap()..];
        assert!(last.contains(" 400 ") && last.contains(ZECKTA), "{parts:?}: {response}");
    }
    // If it arrives together with another request, the format is any vendor's, and the length is right.
    let response =
        send_in_parts(&server, &[&format!("HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n{bad}")]).await;
    let last = &response[response.rfind("HTTP/1.1 400 ").unwrap()..];
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len())) && body.starts_with('{'),
        "{response}"
    );
}

#[tokio::test]
async fn a_request_with_an_ambiguous_host_or_length_is_refused() {
    let server = TestServer::start_default().await;
    let request = |fields: &str| {
        format!(
            "POST /v1/messaging/otp/verify HTTP/1.1\r\n{fields}connection: close\r\n\r\n{}",
            "{\"sessionId\":\"x\",\"code\":\"123456\"}"
        )
    };
    for fields in [
        "content-length: 34\r\n",
        "host: a\r\nhost: b\r\ncontent-length: 34\r\n",
        "host: a\r\ncontent-length: 34\r\ncontent-length: 35\r\n",
        "host: a\r\ncontent-length: -1\r\n",
        "host: a\r\ntransfer-encoding: gzip, chunked\r\n",
        "host: a\r\ntransfer-encoding: gzip\r\n",
        "host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ] {
        assert_refused(&server, request(fields).as_bytes(), "400", ZECKTA).await;
    }
    // With one host and one length it is accepted, and only lacks credentials.
    assert_refused(&server, request("host: a\r\ncontent-length: 34\r\n").as_bytes(), "401", ZECKTA).await;
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = with_short_timeouts().await;
    let mut connection = server.http().connect().await;
    assert_eq!(read_to_end(&mut connection).await, "");
    assert_serves(&server).await;
}

#[tokio::test]
async fn a_body_that_never_arrives_is_refused_in_time_and_in_the_vendors_format() {
    let server = with_short_timeouts().await;
    let contract = contracts().into_iter().find(|contract| contract.vendor == "zeckta").unwrap();
    let tenant = server.tenant("zeckta").await;
    let (name, value) = tenant.credential(&contract);
    let mut connection = server.http().connect().await;
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: x\r\n{name}: {value}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        contract.verify().method,
        contract.verify().path
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut response = [0; 2_048];
    let length = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut response)).await.unwrap();
    let response = String::from_utf8_lossy(&response[..length.unwrap()]).into_owned();
    assert!(response.starts_with("HTTP/1.1 408"), "{response}");
    assert!(response.contains("{\"success\":false"), "{response}");
    assert_serves(&server).await;
}

#[tokio::test]
async fn anything_but_http_gets_one_error_response() {
    let server = with_short_timeouts().await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"\xff\xfe\xfd /v1/messaging/otp/verify HTTP/1.1\r\n\r\n",
    ] {
        // Without a path, any vendor's format will do.
        assert_refused(&server, bytes, "400", "{").await;
    }
    let path = "/v1/messaging/otp/verify";
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nx\0: y\r\n\r\n");
    assert_refused(&server, head.as_bytes(), "400", ZECKTA).await;
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello");
    assert_refused(&server, head.as_bytes(), "400", ZECKTA).await;
    // A response in HTTP/1 would be meaningless to an HTTP/2 client.
    let mut connection = server.http().connect().await;
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(read_to_end(&mut connection).await, "");
    assert_serves(&server).await;
}

#[tokio::test]
async fn connections_above_the_limit_wait_and_are_served_once_another_ends() {
    let limits = Limits { max_connections: 2, ..Limits::default() };
    let server = TestServer::start(Settings { contracts: contracts(), limits, ..Settings::default() }).await;
    let (first, second) = (server.http().connect().await, server.http().connect().await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut third = server.http().connect().await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), third.read(&mut byte)).await;
    assert!(early.is_err(), "it is served above the limit");
    drop((first, second));
    assert!(read_to_end(&mut third).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn metrics_have_labels_from_responses_and_never_from_requests() {
    let server = TestServer::start_default().await;
    let contract = contracts().into_iter().find(|contract| contract.vendor == "exotel").unwrap();
    let tenant = server.tenant("exotel").await;
    let session = &server.session(&tenant, "271828", json!({})).await;
    server.verify(&contract, &tenant, session, "314159").await;
    server.verify(&contract, &tenant, session, "271828").await;
    server.verify(&contract, &tenant, "canary", "271828").await;
    let text = server.send("GET", "/metrics", &[], b"").await;
    let text = String::from_utf8(text.body.to_vec()).unwrap();
    for line in [
        "otp_sandbox_answers_total{vendor=\"exotel\",outcome=\"approved\",status=\"200\"} 1",
        "otp_sandbox_answers_total{vendor=\"exotel\",outcome=\"wrong_code\",status=\"400\"} 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    let once: std::collections::BTreeSet<_> = types.iter().collect();
    assert_eq!(types.len(), once.len(), "each family appears once: {text}");
    for sent in ["271828", "314159", session, "canary", tenant.id()] {
        assert!(!text.contains(sent), "{sent} in {text}");
    }
}

#[tokio::test]
async fn a_control_body_is_limited_in_size_and_time_and_not_read_without_the_token() {
    let server = with_short_timeouts().await;
    let head = |length: usize| {
        format!("POST /_control/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
    };
    let mut stalled = server.http().connect().await;
    stalled.write_all((head(500) + "{").as_bytes()).await.unwrap();
    let response = read_to_end(&mut stalled).await;
    assert!(response.starts_with("HTTP/1.1 408") && response.contains("{\"error\":"), "{response}");
    let mut large = server.http().connect().await;
    large.write_all((head(2_000_000) + &" ".repeat(40_000)).as_bytes()).await.unwrap();
    let response = read_to_end(&mut large).await;
    assert!(response.starts_with("HTTP/1.1 413") && response.contains("{\"error\":"), "{response}");
    assert_serves(&server).await;

    let limits = Limits { body_timeout: Duration::from_secs(60), ..Limits::default() };
    let guarded = Settings {
        contracts: contracts(),
        control_token: Some("t".to_owned()),
        limits,
        ..Settings::default()
    };
    let server = TestServer::start(guarded).await;
    let mut unauthorized = server.http().connect().await;
    unauthorized.write_all(head(500).as_bytes()).await.unwrap();
    let response = read_to_end(&mut unauthorized).await;
    assert!(response.starts_with("HTTP/1.1 401"), "{response}");
}
