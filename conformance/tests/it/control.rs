//! Subjects with an incomplete or broken set-up: a check that cannot run is skipped or in error, and never counts as passed.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use otp_conformance::{CheckResult, Options, PreparedTenant, SubjectOptions, Suite, Verdict};
use otp_sandbox::Settings;
use otp_test_support::{HttpClient, contracts as all_contracts, serve_replica, serve_router};
use serde_json::json;

use crate::served::program;
use crate::suite::{contracts, failed, options, sandbox, suite};

async fn clean_sandbox() -> String {
    sandbox(Settings { contracts: all_contracts(), ..Settings::default() }).await
}

/// A proxy before the sandbox that offers only these control operations and forwards everything else.
async fn with_operations(operations: &'static [&'static str]) -> String {
    async fn forward(State(sandbox): State<Arc<HttpClient>>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        let forwarded =
            parts.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
        let headers: Vec<_> =
            forwarded.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let path = parts.uri.to_string();
        let response = sandbox.send(parts.method.as_str(), &path, &headers, &body).await;
        let status = axum::http::StatusCode::from_u16(response.status).unwrap();
        (status, response.headers, response.body).into_response()
    }
    let sandbox = HttpClient::new(clean_sandbox().await);
    let describe = move || async move {
        json!({"protocol": 1, "implementation": "test/1", "vendors": ["zeckta"], "operations": operations})
            .to_string()
    };
    let router =
        Router::new().route("/_control/v1", get(describe)).fallback(forward).with_state(Arc::new(sandbox));
    serve_router(router).await
}

#[tokio::test]
async fn a_check_that_the_control_cannot_set_up_is_skipped_with_the_reason() {
    let url = with_operations(&["tenants", "sessions"]).await;
    let suite = suite(contracts(&["zeckta"]), std::slice::from_ref(&url), &url).await;
    let report = suite.run(&options(1)).await.unwrap();
    let skipped: Vec<_> =
        report.vendors[0].checks.iter().filter(|check| check.result == CheckResult::Skipped).collect();
    assert!(skipped.iter().any(|check| check.id == "zeckta/matrix/expired"));
    assert!(skipped.iter().any(|check| check.id == "zeckta/limit/resend"));
    for check in skipped {
        let reason = check.reason.as_deref().unwrap();
        assert!(
            reason == "the control does not offer `age`" || reason == "the control does not offer `resend`",
            "{reason}"
        );
        assert!(check.finding.is_none() && check.given.is_empty());
    }
    assert_eq!(report.summary.failed + report.summary.error, 0);
    // A documented response that nobody looked at is no conformance.
    assert_eq!(report.verdict, Verdict::Partial);
    let untried: Vec<_> = report.vendors[0].untried.iter().map(|untried| untried.check.as_str()).collect();
    assert_eq!(untried, ["zeckta/matrix/expired"]);
    assert_eq!(report.vendors[0].untried[0].reason, "the control does not offer `age`");
}

#[tokio::test]
async fn a_check_that_was_not_selected_does_not_make_a_run_partial() {
    let url = with_operations(&["tenants", "sessions"]).await;
    let suite = suite(contracts(&["zeckta"]), std::slice::from_ref(&url), &url).await;
    let only = vec![glob::Pattern::new("zeckta/matrix/wrong_code").unwrap()];
    let report = suite.run(&Options { only, ..options(1) }).await.unwrap();
    assert_eq!(report.verdict, Verdict::Conformant);
}

