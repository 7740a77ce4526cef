//! What came back. An answer is kept whole, status, headers and bytes, whatever was made of it; its `Debug` never prints
//! the body or the headers, which repeat session ids and whatever else a server likes to repeat.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;

use crate::cell::Cell;
use crate::outcome::Outcome;
use crate::verdict;

/// An HTTP answer as it was received.
#[derive(Clone)]
pub struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawAnswer {
    /// The HTTP status, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers. A vendor's id of the call, where there is one, is among them.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, byte for byte; at most 64 KiB.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The code was approved: every signal that the vendor's document gives for it was there, and none against it.
///
/// `B` is the vendor's enum of documented bodies, such as [`zeckta::Body`](crate::zeckta::Body).
#[must_use]
pub struct Approved<B> {
    pub(crate) body: Option<B>,
    pub(crate) raw: RawAnswer,
}

impl<B> Approved<B> {
    /// The typed body. `None` where a member that decides nothing is missing or of another type than documented: the
    /// code is used up all the same, so the approval stands.
    pub fn body(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// The answer as it was received.
    pub fn raw(&self) -> &RawAnswer {
        &self.raw
    }
}

impl<B> fmt::Debug for Approved<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approved").field("raw", &self.raw).finish_non_exhaustive()
    }
}

/// A documented answer that is no approval.
pub struct Refusal<B> {
    cells: Vec<&'static Cell>,
    outcomes: Vec<Outcome>,
    body: Option<B>,
    raw: RawAnswer,
}

impl<B> Refusal<B> {
    /// A refusal that may be any of `cells`, which are refusals, at least one, and in the order of their weight.
    pub(crate) fn new(cells: Vec<&'static Cell>, body: Option<B>, raw: RawAnswer) -> Refusal<B> {
        let mut outcomes = Vec::new();
        for cell in &cells {
            if !outcomes.contains(&cell.outcome) {
                outcomes.push(cell.outcome);
            }
        }
        Refusal { cells, outcomes, body, raw }
    }

    /// What was decided, where the vendor's document gives this answer one meaning.
    ///
    /// Literal words go before what is only inferred from a document. Where they give the answer two meanings this is
    /// `None`, and [`Refusal::outcomes`] has both: D7 Networks answers a wrong and an expired code alike.
    pub fn outcome(&self) -> Option<Outcome> {
        verdict::agreed(&self.cells)
    }

    /// Everything that this answer may mean, each once, and what the document says literally first; never empty, and
    /// never an approval.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether this answer may mean `outcome`.
    pub fn could_be(&self, outcome: Outcome) -> bool {
        self.outcomes.contains(&outcome)
    }

    /// Whether the vendor's document says literally what [`Refusal::outcome`] says. Otherwise it is the nearest that
    /// the document comes to saying anything.
    pub fn is_documented(&self) -> bool {
        self.cells.iter().any(|cell| cell.documented)
    }

    /// The names of the documented answers that this one may be, as the vendor's contract has them.
    pub fn cells(&self) -> impl Iterator<Item = &'static str> {
        self.cells.iter().map(|cell| cell.name)
    }

    /// The typed body. `None` where the body is not of the type documented for its status, as HTML of a proxy is not.
    pub fn body(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// The answer as it was received.
    pub fn raw(&self) -> &RawAnswer {
        &self.raw
    }
}

impl<B> fmt::Debug for Refusal<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("outcomes", &self.outcomes)
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}
