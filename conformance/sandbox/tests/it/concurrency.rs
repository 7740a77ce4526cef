//! Single use and the limit under load: bursts over warm connections against a real server.

use std::sync::Arc;

use bytes::Bytes;
use otp_contract::Contract;
use otp_sandbox::{FAULTS, Settings};
use serde_json::json;
use tokio::sync::Barrier;

use crate::house::{House, Tenant, contracts};

const WIDTH: usize = 16;

/// Sends `codes` at once and gives statuses and bodies.
async fn burst(
    house: &House,
    contract: &Contract,
    tenant: &Arc<Tenant>,
    session: &str,
    codes: Vec<String>,
) -> Vec<(u16, Bytes)> {
    let barrier = Arc::new(Barrier::new(codes.len()));
    let running: Vec<_> = codes
        .into_iter()
        .map(|code| {
            let (house, contract, session) = (house.clone(), contract.clone(), session.to_owned());
            let (tenant, barrier) = (Arc::clone(tenant), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let answer = house.verify(&contract, &tenant, &session, &code).await;
                (answer.status, answer.body)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in running {
        answers.push(answer.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_right_codes_at_once_exactly_one_is_approved() {
    let house = House::clean().await;
    for contract in contracts() {
        let tenant = Arc::new(house.tenant(&contract.vendor).await);
        for _ in 0..10 {
            let issued = house.issue(&tenant, "123456", json!({})).await;
            let session = issued["session"].as_str().unwrap();
            let codes = vec!["123456".to_owned(); WIDTH];
            let answers = burst(&house, &contract, &tenant, session, codes).await;
            let after = house.verify(&contract, &tenant, session, "123456").await;
            let used = (after.status, after.body);
            let approvals: Vec<_> = answers.iter().filter(|answer| **answer != used).collect();
            assert_eq!(approvals.len(), 1, "{}: {answers:?}", contract.vendor);
            assert_eq!(approvals[0].0, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_wrong_codes_at_once_no_more_than_the_limit_are_compared() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.policy.attempts.is_some()) {
        let tenant = Arc::new(house.tenant(&contract.vendor).await);
        for _ in 0..10 {
            let issued = house.issue(&tenant, "123456", json!({"max_attempts": 5})).await;
            let session = issued["session"].as_str().unwrap();
            let codes = (0..WIDTH).map(|guess| format!("{:06}", 900_000 + guess)).collect();
            let answers = burst(&house, &contract, &tenant, session, codes).await;
            let locked = house.verify(&contract, &tenant, session, "123456").await.status;
            assert_ne!(locked, 200, "{}: the right code after {WIDTH} wrong ones", contract.vendor);
            // Kaleyra has one status for both, and a code in the body; the others can be counted by status.
            let compared = answers.iter().filter(|(status, _)| *status != locked).count();
            if contract.vendor != "kaleyra" {
                assert_eq!(compared, 5, "{}: {answers:?}", contract.vendor);
            }
        }
    }
}

#[tokio::test]
async fn a_sandbox_with_every_fault_at_once_still_serves() {
    let settings =
        Settings { contracts: contracts(), faults: FAULTS.iter().collect(), ..Settings::default() };
    let house = House::open(settings).await;
    for contract in contracts() {
        let tenant = house.tenant(&contract.vendor).await;
        let issued = house.issue(&tenant, "123456", json!({})).await;
        let answer = house.verify(&contract, &tenant, issued["session"].as_str().unwrap(), "123456").await;
        assert!(answer.json().is_object());
    }
}
