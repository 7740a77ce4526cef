//! Reads the responses of an operation: each annotated example, named or alone, and each annotated response without a body
//! becomes a [`Cell`].
//!
//! It never looks at the request side of the document.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use super::problems::Problems;
use crate::annotation::{self, Body};
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{
    Account, Backing, Cell, CellFacts, Certainty, FieldRule, HeaderField, Matching, Member, Outcome, Role,
    Situation, StateValue, StatusPattern, field, is_json,
};

/// What the responses of an operation may refer to.
pub(super) struct Context<'c> {
    pub(super) role: Role,
    /// The title of the page that a cell cites unless it names another.
    pub(super) document: &'c str,
    /// The account parameters; absent if they could not be read.
    pub(super) accounts: Option<&'c [Account]>,
    /// Whether the request can allow further attempts after a wrong code.
    pub(super) has_retry: bool,
    /// Whether the request has a session and a code that a response can echo.
    pub(super) has_code: bool,
}

/// The outcomes for which every operation of a role has a main response.
fn required(role: Role) -> &'static [Outcome] {
    match role {
        Role::Verify => &[Outcome::Approved, Outcome::WrongCode, Outcome::Expired],
        Role::Send | Role::Resend => &[Outcome::Sent],
        Role::Status => &[Outcome::Open],
        Role::Cancel => &[Outcome::Cancelled],
    }
}

pub(super) fn read_cells(
    operation: &DocumentNode<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Option<Vec<Cell>> {
    let responses = problems.keep(operation.member("responses", "the documented responses"))?;
    let mut cells: Vec<Cell> = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let before = problems.len();
    for response in problems.keep(responses.members()).unwrap_or_default() {
        for annotated in problems.keep(annotated_in(&response)).unwrap_or_default() {
            let Some(cell) = read_cell(&response, &annotated, context, problems) else { continue };
            if !names.insert(cell.name.clone()) {
                problems.add(annotated.node.unexpected_key("a name that no other response has"));
                continue;
            }
            if let Some(other) = cells.iter().find(|other| is_second_main(other, &cell)) {
                let expected = format!(
                    "`alternative: true`, for `{}` is the main response with the outcome {} already",
                    other.name, cell.outcome
                );
                problems.add(annotated.extension.inner("outcome").unexpected(expected));
            }
            cells.push(cell);
        }
    }
    // A response that could not be read may be the one that is missing.
    if problems.len() == before {
        for outcome in required(context.role) {
            let is_main = |cell: &Cell| cell.outcomes().any(|own| own == *outcome) && !cell.alternative;
            if !cells.iter().any(is_main) {
                let purpose =
                    format!("every {} operation has a main response with this outcome", context.role);
                problems.add(responses.missing(outcome.as_str(), purpose));
            }
        }
    }
    Some(cells)
}

/// Whether both cells are what a server returns unless it is told otherwise.
fn is_second_main(one: &Cell, other: &Cell) -> bool {
    let is_same_situation = one.situations.iter().any(|situation| other.answers(*situation))
        || one.situations.is_empty() && other.situations.is_empty();
    !one.alternative
        && !other.alternative
        && one.outcome == other.outcome
        && one.mode == other.mode
        && is_same_situation
}

/// A response that is a cell.
struct AnnotatedResponse<'a> {
    /// The named example; the response itself if it has one example without a name, or no body.
    node: DocumentNode<'a>,
    extension: DocumentNode<'a>,
    /// The media type and its node; absent without a body.
    media: Option<DocumentNode<'a>>,
}

/// The annotated responses under one status. Responses and examples without an annotation are left alone.
fn annotated_in<'a>(response: &DocumentNode<'a>) -> Result<Vec<AnnotatedResponse<'a>>, Problem> {
    if let Some(extension) = response.optional("x-otp")? {
        if let Some(content) = response.optional("content")? {
            return Err(
                content.unexpected("no content beside x-otp, which describes a response without a body")
            );
        }
        return Ok(vec![AnnotatedResponse { node: response.clone(), extension, media: None }]);
    }
    let mut found = Vec::new();
    let Some(content) = response.optional("content")? else { return Ok(found) };
    for media in content.members()?.into_iter().filter(|media| is_json(media.key())) {
        if let Some(extension) = media.optional("x-otp")? {
            media.member("example", "the body as the vendor prints it")?;
            found.push(AnnotatedResponse { node: response.clone(), extension, media: Some(media.clone()) });
        }
        let Some(examples) = media.optional("examples")? else { continue };
        for node in examples.members()? {
            if let Some(extension) = node.optional("x-otp")? {
                found.push(AnnotatedResponse { node, extension, media: Some(media.clone()) });
            }
        }
    }
    Ok(found)
}

