//! Status and body → what the vendor decided, by the table of documented answers. Pure, and the only place that says
//! "approved": it must never say so where anything in the answer speaks against it, and must never choose where the
//! vendor's own document leaves two readings open.

use serde_json::Value;

use crate::cell::{Cell, Literal, Member, Rule, Status};
use crate::json;
use crate::outcome::Outcome;

mod place;

/// What an answer says.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Every signal of a documented approval is there, and none of a refusal.
    Approved,
    /// What the documents allow this answer to mean, the documented readings first. None of them is an approval.
    Refused(Vec<&'static Cell>),
    /// The answer claims an approval and denies it, or says one thing twice.
    Contradictory,
    /// No document knows such an answer.
    Undocumented,
}

/// The values of the request that an answer may repeat, by the names that contracts use for them.
#[derive(Clone, Copy)]
pub(crate) struct Echoes<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl<'a> Echoes<'a> {
    fn of(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Reads an answer by a vendor's table.
pub(crate) fn read(cells: &'static [Cell], status: u16, body: &[u8], echoes: Echoes<'_>) -> Reading {
    let table = Table { cells, status };
    match json::parse(body) {
        json::Body::Ambiguous => Reading::Contradictory,
        json::Body::Other => refused(table.by_status()),
        json::Body::Json(body) => table.read(&body, echoes),
    }
}

/// The outcome that all cells agree on. Where the document says anything literally, its inferred cells have no say.
pub(crate) fn agreed(cells: &[&Cell]) -> Option<Outcome> {
    let any_documented = cells.iter().any(|cell| cell.documented);
    let mut outcomes =
        cells.iter().filter(|cell| cell.documented || !any_documented).map(|cell| cell.outcome);
    let first = outcomes.next()?;
    outcomes.all(|outcome| outcome == first).then_some(first)
}

fn refused(mut cells: Vec<&'static Cell>) -> Reading {
    if cells.is_empty() {
        return Reading::Undocumented;
    }
    cells.sort_by_key(|cell| !cell.documented);
    Reading::Refused(cells)
}

struct Table {
    cells: &'static [Cell],
    status: u16,
}

impl Table {
    fn read(&self, body: &Value, echoes: Echoes<'_>) -> Reading {
        let agrees = |cell: &Cell| cell.members.iter().all(|member| member_agrees(member, body, echoes));

        let approved =
            self.approvals().any(|cell| cell.specified && cell.status.has(self.status) && agrees(cell));
        if approved {
            return if self.denies_approval(body) { Reading::Contradictory } else { Reading::Approved };
        }
        if self.claims_approval(body) {
            return Reading::Contradictory;
        }

        let known: Vec<&'static Cell> = self
            .refusals()
            .filter(|cell| cell.specified && cell.status.has(self.status) && agrees(cell))
            .collect();
        if !known.iter().any(|cell| self.identifies(cell)) {
            // Signals that every refusal shares single out none, so the status has the last word.
            let shared = known.into_iter().filter(|cell| self.covers(cell));
            return refused(shared.chain(self.by_status()).collect());
        }
        // A cell whose body the document leaves open stays a reading where the body is the very one of its example.
        let examples = self.by_status().into_iter().filter(|cell| agrees(cell));
        let known = known.into_iter().filter(|cell| self.identifies(cell) || self.covers(cell));
        refused(known.chain(examples).collect())
    }

    fn approvals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome == Outcome::Approved)
    }

