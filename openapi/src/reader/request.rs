//! The request side: path, parameters, credentials, and where session and code sit.

use std::collections::BTreeSet;

use super::Scope;
use crate::document_node::DocumentNode;
use crate::{
    Account, CodeShape, ContractError, Location, Operation, Parameter, PathTemplate, PathVariant, Place,
    Problem, Role, Scheme, SecurityScheme, SessionId, ValueKind, annotation,
};

const ID_PATTERN_FORMS: &str = "text with {uuid}, {hex:N} or {digits:N} in it, N from 1 to 64";

pub(super) fn read_operation(
    root: &DocumentNode<'_>,
    path_at: &DocumentNode<'_>,
    operation_at: &DocumentNode<'_>,
    notes_at: &DocumentNode<'_>,
    notes: &annotation::Operation,
    scope: &Scope<'_>,
) -> Result<Operation, ContractError> {
    let path = PathTemplate::parse(path_at.key())
        .ok_or_else(|| path_at.unexpected("a path such as /v1/{account}/verify"))?;
    let session = Location { place: notes.session.r#in, name: notes.session.name.clone() };
    let code = Location { place: notes.code.r#in, name: notes.code.name.clone() };
    let body = body_members(operation_at)?;
    let declared = declared_parameters(operation_at)?;
    for (location, key) in [(&session, "session"), (&code, "code")] {
        let there = match location.place {
            Place::Path => path.parameters().any(|name| name == location.name),
            Place::Query => declared.iter().any(|parameter| parameter.name == location.name),
            Place::Body => body.iter().flatten().any(|name| *name == location.name),
        };
        if !there {
            return Err(notes_at.member(key, "")?.unexpected(format!(
                "the name of a {} of this operation",
                match location.place {
                    Place::Path => "path parameter",
                    Place::Query => "query parameter",
                    Place::Body => "member of the request body",
                }
            )));
        }
    }
    for name in path.parameters() {
        let carried = [&session, &code].iter().any(|used| used.place == Place::Path && used.name == name);
        if !carried && !notes.accounts.contains_key(name) {
            return Err(notes_at.error(Problem::Missing {
                member: format!("accounts > {name}"),
                purpose: "a path parameter is the session, the code, or names an account".to_owned(),
            }));
        }
    }
    for (name, account) in &notes.accounts {
        if !path.parameters().any(|parameter| parameter == name) {
            return Err(notes_at.member("accounts", "")?.unexpected("the names of path parameters"));
        }
        check_id_pattern(&account.id_pattern).map_err(|()| {
            notes_at.error(Problem::Unexpected {
                expected: format!("accounts > {name} > id_pattern: {ID_PATTERN_FORMS}"),
                found: account.id_pattern.clone(),
            })
        })?;
    }
    check_id_pattern(&notes.session.id_pattern).map_err(|()| {
        notes_at.error(Problem::Unexpected {
            expected: format!("session > id_pattern: {ID_PATTERN_FORMS}"),
            found: notes.session.id_pattern.clone(),
        })
    })?;
    let shape = CodeShape {
        location: code,
        alphabet: notes.code.alphabet,
        length: notes.code.length,
        min_length: notes.code.min_length,
        max_length: notes.code.max_length,
    };
    if shape.min_length == 0
        || !(shape.min_length..=shape.max_length).contains(&shape.length)
        || shape.max_length > 64
    {
        return Err(notes_at.member("code", "")?.unexpected("1 <= min_length <= length <= max_length <= 64"));
    }
    let path_variants = read_path_variants(notes_at, notes, &path, scope)?;
    Ok(Operation {
        role: Role::Verify,
        id: operation_at.member("operationId", "a name for the call")?.string()?.to_owned(),
        method: operation_at.key().to_ascii_uppercase(),
        path_variants,
        security: read_security(root, operation_at)?,
        accounts: notes
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
            id_pattern: notes.session.id_pattern.clone(),
            resend: notes.session.resend,
        },
        code: shape,
        has_body: body.is_some(),
        path,
        cells: Vec::new(),
    })
}

fn read_path_variants(
    notes_at: &DocumentNode<'_>,
    notes: &annotation::Operation,
    path: &PathTemplate,
    scope: &Scope<'_>,
) -> Result<Vec<PathVariant>, ContractError> {
    let same = |variant: &PathTemplate| {
        let ours: BTreeSet<_> = path.parameters().collect();
        ours == variant.parameters().collect::<BTreeSet<_>>()
    };
    notes
        .path_variants
        .iter()
        .map(|variant| match PathTemplate::parse(&variant.path) {
            Some(parsed) if same(&parsed) => Ok(PathVariant {
                path: parsed,
                source: scope.source(annotation::Source {
                    document: variant.source.document.clone(),
                    section: variant.source.section.clone(),
                }),
                note: variant.note.clone(),
            }),
            _ => Err(notes_at
                .member("path_variants", "")?
                .unexpected("paths with the same parameters as the operation's own")),
        })
        .collect()
}

/// Whether `pattern` is text in which only known placeholders stand in braces.
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

fn body_members<'a>(operation_at: &DocumentNode<'a>) -> Result<Option<Vec<&'a str>>, ContractError> {
    let Some(body) = operation_at.optional("requestBody")? else {
        return Ok(None);
    };
    let schema = body
        .member("content", "the media types of the body")?
        .member("application/json", "the body is a JSON object")?
        .member("schema", "the members of the body")?;
    let properties = schema.member("properties", "the members of the body")?;
    Ok(Some(properties.object()?.keys().map(String::as_str).collect()))
}

