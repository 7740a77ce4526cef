//! Callers who mean harm, or are broken: the server refuses them in time, forgets them, and goes on.

use std::time::Duration;

use otp_sandbox::{Limits, Settings};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, contracts};

async fn impatient() -> House {
    let limits = Limits {
        head_time: Duration::from_millis(300),
        body_time: Duration::from_millis(300),
        ..Limits::default()
    };
    House::open(Settings { contracts: contracts(), limits, ..Settings::default() }).await
}

async fn connect(house: &House) -> TcpStream {
    TcpStream::connect(house.url.trim_start_matches("http://")).await.unwrap()
}

/// What comes back until the server closes; a test that waits here for ever has found one that does not.
async fn read(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let patience = Duration::from_secs(10);
    // A connection that is reset while it is read has been closed as well.
    let _ = tokio::time::timeout(patience, connection.read_to_end(&mut read)).await.expect("it stays open");
    String::from_utf8_lossy(&read).into_owned()
}

async fn still_serves(house: &House) {
    let contract = &contracts()[0];
    let tenant = house.tenant(&contract.vendor).await;
    let issued = house.issue(&tenant, "123456", json!({})).await;
    let answer = house.verify(contract, &tenant, issued["session"].as_str().unwrap(), "123456").await;
    assert_eq!(answer.status, 200);
}

/// What a request of these octets is answered, and that it is the refusal of the vendor whose path it has.
async fn refused(house: &House, octets: &[u8], status: &str, body: &str) {
    let mut connection = connect(house).await;
    // Who is refused midway may find nobody there to take the rest.
    let _ = connection.write_all(octets).await;
    let answer = read(&mut connection).await;
    let beginning = String::from_utf8_lossy(&octets[..octets.len().min(160)]).into_owned();
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{beginning:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{beginning:?}: {answer}");
    let (head, told) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json\r\n"), "{beginning:?}: {head}");
    assert!(head.contains(&format!("content-length: {}\r\n", told.len())), "{beginning:?}: {answer}");
    assert!(told.starts_with(body), "{beginning:?}: {told}");
    serde_json::from_str::<serde_json::Value>(told).unwrap();
}

const ZECKTA: &str = "{\"success\":false";

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off_in_size_and_in_time() {
    let house = impatient().await;
    for padding in ["x".repeat(20_000), "x".repeat(200 * 1024), "a: b\r\n".repeat(500)] {
        let head = format!("POST /v1/messaging/otp/verify HTTP/1.1\r\nhost: x\r\nx: {padding}\r\n\r\n");
        refused(&house, head.as_bytes(), "431", ZECKTA).await;
        let head = head.replace("/v1/messaging/otp/verify", "/_control/v1/sessions");
        refused(&house, head.as_bytes(), "431", "{\"error\":").await;
    }
    let mut connection = connect(&house).await;
    connection.write_all(b"POST /v1/messaging/otp/verify HTTP/1.1\r\nhost").await.unwrap();
    assert_eq!(read(&mut connection).await, "");
    still_serves(&house).await;
}

/// Sends the parts one after the other, each once the one before was read; what comes back.
async fn in_parts(house: &House, parts: &[&str]) -> String {
    let mut connection = connect(house).await;
    for part in parts {
        connection.write_all(part.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    read(&mut connection).await
}

#[tokio::test]
async fn a_refused_head_has_the_shape_of_its_own_path_however_it_arrives() {
    let house = House::clean().await;
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
        let answer = in_parts(&house, &parts).await;
        let last = &answer[answer.rfind("HTTP/1.").unwrap()..];
        assert!(last.contains(" 400 ") && last.contains(ZECKTA), "{parts:?}: {answer}");
    }
    // Behind another request in one piece it has somebody's shape, and a body as long as it says.
    let answer = in_parts(&house, &[&format!("HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n{bad}")]).await;
    let last = &answer[answer.rfind("HTTP/1.1 400 ").unwrap()..];
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len())) && body.starts_with('{'),
        "{answer}"
    );
}

#[tokio::test]
async fn whom_a_request_is_for_and_where_it_ends_is_beyond_doubt() {
    let house = House::clean().await;
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
        refused(&house, request(fields).as_bytes(), "400", ZECKTA).await;
    }
    // And with one host and one length it is read: it lacks credentials, and nothing else.
    refused(&house, request("host: a\r\ncontent-length: 34\r\n").as_bytes(), "401", ZECKTA).await;
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_said_is_closed() {
    let house = impatient().await;
    let mut connection = connect(&house).await;
    assert_eq!(read(&mut connection).await, "");
    still_serves(&house).await;
}

