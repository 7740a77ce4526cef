//! A client that does nothing but send: the baseline for the request rate of the suite, which `cargo xtask bench suite`
//! runs. Sixteen tasks send the same call to the embedded sandbox, for a fixed number of requests.

#![expect(clippy::print_stdout, reason = "the rate is the result")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use otp_contract::Contract;
use otp_sandbox::{Sandbox, Settings};

const TASKS: u64 = 16;
const REQUESTS: u64 = 60_000;
const BODY: &[u8] = br#"{"sessionId":"feab6011-2469-4804-ace5-ee9dcb5b9ef2","code":"123456"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let contract = Contract::of_vendor("zeckta")?;
    let path = contract.verify().path.to_string();
    let sandbox = Sandbox::new(Settings { contracts: vec![contract], ..Settings::default() })?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}{path}", listener.local_addr()?);
    tokio::spawn(sandbox.serve(listener, std::future::pending()));

    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let responses = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut running = Vec::new();
    for _ in 0..TASKS {
        let (client, responses, url) = (client.clone(), Arc::clone(&responses), url.clone());
        running.push(tokio::spawn(async move {
            for _ in 0..REQUESTS / TASKS {
                let request = Request::post(&url)
                    .header("content-type", "application/json")
                    .body(Full::new(Bytes::from_static(BODY)));
                let Ok(request) = request else { continue };
                let Ok(response) = client.request(request).await else { continue };
                if response.into_body().collect().await.is_ok() {
                    responses.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for task in running {
        task.await?;
    }
    let responses = responses.load(Ordering::Relaxed);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    println!("{}", responses * 1_000_000 / micros);
    Ok(())
}
