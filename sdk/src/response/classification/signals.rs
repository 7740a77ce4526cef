//! The values that distinguish approvals from refusals, and how a body is compared with a documented member.
//!
//! A signal is a value by which a client can distinguish outcomes. `Operation::approval_signals` of `otp-contract`
//! defines what claims an approval; a property test compares the two.

use crate::response::cell::{Cell, Member, Path, Rule};
use crate::response::json::JsonValue;
use crate::response::outcome::Outcome;
use crate::response::path;

/// The signals of an operation's cells.
#[derive(Debug)]
pub(super) struct Signals {
    /// Signals of approvals that no refusal has.
    approval: Vec<SignalsAt>,
    /// Signals of refusals that no approval has.
    refusal: Vec<SignalsAt>,
    /// Where refusals have their reason and approvals have no value. A value there is a reason even if no document
    /// lists it.
    reasons: Vec<Path>,
    /// For each cell, whether a body that agrees with it is thereby known to mean it.
    identifying: Vec<bool>,
}

/// The signals that a body may have at one path.
#[derive(Debug)]
struct SignalsAt {
    path: Path,
    members: Vec<&'static Member>,
}

/// The values of a request that a response may repeat.
#[derive(Clone, Copy)]
pub(crate) struct RequestValues<'a> {
    pub(crate) session: &'a str,
    pub(crate) code: &'a str,
    /// Looks up an account by the name of its path parameter.
    pub(crate) account: &'a dyn Fn(&str) -> Option<&'a str>,
}

impl<'a> RequestValues<'a> {
    /// The value with the name that contracts use for it.
    fn get(self, name: &str) -> Option<&'a str> {
        match name {
            "session" => Some(self.session),
            "code" => Some(self.code),
            _ => (self.account)(name),
        }
    }
}

impl Signals {
    pub(super) fn new(cells: &'static [Cell]) -> Signals {
        let members = |approved: bool| -> Vec<&'static Member> {
            let cells = cells.iter().filter(|cell| (cell.outcome == Outcome::Approved) == approved);
            cells.flat_map(|cell| cell.members).collect()
        };
        let (approvals, refusals) = (members(true), members(false));
        Signals {
            approval: signals_only_in(&approvals, &refusals),
            refusal: signals_only_in(&refusals, &approvals),
            reasons: reasons(cells, &approvals),
            identifying: cells.iter().map(|cell| identifies(cells, cell)).collect(),
        }
    }

    /// Whether the body has a signal that only approvals have.
    pub(super) fn claim_approval(&self, body: &JsonValue<'_>) -> bool {
        self.approval.iter().any(|signals| signals.any_in(body))
    }

    /// Whether the body has a signal that only refusals have, or any value where refusals have their reason.
    pub(super) fn contradict_approval(&self, status: u16, body: &JsonValue<'_>) -> bool {
        let is_reason = |value: &JsonValue<'_>| is_meaningful(status, value);
        self.refusal.iter().any(|signals| signals.any_in(body))
            || self.reasons.iter().any(|path| path::test_all(body, path, &is_reason).any_passed)
    }

    /// For each cell, whether a body that agrees with it is thereby known to mean it.
    pub(super) fn identifying(&self) -> &[bool] {
        &self.identifying
    }
}

impl SignalsAt {
    fn any_in(&self, body: &JsonValue<'_>) -> bool {
        let agrees = |value: &JsonValue<'_>| self.members.iter().any(|member| signal_agrees(member, value));
        path::test_all(body, self.path, &agrees).any_passed
    }
}

impl Member {
    /// Whether the member's value distinguishes outcomes.
    fn is_signal(&self) -> bool {
        matches!(self.rule, Rule::Literal(_) | Rule::IgnoreCase(_) | Rule::Anywhere(..))
    }

    /// Where the search for the value starts: at the root for a value that may be anywhere.
    fn search_path(&self) -> Path {
        if matches!(self.rule, Rule::Anywhere(..)) { &[] } else { self.path }
    }
}

/// The signals of `members` that `others` do not have, without duplicates and grouped by path, so that each path is
/// searched once.
fn signals_only_in(members: &[&'static Member], others: &[&'static Member]) -> Vec<SignalsAt> {
    let contains =
        |members: &[&Member], signal: &Member| members.iter().any(|member| same_signal(member, signal));
    let mut groups: Vec<SignalsAt> = Vec::new();
    for member in members.iter().copied().filter(|member| member.is_signal()) {
        let path = member.search_path();
        match groups.iter_mut().find(|group| group.path == path) {
            _ if contains(others, member) => {}
            Some(group) if contains(&group.members, member) => {}
            Some(group) => group.members.push(member),
            None => groups.push(SignalsAt { path, members: vec![member] }),
        }
    }
    groups
}

