//! Random walks over several sessions and tenants, compared step by step with the model. A failing walk is shrunk to the
//! shortest one that still fails. This finds defects that no other area anticipates.

use otp_contract::Situation;
use proptest::strategy::{BoxedStrategy, Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

use super::probe::{Authority, Probe, always, code_in_body};
use super::{Area, standards};
use crate::harness::{Abort, Body, CheckContext, RequestMutation, Tenant, TrackedSession, attempts};

pub(crate) const PROBES: &[Probe] = &[Probe {
    area: Area::Lifecycle,
    name: "random",
    statement: "any sequence of right, wrong, malformed and foreign calls over time gets responses that the model allows",
    authority: Authority::Safety(Situation::Approved),
    standard: standards::STATE,
    applies: always,
    run: |context| Box::pin(random(context)),
}];

/// How many sessions a walk uses; the last one belongs to another tenant.
const SESSIONS: usize = 3;

/// The maximum number of moves in a walk.
const MAX_MOVES: usize = 24;

/// How many walks may run to shrink a failing one, for each walk that runs to find one.
const SHRINKS_PER_CASE: u32 = 8;

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

/// Generates sequences of moves. The model decides what they lead to.
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

    /// A subject keeps a session for an hour after it expired; later calls for it would have no meaning.
    fn preconditions(state: &Self::State, step: &Move) -> bool {
        step.act != Act::HalfLife || state[step.session] < 3
    }
}

/// A request to the thread that generates walks.
enum WalkRequest {
    Next,
    Simplify,
    Complicate,
}

/// A thread on which proptest generates and shrinks walks, because its value trees cannot be held across an await.
struct Walks {
    requests: std::sync::mpsc::Sender<WalkRequest>,
    walks: tokio::sync::mpsc::UnboundedReceiver<Option<Vec<Move>>>,
}

impl Walks {
    fn start(seed: [u8; 32]) -> Walks {
        let (requests, incoming) = std::sync::mpsc::channel();
        let (outgoing, walks) = tokio::sync::mpsc::unbounded_channel();
        // The thread ends when the sender is dropped, which is when the check is over.
        std::thread::spawn(move || {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let config = Config { failure_persistence: None, ..Config::default() };
            let mut runner = TestRunner::new_with_rng(config, rng);
            let strategy = Walk::sequential_strategy(1..=MAX_MOVES);
            let mut tree = None;
            while let Ok(request) = incoming.recv() {
                let changed = match (request, &mut tree) {
                    (WalkRequest::Next, _) => {
                        tree = strategy.new_tree(&mut runner).ok();
                        tree.is_some()
                    }
                    (WalkRequest::Simplify, Some(tree)) => tree.simplify(),
                    (WalkRequest::Complicate, Some(tree)) => tree.complicate(),
                    (_, None) => false,
                };
                let walk = tree.as_ref().filter(|_| changed).map(|tree| tree.current().1);
                if outgoing.send(walk).is_err() {
                    break;
                }
            }
        });
        Walks { requests, walks }
    }

    async fn get(&mut self, request: WalkRequest) -> Option<Vec<Move>> {
        self.requests.send(request).ok()?;
        self.walks.recv().await?
    }
}

async fn random(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut seed = [0; 32];
    context.random.fill(&mut seed);
    let mut walks = Walks::start(seed);
    for _ in 0..context.effort.cases {
        let Some(moves) = walks.get(WalkRequest::Next).await else {
            return Err(Abort::Error("no walk could be generated".to_owned()));
        };
        match walk(context, &moves).await {
            Ok(()) => {}
            Err(found @ Abort::Deviation(_)) => return Err(shortest(context, &mut walks, found).await),
            Err(abort) => return Err(abort),
        }
    }
    Ok(())
}

/// The deviation of the shortest walk that still fails, within a bounded number of walks.
async fn shortest(context: &mut CheckContext<'_>, walks: &mut Walks, first: Abort) -> Abort {
    let mut found = first;
    let mut request = WalkRequest::Simplify;
    for _ in 0..context.effort.cases * SHRINKS_PER_CASE {
        let Some(moves) = walks.get(request).await else { break };
        request = match walk(context, &moves).await {
            Err(abort @ Abort::Deviation(_)) => {
                found = abort;
                WalkRequest::Simplify
            }
            _ => WalkRequest::Complicate,
        };
    }
    found
}

/// One walk, with its own sessions and a recording that starts with it.
async fn walk(context: &mut CheckContext<'_>, moves: &[Move]) -> Result<(), Abort> {
    context.reset_recording();
    let [owner, stranger] = context.two_tenants().await?;
    let tenants = [&owner, &owner, &stranger];
    let mut sessions: Vec<Option<TrackedSession>> = vec![None; SESSIONS];
    for step in moves {
        let tenant = tenants[step.session];
        let other: &Tenant = if tenant.number == owner.number { &stranger } else { &owner };
        let session = match &mut sessions[step.session] {
            Some(session) => session,
            empty => empty.insert(context.start_session_for(tenant, &attempts(3)).await?),
        };
        match step.act {
            Act::Right => drop(context.submit_right(session).await?),
            Act::Wrong => drop(context.submit_wrong(session).await?),
            Act::Foreign => drop(context.submit_as(session, other, session.issued.right()).await?),
            Act::Malformed => malformed(context, session).await?,
            Act::HalfLife => {
                if let Some(ttl) = session.rules.ttl {
                    context.advance(session, ttl.div_ceil(2)).await?;
                }
            }
        }
    }
    Ok(())
}

async fn malformed(context: &mut CheckContext<'_>, session: &mut TrackedSession) -> Result<(), Abort> {
    if code_in_body(context.contract) {
        let mutation =
            RequestMutation { body: Some(Body::Text("{\"cut short\": \"")), ..RequestMutation::default() };
        context.submit_malformed(session, mutation).await?;
    }
    Ok(())
}
