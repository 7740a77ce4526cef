//! Status and body → what the vendor decided, by the table of documented answers. Pure, and the only place that says
//! "approved": it must never say so where anything in the answer speaks against it, and must never choose where the
//! vendor's own document leaves two readings open.

use std::cmp::Reverse;
use std::sync::OnceLock;

use crate::cell::{Cell, Member, Path, Rule, State, Status};
use crate::json::{self, Node};
use crate::outcome::Outcome;

mod place;

/// The documented answers of a vendor, and what is worked out from them once.
pub struct Table {
    pub(crate) cells: &'static [Cell],
    /// Where a body may carry the vendor's id of the call.
    request_id: &'static [Path],
    signals: OnceLock<Signals>,
}

/// The signals that tell approvals and refusals apart.
struct Signals {
    /// Signals of approvals that no refusal has.
    approve: Vec<Signal>,
    /// Signals of refusals that no approval has.
    refuse: Vec<Signal>,
    /// The places where refusals tell which one they are and approvals have nothing. A reason that no document lists is
    /// one nevertheless.
    reasons: Vec<Path>,
    /// For each cell, whether agreeing with it is enough to know that it is meant.
    identifies: Vec<bool>,
}

/// The signals that one place of a body may carry.
struct Signal {
    path: Path,
    members: Vec<&'static Member>,
}

/// What an answer says.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Every signal of a documented approval is there, and none of a refusal.
    Approved,
    /// What the documents allow this answer to mean. None of it is an approval.
    Refused(Readings),
    /// The answer claims an approval and denies it, or says one thing twice.
    Contradictory,
    /// No document knows such an answer.
    Undocumented,
}

/// The cells that an answer may be.
#[derive(Debug)]
pub(crate) struct Readings {
    /// The cells, the documented ones first; at least one.
    pub(crate) cells: Vec<&'static Cell>,
    /// Whether the status alone speaks for them, and the document has bodies for some that this is none of. Then what it
    /// says literally is as unsure as what it leaves open.
    pub(crate) unsure: bool,
    /// The nearest of the cells that have the outcome on which the document agrees; `None` where it does not.
    pub(crate) nearest: Option<&'static Cell>,
}

impl Readings {
    fn of(mut cells: Vec<&'static Cell>, unsure: bool, body: Option<&Node<'_>>) -> Readings {
        cells.sort_by_key(|cell| !cell.documented);
        let mut readings = Readings { cells, unsure, nearest: None };
        readings.nearest = readings.agree(|cell| cell.outcome).and_then(|outcome| {
            let mut ours = readings.cells.iter().copied().filter(|cell| cell.outcome == outcome);
            match body {
                Some(body) => ours.min_by_key(|cell| distance(cell, body)),
                None => ours.next(),
            }
        });
        readings
    }

    /// The cells that have a say: the documented ones, or all where there are none of these or the answer is unsure.
    pub(crate) fn heard(&self) -> impl Iterator<Item = &'static Cell> + '_ {
        let all = self.unsure || !self.cells.iter().any(|cell| cell.documented);
        self.cells.iter().copied().filter(move |cell| all || cell.documented)
    }

    /// What `property` is in all cells that have a say.
    pub(crate) fn agree<T: PartialEq>(&self, property: impl Fn(&Cell) -> T) -> Option<T> {
        let mut values = self.heard().map(property);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }
}

/// The values of the request that an answer may repeat, by the names that contracts use for them.
#[derive(Clone, Copy)]
pub(crate) struct Echoes<'a> {
    pub(crate) session: &'a str,
    pub(crate) code: &'a str,
    /// The accounts in the path, by the names of their parameters.
    pub(crate) accounts: &'a [(&'static str, crate::secret::Secret)],
}

impl<'a> Echoes<'a> {
    fn of(self, name: &str) -> Option<&'a str> {
        match name {
            "session" => Some(self.session),
            "code" => Some(self.code),
            _ => self.accounts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.expose()),
        }
    }
}

