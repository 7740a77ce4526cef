//! `--timeout` and `--rate`: how long a call may take, and how fast calls follow one another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use otp_conformance::{CheckResult, ConnectionOptions, Options, Report, SubjectOptions, Suite};
use otp_sandbox::Settings;
use otp_test_support::{HttpClient, serve_router};

use crate::suite::{contracts, options, sandbox};

struct Gate {
    sandbox: HttpClient,
    calls: AtomicU64,
    /// Every call with this number is put off.
    limited: Option<u64>,
    delay: Duration,
}

/// A server in front of a sandbox.
async fn gate(sandbox: &str, limited: Option<u64>, delay: Duration) -> String {
    async fn forward(State(gate): State<Arc<Gate>>, request: Request) -> Response {
        let number = gate.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if gate.limited.is_some_and(|every| number.is_multiple_of(every)) {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "slow down").into_response();
        }
        tokio::time::sleep(gate.delay).await;
        gate.sandbox
            .hand_on(request)
            .await
            .map_or_else(|refusal| refusal, |(answer, _)| answer.into_response())
    }
    let gate = Gate { sandbox: HttpClient::new(sandbox), calls: AtomicU64::new(0), limited, delay };
    serve_router(Router::new().fallback(forward).with_state(Arc::new(gate))).await
}

async fn check(target: String, control: String, connection: ConnectionOptions, only: &str) -> Report {
    let subject = SubjectOptions {
        targets: vec![target],
        control: Some(control),
        connection,
        ..SubjectOptions::default()
    };
    let suite = Suite::connect(contracts(&["d7"]), subject).await.unwrap();
    let only = only.split(' ').map(|pattern| glob::Pattern::new(pattern).unwrap()).collect();
    suite.run(&Options { only, ..options(1) }).await.unwrap()
}

async fn clean() -> String {
    sandbox(Settings { contracts: contracts(&["d7"]), ..Settings::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_put_off_waits_only_if_the_timeout_was_chosen() {
    let control = clean().await;
    let limited = gate(&control, Some(9), Duration::ZERO).await;
    let impatient = check(limited.clone(), control.clone(), ConnectionOptions::default(), "matrix/*").await;
    assert!(impatient.summary.error > 0 && impatient.summary.failed == 0, "{:?}", impatient.summary);
    let patient = ConnectionOptions { timeout: Some(Duration::from_secs(4)), ..ConnectionOptions::default() };
    let patient = check(limited, control, patient, "matrix/*").await;
    assert_eq!((patient.summary.error, patient.summary.failed), (0, 0), "{:?}", patient.summary);
    assert!(patient.duration_ms >= 1_000, "{} ms", patient.duration_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_are_sent_in_a_second_than_the_rate_allows() {
    let server = clean().await;
    let started = Instant::now();
    let slow = ConnectionOptions { rate: Some(50), ..ConnectionOptions::default() };
    let report = check(server.clone(), server, slow, "matrix/* concurrency/*").await;
    let least = Duration::from_millis((report.requests - 1) * 1_000 / 50);
    assert!(started.elapsed() >= least, "{} requests in {:?}", report.requests, started.elapsed());
    let checks = &report.vendors[0].checks;
    for check in checks {
        let is_spaced =
            check.reason.as_ref().is_some_and(|reason| reason.starts_with("--rate spaces requests"));
        assert_eq!(is_spaced, check.id.contains("/concurrency/"), "{}", check.id);
        assert_eq!(check.result == CheckResult::Passed, !is_spaced, "{}", check.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_longer_than_the_timeout_has_no_response() {
    let control = clean().await;
    let slow = gate(&control, None, Duration::from_millis(400)).await;
    let short =
        ConnectionOptions { timeout: Some(Duration::from_millis(100)), ..ConnectionOptions::default() };
    let report = check(slow.clone(), control.clone(), short, "matrix/approved").await;
    let reason = report.vendors[0].checks[0].reason.as_ref().unwrap();
    assert!(reason.contains("no response within 100ms"), "{reason}");
    let long = ConnectionOptions { timeout: Some(Duration::from_secs(20)), ..ConnectionOptions::default() };
    let report = check(slow, control, long, "matrix/approved").await;
    assert_eq!(report.vendors[0].checks[0].result, CheckResult::Passed);
}
