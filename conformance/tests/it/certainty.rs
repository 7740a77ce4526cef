//! A server fails the run only if it departs from what a page states, or breaks the safety core. Honest servers that differ
//! where the pages are silent conform.

use otp_conformance::{Basis, Verdict, faults};
use otp_contract::{Contract, DOCUMENTS, Situation};
use otp_sandbox::{Distortion, Effect, FAULTS, Fault, LIBERTIES};
use otp_test_support::contracts as all_contracts;

use crate::suite::{check, check_other, failed, gating, options};

fn document(vendor: &str) -> &'static str {
    DOCUMENTS.iter().find(|document| document.vendor == vendor).unwrap().text
}

/// The document of a vendor with each first text replaced by the second.
fn departed(vendor: &str, edits: &[(&str, &str)]) -> String {
    let mut text = document(vendor).to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{vendor} has no {old}");
        text = text.replacen(old, new, 1);
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_documents_leave_open_is_never_found_even_in_a_strict_run() {
    let mut tried = 0;
    let strict = |seed| otp_conformance::Options { strict: true, ..options(seed) };
    for liberty in LIBERTIES {
        for contract in all_contracts().into_iter().filter(|contract| faults::applies(liberty, contract)) {
            let vendor = contract.vendor.clone();
            let report = check(vec![contract], vec![liberty], Vec::new(), &strict(tried)).await;
            assert_eq!(failed(&report), Vec::<&str>::new(), "{} of {vendor}", liberty.name);
            assert_eq!(report.verdict, Verdict::Conformant, "{} of {vendor}", liberty.name);
            tried += 1;
        }
    }
    assert!(tried >= 10, "{tried}");
}

#[tokio::test]
async fn trimming_a_code_is_advisory() {
    let trimmed = Fault::named("code-trimmed").unwrap();
    for contract in all_contracts() {
        let id = format!("{}/request/code-whitespace", contract.vendor);
        let report = check(vec![contract], vec![trimmed], Vec::new(), &options(1)).await;
        assert_eq!(failed(&report), [id]);
        assert_eq!(report.verdict, Verdict::Conformant);
    }
}

#[tokio::test]
async fn another_answer_than_an_inferred_one_is_advisory() {
    let cases = [
        // The documented 404 for a request without a session.
        (
            "zeckta",
            vec![
                ("&misshapen [missing_session, ", "&misshapen ["),
                ("[unknown_session, foreign_session]", "[unknown_session, foreign_session, missing_session]"),
            ],
        ),
        ("dailystory", vec![("        \"401\":", "        \"403\":")]),
        ("exotel", vec![("        \"401\":", "        \"404\":")]),
        ("d7", vec![("        \"401\":", "        \"407\":"), ("        \"404\":", "        \"410\":")]),
    ];
    for (vendor, edits) in cases {
        let report = check_other(vendor, &departed(vendor, &edits), &options(5)).await;
        let gating: Vec<_> = gating(&report).iter().map(|check| check.id.clone()).collect();
        assert_eq!(gating, Vec::<String>::new(), "{vendor}: {edits:?}");
        assert_eq!(report.verdict, Verdict::Conformant, "{vendor}");
        let strict = otp_conformance::Options { strict: true, ..options(5) };
        let report = check_other(vendor, &departed(vendor, &edits), &strict).await;
        assert_eq!(report.verdict, Verdict::Nonconformant, "{vendor}: {:?}", failed(&report));
    }
}

#[tokio::test]
async fn another_number_than_the_documented_one_fails_the_run_and_the_finding_cites_the_page() {
    let cases = [
        ("exotel", "seconds: 60", "seconds: 600", "default-lifetime", "60-second window"),
        ("exotel", "limit: 10", "limit: 3", "default-limit", "more than 10 times"),
        ("dailystory", "seconds: 900", "seconds: 300", "default-lifetime", "15 minutes"),
        ("dailystory", "limit: 5", "limit: 3", "default-limit", "Retry attempts and lockout"),
        ("dailystory", "seconds: 900", "seconds: 1200", "default-lifetime", "15 minutes"),
    ];
    for (vendor, old, new, check, section) in cases {
        let report = check_other(vendor, &departed(vendor, &[(old, new)]), &options(2)).await;
        assert_eq!(report.verdict, Verdict::Nonconformant, "{vendor} {new}");
        let id = format!("{vendor}/policy/{check}");
        let found = gating(&report).into_iter().find(|check| check.id == id).unwrap();
        assert!(found.citation.section.contains(section), "{:?}", found.citation);
        assert_eq!(found.basis, Basis::Documented);
    }
}

#[tokio::test]
async fn a_number_that_stands_only_in_an_example_is_no_rule() {
    let cases = [
        ("dailystory", "lockout_seconds: 7200", "lockout_seconds: 3600"),
        ("zeckta", "seconds: 300", "seconds: 900"),
        ("zeckta", "limit: 5", "limit: 7"),
        ("kaleyra", "limit: 5", "limit: 3"),
        ("d7", "seconds: 600", "seconds: 120"),
    ];
    for (vendor, old, new) in cases {
        let report = check_other(vendor, &departed(vendor, &[(old, new)]), &options(3)).await;
        assert_eq!(failed(&report), Vec::<&str>::new(), "{vendor} {new}");
        assert_eq!(report.verdict, Verdict::Conformant, "{vendor} {new}");
    }
}

#[tokio::test]
async fn a_limit_that_only_the_server_states_is_held_to_as_baseline() {
    let policy = (
        "          precedence: [already_used, expired]\n",
        "          attempts: { limit: 5, certainty: inferred, source: { section: none } }\n          boundary: [wrong_code]\n          precedence: [already_used, attempts_exhausted, expired]\n",
    );
    let served = departed("d7", &[policy]);
    let report = check_other("d7", &served, &options(4)).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    let run =
        |id: &str| report.vendors[0].checks.iter().any(|check| check.id == id && check.reason.is_none());
    assert!(run("d7/limit/boundary") && run("d7/limit/own-counter"));
}

/// Whether the page states what a response with this distortion departs from, in one of these situations.
fn departs_from_the_page(contract: &Contract, situations: &[Situation], distortion: Distortion) -> bool {
    let given = |situation: Situation| {
        let cells = contract.verify().cells.iter().filter(move |cell| cell.answers(situation));
        cells.filter(|cell| !cell.alternative).map(move |cell| (cell, situation))
    };
    situations.iter().copied().flat_map(given).any(|(cell, situation)| {
        let example = distortion.example(contract, cell, situation);
        let departs = match distortion {
            Distortion::Status(_) => {
                cell.facts.status.is_documented() && !cell.status.matches(example.status)
            }
            _ => cell.facts.body.is_documented() && example.body != cell.body,
        };
        departs && cell.is_documented_for(situation)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_departure_fails_the_run_if_and_only_if_a_page_states_what_it_departs_from() {
    let mut wrong = Vec::new();
    let mut tried = [0, 0];
    for fault in FAULTS {
        let Effect::Response(situations, distortion @ (Distortion::Status(_) | Distortion::Literal)) =
            fault.effect
        else {
            continue;
        };
        for contract in all_contracts().into_iter().filter(|contract| faults::applies(fault, contract)) {
            let expected = departs_from_the_page(&contract, situations, distortion);
            // A right code that is not approved, and another call that is, break the safety core, whatever the page says.
            if situations.contains(&Situation::Approved)
                || matches!(distortion, Distortion::Status(200..=299))
            {
                continue;
            }
            let vendor = contract.vendor.clone();
            let report = check(vec![contract], vec![fault], Vec::new(), &options(6)).await;
            let found = report.verdict == Verdict::Nonconformant;
            if found != expected {
                let gating: Vec<_> =
                    gating(&report).iter().map(|check| (check.id.clone(), check.basis)).collect();
                wrong.push(format!(
                    "{} of {vendor}: expected {expected}: {gating:?} {:?}",
                    fault.name,
                    failed(&report)
                ));
            }
            tried[usize::from(expected)] += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {tried:?}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried[0] >= 10 && tried[1] >= 10, "{tried:?}");
}
