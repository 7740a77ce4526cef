//! Reads the response side of an operation: each named example of each response becomes a [`Cell`].
//!
//! Uses what `request` has read of the operation. It never looks at the request side of the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::annotation::{self, Body};
use crate::document_node::DocumentNode;
use crate::{
    Backing, Cell, CellFacts, Certainty, ContractError, FieldRule, Matching, Operation, Outcome, Policy,
    Problem, Situation, StatusPattern, field, is_json,
};

pub(super) fn read_cells(
    operation_node: &DocumentNode<'_>,
    operation: &Operation,
    policy: &Policy,
    document: &str,
) -> Result<Vec<Cell>, ContractError> {
    let responses = operation_node.member("responses", "the documented responses")?;
    let mut cells = Vec::new();
    let mut names = BTreeSet::new();
    for response in responses.members()? {
        let Some(content) = response.optional("content")? else { continue };
        for media in content.members()?.into_iter().filter(|media| is_json(media.key())) {
            let Some(examples) = media.optional("examples")? else { continue };
            // Responses and examples without an annotation are left alone.
            for example in examples.members()?.into_iter().filter(is_annotated) {
                let status: StatusPattern = response.key().parse().map_err(|()| {
                    response.unexpected("a status such as 404, or a range such as 4XX, for its key")
                })?;
                media.member("schema", "the type of the body")?;
                if !names.insert(example.key().to_owned()) {
                    return Err(example.unexpected("a name that no other example has"));
                }
                cells.push(read_cell(&example, media.key(), status, operation, policy, document)?);
            }
        }
    }
    for situation in [Situation::Approved, Situation::WrongCode, Situation::Expired] {
        if !cells.iter().any(|cell| cell.answers(situation) && !cell.alternative) {
            return Err(responses.error(Problem::Missing {
                member: situation.to_string(),
                purpose: "every contract has a main response in this situation".to_owned(),
            }));
        }
    }
    Ok(cells)
}

fn is_annotated(example: &DocumentNode<'_>) -> bool {
    example.value().get("x-otp").is_some()
}

fn read_cell(
    example: &DocumentNode<'_>,
    media_type: &str,
    status: StatusPattern,
    operation: &Operation,
    policy: &Policy,
    document: &str,
) -> Result<Cell, ContractError> {
    let extension_node = example.member("x-otp", "outcome, certainty and source of the response")?;
    let extension: annotation::Example = extension_node.read()?;
    let body = example.member("value", "the body as the vendor prints it")?.value();
    let sandbox_status = match (status, extension.status) {
        (StatusPattern::Exact(exact), None) => exact,
        (StatusPattern::Class(_), Some(given)) if status.matches(given) => given,
        (StatusPattern::Class(_), None) => {
            return Err(extension_node.error(Problem::Missing {
                member: "status".to_owned(),
                purpose: format!("which of {status} the sandbox returns"),
            }));
        }
        _ => {
            return Err(extension_node
                .member("status", "")?
                .unexpected(format!("a status of {status}, under a range only")));
        }
    };
    if extension.outcome == Outcome::Approved && !status.is_success() {
        return Err(extension_node.member("outcome", "")?.unexpected("approved under a 2xx status only"));
    }
    if extension.mode.is_some() && policy.overrides.retry.is_none() {
        return Err(extension_node
            .member("mode", "")?
            .unexpected("no mode, for the policy has no override `retry`"));
    }
    let members = read_members(&extension_node, body, &extension.fields, operation)?;
    let situations =
        extension.situations.clone().unwrap_or_else(|| extension.outcome.usual_situations().to_vec());
    let facts = read_facts(&extension_node, &extension, &situations, document)?;
    Ok(Cell {
        name: example.key().to_owned(),
        summary: example.member("summary", "one line for people")?.string()?.to_owned(),
        outcome: extension.outcome,
        status,
        sandbox_status,
        media_type: media_type.to_owned(),
        body: body.clone(),
        body_specified: extension.body == Body::Specified,
        members,
        situations,
        facts,
        mode: extension.mode,
        alternative: extension.alternative,
        certainty: extension.certainty,
        source: extension.source.cite(document),
        note: extension.note,
    })
}

/// How certain each part of the response is: as certain as the whole, unless the annotation says otherwise.
fn read_facts(
    extension_node: &DocumentNode<'_>,
    extension: &annotation::Example,
    situations: &[Situation],
    document: &str,
) -> Result<CellFacts, ContractError> {
    let whole = Backing { certainty: extension.certainty, source: extension.source.cite(document) };
    let part = |fact: Option<&annotation::Backing>| {
        fact.map_or_else(|| whole.clone(), |fact| fact.cite(document, &whole.source))
    };
    let given = &extension.facts;
    let is_known = |name: &String| situations.iter().any(|situation| situation.as_str() == name);
    if let Some(unknown) = given.situations.keys().find(|name| !is_known(name)) {
        let places = extension_node.member("facts", "")?.member("situations", "")?;
        return Err(places.member(unknown, "")?.unexpected("a situation of this response for its key"));
    }
    let body = match extension.body {
        Body::Specified => part(given.body.as_ref()),
        Body::Unspecified => Backing { certainty: Certainty::Inferred, ..part(given.body.as_ref()) },
    };
    Ok(CellFacts {
        status: part(given.status.as_ref()),
        body,
        situations: situations
            .iter()
            .map(|situation| (*situation, part(given.situations.get(situation.as_str()))))
            .collect(),
    })
}

fn read_members(
    extension_node: &DocumentNode<'_>,
    body: &Value,
    rules: &BTreeMap<String, FieldRule>,
    operation: &Operation,
) -> Result<Vec<crate::Member>, ContractError> {
    let members = field::members(body, &|pointer| rules.get(pointer).cloned());
    let fields_node = extension_node.optional("fields")?;
    let unused = rules.keys().find(|pointer| members.iter().all(|member| member.pointer != **pointer));
    if let (Some(pointer), Some(fields)) = (unused, &fields_node) {
        return Err(fields.member(pointer, "")?.unexpected("the pointer of a place in the example"));
    }
    for member in &members {
        if let (Matching::Echo(name), Some(fields)) = (&member.rule.matching, &fields_node) {
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
