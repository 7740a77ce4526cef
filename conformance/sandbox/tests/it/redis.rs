//! The store in Redis when things go wrong: nothing is approved, nothing is tried twice, and what happened is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{
    Decision, IssueRequest, Issued, RedisStore, RequestOverrides, Secret, SessionKey, Store, StoreError,
    VerifyAttempt,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use otp_test_support::RedisServer;

pub(crate) const RIGHT: &str = "123456";

pub(crate) fn key(session: &str) -> SessionKey<'_> {
    SessionKey { vendor: "exotel", tenant: "t", session }
}

fn policy() -> Policy {
    Contract::of_vendor("exotel").unwrap().policy
}

pub(crate) async fn issue(store: &RedisStore, session: &str) -> Result<Issued, StoreError> {
    let code = RIGHT;
    store
        .issue(IssueRequest {
            key: key(session),
            code,
            ttl_seconds: 60,
            max_attempts: Some(3),
            lockout_seconds: None,
            resend_of: None,
        })
        .await
}

pub(crate) async fn attempt(store: &RedisStore, session: &str, code: &str) -> Result<Decision, StoreError> {
    store
        .attempt(&policy(), VerifyAttempt { key: key(session), code, overrides: RequestOverrides::default() })
        .await
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
    let redis = RedisServer::start().await;
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
    let redis = RedisServer::start().await;
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
    let redis = RedisServer::start().await;
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
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    assert_eq!(attempt(&store, "nobody", RIGHT).await.unwrap().outcome, Outcome::UnknownSession);
    assert!(!store.age(key("nobody"), 1).await.unwrap());
    assert_eq!(redis.cli(&["DBSIZE"]), "1", "the secret alone");
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_loaded_again() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    issue(&store, "s").await.unwrap();
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(2));
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(1));
}

