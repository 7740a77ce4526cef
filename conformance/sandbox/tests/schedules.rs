//! Single use and the attempt limit of the memory store, under thread schedules chosen by a model checker, which tries
//! interleavings that concurrent HTTP calls rarely hit. A store with a check-then-act bug shows that the tests would
//! find one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, LazyLock};

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{
    Decision, IssueRequest, Issued, MemoryStore, RequestOverrides, Secret, SessionKey, Store, StoreFuture,
    VerifyAttempt,
};
use shuttle::sync::Mutex;
use shuttle::{future, thread};

const RIGHT: &str = "123456";
const LIMIT: u32 = 2;
/// The number of random schedules. One alone seldom misses a bug of two steps; all of them practically never do.
const SCHEDULES: usize = 2_000;

fn key() -> SessionKey<'static> {
    SessionKey { vendor: "exotel", tenant: "t", session: "s" }
}

static POLICY: LazyLock<Policy> = LazyLock::new(|| Contract::of_vendor("exotel").unwrap().policy);

/// A store that checks whether a code may be compared, and records the comparison in a second step.
#[derive(Default)]
struct CheckThenAct {
    state: Mutex<(bool, u32)>,
}

impl Store for CheckThenAct {
    fn issue<'a>(&'a self, _: IssueRequest<'a>) -> StoreFuture<'a, Issued> {
        Box::pin(std::future::ready(Ok(Issued::Done)))
    }

    fn age<'a>(&'a self, _: SessionKey<'a>, _: u64) -> StoreFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(true)))
    }

    fn attempt<'a>(&'a self, _: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision> {
        let (used, wrong) = *self.state.lock().unwrap();
        let outcome = match () {
            () if used => Outcome::AlreadyUsed,
            () if wrong >= LIMIT => Outcome::AttemptsExhausted,
            () if attempt.code == RIGHT => Outcome::Approved,
            () => Outcome::WrongCode,
        };
        let mut state = self.state.lock().unwrap();
        state.0 |= outcome == Outcome::Approved;
        state.1 += u32::from(outcome == Outcome::WrongCode);
        Box::pin(std::future::ready(Ok(Decision::without_session(outcome))))
    }
}

fn memory() -> MemoryStore {
    let store = MemoryStore::new(Secret::from_bytes(b"schedules"));
    let issue = IssueRequest {
        key: key(),
        code: RIGHT,
        ttl_seconds: 60,
        max_attempts: Some(LIMIT),
        lockout_seconds: None,
        resend_of: None,
    };
    assert_eq!(future::block_on(store.issue(issue)), Ok(Issued::Done));
    store
}

