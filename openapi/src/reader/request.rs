//! Reads the request side of an operation: path, parameters, credentials, and the places of session id and code.
//!
//! It never looks at the responses.

use std::collections::{BTreeMap, BTreeSet};

use super::security::read_security;
use crate::document_node::DocumentNode;
use crate::{
    Account, Backing, BodyEncoding, CodeShape, ContractError, Fact, Location, Operation, Parameter,
    PathTemplate, PathVariant, Place, Problem, Role, SessionId, ValueKind, annotation,
};

const ID_PATTERN_FORMS: &str = "text with {uuid}, {hex:N} or {digits:N} in it, N from 1 to 64";

pub(super) fn read_operation(
    root: &DocumentNode<'_>,
    path_node: &DocumentNode<'_>,
    operation_node: &DocumentNode<'_>,
    extension_node: &DocumentNode<'_>,
    extension: &annotation::Operation,
    document: &str,
) -> Result<Operation, ContractError> {
    let path = PathTemplate::parse(path_node.key())
        .ok_or_else(|| path_node.unexpected("a path such as /v1/{account}/verify"))?;
    let body = body_members(operation_node)?;
    let is_form = matches!(body, Some((BodyEncoding::Form, _)));
    let located = |place: Place, name: &str| {
        let place = if place == Place::Body && is_form { Place::Form } else { place };
        Location { place, name: name.to_owned() }
    };
    let session = located(extension.session.r#in, &extension.session.name);
    let code = located(extension.code.r#in, &extension.code.name);
    let declared = declared_parameters(path_node, operation_node)?;
    for (location, key) in [(&session, "session"), (&code, "code")] {
        check_location(extension_node, key, location, &path, &declared, body.as_ref())?;
    }
    for name in path.parameters() {
        let is_session_or_code =
            [&session, &code].iter().any(|used| used.place == Place::Path && used.name == name);
        if !is_session_or_code && !extension.accounts.contains_key(name) {
            return Err(extension_node.error(Problem::Missing {
                member: format!("accounts > {name}"),
                purpose: "a path parameter is the session id, the code, or names an account".to_owned(),
            }));
        }
    }
    for (name, account) in &extension.accounts {
        if !path.parameters().any(|parameter| parameter == name) {
            return Err(extension_node.member("accounts", "")?.unexpected("the names of path parameters"));
        }
        check_id_pattern(&account.id_pattern).map_err(|()| {
            extension_node.error(Problem::Unexpected {
                expected: format!("accounts > {name} > id_pattern: {ID_PATTERN_FORMS}"),
                found: account.id_pattern.clone(),
            })
        })?;
    }
    check_id_pattern(&extension.session.id_pattern).map_err(|()| {
        extension_node.error(Problem::Unexpected {
            expected: format!("session > id_pattern: {ID_PATTERN_FORMS}"),
            found: extension.session.id_pattern.clone(),
        })
    })?;
    let shape = CodeShape {
        location: code,
        alphabet: extension.code.alphabet,
        length: extension.code.length,
        min_length: extension.code.min_length,
        max_length: extension.code.max_length,
    };
    if shape.min_length == 0
        || !(shape.min_length..=shape.max_length).contains(&shape.length)
        || shape.max_length > 64
    {
        return Err(extension_node
            .member("code", "")?
            .unexpected("1 <= min_length <= length <= max_length <= 64"));
    }
    let path_variants = read_path_variants(extension_node, extension, &path, document)?;
    Ok(Operation {
        role: Role::Verify,
        id: operation_node.member("operationId", "a name for the operation")?.string()?.to_owned(),
        method: operation_node.key().to_ascii_uppercase(),
        path_variants,
        security: read_security(root, operation_node)?,
        accounts: extension
            .accounts
            .iter()
            .map(|(name, account)| Account { name: name.clone(), id_pattern: account.id_pattern.clone() })
            .collect(),
        parameters: declared
            .into_iter()
            .filter(|parameter| ![&session, &shape.location].iter().any(|used| used.name == parameter.name))
            .collect(),
        session: SessionId {
            location: session,
            id_pattern: extension.session.id_pattern.clone(),
            resend: extension.session.resend,
        },
        code: shape,
        body: body.as_ref().map(|(encoding, _)| *encoding),
        path,
        cells: Vec::new(),
        facts: read_facts(extension_node, extension, document)?,
    })
}

/// Checks that the operation has the value at `location`, which the member `key` of the annotation names.
fn check_location(
    extension_node: &DocumentNode<'_>,
    key: &str,
    location: &Location,
    path: &PathTemplate,
    declared: &[Parameter],
    body: Option<&BodyMembers<'_>>,
) -> Result<(), ContractError> {
    let (exists, kind) = match location.place {
        Place::Path => (path.parameters().any(|name| name == location.name), "path parameter"),
        Place::Query => (declared.iter().any(|parameter| parameter.name == location.name), "query parameter"),
        Place::Body | Place::Form => {
            let mut names = body.iter().flat_map(|(_, names)| names);
            (names.any(|name| *name == location.name), "member of the request body")
        }
    };
    match exists {
        true => Ok(()),
        false => {
            Err(extension_node.member(key, "")?.unexpected(format!("the name of a {kind} of this operation")))
        }
    }
}

fn read_facts(
    extension_node: &DocumentNode<'_>,
    extension: &annotation::Operation,
    document: &str,
) -> Result<BTreeMap<Fact, Backing>, ContractError> {
    let mut facts = BTreeMap::new();
    for (name, backing) in &extension.facts {
        let Some(fact) = Fact::ALL.into_iter().find(|fact| fact.as_str() == name) else {
            let names: Vec<_> = Fact::ALL.iter().map(|fact| fact.as_str()).collect();
            return Err(extension_node
                .member("facts", "")?
                .unexpected(format!("the names of facts only: {}", names.join(", "))));
        };
        let source = backing.source.cite(document);
        facts.insert(fact, Backing { certainty: backing.certainty, source });
    }
    Ok(facts)
}

fn read_path_variants(
    extension_node: &DocumentNode<'_>,
    extension: &annotation::Operation,
    path: &PathTemplate,
    document: &str,
) -> Result<Vec<PathVariant>, ContractError> {
    let has_same_parameters = |variant: &PathTemplate| {
        let ours: BTreeSet<_> = path.parameters().collect();
        ours == variant.parameters().collect::<BTreeSet<_>>()
    };
    extension
        .path_variants
        .iter()
        .map(|variant| match PathTemplate::parse(&variant.path) {
            Some(parsed) if has_same_parameters(&parsed) => Ok(PathVariant {
                path: parsed,
                source: variant.source.cite(document),
                note: variant.note.clone(),
            }),
            _ => Err(extension_node
                .member("path_variants", "")?
                .unexpected("paths with the same parameters as the operation's own")),
        })
        .collect()
}

/// Checks that only known placeholders are in braces, and that there is at least one.
fn check_id_pattern(pattern: &str) -> Result<(), ()> {
    let mut rest = pattern;
    let mut random = false;
    while let Some(start) = rest.find(['{', '}']) {
        let token = rest[start..].strip_prefix('{').ok_or(())?;
        let end = token.find('}').ok_or(())?;
        let known = match token[..end].split_once(':') {
            None => &token[..end] == "uuid",
            Some(("hex" | "digits", count)) => matches!(count.parse::<usize>(), Ok(1..=64)),
            Some(_) => false,
        };
        if !known {
            return Err(());
        }
        random = true;
        rest = &token[end + 1..];
    }
    if random { Ok(()) } else { Err(()) }
}

/// The encoding of the body, and the names of its members.
type BodyMembers<'a> = (BodyEncoding, Vec<&'a str>);

fn body_members<'a>(operation_node: &DocumentNode<'a>) -> Result<Option<BodyMembers<'a>>, ContractError> {
    let Some(body) = operation_node.optional("requestBody")? else {
        return Ok(None);
    };
    let content = body.member("content", "the media types of the body")?;
    let form = content.optional(BodyEncoding::Form.media_type())?;
    let (encoding, media) = match (content.optional(BodyEncoding::Json.media_type())?, form) {
        (Some(media), _) => (BodyEncoding::Json, media),
        (None, Some(media)) => (BodyEncoding::Form, media),
        (None, None) => {
            return Err(content.unexpected("application/json or application/x-www-form-urlencoded"));
        }
    };
    let schema = media.member("schema", "the members of the body")?;
    let properties = schema.member("properties", "the members of the body")?;
    Ok(Some((encoding, properties.object()?.keys().map(String::as_str).collect())))
}