/// Hands on everything to Redis and back; but once, after it was told to, an answer is lost and its connection breaks.
pub(crate) async fn lossy(redis: &RedisServer, lose: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let behind = redis.url().trim_start_matches("redis://").to_owned();
    let lose = Arc::clone(lose);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_redis, mut to_redis) = TcpStream::connect(&behind).await.unwrap().into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_redis).await });
            let lose = Arc::clone(&lose);
            tokio::spawn(async move {
                let mut read = vec![0; 4_096];
                while let Ok(length @ 1..) = from_redis.read(&mut read).await {
                    // Dropped, both halves of the way back close the connection.
                    if lose.swap(false, Ordering::SeqCst)
                        || to_client.write_all(&read[..length]).await.is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_lost_answer_is_told_as_lost_and_the_script_runs_once() {
    let redis = RedisServer::start().await;
    let lose = Arc::default();
    let url = lossy(&redis, &lose).await;
    // With a secret of its own it asks for nothing but what it is asked.
    let store = RedisStore::connect(&url, Secret::random()).await.unwrap();
    issue(&store, "s").await.unwrap();
    attempt(&store, "s", "654321").await.unwrap();
    lose.store(true, Ordering::SeqCst);
    let error = attempt(&store, "s", "654321").await.unwrap_err();
    assert!(matches!(error, StoreError::ResponseLost(_)), "{error}");
    assert!(!lose.load(Ordering::SeqCst), "the answer was not there to be lost");
    // It was counted, once: of three attempts this is the last. And the store finds its way back by itself.
    for _ in 0..20 {
        if let Ok(decision) = attempt(&store, "s", "654321").await {
            assert_eq!((decision.outcome, decision.remaining_attempts), (Outcome::WrongCode, Some(0)));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not reconnect");
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_server_that_is_killed() {
    let mut redis = RedisServer::start_durable().await;
    let store = redis.store().await;
    issue(&store, "counted").await.unwrap();
    issue(&store, "used").await.unwrap();
    attempt(&store, "counted", "654321").await.unwrap();
    attempt(&store, "counted", "654321").await.unwrap();
    assert_eq!(attempt(&store, "used", RIGHT).await.unwrap().outcome, Outcome::Approved);
    redis.kill();
    let error = attempt(&store, "counted", RIGHT).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_) | StoreError::ResponseLost(_)), "{error}");
    redis.restart().await;
    for _ in 0..40 {
        if let Ok(decision) = attempt(&store, "counted", "654321").await {
            assert_eq!((decision.outcome, decision.remaining_attempts), (Outcome::WrongCode, Some(0)));
            assert_eq!(attempt(&store, "used", RIGHT).await.unwrap().outcome, Outcome::AlreadyUsed);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not reconnect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_right_codes_at_once_over_two_stores_exactly_one_is_approved() {
    let redis = RedisServer::start().await;
    let stores = Arc::new([redis.store().await, redis.store().await]);
    for round in 0..30 {
        let session = format!("s{round}");
        issue(&stores[0], &session).await.unwrap();
        let barrier = Arc::new(tokio::sync::Barrier::new(16));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_resends_at_once_over_two_stores_one_code_is_left_and_no_count_is_lost() {
    let redis = RedisServer::start().await;
    let stores = Arc::new([redis.store().await, redis.store().await]);
    for round in 0..20 {
        let first = format!("{round}-first");
        issue(&stores[0], &first).await.unwrap();
        attempt(&stores[0], &first, "654321").await.unwrap();
        let barrier = Arc::new(tokio::sync::Barrier::new(8));
        let resends: Vec<_> = (0..8)
            .map(|call| {
                let (stores, barrier, first) = (stores.clone(), barrier.clone(), first.clone());
                tokio::spawn(async move {
                    let session = format!("{first}-{call}");
                    let resent = IssueRequest {
                        key: key(&session),
                        code: RIGHT,
                        ttl_seconds: 60,
                        max_attempts: Some(3),
                        lockout_seconds: None,
                        resend_of: Some(key(&first)),
                    };
                    barrier.wait().await;
                    assert_eq!(stores[call % 2].issue(resent).await, Ok(Issued::Done));
                    session
                })
            })
            .collect();
        let mut sessions = vec![first.clone()];
        for resend in resends {
            sessions.push(resend.await.unwrap());
        }
        // Of three wrong codes the first session took one.
        let mut left = Vec::new();
        let mut approved = 0;
        for session in &sessions {
            let decision = attempt(&stores[0], session, "654321").await.unwrap();
            left.extend((decision.outcome == Outcome::WrongCode).then_some(decision.remaining_attempts));
            let decision = attempt(&stores[1], session, RIGHT).await.unwrap();
            approved += usize::from(decision.outcome == Outcome::Approved);
        }
        assert_eq!((left, approved), (vec![Some(1)], 1));
    }
}

#[tokio::test]
async fn a_code_that_was_never_kept_is_passed_over_and_is_kept_no_more() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    issue(&store, "late").await.unwrap();
    let late = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    redis.cli(&["DEL", &late]);
    issue(&store, "first").await.unwrap();
    attempt(&store, "first", "654321").await.unwrap();
    let first = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    // As a server leaves it that is killed, or whose caller hangs up, between its two steps.
    redis.cli(&["HSET", &first, "s", "1", "n", &late]);
    let resent = IssueRequest {
        key: key("next"),
        code: RIGHT,
        ttl_seconds: 60,
        max_attempts: Some(3),
        lockout_seconds: None,
        resend_of: Some(key("first")),
    };
    assert_eq!(store.issue(resent).await, Ok(Issued::Done));
    // Had the first server only been slow, two codes would work now.
    let error = issue(&store, "late").await.unwrap_err();
    assert!(error.to_string().contains("another code was sent in the meantime"), "{error}");
    for session in ["first", "late"] {
        assert_eq!(attempt(&store, session, RIGHT).await.unwrap().outcome, Outcome::Expired, "{session}");
    }
    assert_eq!(attempt(&store, "next", "654321").await.unwrap().remaining_attempts, Some(1));
    // And from the first session the way to the last is one step.
    assert_eq!(store.issue(IssueRequest { key: key("last"), ..resent }).await, Ok(Issued::Done));
    assert_eq!(attempt(&store, "next", RIGHT).await.unwrap().outcome, Outcome::Expired);
    assert_eq!(attempt(&store, "last", "654321").await.unwrap().remaining_attempts, Some(0));
    let last = redis.cli(&["HGET", &first, "n"]);
    assert_eq!(redis.cli(&["HGET", &last, "s"]), "0");
}

#[tokio::test]
async fn no_shortcut_leads_to_a_session_that_was_not_written() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    let resend = async |session: &str, earlier: &str| {
        let resent = IssueRequest {
            key: key(session),
            code: RIGHT,
            ttl_seconds: 60,
            max_attempts: Some(3),
            lockout_seconds: None,
            resend_of: Some(key(earlier)),
        };
        store.issue(resent).await
    };
    issue(&store, "taken").await.unwrap();
    let taken = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    issue(&store, "a").await.unwrap();
    let names = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    let first = names.lines().find(|name| *name != taken).unwrap();
    assert_eq!(resend("b", "a").await, Ok(Issued::Done));
    let second = redis.cli(&["HGET", first, "n"]);
    assert_eq!(resend("c", "b").await, Ok(Issued::Done));
    attempt(&store, "c", "654321").await.unwrap();
    // Its second step is refused: from the first session, a shortcut to it would pass by the count of the last.
    let error = resend("taken", "a").await.unwrap_err();
    assert!(matches!(error, StoreError::PartiallyApplied(_)), "{error}");
    assert_eq!(redis.cli(&["HGET", first, "n"]), second);
    redis.cli(&["DEL", &taken]);
    assert_eq!(resend("d", "a").await, Ok(Issued::Done));
    assert_eq!(attempt(&store, "d", "654321").await.unwrap().remaining_attempts, Some(1));
    assert_ne!(redis.cli(&["HGET", first, "n"]), second, "and with it written there is one");
}

/// What becomes of a call within a few seconds.
async fn soon(store: &RedisStore, is_meant: impl Fn(&Result<Decision, StoreError>) -> bool) {
    for _ in 0..100 {
        if is_meant(&attempt(store, "nobody", RIGHT).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it stays {:?}", attempt(store, "nobody", RIGHT).await);
}

#[tokio::test]
async fn a_secret_that_was_deleted_is_put_back_and_one_that_was_replaced_is_told() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    let before = redis.cli(&["GET", "otp:secret"]);
    redis.cli(&["FLUSHALL"]);
    for _ in 0..100 {
        if redis.cli(&["GET", "otp:secret"]) == before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(redis.cli(&["GET", "otp:secret"]), before);
    // Another service has made its own there: with two secrets the sessions of one are unknown to the other.
    redis.cli(&["SET", "otp:secret", "another"]);
    soon(&store, |told| matches!(told, Err(StoreError::Refused(_)))).await;
    redis.cli(&["SET", "otp:secret", &before]);
    soon(&store, |told| matches!(told, Ok(decision) if decision.outcome == Outcome::UnknownSession)).await;
}
