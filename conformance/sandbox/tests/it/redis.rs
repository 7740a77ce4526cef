//! Failures of the store in Redis: it approves nothing, retries nothing, and reports what happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{
    Decision, IssueRequest, Issued, RedisStore, RequestOverrides, Secret, SessionKey, Store, StoreError,
    VerifyAttempt,
};
use otp_test_support::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
async fn a_wrong_address_is_an_error() {
    let error = RedisStore::connect("redis://127.0.0.1:1", None).await.err().unwrap();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
    for url in ["", "http://127.0.0.1", "redis://"] {
        assert!(RedisStore::connect(url, None).await.is_err(), "{url}");
    }
    // A server that is not Redis.
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
    assert_eq!(redis.cli(&["GET", &name]), "approved", "a foreign key is not modified");
}

#[tokio::test]
async fn with_full_memory_nothing_is_issued_or_approved() {
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
async fn keys_contain_neither_code_nor_id_and_outlive_the_code() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    issue(&store, "session-canary").await.unwrap();
    let name = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    let fields = redis.cli(&["--raw", "HGETALL", &name]);
    for secret in [RIGHT, "session-canary"] {
        assert!(!name.contains(secret) && !fields.contains(secret), "{name} {fields}");
    }
    assert!(name.starts_with("otp:{") && name.ends_with('}'), "the whole name is the hash tag: {name}");
    let left: u64 = redis.cli(&["TTL", &name]).parse().unwrap();
    assert!(left > 86_400, "an expired code must not become an unknown one: {left} s");
    // After its lifetime, the right code and a wrong one are both expired.
    store.age(key("session-canary"), 61).await.unwrap();
    for code in [RIGHT, "654321"] {
        assert_eq!(attempt(&store, "session-canary", code).await.unwrap().outcome, Outcome::Expired);
    }
    assert_eq!(redis.cli(&["DBSIZE"]), "2", "the session and the secret");
}

#[tokio::test]
async fn a_call_for_an_unknown_session_writes_nothing() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    assert_eq!(attempt(&store, "nobody", RIGHT).await.unwrap().outcome, Outcome::UnknownSession);
    assert!(!store.age(key("nobody"), 1).await.unwrap());
    assert_eq!(redis.cli(&["DBSIZE"]), "1", "only the secret");
}

#[tokio::test]
async fn scripts_are_loaded_again_after_a_flush() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    issue(&store, "s").await.unwrap();
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(2));
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(attempt(&store, "s", "654321").await.unwrap().remaining_attempts, Some(1));
}

/// A proxy for Redis. Once `lose` is set, it drops the next response and closes its connection.
pub(crate) async fn lossy_proxy(redis: &RedisServer, lose: &Arc<AtomicBool>) -> String {
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
                    // Dropping both halves closes the connection.
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
async fn a_lost_response_is_reported_and_the_script_runs_once() {
    let redis = RedisServer::start().await;
    let lose = Arc::default();
    let url = lossy_proxy(&redis, &lose).await;
    // With a configured secret, the store sends no commands of its own.
    let store = RedisStore::connect(&url, Secret::random()).await.unwrap();
    issue(&store, "s").await.unwrap();
    attempt(&store, "s", "654321").await.unwrap();
    lose.store(true, Ordering::SeqCst);
    let error = attempt(&store, "s", "654321").await.unwrap_err();
    assert!(matches!(error, StoreError::ResponseLost(_)), "{error}");
    assert!(!lose.load(Ordering::SeqCst), "no response was dropped");
    // It was counted once, so this is the last of three attempts. The store reconnects by itself.
    for _ in 0..20 {
        if let Ok(decision) = attempt(&store, "s", "654321").await {
            assert_eq!((decision.outcome, decision.remaining_attempts), (Outcome::WrongCode, Some(0)));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store does not reconnect");
}

#[tokio::test]
async fn acknowledged_attempts_survive_a_killed_server() {
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
    panic!("the store does not reconnect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_right_codes_over_two_stores_exactly_one_is_approved() {
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
async fn many_concurrent_resends_over_two_stores_leave_one_code_and_lose_no_count() {
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
        // The first session used one of three attempts.
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
async fn an_announced_session_that_was_never_written_is_skipped_and_cannot_be_written_later() {
    let redis = RedisServer::start().await;
    let store = redis.store().await;
    issue(&store, "late").await.unwrap();
    let late = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    redis.cli(&["DEL", &late]);
    issue(&store, "first").await.unwrap();
    attempt(&store, "first", "654321").await.unwrap();
    let first = redis.cli(&["--raw", "KEYS", "otp:{*"]);
    // The state that a resend leaves if the server is killed, or the client disconnects, between its two steps.
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
    // If the first server was only slow, its code must not work in addition.
    let error = issue(&store, "late").await.unwrap_err();
    assert!(error.to_string().contains("another code was sent in the meantime"), "{error}");
    for session in ["first", "late"] {
        assert_eq!(attempt(&store, session, RIGHT).await.unwrap().outcome, Outcome::Expired, "{session}");
    }
    assert_eq!(attempt(&store, "next", "654321").await.unwrap().remaining_attempts, Some(1));
    // The first session now points directly at the last one.
    assert_eq!(store.issue(IssueRequest { key: key("last"), ..resent }).await, Ok(Issued::Done));
    assert_eq!(attempt(&store, "next", RIGHT).await.unwrap().outcome, Outcome::Expired);
    assert_eq!(attempt(&store, "last", "654321").await.unwrap().remaining_attempts, Some(0));
    let last = redis.cli(&["HGET", &first, "n"]);
    assert_eq!(redis.cli(&["HGET", &last, "s"]), "0");
}

#[tokio::test]
async fn no_shortcut_points_to_a_session_that_was_not_written() {
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
    // The second step fails. A shortcut to this session would bypass the count of the last one.
    let error = resend("taken", "a").await.unwrap_err();
    assert!(matches!(error, StoreError::PartiallyApplied(_)), "{error}");
    assert_eq!(redis.cli(&["HGET", first, "n"]), second);
    redis.cli(&["DEL", &taken]);
    assert_eq!(resend("d", "a").await, Ok(Issued::Done));
    assert_eq!(attempt(&store, "d", "654321").await.unwrap().remaining_attempts, Some(1));
    assert_ne!(redis.cli(&["HGET", first, "n"]), second, "the shortcut follows the written session");
}

/// Repeats a call until its result satisfies `condition`, for at most five seconds.
async fn wait_for_result(store: &RedisStore, condition: impl Fn(&Result<Decision, StoreError>) -> bool) {
    for _ in 0..100 {
        if condition(&attempt(store, "nobody", RIGHT).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the result is still {:?}", attempt(store, "nobody", RIGHT).await);
}

#[tokio::test]
async fn a_deleted_secret_is_restored_and_a_replaced_one_is_reported() {
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
    // Another service has stored its own secret. With different secrets, neither knows the other's sessions.
    redis.cli(&["SET", "otp:secret", "another"]);
    wait_for_result(&store, |result| matches!(result, Err(StoreError::Refused(_)))).await;
    redis.cli(&["SET", "otp:secret", &before]);
    wait_for_result(
        &store,
        |result| matches!(result, Ok(decision) if decision.outcome == Outcome::UnknownSession),
    )
    .await;
}
