//! The engine without a server, compared with a model that knows only what the control protocol promises.

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{
    IssueRequest, Issued, MemoryStore, RequestOverrides, Secret, SessionKey, Store, VerifyAttempt,
};
use proptest::prelude::*;

const RIGHT: &str = "123456";

fn key(session: &str) -> SessionKey<'_> {
    SessionKey { vendor: "v", tenant: "t", session }
}

async fn issued(store: &MemoryStore, ttl_seconds: u64, max_attempts: Option<u32>) -> SessionKey<'static> {
    let key = key("s");
    let issue =
        IssueRequest { key, code: RIGHT, ttl_seconds, max_attempts, lockout_seconds: None, resend_of: None };
    assert_eq!(store.issue(issue).await, Ok(Issued::Done));
    key
}

fn policy(vendor: &str) -> Policy {
    Contract::of_vendor(vendor).unwrap().policy
}

#[derive(Debug, Clone)]
enum Step {
    Right,
    Wrong,
    Foreign,
    Age(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Right),
        4 => Just(Step::Wrong),
        1 => Just(Step::Foreign),
        2 => (0u64..40).prop_map(Step::Age),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    /// The limit of wrong codes is compared; the right code is approved once, before the limit is reached and within
    /// the lifetime; calls of another tenant reveal nothing and cost no attempt.
    #[test]
    fn every_sequence_of_calls_is_decided_as_promised(steps in steps(), limit in 1u32..6, ttl in 1u64..60) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let policy = policy("exotel");
            let store = MemoryStore::new(Secret::random().unwrap());
            let key = issued(&store, ttl, Some(limit)).await;
            let (mut age, mut wrong, mut used) = (0, 0, false);
            for step in steps {
                let (tenant, code) = match step {
                    Step::Age(seconds) => {
                        age += seconds;
                        assert!(store.age(key, seconds).await.unwrap());
                        continue;
                    }
                    Step::Right => ("t", RIGHT),
                    Step::Wrong => ("t", "654321"),
                    Step::Foreign => ("stranger", RIGHT),
                };
                let key = SessionKey { tenant, ..key };
                let attempt = VerifyAttempt { key, code, overrides: RequestOverrides::default() };
                let outcome = store.attempt(&policy, attempt).await.unwrap().outcome;
                let expected = match () {
                    () if tenant == "stranger" => Outcome::UnknownSession,
                    () if used => Outcome::AlreadyUsed,
                    () if wrong >= limit => Outcome::AttemptsExhausted,
                    () if age >= ttl => Outcome::Expired,
                    () if code == RIGHT => {
                        used = true;
                        Outcome::Approved
                    }
                    () => {
                        wrong += 1;
                        Outcome::WrongCode
                    }
                };
                assert_eq!(outcome, expected);
            }
        });
    }

    /// The parameters of a call can tighten the policy with which the session was issued, and never loosen it.
    #[test]
    fn no_overrides_revive_an_ended_session(
        overrides in prop::collection::vec((any::<bool>(), prop::option::of(1u32..=10), prop::option::of(180u64..=1200)), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let policy = policy("dailystory");
            let store = MemoryStore::new(Secret::random().unwrap());
            let key = issued(&store, 600, Some(5)).await;
            let ending = RequestOverrides { retry: Some(false), ..RequestOverrides::default() };
            let attempt = VerifyAttempt { key, code: "654321", overrides: ending };
            assert_eq!(store.attempt(&policy, attempt).await.unwrap().outcome, Outcome::WrongCode);
            for (retry, limit, lifetime_seconds) in overrides {
                let overrides = RequestOverrides { retry: Some(retry), limit, lifetime_seconds };
                let attempt = VerifyAttempt { key, code: RIGHT, overrides };
                assert_eq!(store.attempt(&policy, attempt).await.unwrap().outcome, Outcome::AttemptsExhausted);
            }
        });
    }
}

#[tokio::test]
async fn a_requested_lifetime_can_shorten_a_sessions_own_and_never_extend_it() {
    let policy = policy("dailystory");
    let store = MemoryStore::new(Secret::random().unwrap());
    let key = issued(&store, 300, Some(5)).await;
    let asking = |seconds| VerifyAttempt {
        key,
        code: RIGHT,
        overrides: RequestOverrides { retry: Some(true), limit: None, lifetime_seconds: Some(seconds) },
    };
    store.age(key, 200).await.unwrap();
    assert_eq!(store.attempt(&policy, asking(180)).await.unwrap().outcome, Outcome::Expired);
    store.age(key, 100).await.unwrap();
    assert_eq!(store.attempt(&policy, asking(1200)).await.unwrap().outcome, Outcome::Expired);
}

#[tokio::test]
async fn a_lock_counts_down_and_ends_without_a_usable_code() {
    let policy = policy("dailystory");
    let store = MemoryStore::new(Secret::random().unwrap());
    let key = issued(&store, 1200, Some(1)).await;
    let overrides = RequestOverrides { retry: Some(true), ..RequestOverrides::default() };
    let attempt = |code| VerifyAttempt { key, code, overrides };
    assert_eq!(store.attempt(&policy, attempt("654321")).await.unwrap().outcome, Outcome::WrongCode);
    let locked = store.attempt(&policy, attempt(RIGHT)).await.unwrap();
    assert_eq!((locked.outcome, locked.lockout_seconds), (Outcome::AttemptsExhausted, Some(7200)));
    store.age(key, 7000).await.unwrap();
    let later = store.attempt(&policy, attempt(RIGHT)).await.unwrap();
    assert_eq!((later.outcome, later.lockout_seconds), (Outcome::AttemptsExhausted, Some(200)));
    store.age(key, 200).await.unwrap();
    assert_eq!(store.attempt(&policy, attempt(RIGHT)).await.unwrap().outcome, Outcome::Expired);
}

#[tokio::test]
async fn a_new_code_after_a_lock_has_ended_starts_from_zero() {
    let policy = policy("dailystory");
    let lockout_seconds = policy.lockout_seconds;
    let store = MemoryStore::new(Secret::random().unwrap());
    let first = issued(&store, 1200, Some(1)).await;
    let overrides = RequestOverrides { retry: Some(true), ..RequestOverrides::default() };
    store.attempt(&policy, VerifyAttempt { key: first, code: "654321", overrides }).await.unwrap();
    let resend = |session, earlier| {
        let (key, resend_of) = (key(session), Some(earlier));
        IssueRequest {
            key,
            code: RIGHT,
            ttl_seconds: 1200,
            max_attempts: Some(1),
            lockout_seconds,
            resend_of,
        }
    };
    // While the lock lasts, a new code is locked as well.
    store.issue(resend("locked", first)).await.unwrap();
    let attempt = |session| VerifyAttempt { key: key(session), code: RIGHT, overrides };
    let outcome = store.attempt(&policy, attempt("locked")).await.unwrap().outcome;
    assert_eq!(outcome, Outcome::AttemptsExhausted);
    store.age(key("locked"), 7300).await.unwrap();
    store.issue(resend("free", key("locked"))).await.unwrap();
    assert_eq!(store.attempt(&policy, attempt("free")).await.unwrap().outcome, Outcome::Approved);
}
