//! The suite finds every deliberate fault wherever it applies and reports nothing else, and it never accuses a server
//! without faults, whichever documented responses that server chooses.

use otp_test_support::contracts as all_contracts;
use std::collections::BTreeSet;

use glob::Pattern;
use otp_conformance::faults::{applies, can_find, found_by};
use otp_conformance::{CheckResult, Verdict};
use otp_sandbox::FAULTS;

use crate::served::program;
use crate::suite::{check, contracts, failed, options};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_for_every_vendor_it_applies_to_and_fails_no_other_check() {
    let mut pairs = 0;
    let mut wrong = Vec::new();
    for fault in FAULTS {
        for contract in all_contracts() {
            let vendor = contract.vendor.clone();
            if !applies(fault, &contract) {
                continue;
            }
            pairs += 1;
            let report = check(vec![contract], vec![fault], Vec::new(), &options(pairs)).await;
            let found = failed(&report);
            let unrelated: Vec<_> = found.iter().filter(|id| !can_find(id, fault)).collect();
            let name = fault.name;
            if found.len() == unrelated.len() {
                wrong.push(format!("{name} of {vendor} was not found by {:?}", found_by(fault)));
            }
            if !unrelated.is_empty() {
                wrong.push(format!("{name} of {vendor} failed {unrelated:?}"));
            }
            for check in report.vendors[0].checks.iter().filter(|check| check.result == CheckResult::Error) {
                wrong.push(format!("{name} of {vendor} put {} in error: {:?}", check.id, check.reason));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {pairs} pairs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_fault_applies_to_some_vendor() {
    let contracts = all_contracts();
    for fault in FAULTS {
        assert!(contracts.iter().any(|contract| applies(fault, contract)), "{}", fault.name);
    }
}

#[test]
fn every_pattern_of_a_fault_matches_a_check() {
    let printed = program(&["checks", "--format", "json"]).output().unwrap().stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&printed).unwrap();
    let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    for fault in FAULTS {
        let patterns = found_by(fault);
        assert!(!patterns.is_empty(), "{}", fault.name);
        for pattern in patterns {
            let pattern = Pattern::new(pattern).unwrap();
            let is_known = ids.iter().any(|id| pattern.matches(id.split_once('/').unwrap().1));
            assert!(is_known, "{}: {pattern}", fault.name);
        }
    }
}

#[tokio::test]
async fn a_server_without_faults_is_never_accused_whatever_the_seed() {
    for seed in 0..20 {
        let report = check(all_contracts(), Vec::new(), Vec::new(), &options(seed)).await;
        assert_eq!(failed(&report), Vec::<&str>::new(), "seed {seed}");
        assert_eq!(report.verdict, Verdict::Conformant, "seed {seed}");
        assert_eq!(report.summary.error, 0, "seed {seed}");
        // D7 documents no limit, and the sandbox states none.
        for check in report.vendors.iter().flat_map(|vendor| &vendor.checks) {
            let reason = check.reason.as_deref().unwrap_or_default();
            assert!(reason.is_empty() || reason.contains("no limit of attempts"), "{}: {reason}", check.id);
        }
    }
}

#[tokio::test]
async fn every_alternative_that_a_contract_allows_conforms_and_is_seen() {
    for contract in all_contracts() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.alternative) {
            let prefer = format!("{}/{}", contract.vendor, cell.name);
            let report = check(vec![contract.clone()], Vec::new(), vec![prefer.clone()], &options(7)).await;
            assert_eq!(report.verdict, Verdict::Conformant, "{prefer}: {:?}", failed(&report));
            let seen = report.vendors[0].cells.iter().find(|seen| seen.cell == cell.name).unwrap().seen;
            assert!(seen > 0, "{prefer} was preferred but not sent");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_that_a_contract_leaves_open_conforms() {
    for contract in all_contracts() {
        let boundary =
            contract.policy.boundary.iter().map(|boundary| format!("boundary={}", boundary.outcome()));
        let precedence = contract.policy.precedence.iter().map(|outcome| format!("precedence={outcome}"));
        for preference in boundary.chain(precedence).collect::<Vec<_>>() {
            let prefer = format!("{}/{preference}", contract.vendor);
            let report = check(vec![contract.clone()], Vec::new(), vec![prefer.clone()], &options(9)).await;
            assert_eq!(report.verdict, Verdict::Conformant, "{prefer}: {:?}", failed(&report));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_and_lifetime_conforms() {
    for mut contract in all_contracts() {
        for (limit, seconds) in [(1, 3), (1, 1_200), (3, 60), (5, 3), (10, 1_200)] {
            if let Some(attempts) = &mut contract.policy.attempts {
                attempts.limit = limit;
                // A server may have one fixed limit and clamp every requested limit to it.
                attempts.max = Some(limit);
            }
            contract.policy.lifetime.seconds = seconds;
            contract.policy.lifetime.max = Some(seconds);
            let report = check(vec![contract.clone()], Vec::new(), Vec::new(), &options(limit.into())).await;
            let vendor = &contract.vendor;
            assert_eq!(
                report.verdict,
                Verdict::Conformant,
                "{vendor} {limit} {seconds}: {:?}",
                failed(&report)
            );
            assert_eq!(report.summary.failed + report.summary.error, 0, "{vendor} {limit} {seconds}");
        }
    }
}

#[tokio::test]
async fn every_main_cell_is_seen_in_a_clean_run() {
    let report = check(all_contracts(), Vec::new(), Vec::new(), &options(3)).await;
    for vendor in &report.vendors {
        for cell in vendor.cells.iter().filter(|cell| !cell.alternative) {
            assert!(cell.seen > 0, "{}/{} was not seen in any exchange", vendor.vendor, cell.cell);
        }
    }
}

#[tokio::test]
async fn both_modes_are_checked_if_a_contract_documents_both() {
    let report = check(contracts(&["dailystory"]), Vec::new(), Vec::new(), &options(3)).await;
    let checks = report.vendors[0].checks.iter().map(|check| check.id.as_str());
    let retried: Vec<_> = checks.filter(|id| id.split('.').nth(1) == Some("retry")).collect();
    assert_eq!(retried, ["dailystory/matrix/wrong_code.retry", "dailystory/matrix/attempts_exhausted.retry"]);
}