fn declared_parameters(operation_at: &DocumentNode<'_>) -> Result<Vec<Parameter>, ContractError> {
    let Some(parameters) = operation_at.optional("parameters")? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for parameter in parameters.elements()? {
        if parameter.member("in", "where the parameter sits")?.string()? != "query" {
            continue;
        }
        let schema = parameter.member("schema", "what the parameter may be")?;
        let bound = |name: &str, default| match schema.optional(name)? {
            Some(bound) => bound.value().as_i64().ok_or_else(|| bound.unexpected("a whole number")),
            None => Ok(default),
        };
        let kind = match schema.member("type", "the type of the parameter")?.string()? {
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

fn read_security(
    root: &DocumentNode<'_>,
    operation_at: &DocumentNode<'_>,
) -> Result<Vec<SecurityScheme>, ContractError> {
    let listed = match operation_at.optional("security")? {
        Some(listed) => listed,
        None => root.member("security", "how a call is authenticated")?,
    };
    let schemes = root
        .member("components", "the security schemes")?
        .member("securitySchemes", "the security schemes")?;
    let mut found = Vec::new();
    for requirement in listed.elements()? {
        let [scheme] = requirement
            .members()?
            .try_into()
            .map_err(|_| requirement.unexpected("one scheme; two that hold together are not supported"))?;
        let name = scheme.key().to_owned();
        let definition = schemes.member(&name, "the definition of a scheme that is used")?;
        let kind = definition.member("type", "http or apiKey")?;
        let scheme = match kind.string()? {
            "http" => {
                let scheme = definition.member("scheme", "bearer or basic")?;
                match scheme.string()?.to_ascii_lowercase().as_str() {
                    "bearer" => Scheme::Bearer,
                    "basic" => Scheme::Basic,
                    _ => return Err(scheme.unexpected("bearer or basic")),
                }
            }
            "apiKey" => {
                let place = definition.member("in", "header")?;
                if place.string()? != "header" {
                    return Err(place.unexpected("header"));
                }
                Scheme::ApiKey {
                    header: definition.member("name", "the header's name")?.string()?.to_owned(),
                }
            }
            _ => return Err(kind.unexpected("http or apiKey")),
        };
        found.push(SecurityScheme { name, scheme });
    }
    if found.is_empty() {
        return Err(listed.unexpected("at least one security scheme"));
    }
    Ok(found)
}
