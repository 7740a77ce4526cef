//! Translates between HTTP and the engine for one operation of one vendor, as the contract describes it.
//!
//! A request becomes either a well-formed call or a situation, and a situation is rendered as the cell that the
//! contract has for it. An adapter decides nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use otp_contract::{Contract, Mode, Operation, Situation};

use super::render::{RenderContext, header_fields, is_constant, render};
use super::request::VerifyRequest;
use crate::engine::Decision;
use crate::http::{NO_BODY, PathParameters, ResponseBody, VendorResponse};

/// One operation of one contract.
#[derive(Debug)]
pub(crate) struct VendorAdapter {
    /// The position among the adapters of a sandbox.
    pub(crate) id: usize,
    pub(crate) contract: Arc<Contract>,
    /// The index of the operation in the contract.
    operation: usize,
    /// Whether a session of another tenant gets another response than an unknown one.
    reveals_foreign_sessions: bool,
    /// The cell for each situation and mode that has one.
    cells: BTreeMap<(Situation, Option<Mode>), ChosenCell>,
}

/// A cell to respond with.
#[derive(Debug, Clone)]
struct ChosenCell {
    /// The index of the cell in the operation.
    index: usize,
    name: Arc<str>,
    content_type: Cow<'static, str>,
    /// The body, if it is the same for every call.
    body: Option<ResponseBody>,
}

const MODES: [Option<Mode>; 2] = [None, Some(Mode::Retry)];

impl VendorAdapter {
    /// Adapts the operation at `index` of `contract`. `preferred` names the cells to use where the contract allows
    /// several.
    pub(super) fn new(
        id: usize,
        contract: Arc<Contract>,
        index: usize,
        preferred: &BTreeSet<String>,
    ) -> VendorAdapter {
        let operation = &contract.operations()[index];
        let chosen_cell = |index: usize| {
            let cell = &operation.cells[index];
            let body = is_constant(cell).then(|| ResponseBody::shared(&cell.body));
            let content_type = match cell.media_type.as_deref() {
                None => Cow::Borrowed(NO_BODY),
                Some("application/json") => Cow::Borrowed("application/json"),
                Some(other) => Cow::Owned(other.to_owned()),
            };
            ChosenCell { index, name: cell.name.as_str().into(), content_type, body }
        };
        let situations = Situation::ALL.into_iter().flat_map(|situation| MODES.map(|mode| (situation, mode)));
        let cells = situations
            .filter_map(|(situation, mode)| {
                let index = choose_cell(operation, preferred, situation, mode)?;
                Some(((situation, mode), chosen_cell(index)))
            })
            .collect();
        let reveals_foreign_sessions = operation.cells.iter().any(|cell| {
            preferred.contains(&cell.name)
                && cell.answers(Situation::ForeignSession)
                && !cell.answers(Situation::UnknownSession)
        });
        VendorAdapter { id, operation: index, reveals_foreign_sessions, cells, contract }
    }

    /// The operation that this adapter serves.
    pub(crate) fn operation(&self) -> &Operation {
        &self.contract.operations()[self.operation]
    }

    /// Whether a session of another tenant gets another response than an unknown one, because a preferred cell says so.
    pub(crate) fn reveals_foreign_sessions(&self) -> bool {
        self.reveals_foreign_sessions
    }

    /// Whether the contract allows the media type and encoding of the body.
    pub(crate) fn accepts(&self, headers: &HeaderMap) -> bool {
        let Some(encoding) = self.operation().body else { return true };
        // Repeated fields are ambiguous: two readers may pick different ones and see different bodies.
        let is_repeated = |name| headers.get_all(name).iter().count() > 1;
        if is_repeated(header::CONTENT_ENCODING) || is_repeated(header::CONTENT_TYPE) {
            return false;
        }
        if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return false;
        }
        let Some(Ok(media_type)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
            return false;
        };
        let mut parts = media_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let mut charsets = parts.filter_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
        });
        essence.eq_ignore_ascii_case(encoding.media_type())
            && charsets.all(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }

    /// Parses a verify call. `path` has the decoded path parameters.
    pub(crate) fn parse_verify(
        &self,
        path: &PathParameters<'_>,
        query: Option<&str>,
        body: &[u8],
    ) -> VerifyRequest {
        VerifyRequest::parse(&self.contract, self.operation(), path, query, body)
    }

    /// The response to a decided call.
    pub(crate) fn respond_to_decision(
        &self,
        decision: &Decision,
        context: RenderContext<'_>,
    ) -> VendorResponse {
        let context = RenderContext { decision: Some(decision), ..context };
        // The engine decides only on outcomes that a situation leads to.
        let situation = decision.outcome.situation().unwrap_or(Situation::MalformedBody);
        self.respond(situation, decision.mode, context)
    }

    /// The response in a situation.
    pub(crate) fn respond(
        &self,
        situation: Situation,
        mode: Option<Mode>,
        context: RenderContext<'_>,
    ) -> VendorResponse {
        let Some(chosen) = self.cells.get(&(situation, mode)) else {
            let status = match situation {
                Situation::MissingCredentials | Situation::WrongCredentials => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            return VendorResponse { situation: Some(situation), ..self.refusal(status) };
        };
        let cell = &self.operation().cells[chosen.index];
        VendorResponse {
            status: cell.sandbox_status,
            content_type: chosen.content_type.clone(),
            headers: header_fields(cell, context),
            body: match &chosen.body {
                Some(body) => body.clone(),
                None => render(cell, context).into(),
            },
            cell: Some(Arc::clone(&chosen.name)),
            situation: Some(situation),
        }
    }

    /// An error response that no cell covers.
    pub(crate) fn refusal(&self, status: StatusCode) -> VendorResponse {
        VendorResponse::refusal(&self.contract.refusal, status)
    }
}

/// The index of the cell for a situation: the preferred one among those that the contract has for it, or else its main
/// one.
fn choose_cell(
    operation: &Operation,
    preferred: &BTreeSet<String>,
    situation: Situation,
    mode: Option<Mode>,
) -> Option<usize> {
    let in_mode = |mode| {
        let candidates = || {
            let cells = operation.cells.iter().enumerate();
            cells.filter(move |(_, cell)| cell.mode == mode && cell.answers(situation))
        };
        let found = candidates()
            .find(|(_, cell)| preferred.contains(&cell.name))
            .or_else(|| candidates().find(|(_, cell)| !cell.alternative));
        found.map(|(index, _)| index)
    };
    in_mode(mode).or_else(|| in_mode(None)).or_else(|| match situation {
        // Few vendors document a separate response for each kind of malformed request.
        Situation::MissingSession | Situation::MissingCode | Situation::MalformedCode => {
            choose_cell(operation, preferred, Situation::MalformedBody, mode)
        }
        _ => None,
    })
}