    fn refusals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome != Outcome::Approved)
    }

    /// The refusals of this status whose body may be anything.
    fn by_status(&self) -> Vec<&'static Cell> {
        self.refusals().filter(|cell| !cell.specified && self.covers(cell)).collect()
    }

    /// Whether the cell is meant for this status by OpenAPI's precedence: a status of its own goes before its class. The
    /// contract's usual status of a cell counts as its own.
    fn covers(&self, cell: &Cell) -> bool {
        let own = self.cells.iter().any(|cell| cell.status == Status::Exact(self.status));
        cell.status.has(self.status) && (!own || cell.usual_status == self.status)
    }

    /// Whether a cell that agrees is thereby known to be meant: the document says so literally, or one of its signals is
    /// not shared by every other refusal.
    fn identifies(&self, cell: &Cell) -> bool {
        cell.documented
            || cell.members.iter().any(|member| {
                signal(member).is_some()
                    && self
                        .refusals()
                        .filter(|other| other.specified)
                        .any(|other| !other.members.iter().any(|theirs| same_signal(theirs, member)))
            })
    }

    /// Whether the body carries a signal of an approval that no refusal has.
    fn claims_approval(&self, body: &Value) -> bool {
        let theirs: Vec<&Member> = self.refusals().flat_map(|cell| cell.members).collect();
        self.approvals()
            .flat_map(|cell| cell.members)
            .filter(|member| !theirs.iter().any(|other| same_signal(other, member)))
            .any(|member| signal_stands(member, body))
    }

    /// Whether the body carries a signal of a refusal that no approval has, or anything where refusals give their reason.
    fn denies_approval(&self, body: &Value) -> bool {
        let ours: Vec<&Member> = self.approvals().flat_map(|cell| cell.members).collect();
        let told = self
            .refusals()
            .flat_map(|cell| cell.members)
            .filter(|member| !ours.iter().any(|other| same_signal(other, member)))
            .any(|member| signal_stands(member, body));
        told || self
            .reasons(&ours)
            .any(|pointer| place::values(body, pointer).into_iter().any(says_something))
    }

    /// The places where only refusals have a word or number, and always the same one: where they give their reason. A
    /// reason that no document lists is one nevertheless.
    fn reasons(&self, approval: &[&Member]) -> impl Iterator<Item = &'static str> {
        let specified = || self.refusals().filter(|cell| cell.specified).flat_map(|cell| cell.members);
        specified()
            .filter(|member| {
                matches!(
                    member.rule,
                    Rule::Literal(Literal::Text(_) | Literal::Integer(_)) | Rule::IgnoreCase(_)
                )
            })
            .map(|member| member.pointer)
            .filter(|pointer| !approval.iter().any(|member| member.pointer == *pointer))
            .filter(move |pointer| {
                specified().filter(|member| member.pointer == *pointer).all(|member| signal(member).is_some())
            })
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// A value that tells outcomes apart, and where it stands.
#[derive(PartialEq)]
enum Signal {
    At(&'static str, Literal),
    AtInAnyCase(&'static str, String),
    Anywhere(&'static str, Literal),
}

fn signal(member: &Member) -> Option<Signal> {
    match member.rule {
        Rule::Literal(literal) => Some(Signal::At(member.pointer, literal)),
        Rule::IgnoreCase(text) => Some(Signal::AtInAnyCase(member.pointer, text.to_ascii_lowercase())),
        Rule::Anywhere(name, literal) => Some(Signal::Anywhere(name, literal)),
        Rule::Echo(_) | Rule::List | Rule::Free => None,
    }
}

fn same_signal(left: &Member, right: &Member) -> bool {
    matches!((signal(left), signal(right)), (Some(left), Some(right)) if left == right)
}

fn signal_stands(member: &Member, body: &Value) -> bool {
    signal(member).is_some()
        && place::values(body, member.pointer_or_root()).into_iter().any(|value| rule_agrees(member, value))
}

fn member_agrees(member: &Member, body: &Value, echoes: Echoes<'_>) -> bool {
    let required = |found: Vec<&Value>, test: &dyn Fn(&Value) -> bool| {
        if found.is_empty() { member.optional } else { found.into_iter().all(test) }
    };
    let there = || place::values(body, member.pointer_or_root());
    match member.rule {
        Rule::Free => true,
        Rule::Literal(_) | Rule::IgnoreCase(_) | Rule::Anywhere(..) => {
            required(there(), &|value| rule_agrees(member, value))
        }
        Rule::List => required(there(), &|value| value.as_array().is_some_and(|list| !list.is_empty())),
        // An echo of what this call does not carry can be no echo.
        Rule::Echo(name) => {
            required(there(), &|value| value.as_str().is_some_and(|text| echoes.of(name) == Some(text)))
        }
    }
}

fn rule_agrees(member: &Member, value: &Value) -> bool {
    match member.rule {
        Rule::Literal(literal) => literal.is(value),
        Rule::IgnoreCase(text) => value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(text)),
        Rule::Anywhere(name, literal) => place::anywhere(value, name, &|value| literal.is_or_spells(value)),
        Rule::Echo(_) | Rule::List | Rule::Free => false,
    }
}

impl Member {
    /// Where to look: a signal that may stand anywhere is looked for from the top.
    fn pointer_or_root(&self) -> &'static str {
        if matches!(self.rule, Rule::Anywhere(..)) { "" } else { self.pointer }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
#[cfg(all(
    feature = "zeckta",
    feature = "kaleyra",
    feature = "dailystory",
    feature = "exotel",
    feature = "d7"
))]
mod tests;
