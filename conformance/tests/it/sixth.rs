//! A vendor that this code has never heard of: its document alone gives it a sandbox and a matrix.

use otp_conformance::{Verdict, checks};
use otp_contract::Contract;
use otp_sandbox::FAULTS;

use crate::house::{check, failed, options};

fn acme() -> Contract {
    Contract::from_yaml("acme.yaml", include_str!("../contracts/acme.yaml")).unwrap()
}

#[tokio::test]
async fn a_new_document_is_served_and_checked_without_a_change_of_code() {
    let contract = acme();
    let ids: Vec<_> = checks(&contract).into_iter().map(|check| check.id).collect();
    let report = check(vec![contract], Vec::new(), Vec::new(), &options(1)).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report.verdict, Verdict::Conformant);
    assert_eq!(report.summary.passed, ids.len() as u64);
    assert!(ids.len() >= 11, "{ids:?}");
    for cell in report.vendors[0].cells.iter().filter(|cell| !cell.alternative) {
        assert!(cell.seen > 0, "{}", cell.cell);
    }
}

#[tokio::test]
async fn the_faults_are_found_in_a_new_vendor_too() {
    for fault in FAULTS.iter().filter(|fault| fault.applies(&acme())) {
        let report = check(vec![acme()], vec![fault], Vec::new(), &options(1)).await;
        let found = failed(&report);
        assert!(!found.is_empty(), "{}", fault.name);
        for id in found {
            let named = checks(&acme())
                .into_iter()
                .any(|check| check.id == id && fault.shows_in.contains(&check.situation));
            assert!(named, "{} raised {id}", fault.name);
        }
    }
}

#[tokio::test]
async fn the_alternatives_of_a_new_vendor_conform_too() {
    for cell in acme().cells.iter().filter(|cell| cell.alternative) {
        let report = check(vec![acme()], Vec::new(), vec![format!("acme/{}", cell.name)], &options(1)).await;
        assert_eq!(report.verdict, Verdict::Conformant, "{}: {:?}", cell.name, failed(&report));
    }
}
