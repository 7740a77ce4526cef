//! Findings that somebody has agreed to live with, and waivers that are of no use any more.

use serde_json::Value;

use crate::served::program;

/// Runs `check` with this configuration and returns its exit status, its output, and its JSON report.
fn run(config: &str, arguments: &[&str]) -> (Option<i32>, String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suite.toml");
    std::fs::write(&file, config).unwrap();
    let report = folder.path().join("report.json");
    let argument = format!("json={}", report.display());
    let mut all =
        vec!["check", "exotel", "--seed", "1", "--config", file.to_str().unwrap(), "--report", &argument];
    all.extend(arguments);
    let output = program(&all).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = std::fs::read_to_string(report).unwrap_or_default();
    (output.status.code(), text, serde_json::from_str(&report).unwrap_or_default())
}

fn waiver(check: &str, rest: &str) -> String {
    format!("[[waiver]]\ncheck = \"{check}\"\nreason = \"agreed, ticket 123\"\n{rest}\n")
}

#[test]
fn a_waived_finding_is_known_shown_counted_and_does_not_fail_the_run() {
    let only = ["--only", "matrix/*", "--fault", "no-expiry"];
    let (status, text, report) = run(&waiver("matrix/expired", "until = 2999-01-01"), &only);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(report["verdict"], "conformant");
    assert_eq!((&report["summary"]["known"], &report["summary"]["failed"]), (&1.into(), &0.into()));
    let checks = report["vendors"][0]["checks"].as_array().unwrap();
    let known = checks.iter().find(|check| check["result"] == "known").unwrap();
    assert_eq!(known["id"], "exotel/matrix/expired");
    assert_eq!(known["waiver"]["reason"], "agreed, ticket 123");
    assert_eq!(known["waiver"]["until"], "2999-01-01");
    assert!(known["finding"].is_object() && known["gates"] == false);
    assert!(
        text.contains("known expired") && text.contains("agreed, ticket 123 (until 2999-01-01)"),
        "{text}"
    );
    assert!(text.contains("conformant: no check fails the run (1 known)"), "{text}");
}

#[test]
fn a_waiver_covers_only_the_answer_that_it_names() {
    let only = ["--only", "matrix/*", "--fault", "no-expiry"];
    let (status, text, _) = run(&waiver("exotel/matrix/expired", "answer = { status = 200 }"), &only);
    assert_eq!(status, Some(0), "{text}");
    let (status, text, report) = run(&waiver("exotel/matrix/expired", "answer = { status = 410 }"), &only);
    assert_eq!(status, Some(1), "{text}");
    assert_eq!(report["stale_waivers"][0]["problem"], "no finding is covered by it any more");
    assert_eq!(report["summary"]["failed"], 1);
}

#[test]
fn a_waiver_that_matches_nothing_or_has_run_out_fails_the_run() {
    let matrix = ["--only", "matrix/*"];
    for (waiver, arguments, problem) in [
        (waiver("matrix/expired", ""), &matrix[..], "no finding is covered by it any more"),
        (waiver("matrix/expierd", ""), &matrix, "no check has this id"),
        (
            waiver("matrix/expired", "until = 2020-02-29"),
            &["--only", "matrix/*", "--fault", "no-expiry"],
            "it ran out on 2020-02-29",
        ),
    ] {
        let (status, text, report) = run(&waiver, arguments);
        assert_eq!(status, Some(1), "{problem}: {text}");
        assert_eq!(report["verdict"], "nonconformant");
        assert_eq!(report["stale_waivers"][0]["problem"], problem);
        assert!(text.contains("is stale: "), "{text}");
    }
}

#[test]
fn a_waiver_of_a_check_that_did_not_run_is_left_alone() {
    let (status, text, report) = run(&waiver("expiry/boundary", ""), &["--only", "matrix/*"]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(report["stale_waivers"], Value::Null);
}

#[test]
fn a_known_finding_never_stands_for_one_that_fails_the_run() {
    let faults = ["--fault", "no-expiry"];
    let (status, text, report) = run(&waiver("matrix/expired", ""), &faults);
    assert_eq!(status, Some(1), "{text}");
    let checks = report["vendors"][0]["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["cause"] != "exotel/matrix/expired"));
    assert!(text.contains("FAIL exotel/expiry/"), "{text}");
}

#[test]
fn every_format_tells_known_findings_and_stale_waivers_apart() {
    let config = format!("{}{}", waiver("matrix/expired", ""), waiver("matrix/approved", ""));
    for (format, known, stale) in [
        ("junit", "known finding: agreed, ticket 123", "<failure type=\"stale\""),
        ("markdown", "## Known findings", "## Stale waivers"),
        ("github", "1 known", "::error title=matrix/approved::the waiver of matrix/approved is stale"),
    ] {
        let report = format!("{format}=-");
        let arguments =
            ["--only", "matrix/*", "--fault", "no-expiry", "--quiet", "--report", report.as_str()];
        let (status, text, _) = run(&config, &arguments);
        assert_eq!(status, Some(1), "{text}");
        assert!(text.contains(known) && text.contains(stale), "{format}: {text}");
    }
}

#[test]
fn a_mistake_in_a_waiver_names_file_and_key() {
    for (config, problem) in [
        ("[[waiver]]\ncheck = \"a\"\n", "missing field `reason`"),
        ("[[waiver]]\ncheck = \"a\"\nreason = \"\"\n", "`reason` is empty"),
        ("[[waiver]]\ncheck = \"[\"\nreason = \"r\"\n", "not a valid pattern"),
        ("[[waiver]]\ncheck = \"a\"\nreason = \"r\"\nuntil = 10:00:00\n", "`until` is not a day"),
        ("[[waiver]]\ncheck = \"a\"\nreason = \"r\"\nutnil = 2027-01-01\n", "did you mean `until`?"),
        ("[[waiver]]\ncheck = \"a\"\nreason = \"r\"\nanswer = { statsu = 1 }\n", "did you mean `status`?"),
    ] {
        let (status, text, _) = run(config, &[]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains("suite.toml: line ") && text.contains(problem), "{text}");
    }
}
