//! Makes a deviation as short as it can be: does its steps again without some of them, and keeps what still shows it.
//!
//! Whether a shorter sequence shows the same deviation is decided by the deviation's [`Witness`], never by the check that
//! found it: checks have fixed steps. Every attempt has tenants and sessions of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use otp_contract::Outcome;

use super::plan::{
    OwnedCredential, OwnedMutation, Planned, PlannedCall, PlannedSession, SessionReference, Witness,
    renamed_code,
};
use super::{
    Abort, CheckContext, Deviation, Recording, SessionOptions, SubmittedCode, Tenant, TrackedSession,
    VerifyCall,
};
use crate::http::RawResponse;
use crate::oracle::{Allowed, CodeKind, Input, Observation, has_differences, outcomes};

/// How long a deviation may be shortened.
const TIME: Duration = Duration::from_secs(8);

/// How many calls may be sent to shorten a deviation.
const CALLS: u64 = 400;

/// What the last response of a deviation was.
struct Sought {
    status: u16,
    meanings: BTreeSet<Outcome>,
    /// What would have been right, if that is known.
    allowed: BTreeSet<Outcome>,
    witness: Witness,
}

impl Sought {
    /// Whether this is what would have been right, or a part of it: another situation would be another defect.
    fn is_within(&self, allowed: &Allowed) -> bool {
        self.allowed.is_empty() || (!allowed.outcomes.is_empty() && allowed.outcomes.is_subset(&self.allowed))
    }
}

/// What doing steps again has shown.
struct Reproduction {
    /// How many of the steps were needed.
    steps: usize,
    /// What would have been allowed, if the model decided.
    allowed: Option<Allowed>,
}