/// The query parameters of the operation, and those of its path that it does not declare itself.
fn declared_parameters(
    path_node: &DocumentNode<'_>,
    operation_node: &DocumentNode<'_>,
) -> Result<Vec<Parameter>, ContractError> {
    let mut found = parameters_of(operation_node)?;
    for shared in parameters_of(path_node)? {
        if !found.iter().any(|parameter| parameter.name == shared.name) {
            found.push(shared);
        }
    }
    Ok(found)
}

fn parameters_of(node: &DocumentNode<'_>) -> Result<Vec<Parameter>, ContractError> {
    let Some(parameters) = node.optional("parameters")? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for parameter in parameters.elements()? {
        if parameter.member("in", "where the parameter is sent")?.string()? != "query" {
            continue;
        }
        let schema = parameter.member("schema", "what the parameter may be")?;
        let bound = |name: &str, default| match schema.optional(name)? {
            Some(bound) => bound.value().as_i64().ok_or_else(|| bound.unexpected("a whole number")),
            None => Ok(default),
        };
        let kind = match type_of(&schema)? {
            "integer" => {
                ValueKind::Integer { min: bound("minimum", i64::MIN)?, max: bound("maximum", i64::MAX)? }
            }
            "boolean" => ValueKind::Boolean,
            _ => ValueKind::Text,
        };
        found.push(Parameter {
            name: parameter.member("name", "the parameter's name")?.string()?.to_owned(),
            required: match parameter.optional("required")? {
                Some(required) => required.read()?,
                None => false,
            },
            kind,
        });
    }
    Ok(found)
}

/// The type of a schema. OpenAPI 3.1 also allows a list, such as `[integer, "null"]`.
fn type_of<'a>(schema: &DocumentNode<'a>) -> Result<&'a str, ContractError> {
    let kind = schema.member("type", "the type of the parameter")?;
    match kind.value().as_array() {
        None => kind.string(),
        Some(types) => types
            .iter()
            .filter_map(serde_json::Value::as_str)
            .find(|name| *name != "null")
            .ok_or_else(|| kind.unexpected("the name of a type")),
    }
}