/// The refusals that an answer may be; an answer that is none of them is undocumented.
fn refused(cells: Vec<&'static Cell>, unsure: bool, body: Option<&Node<'_>>) -> Reading {
    if cells.is_empty() { Reading::Undocumented } else { Reading::Refused(Readings::of(cells, unsure, body)) }
}

/// How far the body is from the cell's: the members that are missing, then how few, and how shallow ones, are there.
fn distance(cell: &Cell, body: &Node<'_>) -> (usize, Reverse<usize>) {
    let (mut missing, mut depth) = (0, 0);
    for member in cell.members {
        if place::first(body, member.path).is_some() {
            depth += member.path.len();
        } else if !member.optional {
            missing += 1;
        }
    }
    (missing, Reverse(depth))
}

impl Table {
    /// A table; nothing is worked out before it is read by.
    pub(crate) const fn new(cells: &'static [Cell], request_id: &'static [Path]) -> Table {
        Table { cells, request_id, signals: OnceLock::new() }
    }

    /// Reads an answer.
    pub(crate) fn read(&'static self, status: u16, body: &[u8], echoes: Echoes<'_>) -> Reading {
        match json::parse(body) {
            json::Body::Ambiguous => Reading::Contradictory,
            json::Body::Other => self.read_status(status, None),
            json::Body::Json(body) => self.read_json(status, &body, echoes),
        }
    }

    /// What a body tells of the session's state.
    pub(crate) fn state(&self, body: &[u8], wanted: State) -> Option<u64> {
        let json::Body::Json(body) = json::parse(body) else { return None };
        let paths = self.cells.iter().flat_map(|cell| cell.members).filter_map(|member| match member.rule {
            Rule::State(state) if state == wanted => Some(member.path),
            _ => None,
        });
        paths.filter_map(|path| place::first(&body, path)).find_map(|value| match value {
            Node::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        })
    }

    /// The vendor's id of the call, where a body has one.
    pub(crate) fn request_id(&self, body: &[u8]) -> Option<String> {
        let json::Body::Json(body) = json::parse(body) else { return None };
        self.request_id.iter().find_map(|path| match place::first(&body, path) {
            Some(Node::Text(text)) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => None,
        })
    }