fn read_cell(
    response: &DocumentNode<'_>,
    annotated: &AnnotatedResponse<'_>,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Option<Cell> {
    let AnnotatedResponse { extension, media, .. } = annotated;
    let expected = "a status such as 404, or a range such as 4XX, for its key";
    let status = response.key().parse::<StatusPattern>().map_err(|()| response.unexpected_key(expected));
    let status = problems.keep(status);
    let annotation = problems.keep(extension.read::<annotation::Example>());
    let described = problems.keep(read_description(annotated, annotation.as_ref()));
    if let Some(media) = media {
        problems.keep(media.member("schema", "the type of the body"));
    }
    let (status, annotation, (name, summary, body)) = (status?, annotation?, described?);
    let sandbox_status = problems.keep(read_sandbox_status(extension, status, annotation.status));
    problems.keep(check_outcome(extension, context, &annotation, status));
    let members = read_members(extension, body, &annotation, context, problems);
    let headers = read_headers(response, extension, &annotation, context.document, problems);
    let situations = match (&annotation.situations, context.role) {
        (Some(_), role) if role != Role::Verify => {
            problems.add(
                extension.inner("situations").unexpected(format!("no situations in a {role} operation")),
            );
            Vec::new()
        }
        (Some(given), _) => given.clone(),
        (None, Role::Verify) => annotation.outcome.usual_situations().to_vec(),
        (None, _) => Vec::new(),
    };
    let facts = problems.keep(read_facts(extension, &annotation, &situations, context.document));
    Some(Cell {
        name,
        summary,
        outcome: annotation.outcome,
        status,
        sandbox_status: sandbox_status?,
        media_type: media.as_ref().map(|media| media.key().to_owned()),
        body: body.clone(),
        body_specified: annotation.body == Body::Specified,
        members,
        headers,
        situations,
        facts: facts?,
        mode: annotation.mode,
        alternative: annotation.alternative,
        certainty: annotation.certainty,
        source: annotation.source.cite(context.document),
        note: annotation.note,
    })
}

/// The name, the summary and the body of a response.
fn read_description<'a>(
    annotated: &AnnotatedResponse<'a>,
    annotation: Option<&annotation::Example>,
) -> Result<(String, String, &'a Value), Problem> {
    const NO_BODY: &Value = &Value::Null;
    let AnnotatedResponse { node, extension, media } = annotated;
    let given = annotation.and_then(|annotation| annotation.name.as_ref());
    let example = match media {
        Some(media) if media.place() == extension.parent() => media.optional("example")?,
        _ => None,
    };
    if media.is_some() && example.is_none() {
        if given.is_some() {
            return Err(extension.inner("name").unexpected("no name, for the example has one"));
        }
        let summary = node.member("summary", "one line for people")?.string()?;
        let body = node.member("value", "the body as the vendor prints it")?;
        return Ok((node.key().to_owned(), summary.to_owned(), body.value()));
    }
    let name = match given {
        Some(name) => name.clone(),
        None if annotation.is_none() => String::new(),
        None => return Err(extension.missing("name", "the name of the response")),
    };
    let summary = node.member("description", "one line for people")?.string()?;
    Ok((name, summary.to_owned(), example.map_or(NO_BODY, |example| example.value())))
}

fn read_sandbox_status(
    extension: &DocumentNode<'_>,
    status: StatusPattern,
    given: Option<u16>,
) -> Result<u16, Problem> {
    match (status, given) {
        (StatusPattern::Exact(exact), None) => Ok(exact),
        (StatusPattern::Class(_), Some(given)) if status.matches(given) => Ok(given),
        (StatusPattern::Class(_), None) => {
            Err(extension.missing("status", format!("which of {status} the sandbox returns")))
        }
        _ => Err(extension.inner("status").unexpected(format!("a status of {status}, under a range only"))),
    }
}