#[tokio::test]
async fn a_body_that_drips_is_refused_in_time_and_in_the_vendors_shape() {
    let house = impatient().await;
    let contract = contracts().into_iter().find(|contract| contract.vendor == "zeckta").unwrap();
    let tenant = house.tenant("zeckta").await;
    let (name, value) = tenant.credential();
    let mut connection = connect(&house).await;
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: x\r\n{name}: {value}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        contract.verify().method,
        contract.verify().path
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 2_048];
    let length = tokio::time::timeout(Duration::from_secs(10), connection.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length.unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("{\"success\":false"), "{answer}");
    still_serves(&house).await;
}

#[tokio::test]
async fn what_is_no_http_gets_a_refusal_and_no_more() {
    let house = impatient().await;
    for octets in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"\xff\xfe\xfd /v1/messaging/otp/verify HTTP/1.1\r\n\r\n",
    ] {
        // Whose it would have been is not known; anybody's refusal will do.
        refused(&house, octets, "400", "{").await;
    }
    let path = "/v1/messaging/otp/verify";
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nx\0: y\r\n\r\n");
    refused(&house, head.as_bytes(), "400", ZECKTA).await;
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello");
    refused(&house, head.as_bytes(), "400", ZECKTA).await;
    // To another version of the protocol, an answer in this one says nothing.
    let mut connection = connect(&house).await;
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut connection).await, "");
    still_serves(&house).await;
}

#[tokio::test]
async fn more_connections_than_places_wait_and_are_served_once_there_is_one() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let house = House::open(Settings { contracts: contracts(), limits, ..Settings::default() }).await;
    let (first, second) = (connect(&house).await, connect(&house).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut third = connect(&house).await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut octet = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), third.read(&mut octet)).await;
    assert!(early.is_err(), "it is served though there is no place");
    drop((first, second));
    assert!(read(&mut third).await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn answers_are_counted_by_what_they_say_and_never_by_what_was_sent() {
    let house = House::clean().await;
    let contract = contracts().into_iter().find(|contract| contract.vendor == "exotel").unwrap();
    let tenant = house.tenant("exotel").await;
    let issued = house.issue(&tenant, "271828", json!({})).await;
    let session = issued["session"].as_str().unwrap();
    house.verify(&contract, &tenant, session, "314159").await;
    house.verify(&contract, &tenant, session, "271828").await;
    house.verify(&contract, &tenant, "canary", "271828").await;
    let text = house.send("GET", "/metrics", &[], b"").await;
    let text = String::from_utf8(text.body.to_vec()).unwrap();
    for line in [
        "otp_sandbox_answers_total{vendor=\"exotel\",outcome=\"approved\",status=\"200\"} 1",
        "otp_sandbox_answers_total{vendor=\"exotel\",outcome=\"wrong_code\",status=\"400\"} 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    let once: std::collections::BTreeSet<_> = types.iter().collect();
    assert_eq!(types.len(), once.len(), "a family stands in one piece: {text}");
    for sent in ["271828", "314159", session, "canary", tenant.id()] {
        assert!(!text.contains(sent), "{sent} in {text}");
    }
}

#[tokio::test]
async fn a_body_for_the_control_is_bounded_in_size_and_time_and_not_read_for_a_stranger() {
    let house = impatient().await;
    let head = |length: usize| {
        format!("POST /_control/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
    };
    let mut stalled = connect(&house).await;
    stalled.write_all((head(500) + "{").as_bytes()).await.unwrap();
    let answer = read(&mut stalled).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("{\"error\":"), "{answer}");
    let mut large = connect(&house).await;
    large.write_all((head(2_000_000) + &" ".repeat(40_000)).as_bytes()).await.unwrap();
    let answer = read(&mut large).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("{\"error\":"), "{answer}");
    still_serves(&house).await;

    let limits = Limits { body_time: Duration::from_secs(60), ..Limits::default() };
    let guarded = Settings {
        contracts: contracts(),
        control_token: Some("t".to_owned()),
        limits,
        ..Settings::default()
    };
    let house = House::open(guarded).await;
    let mut stranger = connect(&house).await;
    stranger.write_all(head(500).as_bytes()).await.unwrap();
    let answer = read(&mut stranger).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
