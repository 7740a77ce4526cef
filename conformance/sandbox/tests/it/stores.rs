//! Runs the same commands on both stores and on a model that knows nothing about their implementation.

use std::sync::Arc;

use otp_contract::{Contract, Outcome, Policy};
use otp_sandbox::{
    Decision, IssueRequest, Issued, MemoryStore, RequestOverrides, Secret, SessionKey, Store, VerifyAttempt,
};
use otp_test_support::{RedisCluster, RedisServer};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;

const RIGHT: &str = "123456";
const WRONG: &str = "654321";

/// The model of a session.
#[derive(Debug, Clone)]
struct ModelSession {
    ttl: u64,
    limit: Option<u32>,
    age: u64,
    wrong: u32,
    /// A session that was locked once stays locked, whatever limit a later code has.
    locked: bool,
    used: bool,
    /// The next session of the recipient.
    successor: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Model {
    sessions: Vec<ModelSession>,
}

#[derive(Debug, Clone)]
enum Command {
    Issue { ttl: u64, limit: Option<u32> },
    Resend { of: usize, ttl: u64, limit: Option<u32> },
    Age { of: usize, seconds: u64 },
    Try { of: usize, right: bool, foreign: bool },
}

impl ModelSession {
    fn is_spent(&self) -> bool {
        self.limit.is_some_and(|limit| self.wrong >= limit)
    }
}

impl Model {
    /// The outcome that a correct store decides.
    fn outcome(&self, of: usize, right: bool, foreign: bool) -> Outcome {
        let session = &self.sessions[of];
        match () {
            () if foreign => Outcome::UnknownSession,
            () if session.used => Outcome::AlreadyUsed,
            () if session.locked || session.is_spent() => Outcome::AttemptsExhausted,
            () if session.successor.is_some() || session.age >= session.ttl => Outcome::Expired,
            () if right => Outcome::Approved,
            () => Outcome::WrongCode,
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Command;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(state: &Model) -> BoxedStrategy<Command> {
        let limit = || prop::option::weighted(0.8, 1_u32..5);
        let issue = (5_u64..100, limit()).prop_map(|(ttl, limit)| Command::Issue { ttl, limit });
        if state.sessions.is_empty() {
            return issue.boxed();
        }
        let of = || 0..state.sessions.len();
        prop_oneof![
            1 => issue,
            1 => (of(), 5_u64..100, limit()).prop_map(|(of, ttl, limit)| Command::Resend { of, ttl, limit }),
            2 => (of(), 0_u64..60).prop_map(|(of, seconds)| Command::Age { of, seconds }),
            6 => (of(), prop::bool::weighted(0.3), prop::bool::weighted(0.1))
                .prop_map(|(of, right, foreign)| Command::Try { of, right, foreign }),
        ]
        .boxed()
    }

    fn apply(mut state: Model, command: &Command) -> Model {
        let new = |ttl, limit| ModelSession {
            ttl,
            limit,
            age: 0,
            wrong: 0,
            locked: false,
            used: false,
            successor: None,
        };
        match *command {
            Command::Issue { ttl, limit } => state.sessions.push(new(ttl, limit)),
            Command::Resend { of, ttl, limit } => {
                // A resend replaces the recipient's current code, whichever session it names.
                let mut last = of;
                while let Some(next) = state.sessions[last].successor {
                    last = next;
                }
                let next = state.sessions.len();
                let earlier = &mut state.sessions[last];
                earlier.successor = Some(next);
                // A new code does not reset the count, unless the old one was used.
                let (wrong, locked) = if earlier.used { (0, false) } else { (earlier.wrong, earlier.locked) };
                state.sessions.push(ModelSession { wrong, locked, ..new(ttl, limit) });
            }
            Command::Age { of, seconds } => state.sessions[of].age += seconds,
            Command::Try { of, right, foreign } => {
                let outcome = state.outcome(of, right, foreign);
                let session = &mut state.sessions[of];
                session.used |= outcome == Outcome::Approved;
                session.wrong += u32::from(outcome == Outcome::WrongCode);
                session.locked |= !foreign && session.is_spent();
            }
        }
        state
    }

    fn preconditions(state: &Model, command: &Command) -> bool {
        match command {
            Command::Issue { .. } => true,
            Command::Resend { of, .. } | Command::Age { of, .. } | Command::Try { of, .. } => {
                *of < state.sessions.len()
            }
        }
    }
}

fn key(session: &str) -> SessionKey<'_> {
    SessionKey { vendor: "exotel", tenant: "t", session }
}

/// A store under test, with its runtime.
struct StoreUnderTest {
    store: Arc<dyn Store>,
    runtime: Arc<Runtime>,
    policy: Policy,
    /// Makes the session ids of this run unique.
    run: u64,
    issued: usize,
}

impl StoreUnderTest {
    fn session(&self, of: usize) -> String {
        format!("{}-{of}", self.run)
    }

