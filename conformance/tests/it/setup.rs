//! Set-ups through which nothing can be judged: each ends with a message of its own, and none with findings.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use otp_conformance::{CheckResult, Options, Stopped, Verdict};
use otp_sandbox::{Fault, Settings};
use otp_test_support::{HttpClient, Response as HttpResponse, contracts as all_contracts, serve_router};

use crate::served::program;
use crate::suite::{contracts, failed, options, sandbox, suite};

async fn clean_sandbox() -> String {
    sandbox(Settings { contracts: all_contracts(), ..Settings::default() }).await
}

/// What a proxy does with the response to its nth call, which had this body.
type Change = fn(u64, &mut HttpResponse, &[u8]);

struct Proxy {
    sandbox: HttpClient,
    calls: AtomicU64,
    change: Change,
}

/// A server that forwards each call to a sandbox, and changes its response.
async fn proxy(sandbox: &str, change: Change) -> String {
    async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
        let (mut response, body) = match proxy.sandbox.hand_on(request).await {
            Ok(handed_on) => handed_on,
            Err(refusal) => return refusal,
        };
        let number = proxy.calls.fetch_add(1, Ordering::Relaxed);
        (proxy.change)(number, &mut response, &body);
        response.into_response()
    }
    let proxy = Proxy { sandbox: HttpClient::new(sandbox), calls: AtomicU64::new(0), change };
    serve_router(Router::new().fallback(forward).with_state(Arc::new(proxy))).await
}

/// Replaces the whole response.
fn answer(response: &mut HttpResponse, status: u16, headers: &[(&'static str, &'static str)], body: &str) {
    response.status = status;
    response.headers.clear();
    for (name, value) in headers {
        response.headers.insert(*name, value.parse().unwrap());
    }
    response.body = body.to_owned().into();
}

/// Replaces a text of the body.
fn rewrite(response: &mut HttpResponse, from: &str, to: &str) {
    response.body = String::from_utf8_lossy(&response.body).replace(from, to).into();
}