impl CheckContext<'_> {
    /// The same deviation with as few steps as possible, or as it is where it cannot be shortened.
    pub(crate) async fn shrunk(&mut self, deviation: Deviation) -> Deviation {
        let Some(last) = deviation.recording.exchanges().last().copied().cloned() else { return deviation };
        // Sessions that somebody has prepared are for checks.
        if self.subject.control.fixtures().is_some()
            || matches!(deviation.witness, Witness::Check)
            || matches!(deviation.plan.last(), Some(Planned::Opaque))
        {
            return deviation;
        }
        let sought = Sought {
            status: last.response.status,
            meanings: outcomes(self.operation, &last.response),
            allowed: match &deviation.observation {
                Observation::Meaning { allowed, .. } => allowed.clone(),
                Observation::Places { outcomes, .. } => outcomes.clone(),
                _ => BTreeSet::new(),
            },
            witness: deviation.witness.clone(),
        };
        let mut shrinker = Shrinker {
            sought,
            until: Instant::now() + TIME,
            requests: self.requests,
            best: None,
            context: self,
        };
        // What cannot be done again on its own may have had no part in it.
        let plan = deviation.plan.iter().filter(|step| !matches!(step, Planned::Opaque));
        shrinker.run(plan.cloned().collect()).await;
        match shrinker.best {
            Some(best) => best.applied_to(deviation),
            None => deviation,
        }
    }

    /// Does the steps again, until they have shown what is sought; `None` if they do not.
    async fn shows(&mut self, plan: &[Planned], sought: &Sought) -> Result<Option<Reproduction>, Abort> {
        self.reset_recording();
        let tenants = self.tenants(tenants_of(plan)).await?;
        let mut sessions: Vec<(String, TrackedSession)> = Vec::new();
        for (index, step) in plan.iter().enumerate() {
            match step {
                Planned::Session(planned) => {
                    let earlier = planned.recipient_of.as_ref().and_then(|id| {
                        sessions
                            .iter()
                            .rev()
                            .find(|(original, _)| original == id)
                            .map(|(_, new)| new.issued.session.session.clone())
                    });
                    if planned.recipient_of.is_some() && earlier.is_none() {
                        return Ok(None);
                    }
                    let Some(tenant) = tenants.get(planned.tenant.saturating_sub(1)) else { return Ok(None) };
                    let code = planned.code.clone();
                    let issued = self.issue_code(tenant, code, &planned.options, earlier.as_deref()).await?;
                    sessions.push((planned.id.clone(), self.track(issued)));
                }
                Planned::Age { session, seconds } => {
                    let Some((_, session)) = sessions.get_mut(*session) else { return Ok(None) };
                    self.advance(session, *seconds).await?;
                }
                Planned::Call(call) => {
                    let Some(tenant) = tenants.get(call.tenant.saturating_sub(1)) else { return Ok(None) };
                    let response = self.send_again(call, tenant, &sessions).await?;
                    let is_last = index + 1 == plan.len();
                    let session = match call.session {
                        SessionReference::Issued(number) => {
                            sessions.get_mut(number).map(|(_, session)| session)
                        }
                        _ => None,
                    };
                    let operation = self.operation;
                    let meanings = outcomes(operation, &response);
                    if let Witness::Response(holds) = &sought.witness
                        && holds(&response, session.as_ref().map(|session| &session.issued))
                    {
                        return Ok(Some(Reproduction { steps: index + 1, allowed: None }));
                    }
                    let allowed = session.map(|session| step_model(call, tenant, session, &meanings));
                    if !is_last || response.status != sought.status || meanings != sought.meanings {
                        continue;
                    }
                    let steps = index + 1;
                    match &sought.witness {
                        Witness::Status => return Ok(Some(Reproduction { steps, allowed: None })),
                        Witness::Model => {
                            if let Some(allowed) = allowed.filter(|allowed| {
                                sought.is_within(allowed)
                                    && !allowed.admits_response(&meanings, response.status)
                            }) {
                                return Ok(Some(Reproduction { steps, allowed: Some(allowed) }));
                            }
                        }
                        Witness::Places(differences) => {
                            if allowed.is_some_and(|allowed| sought.is_within(&allowed))
                                && has_differences(&response, differences)
                            {
                                return Ok(Some(Reproduction { steps, allowed: None }));
                            }
                        }
                        Witness::Response(_) | Witness::Check => {}
                    }
                }
                Planned::Opaque => return Ok(None),
            }
        }
        Ok(None)
    }

    async fn send_again(
        &mut self,
        planned: &PlannedCall,
        tenant: &Tenant,
        sessions: &[(String, TrackedSession)],
    ) -> Result<RawResponse, Abort> {
        let mut mutation = planned.mutation.clone();
        for (original, session) in sessions {
            mutation.rename(original, &session.issued.session.session);
        }
        let session = match &planned.session {
            SessionReference::Issued(number) => {
                sessions.get(*number).map(|(_, session)| session.issued.session.session.clone())
            }
            SessionReference::Literal(id) => Some(id.clone()),
            SessionReference::Missing => None,
        };
        let code = planned.code.as_ref().map(|(text, shown)| SubmittedCode { text, shown });
        let call = VerifyCall {
            contract: self.contract,
            operation: self.operation,
            tenant,
            session: session.as_deref(),
            code,
            retry: planned.retry,
            lifetime_minutes: planned.lifetime_minutes,
            credential: planned.credential.borrowed(),
            mutation: mutation.borrowed(),
        };
        match planned.unpooled {
            true => match self.send_allowing_disconnect(&call).await? {
                Some(response) => Ok(response),
                None => Err(Abort::NoResponse("the connection was closed".to_owned())),
            },
            false => self.send(&call).await,
        }
    }
}