    fn age(&self, of: usize, seconds: u64) -> bool {
        self.runtime.block_on(self.store.age(key(&self.session(of)), seconds)).unwrap()
    }

    fn issue(&mut self, ttl: u64, limit: Option<u32>, resend_of: Option<usize>) {
        self.write(self.issued, ttl, limit, resend_of);
        self.issued += 1;
    }

    fn write(&self, of: usize, ttl_seconds: u64, max_attempts: Option<u32>, resend_of: Option<usize>) {
        let (session, earlier) = (self.session(of), resend_of.map(|of| self.session(of)));
        let issue = IssueRequest {
            key: key(&session),
            code: RIGHT,
            ttl_seconds,
            max_attempts,
            lockout_seconds: self.policy.lockout_seconds,
            resend_of: earlier.as_deref().map(key),
        };
        assert_eq!(self.runtime.block_on(self.store.issue(issue)), Ok(Issued::Done));
    }

    fn attempt(&self, of: usize, code: &str, foreign: bool, overrides: RequestOverrides) -> Decision {
        let tenant = if foreign { "stranger" } else { "t" };
        let session = self.session(of);
        let key = SessionKey { tenant, ..key(&session) };
        self.runtime
            .block_on(self.store.attempt(&self.policy, VerifyAttempt { key, code, overrides }))
            .unwrap()
    }

    fn apply(mut self, before: &Model, command: &Command) -> StoreUnderTest {
        match *command {
            Command::Issue { ttl, limit } => self.issue(ttl, limit, None),
            Command::Resend { of, ttl, limit } => self.issue(ttl, limit, Some(of)),
            Command::Age { of, seconds } => {
                assert!(self.age(of, seconds));
            }
            Command::Try { of, right, foreign } => {
                let code = if right { RIGHT } else { WRONG };
                let decision = self.attempt(of, code, foreign, RequestOverrides::default());
                assert_eq!(decision.outcome, before.outcome(of, right, foreign));
                assert_eq!(decision.foreign, foreign);
                if !foreign {
                    let session = &before.sessions[of];
                    let wrong = session.wrong + u32::from(decision.outcome == Outcome::WrongCode);
                    let left = session.limit.map(|limit| limit.saturating_sub(wrong));
                    assert_eq!(decision.remaining_attempts, left);
                }
            }
        }
        self
    }
}

/// Implements the state machine test of a store. The server outlives the runs.
macro_rules! state_machine_test {
    ($name:ident, $store:expr) => {
        struct $name;

        impl StateMachineTest for $name {
            type SystemUnderTest = (StoreUnderTest, Model);
            type Reference = Model;

            fn init_test(state: &Model) -> (StoreUnderTest, Model) {
                let (runtime, store): (Arc<Runtime>, Arc<dyn Store>) = $store;
                let policy = Contract::of_vendor("exotel").unwrap().policy;
                let run = next_run();
                (StoreUnderTest { store, runtime, policy, run, issued: 0 }, state.clone())
            }

            fn apply(
                (driven, before): (StoreUnderTest, Model),
                after: &Model,
                command: Command,
            ) -> (StoreUnderTest, Model) {
                (driven.apply(&before, &command), after.clone())
            }
        }
    };
}

/// A number for each run, because all runs share one server.
fn next_run() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn runtime() -> Arc<Runtime> {
    Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
}

state_machine_test!(Memory, (runtime(), Arc::new(MemoryStore::new(Secret::random().unwrap()))));

thread_local! {
    /// One server for all runs of a test. Each test has a thread of its own.
    static SERVER: (Arc<Runtime>, RedisServer, Arc<dyn Store>) = {
        let runtime = runtime();
        let (redis, store) = runtime.block_on(async {
            let redis = RedisServer::start().await;
            let store = redis.store().await;
            (redis, store)
        });
        (runtime, redis, Arc::new(store))
    };
}

state_machine_test!(InRedis, SERVER.with(|(runtime, _, store)| (Arc::clone(runtime), Arc::clone(store))));

thread_local! {
    /// One cluster for all runs of a test.
    static CLUSTER: (Arc<Runtime>, RedisCluster, Arc<dyn Store>) = {
        let runtime = runtime();
        let (cluster, store) = runtime.block_on(async {
            let cluster = RedisCluster::start().await;
            let store = cluster.nodes[0].store().await;
            (cluster, store)
        });
        (runtime, cluster, Arc::new(store))
    };
}

state_machine_test!(InCluster, CLUSTER.with(|(runtime, _, store)| (Arc::clone(runtime), Arc::clone(store))));

proptest_state_machine::prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_store_agrees_with_the_model(sequential 1..40 => Memory);

