//! `diff`, as a shell runs it: two reports of the program, exit statuses, and files that are no reports.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::served::program;

/// Writes the report of a run to this file, and returns its path.
fn report(folder: &TempDir, name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder.path().join(name);
    let json = format!("json={}", path.display());
    let checked = ["check", "d7", "zeckta", "--only", "*/matrix/*", "--quiet", "--report", &json];
    program(&checked).args(arguments).output().unwrap();
    path
}

/// Exit status, result and errors of `diff`.
fn diff(old: &Path, new: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = program(&["diff"]).args([old, new]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_fault_makes_it_worse_and_its_repair_better() {
    let folder = TempDir::new().unwrap();
    let clean = report(&folder, "clean.json", &["--seed", "1"]);
    let again = report(&folder, "again.json", &["--seed", "2"]);
    let faulty = report(&folder, "faulty.json", &["--seed", "3", "--fault", "no-expiry"]);
    let faulty_again = report(&folder, "faulty-again.json", &["--seed", "4", "--fault", "no-expiry"]);

    let (status, out, err) = diff(&clean, &faulty, &[]);
    assert_eq!((status, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("zeckta: conformant → nonconformant\n  worse: fails the run now (1)\n"), "{out}");
    let row = out.lines().find(|line| line.starts_with("    matrix/expired ")).unwrap();
    assert!(row.ends_with(" passed → failed"), "{out}");
    assert!(
        out.contains("      expected     HTTP 410 ") && out.contains("      actual       HTTP 200 "),
        "{out}"
    );
    assert!(out.ends_with("worse: conformant → nonconformant; 2 worse, 0 better, 0 changed\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");

    let (status, out, _) = diff(&faulty, &clean, &[]);
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("  better: no longer fails the run (1)\n"), "{out}");
    assert!(out.ends_with("better: nonconformant → conformant; 0 worse, 2 better, 0 changed\n"), "{out}");

    // Other seeds, sessions and ports are no change.
    for (old, new) in [(&clean, &again), (&faulty, &faulty_again)] {
        let (status, out, _) = diff(old, new, &[]);
        assert_eq!(status, 0, "{out}");
        assert!(out.contains("zeckta: ") && out.matches(", no change\n").count() == 2, "{out}");
        assert!(out.lines().last().unwrap().starts_with("not worse: still "), "{out}");
    }
}

#[test]
fn an_advisory_finding_is_shown_and_does_not_decide() {
    let folder = TempDir::new().unwrap();
    let all = ["--only", "zeckta/single-use/uniform-refusal", "--seed", "1"];
    let clean = report(&folder, "clean.json", &all);
    let faulty = report(&folder, "faulty.json", &[&all[..], &["--fault", "reuse"]].concat());
    // Without the findings that fail the run, what is left is the advisory one.
    let mut left: Value = serde_json::from_str(&std::fs::read_to_string(&faulty).unwrap()).unwrap();
    left["verdict"] = "conformant".into();
    for vendor in left["vendors"].as_array_mut().unwrap() {
        vendor["verdict"] = "conformant".into();
        vendor["checks"]
            .as_array_mut()
            .unwrap()
            .retain(|check| check["result"] != "failed" || check["gates"] == false);
    }
    std::fs::write(&faulty, left.to_string()).unwrap();
    let (status, out, _) = diff(&clean, &faulty, &[]);
    assert_eq!(status, 0, "{out}");
    assert!(
        out.contains("  new advisory finding, which does not decide (1)\n    single-use/uniform-refusal "),
        "{out}"
    );
    assert!(out.contains("  went: the new report does not have it ("), "{out}");
}

#[test]
fn a_program_reads_the_same_as_json() {
    let folder = TempDir::new().unwrap();
    let clean = report(&folder, "clean.json", &["--seed", "1"]);
    let faulty = report(&folder, "faulty.json", &["--seed", "3", "--fault", "no-expiry"]);
    let (status, out, _) = diff(&clean, &faulty, &["--format", "json"]);
    assert_eq!(status, 1);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["worse"], true);
    assert_eq!(json["verdict"], serde_json::json!({"old": "conformant", "new": "nonconformant"}));
    assert_eq!(json["counts"]["worse"], 2);
    let vendors = json["vendors"].as_array().unwrap();
    let zeckta = vendors.iter().find(|vendor| vendor["vendor"] == "zeckta").unwrap();
    let change = &zeckta["changes"][0];
    assert_eq!((&change["id"], &change["kind"]), (&"zeckta/matrix/expired".into(), &"worse".into()));
    assert_eq!(change["result"], serde_json::json!({"old": "passed", "new": "failed"}));
    assert!(change["finding"]["old"].is_null());
    assert!(change["finding"]["new"]["actual"].as_str().unwrap().starts_with("HTTP 200 "));
}

#[test]
fn a_report_of_the_former_version_with_former_ids_can_be_compared() {
    let folder = TempDir::new().unwrap();
    let new = report(&folder, "new.json", &["--only", "d7/request/fragmented-body", "--seed", "1"]);
    let mut former: Value = serde_json::from_str(&std::fs::read_to_string(&new).unwrap()).unwrap();
    former["schema"] = "otp-conformance/report/1".into();
    for check in former["vendors"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .flat_map(|vendor| vendor["checks"].as_array_mut().unwrap())
    {
        check.as_object_mut().unwrap().remove("gates");
        if check["id"] == "d7/request/fragmented-body" {
            check["id"] = "d7/request/pieces".into();
        }
    }
    let old = folder.path().join("old.json");
    std::fs::write(&old, former.to_string()).unwrap();
    assert!(former.to_string().contains("d7/request/pieces"));
    let (status, out, _) = diff(&old, &new, &[]);
    assert_eq!(status, 0, "{out}");
    assert!(out.ends_with("not worse: still conformant; 0 worse, 0 better, 0 changed\n"), "{out}");
    assert!(out.contains("0 appeared, 0 went"), "{out}");
}

#[test]
fn a_file_that_is_no_report_is_named_with_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let clean = report(&folder, "clean.json", &["--seed", "1"]);
    let missing = folder.path().join("missing.json");
    let other = folder.path().join("other.json");
    for (text, problem) in [
        (None, "cannot be read: No such file"),
        (Some("not json\u{1b}"), "is no JSON report: expected ident at line 1"),
        (Some("{\"openapi\": \"3.1.0\"}"), "has no `schema`, and not otp-conformance/report/1 or 2"),
        (Some("{\"schema\": \"otp-conformance/report/2\"}"), "missing field `verdict`"),
    ] {
        let file = if text.is_some() { &other } else { &missing };
        if let Some(text) = text {
            std::fs::write(file, text).unwrap();
        }
        for (old, new) in [(file, &clean), (&clean, file)] {
            let (status, out, err) = diff(old, new, &[]);
            assert_eq!((status, out.as_str()), (2, ""), "{err}");
            let start = format!("error: {}: {problem}", file.display());
            assert!(err.starts_with(&start) && err.lines().count() == 1, "{err}");
            assert!(!err.contains('\u{1b}'), "{err}");
        }
    }
}