/// Sends each code from a thread of its own and returns the outcomes.
fn concurrently(store: Arc<dyn Store>, codes: &[&'static str]) -> Vec<Outcome> {
    let calls: Vec<_> = codes
        .iter()
        .map(|code| {
            let store = Arc::clone(&store);
            let code = *code;
            thread::spawn(move || {
                let attempt = VerifyAttempt { key: key(), code, overrides: RequestOverrides::default() };
                future::block_on(store.attempt(&POLICY, attempt)).unwrap().outcome
            })
        })
        .collect();
    calls.into_iter().map(|call| call.join().unwrap()).collect()
}

fn count(outcomes: &[Outcome], outcome: Outcome) -> usize {
    outcomes.iter().filter(|other| **other == outcome).count()
}

/// Asserts that a code is approved once, whatever the schedule.
fn single_use(store: impl Fn() -> Arc<dyn Store> + Send + Sync + 'static) {
    shuttle::check_random(
        move || {
            let outcomes = concurrently(store(), &[RIGHT, RIGHT, RIGHT]);
            assert_eq!(count(&outcomes, Outcome::Approved), 1, "{outcomes:?}");
            assert_eq!(count(&outcomes, Outcome::AlreadyUsed), 2, "{outcomes:?}");
        },
        SCHEDULES,
    );
}

/// Asserts that no more wrong codes than the limit are compared, whatever the schedule.
fn limit(store: impl Fn() -> Arc<dyn Store> + Send + Sync + 'static) {
    shuttle::check_random(
        move || {
            let outcomes = concurrently(store(), &["000001", "000002", "000003", "000004"]);
            assert_eq!(count(&outcomes, Outcome::WrongCode), LIMIT as usize, "{outcomes:?}");
        },
        SCHEDULES,
    );
}

#[test]
fn a_code_is_approved_once_under_every_schedule() {
    single_use(|| Arc::new(memory()));
}

#[test]
fn no_more_than_the_limit_is_compared_under_every_schedule() {
    limit(|| Arc::new(memory()));
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn a_store_that_checks_and_then_acts_is_caught_approving_twice() {
    single_use(|| Arc::new(CheckThenAct::default()));
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn a_store_that_checks_and_then_acts_is_caught_comparing_too_often() {
    limit(|| Arc::new(CheckThenAct::default()));
}

#[test]
fn a_resend_beside_attempts_loses_no_count() {
    shuttle::check_random(
        || {
            let store = Arc::new(memory());
            let resent = SessionKey { session: "r", ..key() };
            let other = Arc::clone(&store);
            let resend = thread::spawn(move || {
                let issue = IssueRequest {
                    key: resent,
                    code: RIGHT,
                    ttl_seconds: 60,
                    max_attempts: Some(LIMIT),
                    lockout_seconds: None,
                    resend_of: Some(key()),
                };
                future::block_on(other.issue(issue)).unwrap();
            });
            let old = concurrently(Arc::clone(&store) as Arc<dyn Store>, &["000001", "000002"]);
            resend.join().unwrap();
            let before = count(&old, Outcome::WrongCode);
            // Attempts on the old code count for the new one.
            let mut after = 0;
            loop {
                let attempt =
                    VerifyAttempt { key: resent, code: "000003", overrides: RequestOverrides::default() };
                match future::block_on(store.attempt(&POLICY, attempt)).unwrap().outcome {
                    Outcome::WrongCode => after += 1,
                    _ => break,
                }
            }
            assert_eq!(before + after, LIMIT as usize);
        },
        SCHEDULES,
    );
}

#[test]
fn two_concurrent_resends_leave_one_code_and_lose_no_count() {
    shuttle::check_random(
        || {
            let store = Arc::new(memory());
            let resends: Vec<_> = ["r", "q"]
                .map(|session| {
                    let store = Arc::clone(&store);
                    thread::spawn(move || {
                        let issue = IssueRequest {
                            key: SessionKey { session, ..key() },
                            code: RIGHT,
                            ttl_seconds: 60,
                            max_attempts: Some(LIMIT),
                            lockout_seconds: None,
                            resend_of: Some(key()),
                        };
                        assert_eq!(future::block_on(store.issue(issue)), Ok(Issued::Done));
                    })
                })
                .into();
            let old = concurrently(Arc::clone(&store) as Arc<dyn Store>, &["000001"]);
            for resend in resends {
                resend.join().unwrap();
            }
            // The recipient's current session has the rest of the limit, and no other session compares a code.
            let mut compared = count(&old, Outcome::WrongCode);
            let mut alive = 0;
            for session in ["s", "r", "q"] {
                let before = compared;
                loop {
                    let key = SessionKey { session, ..key() };
                    let attempt =
                        VerifyAttempt { key, code: "000003", overrides: RequestOverrides::default() };
                    match future::block_on(store.attempt(&POLICY, attempt)).unwrap().outcome {
                        Outcome::WrongCode => compared += 1,
                        _ => break,
                    }
                }
                alive += usize::from(compared > before);
            }
            assert_eq!((compared, alive), (LIMIT as usize, 1));
        },
        SCHEDULES,
    );
}
