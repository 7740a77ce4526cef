//! `serve` as a process of its own: several processes on one Redis are one service, and a process that is asked to stop
//! finishes its responses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use otp_test_support::{ControlClient, HttpClient, RedisCluster, RedisServer, Tenant};
use serde_json::{Value, json};

use crate::served::{Served, program};

fn check(targets: &[String], more: &[&str]) -> (Option<i32>, String) {
    let targets: Vec<_> = targets.iter().flat_map(|target| ["--target", target.as_str()]).collect();
    let output = program(&["check", "--seed", "5"]).args(targets).args(more).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Nothing failed, and only checks of a limit were skipped, because the subject states none for a vendor.
fn assert_everything_ran(out: &str) {
    assert!(out.contains(" 0 failed, ") && out.contains(" skipped, 0 in error"), "{out}");
    let skipped = out.lines().filter(|line| line.trim_start().starts_with("skip ")).count();
    assert_eq!(out.matches("states that it has no limit of attempts").count(), skipped, "{out}");
}

#[tokio::test]
async fn replicas_on_one_redis_are_one_service_and_conform_in_every_area() {
    let redis = RedisServer::start().await;
    let store = redis.url();
    let replicas: Vec<_> = (0..3).map(|_| Served::start(&["--store", &store], 5)).collect();
    let urls: Vec<_> = replicas.iter().map(Served::url).collect();
    for targets in [&urls[..1], &urls[..]] {
        let (status, out) = check(targets, &[]);
        assert_eq!(status, Some(0), "{out}");
        assert_everything_ran(&out);
    }
}

#[tokio::test]
async fn a_defect_between_replicas_is_found() {
    let redis = RedisServer::start().await;
    let store = redis.url();
    for (fault, only) in
        [("use-per-replica", "exotel/single-use/*"), ("count-per-replica", "exotel/limit/boundary")]
    {
        let replicas: Vec<_> =
            (0..2).map(|_| Served::start(&["exotel", "--store", &store, "--fault", fault], 1)).collect();
        let urls: Vec<_> = replicas.iter().map(Served::url).collect();
        let (status, out) = check(&urls, &["exotel", "--only", only]);
        assert_eq!(status, Some(1), "{fault}: {out}");
        // One of them alone conforms.
        let (status, out) = check(&urls[..1], &["exotel", "--only", only]);
        assert_eq!(status, Some(0), "{fault}: {out}");
    }
}

/// A client of several replicas, with one account.
struct Caller {
    tenant: Tenant,
}

impl Caller {
    async fn new(url: &str) -> Caller {
        Caller { tenant: ControlClient::new(HttpClient::new(url)).tenant("zeckta").await }
    }

    async fn issue(&self, url: &str) -> String {
        let control = ControlClient::new(HttpClient::new(url));
        control.session(&self.tenant, RIGHT, json!({"max_attempts": 5})).await
    }

    /// The status of the response; `None` if none arrives.
    async fn verify(&self, url: &str, session: &str, code: &str) -> Option<u16> {
        let token = self.tenant.json()["credentials"]["bearerAuth"]["token"].as_str().unwrap();
        let authorization = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        let body = json!({"sessionId": session, "code": code}).to_string();
        let path = "/v1/messaging/otp/verify";
        let response = HttpClient::new(url).try_send("POST", path, &headers, body.as_bytes()).await;
        response.map(|response| response.status)
    }
}

const RIGHT: &str = "123456";
const WRONG: &str = "654321";

/// What the server acknowledged for some sessions.
struct Acknowledged {
    counted: Vec<(String, usize)>,
    used: Vec<(String, bool)>,
}

impl Acknowledged {
    async fn start(caller: &Caller, urls: &[String]) -> Acknowledged {
        let mut acknowledged = Acknowledged { counted: Vec::new(), used: Vec::new() };
        for number in 0..20 {
            let url = &urls[number % urls.len()];
            acknowledged.counted.push((caller.issue(url).await, 0));
            acknowledged.used.push((caller.issue(url).await, false));
        }
        acknowledged
    }

    /// Submits a wrong code to each session that is counted, leaving one of its five attempts, and the right code to every
    /// `each`th of the other sessions.
    async fn proceed(&mut self, caller: &Caller, url: &str, each: usize) {
        for (session, acknowledged) in self.counted.iter_mut().filter(|(_, acknowledged)| *acknowledged < 4) {
            match caller.verify(url, session, WRONG).await {
                Some(400) => *acknowledged += 1,
                // Without a response from the server or the store, it is unknown whether the attempt counts.
                None | Some(503) => {}
                other => panic!("{other:?}"),
            }
        }
        for (session, acknowledged) in self.used.iter_mut().step_by(each) {
            match caller.verify(url, session, RIGHT).await {
                Some(200) => {
                    assert!(!*acknowledged, "approved twice");
                    *acknowledged = true;
                }
                None | Some(409 | 503) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn expect_nothing_lost(self, caller: &Caller, url: &str) {
        assert!(self.counted.iter().all(|(_, acknowledged)| *acknowledged >= 2), "{:?}", self.counted);
        assert!(self.used.iter().filter(|(_, acknowledged)| *acknowledged).count() >= 10);
        for (session, acknowledged) in self.counted {
            let mut compared = acknowledged;
            while caller.verify(url, &session, WRONG).await == Some(400) {
                compared += 1;
            }
            assert!(compared <= 5, "{compared} wrong codes were compared, {acknowledged} of them before");
        }
        for (session, acknowledged) in self.used {
            let again = caller.verify(url, &session, RIGHT).await;
            assert!(!acknowledged || again == Some(409), "{again:?}");
        }
    }
}

/// How many responses a server has sent so far.
async fn responses_sent(url: &str) -> u64 {
    let response = HttpClient::new(url).send("GET", "/metrics", &[], b"").await;
    let text = String::from_utf8(response.body.to_vec()).unwrap();
    let counts = text.lines().filter(|line| line.starts_with("otp_sandbox_answers_total"));
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_count_or_use_is_lost_when_a_replica_is_killed_under_the_suite_and_then_redis() {
    let mut redis = RedisServer::start_durable().await;
    let store = redis.url();
    let mut replicas: Vec<_> = (0..2).map(|_| Served::start(&["--store", &store], 5)).collect();
    let urls: Vec<_> = replicas.iter().map(Served::url).collect();
    let caller = Caller::new(&urls[0]).await;
    let mut acknowledged = Acknowledged::start(&caller, &urls).await;
    acknowledged.proceed(&caller, &urls[0], 4).await;
    acknowledged.proceed(&caller, &urls[1], 4).await;

    // The suite runs against both, and one of them is killed halfway.
    let before = responses_sent(&urls[0]).await;
    let running = program(&["check", "--seed", "5", "--target", &urls[0], "--target", &urls[1]])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while responses_sent(&urls[0]).await < before + 1_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    replicas.pop().unwrap().child.kill().unwrap();
    acknowledged.proceed(&caller, &urls[0], 3).await;
    let output = tokio::task::spawn_blocking(|| running.wait_with_output().unwrap()).await.unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    // Calls without a response cannot be judged, and no response was wrong.
    assert_eq!(output.status.code(), Some(3), "{out}");
    let summary = out.lines().last().unwrap();
    assert!(summary.starts_with("inconclusive: ") && summary.ends_with(" ended in an error"), "{summary}");

    // Then the database is killed and restarted.
    redis.kill();
    acknowledged.proceed(&caller, &urls[0], 1).await;
    redis.restart().await;
    for _ in 0..100 {
        if caller.verify(&urls[0], "nobody", WRONG).await == Some(404) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    acknowledged.proceed(&caller, &urls[0], 2).await;

    // A new replica knows all sessions, and the two are one service again.
    let urls = [urls[0].clone(), {
        replicas.push(Served::start(&["--store", &store], 5));
        replicas[1].url()
    }];
    acknowledged.expect_nothing_lost(&caller, &urls[1]).await;
    let (status, out) = check(&urls, &[]);
    assert_eq!(status, Some(0), "{out}");
    assert_everything_ran(&out);
}

#[tokio::test]
async fn replicas_on_a_cluster_are_one_service_and_conform_in_every_area() {
    let cluster = RedisCluster::start().await;
    let replicas = cluster.nodes.each_ref().map(|node| Served::start(&["--store", &node.url()], 5));
    let (status, out) = check(&replicas.each_ref().map(Served::url), &[]);
    assert_eq!(status, Some(0), "{out}");
    assert_everything_ran(&out);
}

#[test]
fn the_commands_that_serve_prints_issue_and_verify_a_code_for_every_vendor() {
    let served = Served::start(&[], 5);
    for line in &served.printed[1..] {
        let (vendor, command) = line.split_once(": ").unwrap();
        let output = Command::new("sh").arg("-c").arg(command).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.starts_with("HTTP/1.1 200 OK"), "{vendor}: {printed}");
    }
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_its_responses_and_logs_no_secret() {
    let mut served = Served::start(&["zeckta", "--log", "info"], 1);
    let url = served.url();
    let (vendor, command) = served.printed[1].split_once(": ").unwrap();
    assert_eq!(vendor, "zeckta");
    assert!(Command::new("sh").arg("-c").arg(command).output().unwrap().status.success());
    // Half of a call has been sent when the server is asked to stop.
    let token = command.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap();
    let mut connection = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/messaging/otp/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 38\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    served.terminate();
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(url.trim_start_matches("http://")).is_err(), "new connections are refused");
    connection.write_all(br#"{"sessionId":"nobody","code":"123456"}"#).unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 404"), "{response}");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let log = served.log.recv().unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["outcome"], "approved");
    assert_eq!(lines[0]["vendor"], "zeckta");
    for secret in [token, "123456", "nobody"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[test]
fn the_control_can_have_a_separate_address_or_none() {
    let get = |url: &str, path: &str| {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}"]);
        let output = command.arg(format!("{url}{path}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let separate = Served::start(&["d7", "--control-listen", "127.0.0.1:0"], 1);
    let control = separate.printed[0].split("control at ").nth(1).unwrap().trim_end_matches("/_control/v1");
    assert_eq!(get(control, "/_control/v1"), "200");
    assert_eq!(get(control, "/metrics"), "200");
    for path in ["/_control/v1", "/metrics"] {
        assert_eq!(get(&separate.url(), path), "404", "{path}");
    }
    let (status, out) = check(&[separate.url()], &["--control", control, "--only", "*/matrix/*"]);
    assert_eq!(status, Some(0), "{out}");

    // Without a control it may listen on any address, because nobody can issue codes.
    let closed = Served::start(&["d7", "--no-control"], 1);
    assert!(closed.printed[0].ends_with("no control"), "{}", closed.printed[0]);
    assert_eq!(get(&closed.url(), "/_control/v1"), "404");
    assert_eq!(
        (get(&closed.url(), "/healthz"), get(&closed.url(), "/metrics")),
        ("200".into(), "200".into())
    );
}

#[test]
fn an_unusable_store_is_an_error_of_one_line() {
    for (store, status, message) in [
        ("redis://127.0.0.1:1", 3, "error: store given by --store cannot be reached: "),
        ("postgres://127.0.0.1", 2, "error: --store: "),
    ] {
        let output = program(&["serve", "--listen", "127.0.0.1:0", "--store", store]).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{err}");
        assert!(err.starts_with(message) && err.lines().count() == 1, "{err}");
        assert!(output.stdout.is_empty());
    }
}
