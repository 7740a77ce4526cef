//! Reads the verify operation: session id, code, policy, and its responses.
//!
//! Uses what `request`, `policy` and `cells` read.

use super::Annotated;
use super::cells::{Context, read_cells};
use super::policy::{self, Sending};
use super::problems::Problems;
use super::request::{Endpoint, check_id_pattern};
use crate::annotation;
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{CodeShape, Location, Operation, Policy, Role, SessionId};

const MEMBERS: [&str; 8] =
    ["role", "session", "code", "accounts", "path_variants", "policy", "refusal", "facts"];

/// The longest code that a contract may allow.
const MAX_CODE: usize = 64;

pub(super) struct Verify {
    pub(super) operation: Operation,
    pub(super) policy: Policy,
    pub(super) refusal: serde_json::Value,
}

pub(super) fn read(
    root: &DocumentNode<'_>,
    annotated: &Annotated<'_>,
    document: &str,
    sending: &mut Sending,
    problems: &mut Problems,
) -> Option<Verify> {
    let extension = &annotated.extension;
    problems.only(extension, &MEMBERS)?;
    let endpoint = Endpoint::read(root, annotated, document, problems);
    let refusal = extension.member("refusal", "the body of a response that no cell covers");
    let refusal = problems.keep(refusal.and_then(|node| node.read::<annotation::Refusal>()));
    let accounts = endpoint.as_ref().map(|endpoint| endpoint.accounts.as_slice());
    let policy_node = problems.keep(extension.member("policy", "lifetime, limits and precedence"));
    let policy = match (&policy_node, &endpoint) {
        (Some(node), Some(endpoint)) => policy::read(node, &endpoint.parameters, document, sending, problems),
        _ => None,
    };
    // Before anything that is missing ends the reading, so that what is wrong with the responses is said too.
    let context = Context {
        role: Role::Verify,
        document,
        accounts,
        has_retry: policy.as_ref().is_none_or(|policy| policy.overrides.retry.is_some()),
        has_code: true,
    };
    let cells = read_cells(&annotated.operation, &context, problems);
    let endpoint = endpoint?;
    let session = problems.keep(read_session(extension, &endpoint));
    let code = problems.keep(read_code(extension, &endpoint));
    let (session, code) = (session?, code?);
    let mut used: Vec<&Location> = vec![&session.location, &code.location];
    used.extend(&session.alternatives);
    endpoint.check_path(extension, &used, problems);
    let parameters = endpoint.parameters_beside(&used);
    let operation = Operation {
        role: Role::Verify,
        body: endpoint.encoding(),
        id: endpoint.id,
        method: endpoint.method,
        path: endpoint.path,
        path_variants: endpoint.path_variants,
        security: endpoint.security,
        accounts: endpoint.accounts,
        facts: endpoint.facts,
        session,
        code,
        parameters,
        cells: cells?,
    };
    Some(Verify { operation, policy: policy?, refusal: refusal?.body })
}

fn read_session(extension: &DocumentNode<'_>, endpoint: &Endpoint<'_>) -> Result<SessionId, Problem> {
    let node = extension.member("session", "the place of the session id")?;
    let session: annotation::Session = node.read()?;
    check_id_pattern(&node, &session.id_pattern)?;
    let alternatives = match node.optional("or")? {
        Some(listed) => listed
            .elements()?
            .iter()
            .map(|node| {
                let place: annotation::Place = node.read()?;
                endpoint.locate(node, place.r#in, &place.name)
            })
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(SessionId {
        location: endpoint.locate(&node, session.r#in, &session.name)?,
        alternatives,
        recipient: session.recipient,
        id_pattern: session.id_pattern,
        resend: session.resend,
    })
}

fn read_code(extension: &DocumentNode<'_>, endpoint: &Endpoint<'_>) -> Result<CodeShape, Problem> {
    let node = extension.member("code", "the place of the code")?;
    let code: annotation::Code = node.read()?;
    let is_in_order = (code.min_length..=code.max_length).contains(&code.length);
    if code.min_length == 0 || !is_in_order || code.max_length > MAX_CODE {
        return Err(node.unexpected(format!("1 <= min_length <= length <= max_length <= {MAX_CODE}")));
    }
    Ok(CodeShape {
        location: endpoint.locate(&node, code.r#in, &code.name)?,
        alphabet: code.alphabet,
        length: code.length,
        min_length: code.min_length,
        max_length: code.max_length,
    })
}