/// Moves the model of the session ahead by a call, and returns what it allowed.
fn step_model(
    call: &PlannedCall,
    tenant: &Tenant,
    session: &mut TrackedSession,
    meanings: &BTreeSet<Outcome>,
) -> Allowed {
    if !call.credential.is_own() {
        return Allowed::refusals();
    }
    let code = match (&call.code, call.kind) {
        _ if !call.mutation.is_well_formed() && call.kind.is_none() => CodeKind::Malformed,
        (_, Some(kind)) => kind,
        (None, None) => CodeKind::Malformed,
        (Some((text, _)), None) if *text == session.issued.code => CodeKind::Right,
        (Some((text, _)), None) => {
            let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
            match is_digits && text.len() == session.issued.code.len() {
                true => CodeKind::Wrong,
                false => CodeKind::Malformed,
            }
        }
    };
    let input = Input { code, foreign: tenant.number != session.issued.tenant.number, retry: call.retry };
    let allowed = session.states.allowed(&session.rules, input);
    if input.foreign {
        return allowed;
    }
    if code == CodeKind::Malformed && call.kind.is_none() {
        // A server may read such a call as one with the right code; the check had its own way to judge that.
        for code in [CodeKind::Malformed, CodeKind::Right] {
            session.states.maybe(&session.rules, Input { code, ..input });
        }
    } else {
        session.states.observe(&session.rules, input, meanings);
    }
    allowed
}

/// The shortest sequence so far.
struct Best {
    plan: Vec<Planned>,
    recording: Recording,
    /// What would have been allowed, if the model decided.
    allowed: Option<Allowed>,
}

impl Best {
    fn applied_to(self, mut deviation: Deviation) -> Deviation {
        let Best { plan, recording, allowed } = self;
        for (old, new) in renamed_ids(&deviation, &plan, &recording) {
            deviation.expected = deviation.expected.replace(&old, &new);
            for difference in &mut deviation.differences {
                difference.expected = difference.expected.replace(&old, &new);
            }
        }
        // What was compared with a documented response keeps its expectation.
        let is_compared = !deviation.differences.is_empty();
        if let Some(allowed) = allowed {
            if !is_compared {
                deviation.expected = allowed.in_words();
            }
            if let Observation::Meaning { allowed: expected, .. } = &mut deviation.observation {
                expected.clone_from(&allowed.outcomes);
            }
        }
        if matches!(deviation.witness, Witness::Model) && !is_compared {
            if let Observation::Meaning { found, .. } = &deviation.observation {
                deviation.actual = format!("{}, {}", recording.last_response(), found.in_words());
            }
        } else if deviation.actual.starts_with("HTTP ") {
            deviation.actual = recording.last_response();
        }
        deviation.recording = recording;
        deviation
    }
}

/// The ids of the last call, each with the one that it has in a shorter recording: an expectation may echo them.
fn renamed_ids(deviation: &Deviation, plan: &[Planned], recording: &Recording) -> Vec<(String, String)> {
    let (Some(Planned::Call(old)), Some(Planned::Call(new))) = (deviation.plan.last(), plan.last()) else {
        return Vec::new();
    };
    let mut renamed = Vec::new();
    if let (SessionReference::Issued(old), SessionReference::Issued(new)) = (&old.session, &new.session) {
        let ids =
            |recording: &Recording, number: usize| recording.session_id(number + 1).map(ToOwned::to_owned);
        renamed.extend(ids(&deviation.recording, *old).zip(ids(recording, *new)));
    }
    let accounts = |recording: &Recording, number: usize| recording.tenant_ids(number).to_vec();
    let old_ids = accounts(&deviation.recording, old.tenant);
    let new_ids = accounts(recording, new.tenant);
    let pairs = old_ids.into_iter().zip(new_ids).map(|((_, old), (_, new))| (old, new));
    renamed.extend(pairs.filter(|(old, _)| !old.is_empty()));
    renamed
}

struct Shrinker<'s, 'a> {
    context: &'s mut CheckContext<'a>,
    sought: Sought,
    until: Instant,
    /// How many requests the check had sent before.
    requests: u64,
    best: Option<Best>,
}

impl Shrinker<'_, '_> {
    async fn run(&mut self, plan: Vec<Planned>) {
        // What led to the last call often does not matter. A deviation that does not show again cannot be shortened.
        if !self.try_plan(last_call(&plan)).await && !self.try_plan(plan).await {
            return;
        }
        self.remove_steps().await;
        let merged = with_merged_ages(self.plan());
        if merged.len() < self.plan().len() {
            self.try_plan(merged).await;
        }
        self.simplify().await;
        self.remove_steps().await;
    }

