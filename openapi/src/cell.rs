//! A cell: one documented response, with its outcome, HTTP status and body, and the place in the documentation.
//!
//! Plain data that `reader` fills in. It never reads a document or judges a response.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(doc)]
use crate::Matching;
use crate::{FieldRule, Member, Outcome, Situation, StatusPattern};

/// One documented response of an operation.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The name of the example in the document, unique in its contract.
    pub name: String,
    /// One line for people: the `summary` of the example.
    pub summary: String,
    /// What the response reports.
    pub outcome: Outcome,
    /// The HTTP statuses that the response may have.
    pub status: StatusPattern,
    /// The status that the sandbox returns.
    pub sandbox_status: u16,
    /// The media type of the body, with its parameters; `None` if the response has no body.
    pub media_type: Option<String>,
    /// The example body; null if the response has none.
    pub body: Value,
    /// Whether the document says anything about the body. If not, a check compares the status, and otherwise requires
    /// only that the body does not claim success.
    pub body_specified: bool,
    /// Every leaf of [`Cell::body`] with the rule by which it is compared, in the order of the body.
    pub members: Vec<Member>,
    /// The header fields that the document mentions, in lower case.
    pub headers: Vec<HeaderField>,
    /// The situations in which a server may return the response.
    pub situations: Vec<Situation>,
    /// The mode of the request that gets this response, if the API has two.
    pub mode: Option<Mode>,
    /// Whether this is a second response that the document allows; the sandbox returns the other by default.
    pub alternative: bool,
    /// How certain it is that the vendor responds like this. Status, body and situations may be less certain, or stand in
    /// another place; see [`Cell::facts`].
    pub certainty: Certainty,
    /// The place in the vendor's documentation.
    pub source: Source,
    /// How certain each part of the response is, and the place that states it.
    pub facts: CellFacts,
    /// What the document leaves open or contradicts.
    pub note: Option<String>,
}

/// A header field of a response.
#[derive(Debug, Clone)]
pub struct HeaderField {
    /// The name, in lower case.
    pub name: String,
    /// The value in the document, which the sandbox sends.
    pub example: String,
    /// How the value in a response is compared with the example: [`Matching::Literal`], [`Matching::IgnoreCase`], any text
    /// ([`Matching::Text`], [`Matching::Open`]), or the seconds of a lock ([`Matching::State`]).
    pub rule: FieldRule,
    /// What stands behind the field.
    pub backing: Backing,
}

/// How certain each part of a response is.
#[derive(Debug, Clone)]
pub struct CellFacts {
    /// The HTTP status.
    pub status: Backing,
    /// The body. A body that the document does not specify is inferred.
    pub body: Backing,
    /// That a server may return the response in each of [`Cell::situations`].
    pub situations: BTreeMap<Situation, Backing>,
}

/// What stands behind a fact: how certain it is, and the place that states it or comes closest to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backing {
    /// How certain the fact is.
    pub certainty: Certainty,
    /// The place in the vendor's documentation.
    pub source: Source,
}

impl Backing {
    /// Whether the cited page states the fact.
    pub fn is_documented(&self) -> bool {
        self.certainty == Certainty::Documented
    }
}

/// A mode of the request for which a contract documents separate responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The request itself allows further attempts after a wrong code.
    Retry,
}

impl Mode {
    /// The name used in contracts and check ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Retry => "retry",
        }
    }
}

/// How certain a documented fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The vendor's document states it.
    Documented,
    /// The document is silent or contradicts itself; this is the closest reading.
    Inferred,
}

impl Certainty {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Documented => "documented",
            Certainty::Inferred => "inferred",
        }
    }
}

/// A place in a vendor's documentation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Source {
    /// The document's title.
    pub document: String,
    /// The heading, row or sentence in it.
    pub section: String,
}

impl Cell {
    /// The outcomes that the response may report: its own, and those of its other situations, if the vendor has one response
    /// for several.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let others = self.situations.iter().filter_map(|situation| situation.outcome());
        let own = self.outcome;
        std::iter::once(own).chain(others.filter(move |outcome| *outcome != own))
    }

    /// Whether a server may return this response in `situation`.
    pub fn answers(&self, situation: Situation) -> bool {
        self.situations.contains(&situation)
    }

    /// How certain status and body are, in words: `documented`, `inferred`, or which of the two the document states.
    pub fn certainty_in_words(&self) -> &'static str {
        match (self.certainty, self.facts.status.is_documented(), self.facts.body.is_documented()) {
            (Certainty::Documented, true, false) => "status only",
            (Certainty::Documented, false, true) => "body only",
            (certainty, ..) => certainty.as_str(),
        }
    }

    /// Whether the vendor's document states that a server returns this response in `situation`, and states its status or
    /// its body.
    pub fn is_documented_for(&self, situation: Situation) -> bool {
        let states_the_situation = self.facts.situations.get(&situation).is_some_and(Backing::is_documented);
        states_the_situation && (self.facts.status.is_documented() || self.facts.body.is_documented())
    }
}
