//! Classifies a response by status and body, using the table of documented responses.
//!
//! Pure, and the only code that can classify a response as approved. It must never do so if anything in the response
//! contradicts an approval, and it must never choose between meanings that the vendor's document leaves open.

use std::sync::OnceLock;

use super::cell::{Cell, Path, Rule, StateValue, StatusPattern};
use super::json::{self, JsonValue, ParsedBody};
use super::outcome::Outcome;
use super::path;

mod candidates;
mod signals;

pub(crate) use candidates::Candidates;
pub(crate) use signals::RequestValues;
use signals::{Signals, member_agrees};

/// The meaning of a response.
#[derive(Debug)]
pub(crate) enum Classification {
    /// The response has every signal of a documented approval and none of a refusal.
    Approved,
    /// The documented meanings of the response. None is an approval.
    Refused(Candidates),
    /// The response signals both an approval and a refusal, or has a duplicate key.
    Contradictory,
    /// The response is not documented.
    Undocumented,
}

/// The documented responses of an operation.
#[derive(Debug)]
pub struct ResponseTable {
    pub(crate) cells: &'static [Cell],
    /// Where a body may have the vendor's id of the call.
    request_id: &'static [Path],
    signals: OnceLock<Signals>,
}

impl ResponseTable {
    /// Signals are derived on first use.
    pub const fn new(cells: &'static [Cell], request_id: &'static [Path]) -> ResponseTable {
        ResponseTable { cells, request_id, signals: OnceLock::new() }
    }

    /// Classifies a response to a request with the given values.
    pub(crate) fn classify(
        &'static self,
        status: u16,
        body: &[u8],
        request: RequestValues<'_>,
    ) -> Classification {
        if body.is_empty()
            && let Some(classification) = self.classify_empty(status)
        {
            return classification;
        }
        match json::parse(body) {
            ParsedBody::DuplicateKey => Classification::Contradictory,
            ParsedBody::NotJson => self.classify_status(status, None),
            ParsedBody::Json(body) => self.classify_json(status, &body, request),
        }
    }

    /// The value that a body has for a part of the session's state.
    pub(crate) fn state(&self, body: &[u8], wanted: StateValue) -> Option<u64> {
        let ParsedBody::Json(body) = json::parse(body) else { return None };
        let paths = self.cells.iter().flat_map(|cell| cell.members).filter_map(|member| match member.rule {
            Rule::State(state) if state == wanted => Some(member.path),
            _ => None,
        });
        paths.filter_map(|path| path::first(&body, path)).find_map(|value| match value {
            JsonValue::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        })
    }

    /// The vendor's id of the call, if the body has one.
    pub(crate) fn request_id(&self, body: &[u8]) -> Option<String> {
        let ParsedBody::Json(body) = json::parse(body) else { return None };
        self.request_id.iter().find_map(|path| match path::first(&body, path) {
            Some(JsonValue::String(text)) if !text.is_empty() => Some(text.clone().into_owned()),
            _ => None,
        })
    }

    /// Classifies a response without a body, if the document has one with this status.
    fn classify_empty(&'static self, status: u16) -> Option<Classification> {
        let cells = self.cells.iter().filter(|cell| !cell.has_body() && cell.body_specified);
        let (approvals, refusals): (Vec<_>, Vec<_>) = cells
            .filter(|cell| cell.status.matches(status))
            .partition(|cell| cell.outcome == Outcome::Approved);
        match (approvals.is_empty(), refusals.is_empty()) {
            (true, true) => None,
            (false, true) => Some(Classification::Approved),
            (true, false) => Some(refused(refusals, false, None)),
            (false, false) => Some(Classification::Contradictory),
        }
    }

