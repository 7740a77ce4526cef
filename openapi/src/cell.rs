//! One documented answer: outcome, HTTP status, body, and where the document says so.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Member, Outcome, Situation, StatusPattern};

/// One documented answer of a verify call.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The name of the example in the document, unique in its contract.
    pub name: String,
    /// One line for people, the example's `summary`.
    pub summary: String,
    /// What the answer says was decided.
    pub outcome: Outcome,
    /// The HTTP statuses that this answer may have.
    pub status: StatusPattern,
    /// The one that the sandbox gives.
    pub sandbox_status: u16,
    /// The example body.
    pub body: Value,
    /// Whether the document says anything of the body. Where it does not, only the status is judged, and that the
    /// body claims no success.
    pub body_specified: bool,
    /// What is judged of the body: every leaf of [`Cell::body`] with the rule it obeys, in the order of the body.
    pub members: Vec<Member>,
    /// The situations in which a server may give this answer.
    pub situations: Vec<Situation>,
    /// The way of calling that gets this answer, where the API has two.
    pub mode: Option<Mode>,
    /// Whether this is another answer the document allows, and not the one that the sandbox gives.
    pub alternative: bool,
    /// How sure it is that the vendor answers so.
    pub certainty: Certainty,
    /// Where the vendor says so.
    pub source: Source,
    /// What the document leaves open or contradicts.
    pub note: Option<String>,
}

/// A way of calling that a contract documents answers of its own for.
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

/// How sure it is that the vendor answers so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The vendor's document says so.
    Documented,
    /// The document is silent or contradicts itself; this is the nearest it comes to saying so.
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
    /// Whether a server may answer so in `situation`.
    pub fn answers(&self, situation: Situation) -> bool {
        self.situations.contains(&situation)
    }
}
