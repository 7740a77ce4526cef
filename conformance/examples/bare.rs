//! A client that does nothing but send: the rate that the suite's own is measured against. `cargo xtask bench suite`
//! runs it. Sixteen tasks send one and the same call to the embedded sandbox, for a fixed number of requests.

#![expect(clippy::print_stdout, reason = "the rate is the result")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use otp_conformance::{RawRequest, Wire};
use otp_contract::Contract;
use otp_sandbox::{Sandbox, Settings};

const TASKS: u64 = 16;
const REQUESTS: u64 = 60_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let contract = Contract::of_vendor("zeckta")?;
    let path = contract.verify().path.to_string();
    let sandbox = Sandbox::new(Settings { contracts: vec![contract], ..Settings::default() })?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{path}", listener.local_addr()?);
    tokio::spawn(sandbox.serve(listener, std::future::pending()));

    let wire = Arc::new(Wire::new(false)?);
    let answered = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut running = Vec::new();
    for _ in 0..TASKS {
        let (wire, answered, url) = (Arc::clone(&wire), Arc::clone(&answered), url.clone());
        running.push(tokio::spawn(async move {
            let request = RawRequest {
                method: "POST".to_owned(),
                url,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: Some(
                    br#"{"sessionId":"feab6011-2469-4804-ace5-ee9dcb5b9ef2","code":"123456"}"#.to_vec(),
                ),
            };
            for _ in 0..REQUESTS / TASKS {
                if wire.send(&request).await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for task in running {
        task.await?;
    }
    let answered = answered.load(Ordering::Relaxed);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    println!("{}", answered * 1_000_000 / micros);
    Ok(())
}
