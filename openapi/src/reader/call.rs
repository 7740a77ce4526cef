//! Reads an operation other than verify: recipients, session, result, and its responses.
//!
//! Uses what `request`, `policy` and `cells` read.

use super::cells::{Context, read_cells};
use super::policy::Sending;
use super::problems::Problems;
use super::request::Endpoint;
use super::{Annotated, names};
use crate::annotation;
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{Backing, Call, Cell, Location, Outcome, Recipient, ResultPlace, Role, SendResult};

const MEMBERS: [&str; 8] =
    ["role", "recipients", "session", "result", "accounts", "path_variants", "policy", "facts"];

pub(super) fn read(
    root: &DocumentNode<'_>,
    annotated: &Annotated<'_>,
    document: &str,
    sending: &mut Sending,
    problems: &mut Problems,
) -> Option<Call> {
    let Annotated { role, extension, operation, .. } = annotated;
    problems.only(extension, &MEMBERS)?;
    let policy = problems.keep(extension.optional("policy"));
    if let Some(Some(policy)) = policy {
        sending.read(&policy, document, problems);
    }
    let endpoint = Endpoint::read(root, annotated, document, problems);
    let accounts = endpoint.as_ref().map(|endpoint| endpoint.accounts.as_slice());
    let context = Context { role: *role, document, accounts, has_retry: false, has_code: false };
    let cells = read_cells(operation, &context, problems);
    let endpoint = endpoint?;
    let recipients = problems.keep(read_recipients(extension, &endpoint, *role));
    let session = problems.keep(read_session(extension, &endpoint, *role));
    let (recipients, session, cells) = (recipients?, session?, cells?);
    if *role != Role::Send && session.is_empty() && recipients.is_empty() {
        problems.add(extension.missing("session", "which session, or which recipient, the call is about"));
    }
    let result = problems.keep(read_result(extension, *role, &cells, document));
    let mut used: Vec<&Location> = session.iter().collect();
    used.extend(recipients.iter().map(|recipient| &recipient.location));
    endpoint.check_path(extension, &used, problems);
    let parameters = endpoint.parameters_beside(&used);
    Some(Call {
        role: *role,
        body: endpoint.encoding(),
        id: endpoint.id,
        method: endpoint.method,
        path: endpoint.path,
        path_variants: endpoint.path_variants,
        security: endpoint.security,
        accounts: endpoint.accounts,
        facts: endpoint.facts,
        parameters,
        recipients,
        session,
        result: result?,
        cells,
    })
}

fn read_recipients(
    extension: &DocumentNode<'_>,
    endpoint: &Endpoint<'_>,
    role: Role,
) -> Result<Vec<Recipient>, Problem> {
    let Some(listed) = extension.optional("recipients")? else {
        return match role {
            Role::Send => Err(extension.missing("recipients", "the places that name the recipient")),
            _ => Ok(Vec::new()),
        };
    };
    let read = |node: &DocumentNode<'_>| {
        let annotation::Recipient { r#in, name, form } = node.read()?;
        Ok(Recipient { location: endpoint.locate(node, r#in, &name)?, form })
    };
    let recipients: Vec<_> = listed.elements()?.iter().map(read).collect::<Result<_, _>>()?;
    match recipients.is_empty() {
        true => Err(listed.unexpected("at least one place that names the recipient")),
        false => Ok(recipients),
    }
}

/// The places of the session: one, or a list of alternatives.
fn read_session(
    extension: &DocumentNode<'_>,
    endpoint: &Endpoint<'_>,
    role: Role,
) -> Result<Vec<Location>, Problem> {
    let Some(session) = extension.optional("session")? else { return Ok(Vec::new()) };
    if role == Role::Send {
        return Err(
            session.unexpected("no session in a send operation; `result` says where the response carries it")
        );
    }
    let places = if session.value().is_array() { session.elements()? } else { vec![session] };
    let read = |node: &DocumentNode<'_>| {
        let place: annotation::Place = node.read()?;
        endpoint.locate(node, place.r#in, &place.name)
    };
    places.iter().map(read).collect()
}

fn read_result(
    extension: &DocumentNode<'_>,
    role: Role,
    cells: &[Cell],
    document: &str,
) -> Result<Option<SendResult>, Problem> {
    let Some(node) = extension.optional("result")? else { return Ok(None) };
    if !matches!(role, Role::Send | Role::Resend) {
        return Err(node.unexpected(format!("no result in a {role} operation")));
    }
    let result: annotation::SendResult = node.read()?;
    let place = match (result.session, result.header) {
        (Some(pointer), None) => {
            let sent = cells.iter().filter(|cell| cell.outcome == Outcome::Sent && cell.body_specified);
            let lacking: Vec<_> = sent.filter(|cell| cell.body.pointer(&pointer).is_none()).collect();
            if !pointer.starts_with('/') || !lacking.is_empty() {
                let cells = names(lacking.iter().map(|cell| cell.name.as_str()));
                let expected =
                    format!("the pointer of a place in the body of each response `sent`, unlike {cells}");
                return Err(node.inner("session").unexpected(expected));
            }
            ResultPlace::Body(pointer)
        }
        (None, Some(name)) => ResultPlace::Header(name),
        _ => return Err(node.unexpected("either `session`, a pointer into the body, or `header`")),
    };
    let backing = Backing { certainty: result.certainty, source: result.source.cite(document) };
    Ok(Some(SendResult { session: place, again: result.again, backing }))
}
