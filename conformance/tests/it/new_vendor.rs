//! A vendor that is not built in: its document alone is enough for a sandbox, a matrix and checks.

use otp_conformance::{Verdict, faults};
use otp_contract::{Contract, Situation};
use otp_sandbox::{Effect, FAULTS, Fault};

use crate::suite::{check, failed, options};

fn acme() -> Contract {
    Contract::from_yaml("acme.yaml", include_str!("../contracts/acme.yaml")).unwrap()
}

#[tokio::test]
async fn a_new_document_is_served_and_checked_without_a_change_of_code() {
    let contract = acme();
    let report = check(vec![contract], Vec::new(), Vec::new(), &options(1)).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report.verdict, Verdict::Conformant);
    // A lifetime of three seconds is too short to let time pass within it.
    let skipped: Vec<_> = report.vendors[0]
        .checks
        .iter()
        .filter(|check| check.reason.is_some())
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!(skipped, ["acme/limit/not-forgotten", "acme/expiry/not-extended"]);
    assert_eq!(report.summary.passed, (report.available - skipped.len()) as u64);
    assert!(report.available >= 40, "{}", report.available);
    for cell in report.vendors[0].cells.iter().filter(|cell| !cell.alternative) {
        assert!(cell.seen > 0, "{}", cell.cell);
    }
}

#[tokio::test]
async fn wrong_responses_of_a_new_vendor_are_found_too() {
    let acme_documents = |situations: &[Situation]| {
        situations.iter().any(|situation| acme().verify().cells.iter().any(|cell| cell.answers(*situation)))
    };
    let spoiled = |fault: &&Fault| match fault.effect {
        Effect::Response(situations, _) => acme_documents(situations) && faults::applies(fault, &acme()),
        _ => false,
    };
    let mut tried = 0;
    for fault in FAULTS.iter().filter(spoiled) {
        let report = check(vec![acme()], vec![fault], Vec::new(), &options(1)).await;
        let found = failed(&report);
        assert!(found.iter().any(|id| faults::can_find(id, fault)), "{}: {found:?}", fault.name);
        tried += 1;
    }
    assert!(tried >= 30, "{tried} faults apply");
}

#[tokio::test]
async fn the_alternatives_of_a_new_vendor_conform_too() {
    for cell in acme().verify().cells.iter().filter(|cell| cell.alternative) {
        let report = check(vec![acme()], Vec::new(), vec![format!("acme/{}", cell.name)], &options(1)).await;
        assert_eq!(report.verdict, Verdict::Conformant, "{}: {:?}", cell.name, failed(&report));
    }
}
