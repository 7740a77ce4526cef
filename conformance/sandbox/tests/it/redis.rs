//! The store in Redis when things go wrong: nothing is approved, nothing is tried twice, and what happened is told.

use std::time::Duration;

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{Attempt, Issue, Issued, Key, RedisStore, Store, StoreError, Terms, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::redis_house::Redis;

const RIGHT: &str = "123456";

fn key(session: &str) -> Key<'_> {
    Key { vendor: "exotel", tenant: "t", session }
}

fn policy() -> Policy {
    Contract::of_vendor("exotel").unwrap().policy
}

async fn issue(store: &RedisStore, session: &str) -> Result<Issued, StoreError> {
    let code = RIGHT;
    store
        .issue(Issue {
            key: key(session),
            code,
            ttl_seconds: 60,
            max_attempts: Some(3),
            lockout_seconds: None,
            resend_of: None,
        })
        .await
}

async fn attempt(store: &RedisStore, session: &str, code: &str) -> Result<Verdict, StoreError> {
    store.attempt(&policy(), Attempt { key: key(session), code, terms: Terms::default() }).await
}

#[tokio::test]
async fn a_wrong_address_is_told_and_nothing_is_started() {
    let refused = RedisStore::connect("redis://127.0.0.1:1", None).await.err().unwrap();
    assert!(matches!(refused, StoreError::Unreachable(_)), "{refused}");
    for url in ["", "http://127.0.0.1", "redis://"] {
        assert!(RedisStore::connect(url, None).await.is_err(), "{url}");
    }
    // Something that answers, and is no Redis.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    assert!(RedisStore::connect(&url, None).await.is_err());
}

#[tokio::test]
async fn a_key_of_another_type_approves_nothing() {
    let redis = Redis::start().await;
    let store = redis.store().await;
    issue(&store, "s").await.unwrap();
    let name = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    redis.cli(&["SET", &name, "approved"]);
    let error = attempt(&store, "s", RIGHT).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    assert_eq!(redis.cli(&["GET", &name]), "approved", "what is not ours is not written to");
}

#[tokio::test]
async fn full_memory_issues_nothing_and_approves_nothing() {
    let redis = Redis::start().await;
    let store = redis.store().await;
    issue(&store, "s").await.unwrap();
    redis.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    for error in [issue(&store, "t").await.unwrap_err(), attempt(&store, "s", RIGHT).await.unwrap_err()] {
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(attempt(&store, "s", RIGHT).await.unwrap().outcome, Outcome::Approved);
}

#[tokio::test]
async fn keys_hold_no_code_and_no_id_and_outlive_the_code() {
    let redis = Redis::start().await;
    let store = redis.store().await;
    issue(&store, "session-canary").await.unwrap();
    let name = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    let fields = redis.cli(&["--raw", "HGETALL", &name]);
    for secret in [RIGHT, "session-canary"] {
        assert!(!name.contains(secret) && !fields.contains(secret), "{name} {fields}");
    }
    assert!(name.starts_with("otp:{") && name.ends_with('}'), "the whole name is the tag: {name}");
    let left: u64 = redis.cli(&["TTL", &name]).parse().unwrap();
    assert!(left > 86_400, "an expired code must not become an unknown one: {left} s");
    // Past its lifetime it is expired, and wrong or right makes no difference.
    store.age(key("session-canary"), 61).await.unwrap();
    for code in [RIGHT, "654321"] {
        assert_eq!(attempt(&store, "session-canary", code).await.unwrap().outcome, Outcome::Expired);
    }
    assert_eq!(redis.cli(&["DBSIZE"]), "2", "the session, and the secret");
}

#[tokio::test]
async fn a_call_for_a_session_that_is_not_there_writes_nothing() {
    let redis = Redis::start().await;
    let store = redis.store().await;
    assert_eq!(attempt(&store, "nobody", RIGHT).await.unwrap().outcome, Outcome::UnknownSession);
    assert!(!store.age(key("nobody"), 1).await.unwrap());
    assert_eq!(redis.cli(&["DBSIZE"]), "1", "the secret alone");
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_loaded_again() {
    let redis = Redis::start().await;
    let store = redis.store().await;
    issue(&store, "s").await.unwrap();
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(2));
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(1));
}