    fn plan(&self) -> Vec<Planned> {
        self.best.as_ref().map(|best| best.plan.clone()).unwrap_or_default()
    }

    /// Keeps the plan if it shows the deviation.
    async fn try_plan(&mut self, plan: Vec<Planned>) -> bool {
        if Instant::now() > self.until || self.context.requests - self.requests > CALLS {
            return false;
        }
        let plan = renumbered(plan);
        match self.context.shows(&plan, &self.sought).await {
            Ok(Some(shown)) => {
                let plan = renumbered(plan.into_iter().take(shown.steps).collect());
                self.best =
                    Some(Best { plan, recording: self.context.recording.clone(), allowed: shown.allowed });
                true
            }
            Ok(None) | Err(_) => false,
        }
    }

    /// Removes first whole sessions, then halves, quarters and so on of the steps before the last.
    async fn remove_steps(&mut self) {
        let mut number = 0;
        while let plan = self.plan()
            && number < sessions_of(&plan)
        {
            let without = without_session(&plan, number);
            let is_removed = without.len() < plan.len() && self.try_plan(without).await;
            number += usize::from(!is_removed);
        }
        let mut length = self.plan().len().div_ceil(2);
        while length > 0 {
            let mut start = 0;
            while let plan = self.plan()
                && start + 1 < plan.len()
            {
                let end = (start + length).min(plan.len() - 1);
                let without = without_steps(&plan, start..end);
                let is_removed = without.as_ref().is_some_and(|shorter| shorter.len() < plan.len())
                    && self.try_plan(without.unwrap_or_default()).await;
                if !is_removed {
                    start = end;
                }
            }
            length /= 2;
        }
    }

    /// Replaces limits, times and unusual parts of calls by plain ones.
    async fn simplify(&mut self) {
        for index in 0..self.plan().len() {
            for simpler in simpler_steps(self.plan().get(index)) {
                let mut plan = self.plan();
                if let Some(step) = plan.get_mut(index) {
                    *step = simpler;
                }
                // A lower limit is of no use if all the calls below the old one stay.
                if self.try_plan(plan).await {
                    break;
                }
            }
        }
    }
}

/// Simpler forms of a step, the simplest first.
fn simpler_steps(step: Option<&Planned>) -> Vec<Planned> {
    match step {
        Some(Planned::Session(session)) => {
            let with = |options| Planned::Session(PlannedSession { options, ..session.clone() });
            let mut simpler = Vec::new();
            if session.options.max_attempts.is_some_and(|attempts| attempts > 1) {
                simpler.push(with(SessionOptions { max_attempts: Some(1), ..session.options.clone() }));
            }
            if session.options.max_attempts.is_some() || session.options.ttl_seconds.is_some() {
                simpler.insert(0, with(SessionOptions::default()));
            }
            simpler
        }
        Some(Planned::Call(call)) => {
            let mut simpler = Vec::new();
            if call.mutation != OwnedMutation::default() && call.mutation.is_well_formed() {
                let mutation = OwnedMutation::default();
                simpler.push(Planned::Call(Box::new(PlannedCall { mutation, ..(**call).clone() })));
            }
            if matches!(call.credential, OwnedCredential::Scheme(_)) {
                let credential = OwnedCredential::OWN;
                simpler.push(Planned::Call(Box::new(PlannedCall { credential, ..(**call).clone() })));
            }
            simpler
        }
        _ => Vec::new(),
    }
}

fn sessions_of(plan: &[Planned]) -> usize {
    plan.iter().filter(|step| matches!(step, Planned::Session(_))).count()
}

fn tenants_of(plan: &[Planned]) -> usize {
    let tenant = |step: &Planned| match step {
        Planned::Session(session) => session.tenant,
        Planned::Call(call) => call.tenant,
        _ => 0,
    };
    plan.iter().map(tenant).max().unwrap_or(0)
}

