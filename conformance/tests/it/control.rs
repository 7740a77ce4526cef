//! Subjects whose set-up is not what one would wish: a check that cannot be made is skipped or in error, and never
//! counts as passed.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use otp_conformance::{CheckResult, Control, ControlError, RawRequest, Verdict, Wire, run};
use otp_sandbox::Settings;
use otp_test_support::{serve_replica, serve_router};
use serde_json::json;

use crate::house::{contracts, options, sandbox, subject, vendors};

async fn clean_sandbox() -> String {
    sandbox(Settings { contracts: contracts(&vendors()), ..Settings::default() }).await
}

/// A server before the sandbox that describes itself with `operations`, and hands everything else on.
async fn narrowed(operations: &'static [&'static str]) -> String {
    struct Behind {
        sandbox: String,
        wire: Wire,
    }
    async fn hand_on(State(behind): State<Arc<Behind>>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        let headers =
            parts.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
        let request = RawRequest {
            method: parts.method.to_string(),
            url: format!("{}{}", behind.sandbox, parts.uri),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: Some(body.to_vec()),
        };
        let (response, _) = behind.wire.send(&request).await.unwrap();
        let status = axum::http::StatusCode::from_u16(response.status).unwrap();
        (status, response.headers, response.body).into_response()
    }
    let behind = Behind { sandbox: clean_sandbox().await, wire: Wire::new(false).unwrap() };
    let describe = move || async move {
        json!({"protocol": 1, "implementation": "test/1", "vendors": ["zeckta"], "operations": operations})
            .to_string()
    };
    let router =
        Router::new().route("/_control/v1", get(describe)).fallback(hand_on).with_state(Arc::new(behind));
    serve_router(router).await
}

#[tokio::test]
async fn a_check_that_the_control_cannot_set_up_is_skipped_with_the_reason() {
    let url = narrowed(&["tenants", "sessions"]).await;
    let contracts = contracts(&["zeckta"]).into_iter().map(Arc::new).collect();
    let report = run(contracts, Arc::new(subject(&url, &url).await), &options(1)).await.unwrap();
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
    assert_eq!(report.verdict, Verdict::Conformant);
}

#[tokio::test]
async fn when_every_check_is_skipped_there_is_no_verdict() {
    let url = narrowed(&[]).await;
    let contracts = contracts(&["zeckta"]).into_iter().map(Arc::new).collect();
    let report = run(contracts, Arc::new(subject(&url, &url).await), &options(1)).await.unwrap();
    assert_eq!(report.summary.passed, 0);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn tenants_from_the_configuration_serve_a_control_that_makes_none() {
    let url = narrowed(&["sessions", "age", "resend"]).await;
    let mut subject = subject(&url, &url).await;
    for _ in 0..2 {
        let request = RawRequest {
            method: "POST".to_owned(),
            url: format!("{url}/_control/v1/tenants"),
            headers: Vec::new(),
            body: Some(br#"{"vendor": "zeckta"}"#.to_vec()),
        };
        let (response, _) = subject.wire.send(&request).await.unwrap();
        let tenant = serde_json::from_slice(&response.body).unwrap();
        subject.control.prepared.entry("zeckta".to_owned()).or_default().push(tenant);
    }
    let contracts = contracts(&["zeckta"]).into_iter().map(Arc::new).collect();
    let report = run(contracts, Arc::new(subject), &options(1)).await.unwrap();
    assert_eq!(report.summary.skipped, 0);
    assert_eq!(report.verdict, Verdict::Conformant);
}

#[tokio::test]
async fn a_target_that_breaks_off_is_an_error_and_no_verdict() {
    let control = clean_sandbox().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        // Accepts and hangs up, for as long as the test goes on.
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let contracts = contracts(&["d7"]).into_iter().map(Arc::new).collect();
    let report = run(contracts, Arc::new(subject(&target, &control).await), &options(1)).await.unwrap();
    assert_eq!(report.summary.passed + report.summary.failed, 0);
    assert!(report.summary.error > 0);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_on_one_kind_of_call_and_answers_all_others_does_not_conform() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = clean_sandbox().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let behind = sandbox.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move {
                let mut answer = vec![0; 1 << 16];
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
                        length = server.read(&mut answer) => {
                            let Ok(length @ 1..) = length else { return };
                            if client.write_all(&answer[..length]).await.is_err() { return }
                        }
                    }
                }
            });
        }
    });
    let contracts = contracts(&["d7"]).into_iter().map(Arc::new).collect();
    let report = run(contracts, Arc::new(subject(&target, &sandbox).await), &options(1)).await.unwrap();
    assert_eq!(crate::house::failed(&report), ["d7/request/method"]);
    let check = report.vendors[0].checks.iter().find(|check| check.id == "d7/request/method").unwrap();
    let finding = check.finding.as_ref().unwrap();
    assert_eq!(finding.expected, "an answer");
    assert!(finding.actual.contains("GET") && finding.exchanges[0].response.is_none(), "{}", finding.actual);
    assert_eq!(report.summary.error, 0);
}

#[tokio::test]
async fn a_control_that_is_none_or_speaks_another_protocol_is_told_so() {
    let wire = Wire::new(false).unwrap();
    for (body, told) in [
        ("<html>", "not of the documented shape"),
        (r#"{"protocol": 2, "vendors": [], "operations": []}"#, "protocol 2 is spoken there, and 1 here"),
    ] {
        let url = serve_router(Router::new().route("/_control/v1", get(move || async move { body }))).await;
        match Control::connect(&wire, &url, None).await {
            Err(ControlError::Failed { reason, .. }) => assert!(reason.contains(told), "{reason}"),
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_targets_are_checked_as_replicas_of_one_service() {
    let settings = Settings { contracts: contracts(&["zeckta"]), ..Settings::default() };
    let service = otp_sandbox::Sandbox::new(settings).unwrap();
    let mut targets = Vec::new();
    for number in 0..2 {
        targets.push(serve_replica(&service, number).await);
    }
    let mut subject = subject(&targets[0], &targets[0]).await;
    subject.targets.clone_from(&targets);
    let run_on = |subject| async {
        let contracts = contracts(&["zeckta"]).into_iter().map(Arc::new).collect();
        run(contracts, Arc::new(subject), &options(1)).await.unwrap()
    };
    let report = run_on(subject).await;
    assert_eq!(report.verdict, Verdict::Conformant);
    assert_eq!(report.targets, targets);

    // Two services that know nothing of each other are no replicas, and are told so.
    let apart = [clean_sandbox().await, clean_sandbox().await];
    let mut subject = crate::house::subject(&apart[0], &apart[0]).await;
    subject.targets = apart.to_vec();
    assert_eq!(run_on(subject).await.verdict, Verdict::Nonconformant);
}
