//! What a finding shows: one cause once, the shortest exchange, the steps of the control, and lines that fit a terminal.

use std::process::Command;

use otp_conformance::{CheckReport, CheckResult, Report, ShownStep};
use otp_sandbox::{FAULTS, Fault};

use crate::served::program;
use crate::suite::{check, contracts, options, vendors};

async fn faulty(vendor: &str, faults: &[&str]) -> Report {
    let faults = faults.iter().map(|name| Fault::named(name).unwrap()).collect();
    check(contracts(&[vendor]), faults, Vec::new(), &options(7)).await
}

fn shown(report: &Report) -> Vec<&CheckReport> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter(|check| check.result == CheckResult::Failed && check.cause.is_none()).collect()
}

fn calls(check: &CheckReport) -> usize {
    check.finding.as_ref().unwrap().exchanges.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unrelated_defects_are_causes_of_their_own() {
    for pair in [["reuse", "no-expiry"], ["no-expiry", "no-limit"], ["no-limit", "foreign-tenant"]] {
        let report = faulty("zeckta", &pair).await;
        let causes: Vec<_> = shown(&report).iter().map(|check| check.id.clone()).collect();
        for fault in pair {
            let check = match fault {
                "reuse" => "already_used",
                "no-expiry" => "expired",
                "no-limit" => "attempts_exhausted",
                _ => "foreign_session",
            };
            assert!(causes.contains(&format!("zeckta/matrix/{check}")), "{fault}: {causes:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_used_code_takes_two_calls_in_every_check_that_finds_it() {
    for vendor in vendors() {
        let report = faulty(&vendor, &["reuse"]).await;
        let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
        let sequential = checks.filter(|check| {
            check.finding.is_some()
                && !["/concurrency/", "/client-disconnect"].iter().any(|part| check.id.contains(part))
        });
        for check in sequential.filter(|check| check.gates) {
            assert!(calls(check) <= 2, "{}: {} calls", check.id, calls(check));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shortened_finding_has_no_superfluous_step() {
    for (fault, check, most) in [
        ("no-limit", "zeckta/limit/boundary", 2),
        ("no-expiry", "d7/expiry/not-extended", 1),
        ("count-per-forwarded", "kaleyra/limit/not-reset", 6),
        ("success-resets-others", "exotel/limit/own-counter", 6),
    ] {
        let vendor = check.split('/').next().unwrap();
        let report = faulty(vendor, &[fault]).await;
        let found = report.vendors[0].checks.iter().find(|report| report.id == check).unwrap();
        assert!(calls(found) <= most, "{fault} in {check}: {} calls", calls(found));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_causes_of_twenty_faults_take_few_calls() {
    let vendors = vendors();
    let mut lengths = Vec::new();
    for (index, fault) in FAULTS.iter().step_by(FAULTS.len() / 20).take(20).enumerate() {
        let report = faulty(&vendors[index % vendors.len()], &[fault.name]).await;
        for check in shown(&report).into_iter().filter(|check| check.gates) {
            // Calls of a burst, and calls whose client disconnects, cannot be done again one by one.
            let steps = &check.finding.as_ref().unwrap().steps;
            let is_single =
                |step: &ShownStep| !matches!(step, ShownStep::Burst { .. } | ShownStep::Disconnect { .. });
            if steps.iter().all(is_single) {
                assert!(calls(check) <= 6, "{} in {}: {} calls", fault.name, check.id, calls(check));
                lengths.push(calls(check));
            }
        }
    }
    lengths.sort_unstable();
    assert!(lengths.len() >= 10 && lengths[lengths.len() / 2] <= 2, "{lengths:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finding_has_the_steps_of_the_control_in_their_place() {
    let report = faulty("exotel", &["no-expiry"]).await;
    let expired = report.vendors[0].checks.iter().find(|check| check.id == "exotel/matrix/expired").unwrap();
    let steps = &expired.finding.as_ref().unwrap().steps;
    assert!(
        matches!(
            steps.as_slice(),
            [
                ShownStep::Tenant { tenant: 1, .. },
                ShownStep::Session { session: 1, tenant: 1, .. },
                ShownStep::Age { session: 1, seconds: 61 },
                ShownStep::Call { exchange: 0 },
            ]
        ),
        "{steps:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expected_and_actual_are_about_the_same_session() {
    for fault in ["exhausted-as-200", "used-500", "no-expiry"] {
        let report = faulty("zeckta", &[fault]).await;
        for check in shown(&report).into_iter().filter(|check| check.id.contains("/matrix/")) {
            let finding = check.finding.as_ref().unwrap();
            let body = finding.exchanges.last().unwrap().response.as_ref().unwrap().body.clone();
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let session = body["data"]["sessionId"].as_str().unwrap();
            assert!(finding.expected.contains(session), "{}: {} {session}", check.id, finding.expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_counted_instead_of_listed() {
    let mut wanted = options(3);
    wanted.bursts = 30;
    wanted.only = vec![glob::Pattern::new("zeckta/concurrency/single-use").unwrap()];
    let fault = vec![Fault::named("use-race").unwrap()];
    let report = check(contracts(&["zeckta"]), fault, Vec::new(), &wanted).await;
    let finding = report.vendors[0].checks[0].finding.as_ref().unwrap();
    let Some(ShownStep::Burst { calls: 16, responses, .. }) = finding.steps.last() else {
        panic!("{:?}", finding.steps)
    };
    assert_eq!(responses.iter().map(|response| response.count).sum::<usize>(), 16);
    assert!(responses.iter().any(|response| response.status == 200 && response.count > 1), "{responses:?}");
    let mut text = Vec::new();
    report.write_as("markdown", &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("16 such calls at once: ") && text.contains(" × 200 approved"), "{text}");
}

/// Words that no line can hold: ids, addresses and long values.
fn has_long_word(line: &str) -> bool {
    line.split([' ', ',', '/']).any(|word| word.chars().count() > 60)
}

#[test]
fn the_terminal_report_fits_80_columns() {
    for fault in ["reuse", "no-expiry", "approved-status", "code-ending", "exhausted-503"] {
        let output = program(&["check", "--seed", "1", "--fault", fault]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\nFAIL "), "{fault}: {text}");
        for line in text.lines().filter(|line| !has_long_word(line)) {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
    }
}

#[test]
fn the_matrix_shows_the_status_that_came_beside_the_documented_one() {
    let output = program(&["check", "exotel", "--seed", "1", "--fault", "no-expiry"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains(" expired ")).unwrap();
    assert!(line.contains("FAIL") && line.contains("200≠400"), "{line}");
}

#[test]
fn a_bare_section_number_names_its_document() {
    let output = program(&["check", "exotel", "kaleyra", "--seed", "1", "--verbose"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let cited = text.lines().filter(|line| line.starts_with("  pass"));
    let mut numbers = 0;
    let is_number = |word: &str| word.starts_with('§') || word.trim_end_matches(',').parse::<f64>().is_ok();
    for line in cited {
        let section: String = line.chars().skip(57).collect();
        let mut words = section.split_whitespace();
        if words.next().is_some_and(is_number) {
            numbers += 1;
            assert!(words.next().is_some(), "{line}");
        }
    }
    assert!(numbers > 0, "{text}");
}

/// The exit status of a script against this server.
fn run_script(script: &str, target: &str) -> Option<i32> {
    let status =
        Command::new("sh").arg("-c").arg(script).env("TARGET", target).env_remove("CONTROL").output();
    status.unwrap().status.code()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_says_by_its_exit_status_whether_the_defect_shows() {
    use otp_sandbox::Settings;

    use crate::suite::{sandbox, suite};

    for (vendor, fault) in [
        ("exotel", "no-expiry"),
        ("zeckta", "reuse"),
        ("d7", "wrong-code-as-200"),
        ("kaleyra", "wrong-code-member-missing"),
        ("dailystory", "foreign-tenant"),
        ("zeckta", "code-ending"),
        ("zeckta", "no-challenge"),
    ] {
        let named = Fault::named(fault).unwrap();
        let settings = |faults| Settings { contracts: contracts(&[vendor]), faults, ..Settings::default() };
        let faulty = sandbox(settings(vec![named])).await;
        let right = sandbox(settings(Vec::new())).await;
        let suite = suite(contracts(&[vendor]), std::slice::from_ref(&faulty), &faulty).await;
        let report = suite.run(&options(5)).await.unwrap();
        let found = shown(&report);
        assert!(!found.is_empty(), "{vendor} {fault}");
        for check in found.into_iter().filter(|check| !check.id.contains("/concurrency/")) {
            let script = check.finding.as_ref().unwrap().script.clone();
            let (faulty, right) = (faulty.clone(), right.clone());
            let id = check.id.clone();
            tokio::task::spawn_blocking(move || {
                assert_eq!(run_script(&script, &faulty), Some(1), "{id} of {fault}\n{script}");
                assert_eq!(run_script(&script, &right), Some(0), "{id} without {fault}\n{script}");
                assert_eq!(run_script(&script, "http://127.0.0.1:9"), Some(2), "{id} without a server");
            })
            .await
            .unwrap();
        }
    }
}

#[test]
fn a_script_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let argument = format!("json={}", report.display());
    program(&["check", "d7", "--seed", "1", "--fault", "reuse", "--report", &argument]).output().unwrap();
    let script =
        program(&["replay", report.to_str().unwrap(), "matrix/already_used", "--script"]).output().unwrap();
    let path = folder.path().join("finding.sh");
    std::fs::write(&path, &script.stdout).unwrap();
    let help = Command::new("sh").arg(&path).arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("Usage: ") && text.contains("Exit status: "), "{text}");
}