/// The error that ends a run against this target, with the control of a sandbox.
async fn error(vendor: &str, target: &str, control: &str) -> String {
    let suite = suite(contracts(&[vendor]), &[target.to_owned()], control).await;
    suite.run(&options(1)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn credentials_of_another_system_are_one_message_and_no_findings() {
    for vendor in ["zeckta", "kaleyra", "dailystory", "exotel", "d7"] {
        let (target, control) = (clean_sandbox().await, clean_sandbox().await);
        let error = error(vendor, &target, &control).await;
        let start = format!(
            "{vendor} cannot be judged: the target refuses the credentials that the control returned: "
        );
        assert!(error.starts_with(&start), "{error}");
        assert!(
            error.contains(&target) && error.contains("HTTP 401") && error.contains("one system"),
            "{error}"
        );
        assert!(!error.contains("token-") && !error.contains("secret-"), "{error}");
    }
}

#[tokio::test]
async fn a_gateway_that_answers_every_call_is_one_message() {
    let control = clean_sandbox().await;
    let gateway = proxy(&control, |_, response, _| {
        answer(response, 502, &[("content-type", "text/html")], "<h1>Bad gateway</h1>\u{1b}[2J");
    });
    let error = error("exotel", &gateway.await, &control).await;
    assert!(error.contains("every call gets the same response, which the contract does not have"), "{error}");
    assert!(error.contains("HTTP 502 <h1>Bad gateway</h1>\\u{1b}[2J"), "{error}");
}

#[tokio::test]
async fn a_control_with_other_scheme_names_is_told_the_right_ones() {
    let sandbox = clean_sandbox().await;
    let renamed = proxy(&sandbox, |_, response, _| rewrite(response, "\"bearerAuth\"", "\"bearer\""));
    let error = error("d7", &sandbox, &renamed.await).await;
    assert!(error.contains("credentials for bearer, and the contract has the schemes bearerAuth"), "{error}");
}

#[tokio::test]
async fn a_control_without_the_account_in_the_path_is_told_its_name() {
    let sandbox = clean_sandbox().await;
    let renamed = proxy(&sandbox, |_, response, _| rewrite(response, "\"account_sid\"", "\"sid\""));
    let error = error("exotel", &sandbox, &renamed.await).await;
    assert!(error.contains("no parameter `account_sid`"), "{error}");
}

#[tokio::test]
async fn a_control_that_does_not_make_sessions_older_is_one_message() {
    let sandbox = clean_sandbox().await;
    for vendor in ["zeckta", "d7", "dailystory"] {
        let idle = idle_control(&sandbox).await;
        let error = error(vendor, &sandbox, &idle).await;
        let problem =
            format!("{vendor} cannot be judged: the control answered `sessions/age` without effect");
        assert!(error.starts_with(&problem), "{error}");
    }
}

/// A control that answers every `age` and does nothing.
async fn idle_control(sandbox: &str) -> String {
    async fn forward(State(sandbox): State<HttpClient>, request: Request) -> Response {
        if request.uri().path().ends_with("/sessions/age") {
            return StatusCode::NO_CONTENT.into_response();
        }
        sandbox.hand_on(request).await.map_or_else(|refusal| refusal, |(answer, _)| answer.into_response())
    }
    serve_router(Router::new().fallback(forward).with_state(HttpClient::new(sandbox))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_expiry_is_nonconformant_although_ageing_has_no_effect_on_it() {
    let fault = Fault::named("no-expiry").unwrap();
    let mut wanted = options(1);
    wanted.only = vec![glob::Pattern::new("*/matrix/expired").unwrap()];
    let report = crate::suite::check(contracts(&["zeckta"]), vec![fault], Vec::new(), &wanted).await;
    assert_eq!(report.verdict, Verdict::Nonconformant);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_calls_is_no_finding() {
    let control = clean_sandbox().await;
    let limited = proxy(&control, |number, response, _| {
        if number % 10 == 9 {
            answer(response, 429, &[("retry-after", "1")], "slow down");
        }
    });
    let suite = suite(contracts(&["zeckta"]), &[limited.await], &control).await;
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let errors: Vec<_> =
        report.vendors[0].checks.iter().filter(|check| check.result == CheckResult::Error).collect();
    assert!(!errors.is_empty());
    for check in errors {
        let reason = check.reason.as_deref().unwrap();
        assert!(reason.contains("the target limits calls: HTTP 429, Retry-After: 1"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_repeats_a_large_request_is_judged() {
    let control = clean_sandbox().await;
    let echoing = proxy(&control, |_, response, body| {
        if body.len() > 10_000 {
            let large = format!("{{\"input\": \"{}\"}}", "x".repeat(3 << 20));
            answer(response, response.status, &[("content-type", "application/json")], &large);
        }
    });
    let suite = suite(contracts(&["d7"]), &[echoing.await], &control).await;
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(
        report.summary.error,
        0,
        "{:?}",
        report.vendors[0].checks.iter().filter_map(|check| check.reason.clone()).collect::<Vec<_>>()
    );
    assert_eq!(report.verdict, Verdict::Conformant, "{:?}", failed(&report));
}

/// A run of the program against a slow server, ended by `signal` after it has begun to check.
async fn stopped_by(signal: &str) -> (Option<i32>, String, serde_json::Value) {
    let control = clean_sandbox().await;
    let slow = proxy(&control, |_, _, _| std::thread::sleep(Duration::from_millis(20)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let report = format!("json={}", path.display());
    let arguments = ["check", "zeckta", "--target", &slow.await, "--control", &control, "--report", &report];
    let child = program(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let report = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_signal_ends_a_run_with_the_results_so_far() {
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let (status, out, report) = stopped_by(signal).await;
        assert_eq!(status, Some(expected), "{out}");
        assert!(out.contains("stopped by a signal; the other checks have not run"), "{out}");
        assert_eq!(report["stopped"], "signal");
        assert_ne!(report["verdict"], "conformant");
        let checks = report["vendors"][0]["checks"].as_array().map_or(0, Vec::len);
        assert!(checks < 59, "{checks}");
    }
}

#[tokio::test]
async fn a_run_stops_after_as_many_failures_as_it_may_have() {
    let faults = vec![Fault::named("reuse").unwrap(), Fault::named("no-expiry").unwrap()];
    let settings = Settings { contracts: all_contracts(), faults, ..Settings::default() };
    let url = sandbox(settings).await;
    let suite = suite(contracts(&["exotel"]), std::slice::from_ref(&url), &url).await;
    let one_by_one = Options { jobs: Some(1), fail_fast: Some(1), ..options(1) };
    let report = suite.run(&one_by_one).await.unwrap();
    assert_eq!((report.summary.failed, report.stopped), (1, Some(Stopped::FailFast)));
    assert_eq!(report.verdict, Verdict::Nonconformant);
    let all = suite.run(&Options { fail_fast: None, ..one_by_one }).await.unwrap();
    assert!(all.summary.failed > 5 && all.stopped.is_none());
}

#[tokio::test]
async fn a_run_that_stops_before_the_first_check_has_ended_has_no_verdict() {
    let url = clean_sandbox().await;
    let suite = suite(contracts(&["d7"]), std::slice::from_ref(&url), &url).await;
    let report = suite.run_until(&options(1), std::future::ready(())).await.unwrap();
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(report.vendors.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_later_is_waited_for() {
    let control = clean_sandbox().await;
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let target = format!("http://{address}");
    let arguments =
        ["check", "d7", "--target", &target, "--control", &control, "--only", "matrix/approved", "--wait"];
    let at_once = program(&arguments[..8]).output().unwrap();
    assert_eq!(at_once.status.code(), Some(3), "{:?}", String::from_utf8_lossy(&at_once.stderr));

    let mut waiting = program(&arguments);
    let child = waiting.arg("20s").stdout(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    let behind = control.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trouble_of_many_checks_is_shown_once() {
    let control = clean_sandbox().await;
    let limited = proxy(&control, |number, response, _| {
        // The preflight passes, and then the limit is reached.
        if number > 8 {
            answer(response, 429, &[], "slow down");
        }
    });
    let output = tokio::task::spawn_blocking({
        let target = limited.await;
        move || program(&["check", "zeckta", "--target", &target, "--control", &control]).output().unwrap()
    });
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    let out = String::from_utf8(output.stdout).unwrap();
    let unwrapped = out.replace("\n        ", " ");
    assert_eq!(unwrapped.matches("the target limits calls: HTTP 429").count(), 1, "{out}");
    assert!(
        out.contains("error of ") && out.contains("\ninconclusive: the target limits calls, so "),
        "{out}"
    );
}

#[tokio::test]
async fn a_run_without_checks_writes_why_to_every_report() {
    let (target, control) = (clean_sandbox().await, clean_sandbox().await);
    let checking = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let mut texts = Vec::new();
        for format in otp_conformance::Report::formats() {
            let path = folder.path().join(format);
            let report = format!("{format}={}", path.display());
            let arguments = ["check", "d7", "--target", &target, "--control", &control, "--report", &report];
            let status = program(&arguments).output().unwrap().status.code();
            texts.push((format, status, std::fs::read_to_string(&path).unwrap()));
        }
        // A mistake in the options leaves no file behind.
        let path = folder.path().join("usage.json");
        let report = format!("json={}", path.display());
        program(&["check", "acme", "--report", &report]).output().unwrap();
        assert!(!path.exists());
        texts
    });
    for (format, status, text) in checking.await.unwrap() {
        assert_eq!(status, Some(3), "{format}");
        assert!(text.contains("the target refuses the credentials"), "{format}: {text}");
        if format == "json" {
            let report: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(report["verdict"], "inconclusive");
            assert_eq!(report["partial"], true);
            let schema = serde_json::from_str(include_str!("../../report.schema.json")).unwrap();
            assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report), "{text}");
        }
        if format == "junit" {
            assert!(text.contains("errors=\"1\"") && text.contains("<error type=\"error\""), "{text}");
        }
    }
}