/// The plan without a session and everything that needs it; the plan itself if its last step does.
fn without_session(plan: &[Planned], number: usize) -> Vec<Planned> {
    let position =
        plan.iter().enumerate().filter(|(_, step)| matches!(step, Planned::Session(_))).nth(number);
    let without = position.and_then(|(index, _)| without_steps(plan, index..index + 1));
    without.unwrap_or_else(|| plan.to_vec())
}

/// The plan without some steps and everything that needs them; `None` if its last step does.
fn without_steps(plan: &[Planned], removed: std::ops::Range<usize>) -> Option<Vec<Planned>> {
    let mut kept = Vec::new();
    // The new number of each session.
    let mut numbers: Vec<Option<usize>> = Vec::new();
    let mut next = 0;
    for (index, step) in plan.iter().enumerate() {
        let mut is_kept = !removed.contains(&index);
        let mut step = step.clone();
        match &mut step {
            Planned::Session(_) => {
                numbers.push(is_kept.then_some(next));
                next += usize::from(is_kept);
            }
            Planned::Age { session, .. } => match numbers.get(*session).copied().flatten() {
                Some(number) => *session = number,
                None => is_kept = false,
            },
            Planned::Call(call) => {
                let needed = match &mut call.session {
                    SessionReference::Issued(session) => Some(session),
                    SessionReference::Literal(_) | SessionReference::Missing => None,
                };
                for session in needed.into_iter().chain(&mut call.code_of) {
                    match numbers.get(*session).copied().flatten() {
                        Some(number) => *session = number,
                        None => is_kept = false,
                    }
                }
            }
            Planned::Opaque => {}
        }
        if is_kept {
            kept.push(step);
        } else if index + 1 == plan.len() {
            return None;
        }
    }
    Some(kept)
}

/// The last call, with what it needs.
fn last_call(plan: &[Planned]) -> Vec<Planned> {
    let calls: Vec<usize> =
        (0..plan.len()).filter(|index| matches!(plan[*index], Planned::Call(_))).collect();
    let mut shortest = plan.to_vec();
    for index in calls.into_iter().rev().skip(1) {
        shortest = without_steps(&shortest, index..index + 1).unwrap_or(shortest);
    }
    let mut number = 0;
    while number < sessions_of(&shortest) {
        let without = without_session(&shortest, number);
        number += usize::from(without.len() == shortest.len());
        shortest = without;
    }
    shortest
}

/// The plan with steps in a row that make one session older as one step.
fn with_merged_ages(plan: Vec<Planned>) -> Vec<Planned> {
    let mut merged: Vec<Planned> = Vec::new();
    for step in plan {
        match (&step, merged.last_mut()) {
            (Planned::Age { session, seconds }, Some(Planned::Age { session: previous, seconds: total }))
                if session == previous =>
            {
                *total += seconds;
            }
            _ => merged.push(step),
        }
    }
    merged
}

/// The plan with its tenants numbered from 1 without gaps, and its codes named after their sessions.
fn renumbered(mut plan: Vec<Planned>) -> Vec<Planned> {
    let used: BTreeSet<usize> = plan
        .iter()
        .filter_map(|step| match step {
            Planned::Session(session) => Some(session.tenant),
            Planned::Call(call) => Some(call.tenant),
            _ => None,
        })
        .collect();
    let number =
        |tenant: usize| used.iter().position(|used| *used == tenant).map_or(tenant, |place| place + 1);
    for step in &mut plan {
        match step {
            Planned::Session(session) => session.tenant = number(session.tenant),
            Planned::Call(call) => {
                call.tenant = number(call.tenant);
                if let (Some((_, shown)), Some(session)) = (&mut call.code, call.code_of) {
                    *shown = renamed_code(shown, session);
                }
            }
            _ => {}
        }
    }
    plan
}

#[cfg(test)]
mod tests;
