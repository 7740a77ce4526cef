//! The script of a finding, run by a shell against the faulty server, shows the defect again.

use std::process::Command;

use otp_conformance::{Finding, Report};
use otp_sandbox::{Fault, Settings};

use crate::suite::{contracts, options, sandbox, suite, vendors};

fn findings(report: &Report) -> Vec<(String, Finding)> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter_map(|check| Some((check.id.clone(), check.finding.clone()?))).collect()
}

/// Runs a script in a shell and returns its output.
async fn replay(script: &str, target: &str) -> String {
    let script = script.to_owned();
    let target = target.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        Command::new("sh").arg("-c").arg(script).env("TARGET", target).env_remove("CONTROL").output().unwrap()
    })
    .await
    .unwrap();
    // The defect shows.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_sets_up_its_own_session_and_shows_the_defect_again() {
    for vendor in &vendors() {
        for (fault, check, last) in [
            ("reuse", "matrix/already_used", "200"),
            ("no-expiry", "matrix/expired", "200"),
            ("foreign-tenant", "matrix/foreign_session", "200"),
        ] {
            let settings = Settings {
                contracts: contracts(&[vendor]),
                faults: vec![Fault::named(fault).unwrap()],
                ..Settings::default()
            };
            let url = sandbox(settings).await;
            let mut wanted = options(3);
            wanted.only = vec![glob::Pattern::new(&format!("*/{check}")).unwrap()];
            let suite = suite(contracts(&[vendor]), std::slice::from_ref(&url), &url).await;
            let report = suite.run(&wanted).await.unwrap();
            let found = findings(&report);
            assert_eq!(found.len(), 1, "{vendor} {fault}");
            let script = &found[0].1.script;
            let printed = replay(script, &url).await;
            let statuses: Vec<_> = printed
                .lines()
                .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
                .map(|line| &line[..3])
                .collect();
            assert_eq!(statuses.len(), found[0].1.exchanges.len(), "{vendor} {fault}\n{script}\n{printed}");
            assert!(statuses.contains(&last), "{vendor} {fault}\n{script}\n{printed}");
            let responses = found[0].1.exchanges.iter().map(|exchange| exchange.response.as_ref().unwrap());
            let original: Vec<_> = responses.map(|response| response.status.to_string()).collect();
            assert_eq!(statuses, original, "{vendor} {fault}\n{script}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_is_replayed_with_concurrent_calls() {
    let settings = Settings {
        contracts: contracts(&["zeckta"]),
        faults: vec![Fault::named("use-race").unwrap()],
        ..Settings::default()
    };
    let url = sandbox(settings).await;
    let mut wanted = options(3);
    wanted.only = vec![glob::Pattern::new("zeckta/concurrency/single-use").unwrap()];
    wanted.bursts = 30;
    let suite = suite(contracts(&["zeckta"]), std::slice::from_ref(&url), &url).await;
    let report = suite.run(&wanted).await.unwrap();
    let found = findings(&report);
    assert_eq!(found.len(), 1);
    let script = &found[0].1.script;
    assert!(script.contains(" &\n") && script.contains("\nwait\n"), "{script}");
    let printed = replay(script, &url).await;
    // A race does not show in every burst.
    let calls = printed.matches("HTTP/1.1 ").count();
    assert!(calls > 0 && calls.is_multiple_of(16), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_and_a_truncated_request_are_replayed_as_such() {
    for (fault, check, statuses) in [
        ("broken-off-taken", "zeckta/request/truncated-body", vec!["409"]),
        ("disconnect-undoes", "zeckta/limit/client-disconnect", vec!["400", "400", "400", "200"]),
    ] {
        let service = Settings {
            contracts: contracts(&["zeckta"]),
            faults: vec![Fault::named(fault).unwrap()],
            ..Settings::default()
        };
        let url = sandbox(service).await;
        let mut wanted = options(3);
        wanted.only = vec![glob::Pattern::new(check).unwrap()];
        let suite = suite(contracts(&["zeckta"]), std::slice::from_ref(&url), &url).await;
        let report = suite.run(&wanted).await.unwrap();
        let found = findings(&report);
        assert_eq!(found.len(), 1, "{fault}");
        let script = &found[0].1.script;
        assert!(script.contains("\ndisconnect 0."), "{script}");
        let printed = replay(script, &url).await;
        let seen: Vec<_> = printed
            .lines()
            .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
            .map(|line| &line[..3])
            .collect();
        assert_eq!(seen, statuses, "{fault}\n{script}\n{printed}");
    }
}