    #[test]
    fn the_redis_store_agrees_with_the_model(sequential 1..40 => InRedis);

    #[test]
    fn the_redis_cluster_agrees_with_the_model(sequential 1..40 => InCluster);
}

/// A step of both stores.
#[derive(Debug, Clone)]
enum Step {
    /// Lets time pass, then calls one of the last sessions.
    Call { back: usize, seconds: u64, right: bool, overrides: RequestOverrides },
    /// Sends the code again.
    Resend { back: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly short steps: after a long one, every session has expired.
    let seconds = prop_oneof![6 => 0_u64..60, 1 => 60_u64..900];
    let overrides =
        (prop::option::of(any::<bool>()), prop::option::of(1_u32..10), prop::option::of(180_u64..1_200))
            .prop_map(|(retry, limit, lifetime_seconds)| RequestOverrides { retry, limit, lifetime_seconds });
    let call = (0_usize..3, seconds, prop::bool::weighted(0.3), overrides)
        .prop_map(|(back, seconds, right, overrides)| Step::Call { back, seconds, right, overrides });
    let resend = (0_usize..3).prop_map(|back| Step::Resend { back });
    prop::collection::vec(prop_oneof![5 => call, 1 => resend], 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// The Lua scripts decide exactly what the engine in Rust decides, with any overrides in the requests and any
    /// resends.
    #[test]
    fn both_stores_decide_the_same_calls_in_the_same_way(
        vendor in prop::sample::select(vec!["dailystory", "exotel", "zeckta", "d7"]),
        limit in prop::option::of(1_u32..6),
        // Fixed for each run, because a vendor always does the same.
        resend_keeps_the_id in any::<bool>(),
        steps in steps(),
    ) {
        let policy = Contract::of_vendor(vendor).unwrap().policy;
        let run = next_run();
        let memory = runtime();
        let of = |store: Arc<dyn Store>, runtime: Arc<Runtime>| {
            StoreUnderTest { store, runtime, policy: policy.clone(), run, issued: 0 }
        };
        let mut one = of(Arc::new(MemoryStore::new(Secret::random().unwrap())), memory);
        let mut other = SERVER.with(|(runtime, _, store)| of(Arc::clone(store), Arc::clone(runtime)));
        one.issue(600, limit, None);
        other.issue(600, limit, None);
        for step in steps {
            let of = |back: usize| (one.issued - 1).saturating_sub(back);
            match step {
                Step::Resend { back } => {
                    let of = of(back);
                    for driven in [&mut one, &mut other] {
                        match resend_keeps_the_id {
                            true => driven.write(of, 600, limit, Some(of)),
                            false => driven.issue(600, limit, Some(of)),
                        }
                    }
                }
                Step::Call { back, seconds, right, overrides } => {
                    let of = of(back);
                    for driven in [&one, &other] {
                        driven.age(of, seconds);
                    }
                    let code = if right { RIGHT } else { WRONG };
                    let (a, b) = (one.attempt(of, code, false, overrides), other.attempt(of, code, false, overrides));
                    prop_assert_eq!(Decision { issued_at: None, ..a }, Decision { issued_at: None, ..b });
                    let apart = a.issued_at.unwrap().abs_diff(b.issued_at.unwrap());
                    prop_assert!(apart < 5_000, "{} ms", apart);
                }
            }
        }
    }
}
