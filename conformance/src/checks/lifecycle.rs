//! Random walks over several sessions and tenants, compared step by step with the model. This finds defects that no other
//! area anticipates.

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

/// Random walks. They follow from the seed alone, whichever of them fails; a failing one is shortened like the steps of any
/// other check.
fn walks(seed: [u8; 32], count: u32) -> Vec<Vec<Move>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy = Walk::sequential_strategy(1..=MAX_MOVES);
    let trees = (0..count).filter_map(|_| strategy.new_tree(&mut runner).ok());
    trees.map(|tree| tree.current().1).collect()
}

async fn random(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut seed = [0; 32];
    context.random.fill(&mut seed);
    let walks = walks(seed, context.effort.cases);
    context.for_each(walks, |context, moves| Box::pin(async move { walk(context, &moves).await })).await?;
    Ok(())
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