    fn classify_json(
        &'static self,
        status: u16,
        body: &JsonValue<'_>,
        request: RequestValues<'_>,
    ) -> Classification {
        let agrees = |cell: &Cell| cell.members.iter().all(|member| member_agrees(member, body, request));
        let signals = self.signals();

        // A cell without members agrees with every body.
        let mut approvals = self
            .approvals()
            .filter(|cell| cell.body_specified && cell.has_body() && cell.status.matches(status));
        if approvals.any(agrees) {
            return if signals.contradict_approval(status, body) {
                Classification::Contradictory
            } else {
                Classification::Approved
            };
        }
        if signals.claim_approval(body) {
            return Classification::Contradictory;
        }

        let matching: Vec<(&'static Cell, bool)> = self
            .cells
            .iter()
            .zip(signals.identifying())
            .filter(|(cell, _)| {
                let has_specified_body = cell.body_specified && cell.has_body();
                cell.outcome != Outcome::Approved && has_specified_body && cell.status.matches(status)
            })
            .filter(|(cell, _)| agrees(cell))
            .map(|(cell, identified)| (cell, *identified))
            .collect();
        let by_status = self.refusals_by_status(status);
        if !matching.iter().any(|(_, identified)| *identified) {
            // Signals that every refusal shares identify none of them, so the status decides.
            let shared: Vec<_> =
                matching.into_iter().map(|(cell, _)| cell).filter(|cell| self.covers(cell, status)).collect();
            if shared.is_empty() && !by_status.iter().any(|cell| agrees(cell)) {
                return self.classify_status(status, Some(body));
            }
            return refused(shared.into_iter().chain(by_status).collect(), false, Some(body));
        }
        // A cell with an unspecified body remains a candidate if the body is exactly that of its example.
        let examples = by_status.into_iter().filter(|cell| agrees(cell));
        let matching = matching
            .into_iter()
            .filter(|(cell, identified)| *identified || self.covers(cell, status))
            .map(|(cell, _)| cell);
        refused(matching.chain(examples).collect(), false, Some(body))
    }

    /// Classifies a response whose body matches no documented one.
    ///
    /// The status is meaningful only if the document leaves the body of one of its refusals unspecified. The response
    /// may then also be any other refusal with this status, whose body a gateway or the vendor has changed.
    fn classify_status(&'static self, status: u16, body: Option<&JsonValue<'_>>) -> Classification {
        if self.refusals_by_status(status).is_empty() {
            return Classification::Undocumented;
        }
        let cells: Vec<_> = self.refusals().filter(|cell| self.covers(cell, status)).collect();
        let body_differs = cells.iter().any(|cell| cell.body_specified);
        refused(cells, body_differs, body)
    }

    fn approvals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome == Outcome::Approved)
    }

    fn refusals(&self) -> impl Iterator<Item = &'static Cell> {
        self.cells.iter().filter(|cell| cell.outcome != Outcome::Approved)
    }

    /// The refusals with this status whose body is unspecified.
    fn refusals_by_status(&self, status: u16) -> Vec<&'static Cell> {
        self.refusals().filter(|cell| !cell.body_specified && self.covers(cell, status)).collect()
    }

    /// Whether the cell applies to this status by OpenAPI's precedence: an exact status overrides its class, and a
    /// cell's usual status counts as exact.
    ///
    /// 408, 425, 429 and 499 have a meaning of their own in HTTP or in proxies, so "any 4xx" does not include them.
    fn covers(&self, cell: &Cell, status: u16) -> bool {
        let exact_only = matches!(status, 408 | 425 | 429 | 499)
            || self.cells.iter().any(|cell| cell.status == StatusPattern::Exact(status));
        cell.status.matches(status) && (!exact_only || cell.usual_status == status)
    }

    fn signals(&self) -> &Signals {
        self.signals.get_or_init(|| Signals::new(self.cells))
    }
}

/// A refusal with these candidates; without any, the response is undocumented.
fn refused(cells: Vec<&'static Cell>, body_differs: bool, body: Option<&JsonValue<'_>>) -> Classification {
    if cells.is_empty() {
        Classification::Undocumented
    } else {
        Classification::Refused(Candidates::new(cells, body_differs, body))
    }
}

#[cfg(test)]
#[cfg(feature = "__vendor")]
mod tests;
