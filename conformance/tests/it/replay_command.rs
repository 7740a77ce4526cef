//! `replay` judges findings of a report again.

use crate::served::{Served, program};

fn check(folder: &std::path::Path, arguments: &[&str]) -> String {
    let report = folder.join("report.json").display().to_string();
    let argument = format!("json={report}");
    let mut all = vec!["check", "--seed", "3", "--report", &argument];
    all.extend(arguments);
    program(&all).output().unwrap();
    report
}

fn replay(arguments: &[&str]) -> (Option<i32>, String) {
    let mut all = vec!["replay"];
    all.extend(arguments);
    let output = program(&all).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_replay_runs_what_failed_with_the_same_seed_and_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let report = check(folder.path(), &["exotel", "d7", "--fault", "no-expiry"]);
    let (status, text) = replay(&[&report]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("seed 3") && text.contains("FAIL d7/matrix/expired"), "{text}");
    assert!(!text.contains("pass  approved"), "only what failed runs again: {text}");
    let (status, text) = replay(&[&report, "exotel/matrix/expired"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("0 passed, 1 failed, 0 skipped") && !text.contains("D7"), "{text}");
}

#[test]
fn a_check_that_passed_can_be_replayed_and_still_passes() {
    let folder = tempfile::tempdir().unwrap();
    let report = check(folder.path(), &["exotel", "--fault", "no-expiry"]);
    let (status, text) = replay(&[&report, "matrix/approved"]);
    assert_eq!(status, Some(0), "{text}");
}

#[test]
fn a_fix_is_tried_at_its_own_address() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = Served::start(&["exotel", "--fault", "reuse"], 1);
    let fixed = Served::start(&["exotel"], 1);
    let report = check(folder.path(), &["exotel", "--target", &faulty.url()]);
    assert_eq!(replay(&[&report, "matrix/already_used"]).0, Some(1));
    let (status, text) = replay(&[&report, "matrix/already_used", "--target", &fixed.url()]);
    assert_eq!(status, Some(0), "{text}");
}

#[test]
fn what_cannot_be_replayed_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let clean = check(folder.path(), &["exotel", "--only", "matrix/*"]);
    let other = folder.path().join("other.json").display().to_string();
    std::fs::write(&other, "{\"schema\": 1}").unwrap();
    for (arguments, status, problem) in [
        (vec![clean.as_str()], 3, "no check failed in "),
        (vec![&clean, "matrix/nothing"], 3, "has no check `matrix/nothing`"),
        (vec![&other], 2, "is no JSON report"),
        (vec!["/no/such/file.json"], 2, "/no/such/file.json: "),
    ] {
        let (code, text) = replay(&arguments);
        assert_eq!(code, Some(status), "{text}");
        assert!(text.starts_with("error: ") && text.contains(problem) && text.lines().count() == 1, "{text}");
    }
}