    fn read_json(&'static self, status: u16, body: &Node<'_>, echoes: Echoes<'_>) -> Reading {
        let agrees = |cell: &Cell| cell.members.iter().all(|member| member_agrees(member, body, echoes));
        let signals = self.signals();

        let approved = self.approvals().any(|cell| cell.specified && cell.status.has(status) && agrees(cell));
        if approved {
            return if signals.deny(status, body) { Reading::Contradictory } else { Reading::Approved };
        }
        if signals.approve.iter().any(|signal| signal.stands(body)) {
            return Reading::Contradictory;
        }

        let known: Vec<(&'static Cell, bool)> = self
            .cells
            .iter()
            .zip(&signals.identifies)
            .filter(|(cell, _)| {
                cell.outcome != Outcome::Approved && cell.specified && cell.status.has(status)
            })
            .filter(|(cell, _)| agrees(cell))
            .map(|(cell, identified)| (cell, *identified))
            .collect();
        let by_status = self.by_status(status);
        if !known.iter().any(|(_, identified)| *identified) {
            // Signals that every refusal shares single out none, so the status has the last word.
            let shared = known.into_iter().map(|(cell, _)| cell).filter(|cell| self.covers(cell, status));
            let shared: Vec<_> = shared.collect();
            if shared.is_empty() && !by_status.iter().any(|cell| agrees(cell)) {
                return self.read_status(status, Some(body));
            }
            return refused(shared.into_iter().chain(by_status).collect(), false, Some(body));
        }
        // A cell whose body the document leaves open stays a reading where the body is the very one of its example.
        let examples = by_status.into_iter().filter(|cell| agrees(cell));
        let known = known
            .into_iter()
            .filter(|(cell, identified)| *identified || self.covers(cell, status))
            .map(|(cell, _)| cell);
        refused(known.chain(examples).collect(), false, Some(body))
    }

    /// Reads an answer whose body is none that the document has. The status says something where the document leaves the
    /// body of one of its refusals open; it may be the others as well, changed on the way or by the vendor.
    fn read_status(&'static self, status: u16, body: Option<&Node<'_>>) -> Reading {
        if self.by_status(status).is_empty() {
            return Reading::Undocumented;
        }
        let cells: Vec<_> = self.refusals().filter(|cell| self.covers(cell, status)).collect();
        let unsure = cells.iter().any(|cell| cell.specified);
        refused(cells, unsure, body)
    }

    fn approvals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome == Outcome::Approved)
    }

    fn refusals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome != Outcome::Approved)
    }

    /// The refusals of this status whose body may be anything.
    fn by_status(&self, status: u16) -> Vec<&'static Cell> {
        self.refusals().filter(|cell| !cell.specified && self.covers(cell, status)).collect()
    }

    /// Whether the cell is meant for this status by OpenAPI's precedence: a status of its own goes before its class. The
    /// contract's usual status of a cell counts as its own. What HTTP itself gives a meaning, a timeout (408, and 499 of
    /// proxies), 425 and 429, is no refusal of "any 4xx".
    fn covers(&self, cell: &Cell, status: u16) -> bool {
        let own = matches!(status, 408 | 425 | 429 | 499)
            || self.cells.iter().any(|cell| cell.status == Status::Exact(status));
        cell.status.has(status) && (!own || cell.usual_status == status)
    }

    fn signals(&self) -> &Signals {
        self.signals.get_or_init(|| {
            let members = |approved: bool| {
                let cells =
                    self.cells.iter().filter(move |cell| (cell.outcome == Outcome::Approved) == approved);
                cells.flat_map(|cell| cell.members).collect::<Vec<_>>()
            };
            let (ours, theirs) = (members(true), members(false));
            let only = |own: &[&'static Member], others: &[&'static Member]| {
                let has = |members: &[&Member], member: &Member| {
                    members.iter().any(|other| same_signal(other, member))
                };
                let mut alone: Vec<&'static Member> = Vec::new();
                for member in own.iter().copied() {
                    // Each once: most cells of a vendor share some.
                    if is_signal(member) && !has(others, member) && !has(&alone, member) {
                        alone.push(member);
                    }
                }
                by_place(alone)
            };
            Signals {
                approve: only(&ours, &theirs),
                refuse: only(&theirs, &ours),
                reasons: self.reasons(&ours),
                identifies: self.cells.iter().map(|cell| self.identifies(cell)).collect(),
            }
        })
    }

    /// Whether a cell that agrees is thereby known to be meant: the document says so literally, or one of its signals is
    /// not shared by every other refusal.
    fn identifies(&self, cell: &Cell) -> bool {
        let shared = |member: &Member| {
            self.refusals()
                .filter(|other| other.specified)
                .all(|other| other.members.iter().any(|theirs| same_signal(theirs, member)))
        };
        cell.documented || cell.members.iter().any(|member| is_signal(member) && !shared(member))
    }

    fn reasons(&self, approval: &[&Member]) -> Vec<Path> {
        let in_approvals = |path: &[&str]| approval.iter().any(|member| member.path.starts_with(path));
        let signals = self.refusals().filter(|cell| cell.specified).flat_map(|cell| cell.members);
        let mut found: Vec<Path> = Vec::new();
        for member in signals.filter(|member| is_signal(member)) {
            let path = member.path;
            // Where approvals have not even what it stands in, that speaks too.
            let reason = (1..=path.len()).map(|length| &path[..length]).find(|start| !in_approvals(start));
            if let Some(reason) = reason
                && !found.contains(&reason)
            {
                found.push(reason);
            }
        }
        found
    }
}