fn check_outcome(
    extension: &DocumentNode<'_>,
    context: &Context<'_>,
    annotation: &annotation::Example,
    status: StatusPattern,
) -> Result<(), Problem> {
    let outcome = annotation.outcome;
    let allowed = context.role.outcomes();
    if !allowed.contains(&outcome) {
        let expected = format!(
            "an outcome of a {} operation: {}",
            context.role,
            names(allowed.iter().map(|outcome| outcome.as_str()))
        );
        return Err(extension.inner("outcome").unexpected(expected));
    }
    if context.role.successes().contains(&outcome) && !status.is_success() {
        return Err(extension.inner("outcome").unexpected(format!("{outcome} under a 2xx status only")));
    }
    if annotation.mode.is_some() && !context.has_retry {
        return Err(extension.inner("mode").unexpected("no mode, for the policy has no override `retry`"));
    }
    Ok(())
}

/// How certain each part of the response is: as certain as the whole, unless the annotation says otherwise.
fn read_facts(
    extension: &DocumentNode<'_>,
    annotation: &annotation::Example,
    situations: &[Situation],
    document: &str,
) -> Result<CellFacts, Problem> {
    let whole = Backing { certainty: annotation.certainty, source: annotation.source.cite(document) };
    let part = |fact: Option<&annotation::Backing>| {
        fact.map_or_else(|| whole.clone(), |fact| fact.cite(document, &whole.source))
    };
    let given = &annotation.facts;
    let is_known = |name: &String| situations.iter().any(|situation| situation.as_str() == name);
    if let Some(unknown) = given.situations.keys().find(|name| !is_known(name)) {
        let places = extension.inner("facts").inner("situations");
        return Err(places.inner(unknown).unexpected("a situation of this response for its key"));
    }
    let body = match annotation.body {
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
    extension: &DocumentNode<'_>,
    body: &Value,
    annotation: &annotation::Example,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Vec<Member> {
    let rules = &annotation.fields;
    let fields = extension.inner("fields");
    if body.is_null() {
        if !rules.is_empty() {
            problems.add(fields.unexpected("no rules for members, for the response has no body"));
        }
        return Vec::new();
    }
    let members = field::members(body, &|pointer| rules.get(pointer).cloned());
    for pointer in rules.keys().filter(|pointer| members.iter().all(|member| member.pointer != **pointer)) {
        problems.add(fields.inner(pointer).unexpected("the pointer of a place in the example"));
    }
    for member in &members {
        let Matching::Echo(name) = &member.rule.matching else { continue };
        let is_request_value = context.has_code && ["session", "code"].contains(&name.as_str());
        let Some(accounts) = context.accounts else { continue };
        if !is_request_value && !accounts.iter().any(|account| account.name == *name) {
            let expected = match context.has_code {
                true => "echo of `session`, `code` or an account parameter",
                false => "echo of an account parameter",
            };
            problems.add(fields.inner(&member.pointer).unexpected(expected));
        }
    }
    members
}

fn read_headers(
    response: &DocumentNode<'_>,
    extension: &DocumentNode<'_>,
    annotation: &annotation::Example,
    document: &str,
    problems: &mut Problems,
) -> Vec<HeaderField> {
    let mut headers = Vec::new();
    let declared = problems.keep(response.optional("headers")).flatten();
    let whole = annotation.source.cite(document);
    for (name, header) in &annotation.headers {
        let node = extension.inner("headers").inner(name);
        let is_declared = declared
            .as_ref()
            .and_then(|declared| declared.value().as_object())
            .is_some_and(|declared| declared.keys().any(|declared| declared.eq_ignore_ascii_case(name)));
        if !is_declared {
            problems.add(node.unexpected_key("the name of a header of this response"));
        }
        let rule = header.rule.clone().unwrap_or(FieldRule::LITERAL);
        let is_applicable = matches!(
            rule.matching,
            Matching::Literal
                | Matching::IgnoreCase
                | Matching::Text
                | Matching::Open
                | Matching::State(StateValue::LockoutSeconds)
        );
        if !is_applicable {
            let expected = "literal, ignore_case, text, open, optional or {state: lockout_seconds}";
            problems.add(node.inner("rule").unexpected(expected));
        }
        let is_text =
            !header.value.is_empty() && header.value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_text {
            problems.add(node.inner("value").unexpected("a text in ASCII"));
        }
        let certainty = header.certainty.unwrap_or(annotation.certainty);
        let source = header.source.as_ref().map_or_else(|| whole.clone(), |source| source.cite(document));
        headers.push(HeaderField {
            name: name.to_ascii_lowercase(),
            example: header.value.clone(),
            rule,
            backing: Backing { certainty, source },
        });
    }
    headers
}
