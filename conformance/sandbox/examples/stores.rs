//! What the stores do without a server: how long one step of the collection holds a lock while a million sessions live,
//! and how many attempts a second Redis decides for one connection. `cargo xtask bench sandbox` runs it.
//!
//! `stores collect` prints the longest and the median step in microseconds; `stores redis URL CALLS` the rate.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use otp_contract::{Contract, Policy};
use otp_sandbox::{Attempt, Issue, Key, MemoryStore, RedisStore, Secret, Store, Terms};

const SESSIONS: u64 = 1_000_000;
const STEPS: usize = 512;
const TASKS: u64 = 64;

/// No two runs have a session in common.
fn id(number: u64) -> String {
    format!("ver_{:08x}{number:016x}", std::process::id())
}

fn key(session: &str) -> Key<'_> {
    Key { vendor: "exotel", tenant: "t", session }
}

async fn issue(store: &dyn Store, number: u64) -> Result<(), Box<dyn Error>> {
    let session = id(number);
    let issue = Issue {
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
        // Half of them nobody may ask for any more.
        if number % 2 == 0 {
            store.age(key(&id(number)), 1_000_000).await?;
        }
    }
    let mut micros: Vec<u128> = (0..STEPS)
        .map(|_| {
            let started = Instant::now();
            store.sweep();
            started.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    println!("{} {} {}", micros[STEPS - 1], micros[STEPS / 2], store.len());
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
                let attempt = Attempt { key: key(&session), code: "654321", terms: Terms::default() };
                if store.attempt(&policy, attempt).await.is_err() {
                    return false;
                }
            }
            true
        });
    }
    while let Some(done) = running.join_next().await {
        if !done? {
            return Err("an attempt was not decided".into());
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
        _ => Err("collect, or redis URL CALLS".into()),
    }
}