impl Signals {
    /// Whether the body carries a signal of a refusal that no approval has, or anything where refusals give their reason.
    fn deny(&self, status: u16, body: &Node<'_>) -> bool {
        let speaks = |value: &Node<'_>| says_something(status, value);
        self.refuse.iter().any(|signal| signal.stands(body))
            || self.reasons.iter().any(|path| place::look(body, path, &speaks).passed)
    }
}

impl Signal {
    /// Whether the body carries one of these signals.
    fn stands(&self, body: &Node<'_>) -> bool {
        let agrees = |value: &Node<'_>| self.members.iter().any(|member| rule_agrees(member, value));
        place::look(body, self.path, &agrees).passed
    }
}

/// The signals by their places, so that each place is looked for once.
fn by_place(members: Vec<&'static Member>) -> Vec<Signal> {
    let mut signals: Vec<Signal> = Vec::new();
    for member in members {
        let path = member.path_or_top();
        match signals.iter_mut().find(|signal| signal.path == path) {
            Some(signal) => signal.members.push(member),
            None => signals.push(Signal { path, members: vec![member] }),
        }
    }
    signals
}

/// Whether the member's value tells outcomes apart.
fn is_signal(member: &Member) -> bool {
    matches!(member.rule, Rule::Literal(_) | Rule::IgnoreCase(_) | Rule::Anywhere(..))
}

fn same_signal(left: &Member, right: &Member) -> bool {
    match (&left.rule, &right.rule) {
        (Rule::Literal(ours), Rule::Literal(theirs)) => left.path == right.path && ours == theirs,
        (Rule::IgnoreCase(ours), Rule::IgnoreCase(theirs)) => {
            left.path == right.path && ours.eq_ignore_ascii_case(theirs)
        }
        (Rule::Anywhere(name, ours), Rule::Anywhere(other, theirs)) => name == other && ours == theirs,
        _ => false,
    }
}

fn member_agrees(member: &Member, body: &Node<'_>, echoes: Echoes<'_>) -> bool {
    let holds = |test: &dyn Fn(&Node<'_>) -> bool| {
        let looked = place::look(body, member.path_or_top(), test);
        if looked.any { looked.all } else { member.optional }
    };
    match member.rule {
        Rule::Free | Rule::State(_) => true,
        Rule::Literal(_) | Rule::IgnoreCase(_) | Rule::Anywhere(..) => {
            holds(&|value| rule_agrees(member, value))
        }
        Rule::List => holds(&|value| matches!(value, Node::List(list) if !list.is_empty())),
        // An echo of what this call does not carry can be no echo.
        Rule::Echo(name) => {
            holds(&|value| matches!(value, Node::Text(text) if echoes.of(name) == Some(text)))
        }
    }
}

fn rule_agrees(member: &Member, value: &Node<'_>) -> bool {
    match member.rule {
        Rule::Literal(literal) => literal.is(value),
        Rule::IgnoreCase(text) => matches!(value, Node::Text(value) if value.eq_ignore_ascii_case(text)),
        Rule::Anywhere(name, literal) => place::anywhere(value, name, &|value| literal.is_or_spells(value)),
        Rule::Echo(_) | Rule::List | Rule::State(_) | Rule::Free => false,
    }
}

impl Member {
    /// Where to look: a signal that may stand anywhere is looked for from the top.
    fn path_or_top(&self) -> Path {
        if matches!(self.rule, Rule::Anywhere(..)) { &[] } else { self.path }
    }
}

/// Whether there is anything in a value. The HTTP status over again is nothing.
fn says_something(status: u16, value: &Node<'_>) -> bool {
    match value {
        Node::Null => false,
        Node::Bool(is_so) => *is_so,
        Node::Text(text) => !text.is_empty(),
        Node::Integer(number) => *number != 0 && *number != i64::from(status),
        Node::Number(number) => *number != 0.0,
        Node::List(elements) => elements.iter().any(|element| says_something(status, element)),
        Node::Object(members) => members.iter().any(|(_, member)| says_something(status, member)),
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
