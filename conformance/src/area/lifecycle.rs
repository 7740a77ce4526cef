//! Random walks over several sessions and tenants at once, compared step by step with the model and shrunk to the
//! shortest that still fails. What nobody thought of in the other areas shows here.

use otp_contract::Situation;
use proptest::strategy::{BoxedStrategy, Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use super::{Probe, always, code_in_body, standard};
use crate::call::{Body, Twist};
use crate::check::Area;
use crate::control::Tenant;
use crate::flow::{Live, attempts};
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[Probe {
    area: Area::Lifecycle,
    name: "random",
    statement: "any sequence of right, wrong, malformed and foreign calls, with time passing, is answered as the model allows",
    says: Some(Situation::Approved),
    standard: standard::STATE,
    applies: always,
    run: |bench| Box::pin(random(bench)),
}];

/// How many sessions a walk goes over; the last belongs to another tenant.
const SESSIONS: usize = 3;

/// The longest walk.
const LONGEST: usize = 24;

/// How many walks are made to shorten one that fails, for each walk that is made to find one.
const SHRINKS: u32 = 8;

/// One move of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Move {
    session: usize,
    act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Right,
    Wrong,
    Malformed,
    Foreign,
    HalfLife,
}

/// The moves that make sense; what they lead to is the model's business.
struct Walk;

impl ReferenceStateMachine for Walk {
    type State = [u32; SESSIONS];
    type Transition = Move;

    fn init_state() -> BoxedStrategy<Self::State> {
        Just([0; SESSIONS]).boxed()
    }

    fn transitions(_: &Self::State) -> BoxedStrategy<Move> {
        let act = proptest::prop_oneof![
            3 => Just(Act::Right),
            6 => Just(Act::Wrong),
            1 => Just(Act::Malformed),
            2 => Just(Act::Foreign),
            2 => Just(Act::HalfLife),
        ];
        (0..SESSIONS, act).prop_map(|(session, act)| Move { session, act }).boxed()
    }

    fn apply(mut state: Self::State, step: &Move) -> Self::State {
        state[step.session] += u32::from(step.act == Act::HalfLife);
        state
    }

    /// A session is kept for an hour after it expired, and must not be asked about later.
    fn preconditions(state: &Self::State, step: &Move) -> bool {
        step.act != Act::HalfLife || state[step.session] < 3
    }
}

/// What is asked of the thread that makes walks.
enum Ask {
    Next,
    Simplify,
    Complicate,
}

/// Walks, made and shrunk by proptest on a thread of their own: its trees cannot be held across an await.
struct Walks {
    ask: std::sync::mpsc::Sender<Ask>,
    told: tokio::sync::mpsc::UnboundedReceiver<Option<Vec<Move>>>,
}

impl Walks {
    fn start(seed: [u8; 32]) -> Walks {
        let (ask, asked) = std::sync::mpsc::channel();
        let (tell, told) = tokio::sync::mpsc::unbounded_channel();
        // The thread ends when the sender is dropped, which is when the check is over.
        std::thread::spawn(move || {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let config = Config { failure_persistence: None, ..Config::default() };
            let mut runner = TestRunner::new_with_rng(config, rng);
            let strategy = Walk::sequential_strategy(1..=LONGEST);
            let mut tree = None;
            while let Ok(asked) = asked.recv() {
                let changed = match (asked, &mut tree) {
                    (Ask::Next, _) => {
                        tree = strategy.new_tree(&mut runner).ok();
                        tree.is_some()
                    }
                    (Ask::Simplify, Some(tree)) => tree.simplify(),
                    (Ask::Complicate, Some(tree)) => tree.complicate(),
                    (_, None) => false,
                };
                let walk = tree.as_ref().filter(|_| changed).map(|tree| tree.current().1);
                if tell.send(walk).is_err() {
                    break;
                }
            }
        });
        Walks { ask, told }
    }

    async fn get(&mut self, ask: Ask) -> Option<Vec<Move>> {
        self.ask.send(ask).ok()?;
        self.told.recv().await?
    }
}

async fn random(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut seed = [0; 32];
    bench.random.fill(&mut seed);
    let mut walks = Walks::start(seed);
    for _ in 0..bench.cases {
        let Some(moves) = walks.get(Ask::Next).await else {
            return Err(Stop::Error("no walk could be made".to_owned()));
        };
        match walk(bench, &moves).await {
            Ok(()) => {}
            Err(found @ Stop::Found(_)) => return Err(shortest(bench, &mut walks, found).await),
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// The finding of the shortest walk that still fails, as far as a bounded number of walks tells.
async fn shortest(bench: &mut Bench<'_>, walks: &mut Walks, first: Stop) -> Stop {
    let mut found = first;
    let mut ask = Ask::Simplify;
    for _ in 0..bench.cases * SHRINKS {
        let Some(moves) = walks.get(ask).await else { break };
        ask = match walk(bench, &moves).await {
            Err(stop @ Stop::Found(_)) => {
                found = stop;
                Ask::Simplify
            }
            _ => Ask::Complicate,
        };
    }
    found
}

/// One walk, with sessions of its own and a journal that begins with it.
async fn walk(bench: &mut Bench<'_>, moves: &[Move]) -> Result<(), Stop> {
    bench.forget();
    let [owner, stranger] = bench.two_tenants().await?;
    let tenants = [&owner, &owner, &stranger];
    let mut sessions: Vec<Option<Live>> = vec![None; SESSIONS];
    for step in moves {
        let tenant = tenants[step.session];
        let other: &Tenant = if tenant.number == owner.number { &stranger } else { &owner };
        let live = match &mut sessions[step.session] {
            Some(live) => live,
            empty => empty.insert(bench.open_for(tenant, &attempts(3)).await?),
        };
        match step.act {
            Act::Right => drop(bench.right(live).await?),
            Act::Wrong => drop(bench.wrong(live).await?),
            Act::Foreign => drop(bench.foreign(live, other, live.issued.right()).await?),
            Act::Malformed => malformed(bench, live).await?,
            Act::HalfLife => {
                if let Some(ttl) = live.rules.ttl {
                    bench.pass(live, ttl.div_ceil(2)).await?;
                }
            }
        }
    }
    Ok(())
}

async fn malformed(bench: &mut Bench<'_>, live: &mut Live) -> Result<(), Stop> {
    if code_in_body(bench.contract) {
        let twist = Twist { body: Some(Body::Text("{\"cut short\": \"")), ..Twist::default() };
        bench.misshapen(live, twist).await?;
    }
    Ok(())
}