/// Hands on everything to Redis, and, once told to, no answer back.
async fn deaf_in_between(redis: &Redis) -> (String, tokio::sync::watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let behind = redis.url().trim_start_matches("redis://").to_owned();
    let (swallow, told) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_redis, mut to_redis) = TcpStream::connect(&behind).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_redis).await });
            let told = told.clone();
            tokio::spawn(async move {
                let mut read = vec![0; 4_096];
                while let Ok(length @ 1..) = from_redis.read(&mut read).await {
                    if *told.borrow() {
                        // The answer was there, and the connection breaks before it arrives.
                        return;
                    }
                    if to_client.write_all(&read[..length]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, swallow)
}

#[tokio::test]
async fn a_lost_answer_is_told_as_lost_and_the_script_runs_once() {
    let redis = Redis::start().await;
    let (url, swallow) = deaf_in_between(&redis).await;
    let store = RedisStore::connect(&url, None).await.unwrap();
    issue(&store, "s").await.unwrap();
    attempt(&store, "s", "654321").await.unwrap();
    swallow.send(true).unwrap();
    let error = attempt(&store, "s", "654321").await.unwrap_err();
    assert!(matches!(error, StoreError::Lost(_)), "{error}");
    swallow.send(false).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The lost one was counted, once: of three attempts this is the last.
    let after = redis.store().await;
    let verdict = attempt(&after, "s", "654321").await.unwrap();
    assert_eq!((verdict.outcome, verdict.remaining_attempts), (Outcome::WrongCode, Some(0)));
    // And the store that lost it finds its way back by itself.
    for _ in 0..20 {
        if let Ok(verdict) = attempt(&store, "s", RIGHT).await {
            assert_eq!(verdict.outcome, Outcome::AttemptsExhausted);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not reconnect");
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_server_that_is_killed() {
    let mut redis = Redis::start_durable().await;
    let store = redis.store().await;
    issue(&store, "counted").await.unwrap();
    issue(&store, "used").await.unwrap();
    attempt(&store, "counted", "654321").await.unwrap();
    attempt(&store, "counted", "654321").await.unwrap();
    assert_eq!(attempt(&store, "used", RIGHT).await.unwrap().outcome, Outcome::Approved);
    redis.kill();
    let error = attempt(&store, "counted", RIGHT).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_) | StoreError::Lost(_)), "{error}");
    redis.start_again().await;
    for _ in 0..40 {
        if let Ok(verdict) = attempt(&store, "counted", "654321").await {
            assert_eq!((verdict.outcome, verdict.remaining_attempts), (Outcome::WrongCode, Some(0)));
            assert_eq!(attempt(&store, "used", RIGHT).await.unwrap().outcome, Outcome::AlreadyUsed);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not reconnect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_right_codes_at_once_over_two_stores_exactly_one_is_approved() {
    let redis = Redis::start().await;
    let stores = std::sync::Arc::new([redis.store().await, redis.store().await]);
    for round in 0..30 {
        let session = format!("s{round}");
        issue(&stores[0], &session).await.unwrap();
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(16));
        let calls: Vec<_> = (0..16)
            .map(|call| {
                let (stores, barrier, session) = (stores.clone(), barrier.clone(), session.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    attempt(&stores[call % 2], &session, RIGHT).await.unwrap().outcome
                })
            })
            .collect();
        let mut approved = 0;
        for call in calls {
            approved += usize::from(call.await.unwrap() == Outcome::Approved);
        }
        assert_eq!(approved, 1);
    }
}
