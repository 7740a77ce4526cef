use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A check: its id, its result, whether it gates, and what came.
type Check = (&'static str, &'static str, bool, &'static str);

fn report_of(verdict: &str, vendors: &[(&str, &str, Vec<Check>)]) -> SavedReport {
    let check = |vendor: &str, (name, result, gates, actual): &Check| {
        let mut check = json!({"id": format!("{vendor}/{name}"), "result": result, "gates": gates});
        if *result == "failed" {
            check["finding"] = json!({"expected": "HTTP 409", "actual": actual});
        }
        check
    };
    let vendor = |(vendor, verdict, checks): &(&str, &str, Vec<Check>)| {
        let checks: Vec<Value> = checks.iter().map(|one| check(vendor, one)).collect();
        json!({"vendor": vendor, "verdict": verdict, "checks": checks})
    };
    let vendors: Vec<_> = vendors.iter().map(vendor).collect();
    let report = json!({"schema": "otp-conformance/report/2", "verdict": verdict, "vendors": vendors});
    SavedReport::read(&report.to_string()).unwrap()
}

fn compared(old: &[Check], new: &[Check]) -> Comparison {
    let report = |checks: &[Check]| report_of("nonconformant", &[("d7", "nonconformant", checks.to_vec())]);
    Comparison::of(&report(old), &report(new))
}

fn kind(old: &[Check], new: &[Check]) -> (Option<Kind>, bool) {
    let comparison = compared(old, new);
    (comparison.vendors[0].changes.first().map(|change| change.kind), comparison.worse)
}

#[test]
fn only_what_fails_the_run_now_is_worse() {
    let check = |result, gates| [("matrix/expired", result, gates, "HTTP 200")];
    for old in [
        &check("passed", true)[..],
        &check("skipped", true),
        &check("known", true),
        &check("failed", false),
        &[],
    ] {
        assert_eq!(kind(old, &check("failed", true)), (Some(Kind::Worse), true), "{old:?}");
        assert_eq!(kind(&check("failed", true), old), (Some(Kind::Better), false), "{old:?}");
    }
    for (old, new, expected) in [
        (&check("passed", true)[..], &check("failed", false)[..], Kind::AdvisoryWorse),
        (&check("failed", false), &check("passed", true), Kind::AdvisoryBetter),
        (&check("passed", true), &check("skipped", true), Kind::Result),
        (&check("passed", true), &check("error", true), Kind::Result),
        (&[], &check("passed", true), Kind::Appeared),
        (&check("passed", true), &[], Kind::Went),
    ] {
        assert_eq!(kind(old, new), (Some(expected), false), "{old:?} {new:?}");
    }
}

#[test]
fn a_finding_changes_only_with_what_a_run_does_not_choose_anew() {
    let failed = |actual| [("matrix/expired", "failed", true, actual)];
    let first = failed(
        "HTTP 200 {\"id\":\"ver_a25ff88ce78698d8b23cac36\",\"at\":\"2026-11-26T11:35:31Z\",\"code\":1211}",
    );
    let second = failed(
        "HTTP 200 {\"id\":\"ver_0f3e21c9be78698d8b23c000\",\"at\":\"2026-11-27T09:05:11Z\",\"code\":1211}",
    );
    let third = failed(
        "HTTP 200 {\"id\":\"ver_0f3e21c9be78698d8b23c000\",\"at\":\"2026-11-27T09:05:11Z\",\"code\":1017}",
    );
    assert_eq!(kind(&first, &second), (None, false));
    assert_eq!(kind(&second, &third), (Some(Kind::Changed), false));
    assert_eq!(kind(&failed("HTTP 200"), &failed("HTTP 500")), (Some(Kind::Changed), false));
    assert_eq!(stable("at 127.0.0.1:8080, HTTP 404: 499612 é12"), "at …, HTTP 404: … é12");
}

#[test]
fn a_worse_verdict_alone_is_worse() {
    let report = |all, one| report_of(all, &[("d7", one, Vec::new())]);
    for (old, new, worse) in [
        (("conformant", "conformant"), ("partial", "partial"), true),
        (("partial", "partial"), ("inconclusive", "inconclusive"), true),
        (("inconclusive", "inconclusive"), ("nonconformant", "nonconformant"), true),
        (("nonconformant", "conformant"), ("nonconformant", "inconclusive"), true),
        (("nonconformant", "nonconformant"), ("partial", "partial"), false),
    ] {
        let comparison = Comparison::of(&report(old.0, old.1), &report(new.0, new.1));
        assert_eq!(comparison.worse, worse, "{old:?} {new:?}");
    }
}

#[test]
fn the_words_group_by_vendor_and_end_with_what_decides() {
    let old = report_of(
        "conformant",
        &[
            (
                "d7",
                "conformant",
                vec![("matrix/expired", "passed", true, ""), ("request/size", "failed", false, "HTTP 500")],
            ),
            ("exotel", "conformant", vec![("matrix/approved", "passed", true, "")]),
        ],
    );
    let new = report_of(
        "nonconformant",
        &[
            (
                "d7",
                "nonconformant",
                vec![("matrix/expired", "failed", true, "HTTP 200\n{}"), ("auth/scheme", "passed", true, "")],
            ),
            ("exotel", "conformant", vec![("matrix/approved", "passed", true, "")]),
        ],
    );
    let expected = "\
d7: conformant → nonconformant
  worse: fails the run now (1)
    matrix/expired                                 passed → failed
      expected     HTTP 409
      actual       HTTP 200\\n{}
  advisory finding gone, which does not decide (1)
    request/size                                   was advisory
  appeared: the old report does not have it (1)
    auth/scheme                                    passed

exotel: conformant, no change

0 advisory new, 1 advisory gone, 0 other, 1 appeared, 0 went
worse: conformant → nonconformant; 1 worse, 0 better, 0 changed
";
    assert_eq!(Comparison::of(&old, &new).in_words(), expected);
    assert!(
        Comparison::of(&new, &old)
            .in_words()
            .ends_with("better: nonconformant → conformant; 0 worse, 1 better, 0 changed\n")
    );
    assert!(
        Comparison::of(&new, &new)
            .in_words()
            .ends_with("not worse: still nonconformant; 0 worse, 0 better, 0 changed\n")
    );
}

/// Reports with any results, of any vendors, with texts that try to be something else.
fn reports() -> impl Strategy<Value = SavedReport> {
    let verdict = || prop::sample::select(vec!["conformant", "partial", "inconclusive", "nonconformant"]);
    let text = prop_oneof![
        Just("HTTP 200".to_owned()),
        Just("HTTP 500\n\u{1b}[31m\u{202e}".to_owned()),
        "\\PC{0,200}",
        any::<String>(),
    ];
    let result = prop::sample::select(vec!["passed", "failed", "skipped", "error", "known"]);
    let id = prop_oneof![4 => "(d7|exotel)/matrix/[a-d]", 1 => any::<String>()];
    let check =
        (id, result, any::<bool>(), text.clone(), text).prop_map(|(id, result, gates, expected, actual)| {
            let finding = (result == "failed").then(|| json!({"expected": expected, "actual": actual}));
            json!({"id": id, "result": result, "gates": gates, "finding": finding})
        });
    let name = prop_oneof![4 => Just("d7".to_owned()), 4 => Just("exotel".to_owned()), 1 => any::<String>()];
    let vendor = (name, verdict(), prop::collection::vec(check, 0..6)).prop_map(
        |(vendor, verdict, checks)| json!({"vendor": vendor, "verdict": verdict, "checks": checks}),
    );
    (verdict(), prop::collection::vec(vendor, 0..3)).prop_map(|(verdict, vendors)| {
        let report = json!({"schema": "otp-conformance/report/2", "verdict": verdict, "vendors": vendors});
        SavedReport::read(&report.to_string()).unwrap()
    })
}

fn ids(comparison: &Comparison, kind: Kind) -> Vec<(&str, &str)> {
    let changes = comparison.vendors.iter().flat_map(|vendor| {
        vendor
            .changes
            .iter()
            .filter(|change| change.kind == kind)
            .map(|change| (vendor.vendor.as_str(), change.id.as_str()))
    });
    let mut ids: Vec<_> = changes.collect();
    ids.sort_unstable();
    ids
}

/// Whether nothing in the text controls a terminal or changes its direction.
fn is_harmless(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() || character == '\u{202e}')
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_does_not_differ_from_itself(report in reports()) {
        let comparison = Comparison::of(&report, &report);
        prop_assert!(!comparison.worse);
        prop_assert_eq!(comparison.counts, Counts::default());
        prop_assert!(comparison.vendors.iter().all(|vendor| vendor.changes.is_empty()));
    }

    #[test]
    fn what_is_worse_in_one_direction_is_better_in_the_other((old, new) in (reports(), reports())) {
        let (there, back) = (Comparison::of(&old, &new), Comparison::of(&new, &old));
        for (one, other) in [
            (Kind::Worse, Kind::Better),
            (Kind::AdvisoryWorse, Kind::AdvisoryBetter),
            (Kind::Appeared, Kind::Went),
            (Kind::Changed, Kind::Changed),
            (Kind::Result, Kind::Result),
        ] {
            prop_assert_eq!(ids(&there, one), ids(&back, other));
            prop_assert_eq!(ids(&there, other), ids(&back, one));
        }
    }

    #[test]
    fn every_line_fits_and_no_text_gets_out_of_it((old, new) in (reports(), reports())) {
        let comparison = Comparison::of(&old, &new);
        let json = comparison.in_json().unwrap();
        prop_assert!(is_harmless(&json.replace('\n', "")), "{}", json);
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::to_value(&comparison).unwrap());
        let words = comparison.in_words();
        for line in words.split_terminator('\n') {
            prop_assert!(line.chars().count() <= 80, "{line:?}");
            prop_assert!(is_harmless(line), "{line:?}");
        }
    }
}
