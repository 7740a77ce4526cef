//! The answer side: every named example of every response becomes a [`Cell`].

use std::cell::Cell as Flag;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Scope;
use crate::annotation::{self, Body};
use crate::document_node::DocumentNode;
use crate::{
    Cell, ContractError, FieldRule, Matching, Operation, Outcome, Policy, Problem, StatusPattern, field,
};

pub(super) fn read_cells(
    operation_at: &DocumentNode<'_>,
    operation: &Operation,
    policy: &Policy,
    scope: &Scope<'_>,
) -> Result<Vec<Cell>, ContractError> {
    let responses = operation_at.member("responses", "the documented answers")?;
    let mut cells = Vec::new();
    let mut names = BTreeSet::new();
    for response in responses.members()? {
        let status: StatusPattern = response
            .key()
            .parse()
            .map_err(|()| response.unexpected("a status such as 404, or a range such as 4XX, for its key"))?;
        let media = response
            .member("content", "the body of the answer")?
            .member("application/json", "every answer is JSON")?;
        media.member("schema", "the type of the body")?;
        for example in media.member("examples", "the documented answers of this status")?.members()? {
            if !names.insert(example.key().to_owned()) {
                return Err(example.unexpected("a name that no other example has"));
            }
            cells.push(read_cell(&example, status, operation, policy, scope)?);
        }
    }
    for outcome in [Outcome::Approved, Outcome::WrongCode, Outcome::Expired] {
        if !cells.iter().any(|cell| cell.outcome == outcome && !cell.alternative) {
            return Err(responses.error(Problem::Missing {
                member: outcome.to_string(),
                purpose: "every contract has a main answer for this outcome".to_owned(),
            }));
        }
    }
    Ok(cells)
}

fn read_cell(
    example: &DocumentNode<'_>,
    status: StatusPattern,
    operation: &Operation,
    policy: &Policy,
    scope: &Scope<'_>,
) -> Result<Cell, ContractError> {
    let notes_at = example.member("x-otp", "outcome, certainty and source of the answer")?;
    let notes: annotation::Example = notes_at.read()?;
    let body = example.member("value", "the body as the vendor prints it")?.value();
    let sandbox_status = match (status, notes.status) {
        (StatusPattern::Exact(exact), None) => exact,
        (StatusPattern::Class(_), Some(given)) if status.matches(given) => given,
        (StatusPattern::Class(_), None) => {
            return Err(notes_at.error(Problem::Missing {
                member: "status".to_owned(),
                purpose: format!("which of {status} the sandbox gives"),
            }));
        }
        _ => {
            return Err(notes_at
                .member("status", "")?
                .unexpected(format!("a status of {status}, under a range only")));
        }
    };
    if (notes.outcome == Outcome::Approved) && !status.is_success() {
        return Err(notes_at.member("outcome", "")?.unexpected("approved under a 2xx status only"));
    }
    if notes.mode.is_some() && policy.overrides.retry.is_none() {
        return Err(notes_at
            .member("mode", "")?
            .unexpected("no mode, for the policy has no override `retry`"));
    }
    let members = read_members(&notes_at, body, &notes.fields, operation)?;
    Ok(Cell {
        name: example.key().to_owned(),
        summary: example.member("summary", "one line for people")?.string()?.to_owned(),
        outcome: notes.outcome,
        status,
        sandbox_status,
        body: body.clone(),
        body_specified: notes.body == Body::Specified,
        members,
        situations: notes.situations.unwrap_or_else(|| notes.outcome.usual_situations().to_vec()),
        mode: notes.mode,
        alternative: notes.alternative,
        certainty: notes.certainty,
        source: scope.source(notes.source),
        note: notes.note,
    })
}

fn read_members(
    notes_at: &DocumentNode<'_>,
    body: &Value,
    rules: &BTreeMap<String, FieldRule>,
    operation: &Operation,
) -> Result<Vec<crate::Member>, ContractError> {
    let used: BTreeMap<&str, Flag<bool>> =
        rules.keys().map(|pointer| (pointer.as_str(), Flag::new(false))).collect();
    let members = field::members(body, &|pointer| {
        let rule = rules.get(pointer)?;
        used[pointer].set(true);
        Some(rule.clone())
    });
    let fields_at = notes_at.optional("fields")?;
    for (pointer, used) in used {
        if let (false, Some(fields)) = (used.get(), &fields_at) {
            return Err(fields.member(pointer, "")?.unexpected("the pointer of a place in the example"));
        }
    }
    for member in &members {
        if let (Matching::Echo(name), Some(fields)) = (&member.rule.matching, &fields_at) {
            let known = ["session", "code"].contains(&name.as_str())
                || operation.accounts.iter().any(|account| account.name == *name);
            if !known {
                return Err(fields
                    .member(&member.pointer, "")?
                    .unexpected("echo of `session`, `code` or an account parameter"));
            }
        }
    }
    Ok(members)
}
