//! The mock server sends the responses of the contracts.

use std::collections::BTreeSet;

use otp_verify::{Code, Outcome, Verifier, d7, mock};

use crate::every_client::with_builder;
use crate::vendor_call::{self, CODE, SECRET, SESSION};

fn verifiers(url: &str) -> Vec<Box<dyn Verifier>> {
    macro_rules! boxed {
        ($builder:expr) => {{
            let verifier: Box<dyn Verifier> = Box::new($builder.base_url(url).build().unwrap());
            verifier
        }};
    }
    let vendors = vendor_call::contracts();
    vendors.iter().map(|contract| with_builder!(contract.vendor.as_str(), boxed)).collect()
}

#[tokio::test]
async fn every_documented_response_of_every_vendor_can_be_sent() {
    let server = mock::Server::start().await;
    let verifiers = verifiers(&server.url());
    let mut sent = BTreeSet::new();
    for cell in mock::cells() {
        server.respond_with(cell);
        let verifier = verifiers.iter().find(|verifier| verifier.vendor() == cell.vendor()).unwrap();
        let result = verifier.verify(SESSION.into(), Code::new(CODE)).await;
        match result {
            Ok(approval) => {
                assert_eq!((cell.outcome(), approval.raw().status()), (Outcome::Approved, cell.status()));
            }
            Err(error) => {
                assert!(error.could_be(cell.outcome()), "{cell:?}: {error}");
                assert_eq!(error.status(), Some(cell.status()), "{cell:?}");
            }
        }
        sent.insert((cell.vendor().to_owned(), cell.name().to_owned()));
    }
    let contracts = vendor_call::contracts();
    let documented: BTreeSet<_> = contracts
        .iter()
        .flat_map(|contract| {
            contract.verify().cells.iter().map(|cell| (contract.vendor.clone(), cell.name.clone()))
        })
        .collect();
    assert_eq!(sent, documented);
    assert_eq!(server.requests().await, documented.len());
}

#[tokio::test]
async fn a_cell_matches_its_contract() {
    for contract in vendor_call::contracts() {
        for expected in &contract.verify().cells {
            let cell = mock::cell(&contract.vendor, &expected.name).unwrap();
            assert_eq!(cell.outcome().as_str(), expected.outcome.as_str());
            assert_eq!(
                (cell.document(), cell.section()),
                (&*expected.source.document, &*expected.source.section)
            );
            assert_eq!((cell.summary(), cell.note()), (&*expected.summary, expected.note.as_deref()));
        }
    }
    assert!(mock::cell("zeckta", "no such cell").is_none());
}

#[tokio::test]
async fn a_call_without_a_configured_response_or_to_another_path_is_not_found() {
    let server = mock::Server::start().await;
    let all = verifiers(&server.url());
    server.respond_with(mock::cell("exotel", "approved").unwrap());
    for verifier in &all {
        let result = verifier.verify("a/b+c ä".into(), Code::new(CODE)).await;
        match verifier.vendor() {
            // Exotel's response repeats the session and the account, which are in the path.
            "exotel" => assert!(result.is_ok(), "{result:?}"),
            _ => assert_eq!(result.unwrap_err().status(), Some(404)),
        }
    }
    let elsewhere = verifiers(&format!("{}/elsewhere", server.url()));
    let exotel = elsewhere.iter().find(|verifier| verifier.vendor() == "exotel").unwrap();
    let error = exotel.verify(SESSION.into(), Code::new(CODE)).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn a_response_can_have_another_status_and_a_changed_body() {
    let server = mock::Server::start().await;
    let client = d7::Client::builder(SECRET).base_url(server.url()).build().unwrap();
    server.respond_with_changes(mock::cell("d7", "approved").unwrap(), 200, |body| {
        body["status"] = "PENDING".into();
    });
    let error = client.verify(SESSION, Code::new(CODE)).await.unwrap_err();
    assert!(matches!(error, d7::Error::Undocumented(_)), "{error:?}");
    server.respond_with_changes(mock::cell("d7", "approved").unwrap(), 202, |_| {});
    assert!(matches!(client.verify(SESSION, Code::new(CODE)).await, Err(d7::Error::Contradictory(_))));
}