/// The paths at which refusals have a signal and approvals have no value, shortened to the first part that approvals
/// lack.
fn reasons(cells: &'static [Cell], approvals: &[&Member]) -> Vec<Path> {
    let in_approvals = |path: &[&str]| approvals.iter().any(|member| member.path.starts_with(path));
    let refusals = cells.iter().filter(|cell| cell.outcome != Outcome::Approved && cell.body_specified);
    let mut found: Vec<Path> = Vec::new();
    for member in refusals.flat_map(|cell| cell.members).filter(|member| member.is_signal()) {
        let path = member.path;
        let reason = (1..=path.len()).map(|length| &path[..length]).find(|start| !in_approvals(start));
        if let Some(reason) = reason
            && !found.contains(&reason)
        {
            found.push(reason);
        }
    }
    found
}

/// Whether a body that agrees with the cell is thereby known to mean it: the document states the cell literally, or one
/// of its signals is not shared by all refusals.
fn identifies(cells: &[Cell], cell: &Cell) -> bool {
    let shared = |signal: &Member| {
        cells
            .iter()
            .filter(|other| other.outcome != Outcome::Approved && other.body_specified)
            .all(|other| other.members.iter().any(|member| same_signal(member, signal)))
    };
    cell.documented || cell.members.iter().any(|member| member.is_signal() && !shared(member))
}

fn same_signal(left: &Member, right: &Member) -> bool {
    match (&left.rule, &right.rule) {
        (Rule::Literal(one), Rule::Literal(other)) => left.path == right.path && one == other,
        (Rule::IgnoreCase(one), Rule::IgnoreCase(other)) => {
            left.path == right.path && one.eq_ignore_ascii_case(other)
        }
        (Rule::Anywhere(name, one), Rule::Anywhere(other_name, other)) => name == other_name && one == other,
        _ => false,
    }
}

/// Whether the body agrees with a documented member.
pub(super) fn member_agrees(member: &Member, body: &JsonValue<'_>, request: RequestValues<'_>) -> bool {
    let holds = |test: &dyn Fn(&JsonValue<'_>) -> bool| {
        let tested = path::test_all(body, member.search_path(), test);
        if tested.found { tested.all_passed } else { member.optional }
    };
    match member.rule {
        Rule::Any | Rule::State(_) => true,
        Rule::Literal(_) | Rule::IgnoreCase(_) | Rule::Anywhere(..) => {
            holds(&|value| signal_agrees(member, value))
        }
        Rule::NonEmptyArray => holds(&|value| matches!(value, JsonValue::Array(array) if !array.is_empty())),
        // A value that the request does not have cannot be repeated.
        Rule::Echo(name) => {
            holds(&|value| matches!(value, JsonValue::String(text) if request.get(name) == Some(text)))
        }
    }
}

/// Whether a value is the member's signal; false for a member that is no signal.
fn signal_agrees(member: &Member, value: &JsonValue<'_>) -> bool {
    match member.rule {
        Rule::Literal(literal) => literal.equals(value),
        Rule::IgnoreCase(text) => {
            matches!(value, JsonValue::String(value) if value.eq_ignore_ascii_case(text))
        }
        Rule::Anywhere(name, literal) => {
            path::anywhere(value, name, &|value| literal.equals_or_spelled(value))
        }
        Rule::Echo(_) | Rule::NonEmptyArray | Rule::State(_) | Rule::Any => false,
    }
}

/// Whether a value says anything. Null, false, zero and empty values do not, and neither does the HTTP status.
fn is_meaningful(status: u16, value: &JsonValue<'_>) -> bool {
    match value {
        JsonValue::Null => false,
        JsonValue::Bool(value) => *value,
        JsonValue::String(text) => !text.is_empty(),
        JsonValue::Integer(number) => *number != 0 && *number != i64::from(status),
        JsonValue::Float(number) => *number != 0.0,
        JsonValue::Array(elements) => elements.iter().any(|element| is_meaningful(status, element)),
        JsonValue::Object(members) => members.iter().any(|(_, member)| is_meaningful(status, member)),
    }
}