#[tokio::test]
async fn when_every_check_is_skipped_there_is_no_verdict() {
    let url = with_operations(&[]).await;
    let suite = suite(contracts(&["zeckta"]), std::slice::from_ref(&url), &url).await;
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(report.summary.passed, 0);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn tenants_from_the_configuration_serve_a_control_that_creates_none() {
    let url = with_operations(&["sessions", "age", "resend"]).await;
    let mut tenants: Vec<PreparedTenant> = Vec::new();
    for _ in 0..2 {
        let body = br#"{"vendor": "zeckta"}"#;
        let mut tenant = HttpClient::new(&url).send("POST", "/_control/v1/tenants", &[], body).await.json();
        tenant["vendor"] = "zeckta".into();
        tenants.push(serde_json::from_value(tenant).unwrap());
    }
    let subject = SubjectOptions { targets: vec![url], tenants, ..SubjectOptions::default() };
    let suite = Suite::connect(contracts(&["zeckta"]), subject).await.unwrap();
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(report.summary.skipped, 0);
    assert_eq!(report.verdict, Verdict::Conformant);
}

#[tokio::test]
async fn a_target_that_closes_every_connection_is_an_error_and_no_verdict() {
    let control = clean_sandbox().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        // Accepts and closes connections for as long as the test runs.
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let suite = suite(contracts(&["d7"]), &[target], &control).await;
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(report.summary.passed + report.summary.failed, 0);
    assert!(report.summary.error > 0);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_disconnects_on_one_kind_of_call_only_does_not_conform() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = clean_sandbox().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let behind = sandbox.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move {
                let mut written = vec![0; 1 << 16];
                loop {
                    let mut read = vec![0; 1 << 16];
                    tokio::select! {
                        length = client.read(&mut read) => {
                            let Ok(length @ 1..) = length else { return };
                            if String::from_utf8_lossy(&read[..length]).contains("GET /") {
                                return;
                            }
                            if server.write_all(&read[..length]).await.is_err() { return }
                        }
                        length = server.read(&mut written) => {
                            let Ok(length @ 1..) = length else { return };
                            if client.write_all(&written[..length]).await.is_err() { return }
                        }
                    }
                }
            });
        }
    });
    let suite = suite(contracts(&["d7"]), &[target], &sandbox).await;
    let report = suite.run(&options(1)).await.unwrap();
    assert_eq!(failed(&report), ["d7/request/method"]);
    let check = report.vendors[0].checks.iter().find(|check| check.id == "d7/request/method").unwrap();
    let finding = check.finding.as_ref().unwrap();
    assert_eq!(finding.expected, "a response");
    assert!(finding.actual.contains("GET") && finding.exchanges[0].response.is_none(), "{}", finding.actual);
    assert_eq!(report.summary.error, 0);
}

#[tokio::test]
async fn a_control_that_is_none_or_speaks_another_version_is_reported() {
    for (body, problem) in [
        ("<html>", "does not have the documented shape"),
        (
            r#"{"protocol": 2, "vendors": [], "operations": []}"#,
            "it speaks version 2 of the protocol, and the suite speaks version 1",
        ),
    ] {
        let url = serve_router(Router::new().route("/_control/v1", get(move || async move { body }))).await;
        let subject = SubjectOptions { targets: vec![url.clone()], ..SubjectOptions::default() };
        let error = Suite::connect(all_contracts(), subject).await.err().unwrap().to_string();
        assert!(error.contains(&url) && error.contains(problem), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_targets_are_checked_as_replicas_of_one_service() {
    let settings = Settings { contracts: contracts(&["zeckta"]), ..Settings::default() };
    let service = otp_sandbox::Sandbox::new(settings).unwrap();
    let targets = [serve_replica(&service, 0).await, serve_replica(&service, 1).await];
    let report = suite(contracts(&["zeckta"]), &targets, &targets[0]).await.run(&options(1)).await.unwrap();
    assert_eq!(report.verdict, Verdict::Conformant);
    assert_eq!(report.targets, targets);

    // Two services that do not know each other are no replicas, and the verdict says so.
    let separate = [clean_sandbox().await, clean_sandbox().await];
    let report = suite(contracts(&["zeckta"]), &separate, &separate[0]).await.run(&options(1)).await.unwrap();
    assert_eq!(report.verdict, Verdict::Nonconformant);
}

#[tokio::test]
async fn a_control_that_fails_is_shown_once_with_its_address_status_and_body() {
    use axum::http::StatusCode;
    use axum::routing::{get, post};

    let description = "{\"protocol\":1,\"implementation\":\"x/1\",\"vendors\":[\"d7\"],\"operations\":[\"tenants\",\"sessions\",\"age\"]}";
    let router = axum::Router::new()
        .route(
            "/_control/v1",
            get(move || async move { ([("content-type", "application/json")], description) }),
        )
        .fallback(post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "<h1>Oops</h1>\u{1b}[2J") }));
    let url = otp_test_support::serve_router(router).await;
    let checked = tokio::task::spawn_blocking(move || {
        program(&["check", "d7", "--target", &url]).output().map(|output| (output, url))
    });
    let (output, url) = checked.await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    let message = format!("http 500, `<h1>Oops</h1>\\u{{1b}}[2J` (from {url}/_control/v1/tenants)");
    assert_eq!(text.matches(&message).count(), 1, "{text}");
}
