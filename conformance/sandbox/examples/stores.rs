//! Measures the stores without a server: how long one sweep holds a lock with a million sessions in memory, and how
//! many attempts per second Redis decides over one connection. `cargo xtask bench sandbox` runs it.
//!
//! `stores collect` prints the longest and the median sweep in microseconds and the number of sessions left;
//! `stores redis URL CALLS` prints the rate.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use otp_contract::{Contract, Policy};
use otp_sandbox::{
    IssueRequest, MemoryStore, RedisStore, RequestOverrides, Secret, SessionKey, Store, VerifyAttempt,
};

const SESSIONS: u64 = 1_000_000;
const SWEEPS: usize = 512;
const TASKS: u64 = 64;

/// A session id that no other run uses.
fn id(number: u64) -> String {
    format!("ver_{:08x}{number:016x}", std::process::id())
}

fn key(session: &str) -> SessionKey<'_> {
    SessionKey { vendor: "exotel", tenant: "t", session }
}

async fn issue(store: &dyn Store, number: u64) -> Result<(), Box<dyn Error>> {
    let session = id(number);
    let issue = IssueRequest {
        key: key(&session),
        code: "123456",
        ttl_seconds: 60,
        max_attempts: None,
        lockout_seconds: None,
        resend_of: None,
    };
    store.issue(issue).await?;
    Ok(())
}

async fn collect() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new(Secret::random().ok_or("no randomness")?);
    for number in 0..SESSIONS {
        issue(&store, number).await?;
        // The retention of every second session is over.
        if number % 2 == 0 {
            store.age(key(&id(number)), 1_000_000).await?;
        }
    }
    let mut micros: Vec<u128> = (0..SWEEPS)
        .map(|_| {
            let started = Instant::now();
            store.sweep();
            started.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    println!("{} {} {}", micros[SWEEPS - 1], micros[SWEEPS / 2], store.len());
    Ok(())
}

async fn redis(url: &str, calls: u64) -> Result<(), Box<dyn Error>> {
    let store = Arc::new(RedisStore::connect(url, None).await?);
    let policy: Arc<Policy> = Arc::new(Contract::of_vendor("exotel")?.policy);
    for number in 0..TASKS {
        issue(store.as_ref(), number).await?;
    }
    let started = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..TASKS {
        let (store, policy) = (Arc::clone(&store), Arc::clone(&policy));
        running.spawn(async move {
            for _ in 0..calls / TASKS {
                let session = id(number);
                let attempt = VerifyAttempt {
                    key: key(&session),
                    code: "654321",
                    overrides: RequestOverrides::default(),
                };
                if store.attempt(&policy, attempt).await.is_err() {
                    return false;
                }
            }
            true
        });
    }
    while let Some(done) = running.join_next().await {
        if !done? {
            return Err("the store did not decide an attempt".into());
        }
    }
    let micros = started.elapsed().as_micros().max(1);
    println!("{}", u128::from(calls) * 1_000_000 / micros);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["collect"] => collect().await,
        ["redis", url, calls] => redis(url, calls.parse()?).await,
        _ => Err("usage: stores collect | stores redis URL CALLS".into()),
    }
}
