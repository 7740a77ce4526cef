//! The formats of reports: what each shows, and that other programs can read it.

use otp_conformance::{CheckReport, CheckResult, Report};
use otp_sandbox::Fault;

use crate::junit::{self, Element};
use crate::served::program;
use crate::suite::{check, contracts, options};

/// What differs between runs, and its replacement in a snapshot.
pub(crate) const VOLATILE: [(&str, &str); 5] = [
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[uuid]"),
    (r#"time="\d+\.\d{3}""#, r#"time="[seconds]""#),
    (r"requests in \d+\.\d{3} s", "requests in [seconds] s"),
    (r#"name="suite" value="[^"]*""#, r#"name="suite" value="[version]""#),
];

/// The report in a format.
pub(crate) fn written(report: &Report, format: &str) -> String {
    let mut out = Vec::new();
    report.write_as(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The matrix of a vendor and the checks of single use, whose findings do not depend on timing.
pub(crate) async fn run(vendor: &str, faults: &[&str], strict: bool) -> Report {
    let faults = faults.iter().map(|name| Fault::named(name).unwrap()).collect();
    let mut options = options(5);
    options.strict = strict;
    options.only = ["*/matrix/*", "*/single-use/stays-used", "*/single-use/uniform-refusal"]
        .map(|pattern| glob::Pattern::new(pattern).unwrap())
        .to_vec();
    check(contracts(&[vendor]), faults, Vec::new(), &options).await
}

/// A run with two faults: findings that fail the run, and an advisory one.
pub(crate) async fn faulty_run(strict: bool) -> Report {
    run("zeckta", &["reuse", "wrong-code-claims-success"], strict).await
}

fn checks(report: &Report) -> impl Iterator<Item = &CheckReport> {
    report.vendors.iter().flat_map(|vendor| &vendor.checks)
}

fn attribute<'a>(element: &'a Element, name: &str) -> &'a str {
    element.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
}

#[tokio::test]
async fn each_format_shows_what_was_reviewed() {
    let (clean, faulty) = (run("kaleyra", &[], false).await, faulty_run(false).await);
    for (name, report) in [("clean", &clean), ("faulty", &faulty)] {
        for format in ["junit", "markdown", "github"] {
            insta::with_settings!({ filters => VOLATILE.to_vec(), omit_expression => true }, {
                insta::assert_snapshot!(format!("{format}_{name}"), written(report, format));
            });
        }
    }
}

#[tokio::test]
async fn junit_is_valid_and_counts_what_it_contains() {
    for report in [run("d7", &[], false).await, faulty_run(false).await, faulty_run(true).await] {
        let root = junit::parse(&written(&report, "junit"));
        junit::assert_valid(&root);
        let cases = root.children.iter().flat_map(|suite| &suite.children);
        let cases: Vec<_> = cases.filter(|element| element.name == "testcase").collect();
        assert_eq!(cases.len(), checks(&report).count());
        for (case, check) in cases.iter().zip(checks(&report)) {
            let id = format!("{}.{}", attribute(case, "classname"), attribute(case, "name"));
            assert_eq!(id, check.id.replace('/', "."));
            let gates = check.finding.is_some() && (report.strict || check.basis.gates());
            assert_eq!(case.children.iter().any(|child| child.name == "failure"), gates, "{id}");
        }
    }
}

#[tokio::test]
async fn an_advisory_finding_fails_a_job_only_if_the_run_is_strict() {
    for (strict, kind, failed) in [(false, "warning", "system-out"), (true, "error", "failure")] {
        let report = faulty_run(strict).await;
        let advisory: Vec<_> =
            checks(&report).filter(|check| check.finding.is_some() && !check.basis.gates()).collect();
        assert!(!advisory.is_empty());
        let root = junit::parse(&written(&report, "junit"));
        for check in advisory {
            let name = check.id.rsplit('/').next().unwrap();
            let case = root.children[0].children.iter().find(|element| {
                element.name == "testcase"
                    && attribute(element, "name") == name
                    && attribute(element, "classname").ends_with(check.area.as_str())
            });
            assert_eq!(case.unwrap().children[0].name, failed);
        }
        // Alone, without the finding that shows its cause, it has an annotation of its own.
        let mut alone = report.clone();
        for vendor in &mut alone.vendors {
            vendor.checks.retain(|check| check.finding.is_none() || !check.basis.gates());
        }
        let lines = written(&alone, "github");
        assert!(lines.starts_with(&format!("::{kind} title=zeckta/")), "{lines}");
    }
}

#[tokio::test]
async fn a_check_without_a_result_is_shown_with_its_reason() {
    let mut report = run("d7", &[], false).await;
    let checks = &mut report.vendors[0].checks;
    (checks[0].result, checks[0].reason) = (CheckResult::Skipped, Some("no second tenant".to_owned()));
    (checks[1].result, checks[1].reason) = (CheckResult::Error, Some("no control".to_owned()));
    let root = junit::parse(&written(&report, "junit"));
    junit::assert_valid(&root);
    let suite = &root.children[0];
    assert_eq!((attribute(suite, "skipped"), attribute(suite, "errors")), ("1", "1"));
    let github = written(&report, "github");
    assert_eq!(github.lines().count(), 2, "{github}");
    assert!(github.lines().next().unwrap().ends_with("::no result: no control"), "{github}");
    let markdown = written(&report, "markdown");
    assert!(markdown.contains("</code>: no second tenant\n") && markdown.contains("</code>: no control\n"));
}

#[tokio::test]
async fn no_format_shows_a_credential_or_an_issued_code() {
    let report = run("zeckta", &["reuse"], false).await;
    for format in Report::formats() {
        let text = written(&report, format);
        assert_eq!(text.contains("$CREDENTIALS_1"), format != "github", "{format}");
        assert_eq!(text.contains("$CODE_1"), format != "github", "{format}");
        for secret in ["token-", "secret-", "key-"] {
            assert!(!text.contains(secret), "{secret} in {format}");
        }
    }
}

#[test]
fn the_help_text_and_the_error_for_an_unknown_format_list_the_formats() {
    let help = program(&["check", "--help"]).output().unwrap().stdout;
    let error = program(&["check", "--report", "paper=x"]).output().unwrap().stderr;
    let (help, error) = (String::from_utf8(help).unwrap(), String::from_utf8(error).unwrap());
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    for format in Report::formats() {
        assert!(help.contains(format), "{help}");
        assert!(error.contains(&format!("{format}=PATH")), "{error}");
        assert!(readme.contains(&format!("`{format}`")), "{format}");
    }
}
