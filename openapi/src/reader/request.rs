//! Reads what every operation has: path, parameters, credentials, accounts, the encoding of the body, and the facts.
//!
//! It never looks at the responses, or at what only one role has.

use std::collections::{BTreeMap, BTreeSet};

use super::problems::Problems;
use super::security::read_security;
use super::{Annotated, names};
use crate::annotation;
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{
    Account, Backing, BodyEncoding, Fact, Location, Parameter, PathTemplate, PathVariant, Place,
    SecurityScheme, ValueKind,
};

const ID_PATTERN_FORMS: &str = "text with {uuid}, {hex:N} or {digits:N} in it, N from 1 to 64";

/// What every operation has.
pub(super) struct Endpoint<'a> {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: PathTemplate,
    pub(super) path_variants: Vec<PathVariant>,
    pub(super) security: Vec<SecurityScheme>,
    pub(super) accounts: Vec<Account>,
    /// Every query parameter.
    pub(super) parameters: Vec<Parameter>,
    pub(super) facts: BTreeMap<Fact, Backing>,
    body: Option<(BodyEncoding, DocumentNode<'a>)>,
}

impl<'a> Endpoint<'a> {
    pub(super) fn read(
        root: &DocumentNode<'a>,
        annotated: &Annotated<'a>,
        document: &str,
        problems: &mut Problems,
    ) -> Option<Endpoint<'a>> {
        let Annotated { path: path_node, operation, extension, .. } = annotated;
        let path = PathTemplate::parse(path_node.key())
            .ok_or_else(|| path_node.unexpected_key("a path such as /v1/{account}/verify"));
        let path = problems.keep(path);
        let id = problems
            .keep(operation.member("operationId", "a name for the operation").and_then(|id| id.string()));
        let body = problems.keep(read_body(operation));
        let parameters = problems.keep(declared_parameters(path_node, operation));
        let security = problems.keep(read_security(root, operation));
        let facts = problems.keep(extension.optional("facts"));
        let facts = facts.flatten().map_or_else(BTreeMap::new, |node| read_facts(&node, document, problems));
        let path = path?;
        Some(Endpoint {
            id: id?.to_owned(),
            method: operation.key().to_ascii_uppercase(),
            path_variants: read_path_variants(extension, &path, document, problems),
            accounts: read_accounts(extension, &path, problems),
            security: security?,
            parameters: parameters?,
            facts,
            body: body?,
            path,
        })
    }

    /// How the request's body is encoded, if it has one.
    pub(super) fn encoding(&self) -> Option<BodyEncoding> {
        self.body.as_ref().map(|(encoding, _)| *encoding)
    }

    /// The location that an annotation names, if the operation has it.
    pub(super) fn locate(
        &self,
        node: &DocumentNode<'a>,
        place: Place,
        name: &str,
    ) -> Result<Location, Problem> {
        let is_form = self.encoding() == Some(BodyEncoding::Form);
        let place = if place == Place::Body && is_form { Place::Form } else { place };
        let location = Location { place, name: name.to_owned() };
        let (exists, kind) = match place {
            Place::Path => (self.path.parameters().any(|parameter| parameter == name), "path parameter"),
            Place::Query => {
                (self.parameters.iter().any(|parameter| parameter.name == name), "query parameter")
            }
            Place::Body | Place::Form => {
                let exists = match &self.body {
                    Some((_, schema)) => has_property(schema, &location.keys())?,
                    None => false,
                };
                (exists, "member of the request body")
            }
        };
        match exists {
            true => Ok(location),
            false => Err(node.unexpected(format!("the name of a {kind} of this operation"))),
        }
    }

    /// Notes each path parameter that is neither an account nor one of `used`.
    pub(super) fn check_path(
        &self,
        extension: &DocumentNode<'_>,
        used: &[&Location],
        problems: &mut Problems,
    ) {
        for name in self.path.parameters() {
            let is_used = used.iter().any(|used| used.place == Place::Path && used.name == name);
            if !is_used && !self.accounts.iter().any(|account| account.name == name) {
                problems.add(extension.missing(
                    format!("accounts > {name}"),
                    "a path parameter is the session id, the code, the recipient, or names an account",
                ));
            }
        }
    }

    /// The query parameters other than `used`.
    pub(super) fn parameters_beside(&self, used: &[&Location]) -> Vec<Parameter> {
        let is_used = |parameter: &&Parameter| {
            used.iter().any(|used| used.place == Place::Query && used.name == parameter.name)
        };
        self.parameters.iter().filter(|parameter| !is_used(parameter)).cloned().collect()
    }
}

fn read_accounts(extension: &DocumentNode<'_>, path: &PathTemplate, problems: &mut Problems) -> Vec<Account> {
    let Some(Some(listed)) = problems.keep(extension.optional("accounts")) else { return Vec::new() };
    let mut accounts = Vec::new();
    for account in problems.keep(listed.members()).unwrap_or_default() {
        let name = account.key().to_owned();
        if !path.parameters().any(|parameter| parameter == name) {
            problems.add(account.unexpected_key("the names of path parameters"));
        }
        let Some(annotation::Account { id_pattern }) = problems.keep(account.read()) else { continue };
        problems.keep(check_id_pattern(&account, &id_pattern));
        accounts.push(Account { name, id_pattern });
    }
    accounts
}

fn read_facts(node: &DocumentNode<'_>, document: &str, problems: &mut Problems) -> BTreeMap<Fact, Backing> {
    let mut facts = BTreeMap::new();
    for stated in problems.keep(node.members()).unwrap_or_default() {
        let Some(fact) = Fact::ALL.into_iter().find(|fact| fact.as_str() == stated.key()) else {
            let known = names(Fact::ALL.map(Fact::as_str));
            problems.add(stated.unexpected_key(format!("the names of facts only: {known}")));
            continue;
        };
        let Some(backing) = problems.keep(stated.read::<annotation::FactBacking>()) else { continue };
        let source = backing.source.cite(document);
        facts.insert(fact, Backing { certainty: backing.certainty, source });
    }
    facts
}

fn read_path_variants(
    extension: &DocumentNode<'_>,
    path: &PathTemplate,
    document: &str,
    problems: &mut Problems,
) -> Vec<PathVariant> {
    let Some(Some(listed)) = problems.keep(extension.optional("path_variants")) else { return Vec::new() };
    let ours: BTreeSet<_> = path.parameters().collect();
    let mut variants = Vec::new();
    for node in problems.keep(listed.elements()).unwrap_or_default() {
        let Some(variant) = problems.keep(node.read::<annotation::PathVariant>()) else { continue };
        match PathTemplate::parse(&variant.path) {
            Some(path) if path.parameters().collect::<BTreeSet<_>>() == ours => {
                variants.push(PathVariant {
                    path,
                    source: variant.source.cite(document),
                    note: variant.note,
                });
            }
            _ => problems
                .add(node.inner("path").unexpected("a path with the same parameters as the operation's own")),
        }
    }
    variants
}

/// Checks that only known placeholders are in braces, and that there is at least one.
pub(super) fn check_id_pattern(node: &DocumentNode<'_>, pattern: &str) -> Result<(), Problem> {
    match is_id_pattern(pattern) {
        true => Ok(()),
        false => Err(node.inner("id_pattern").unexpected(ID_PATTERN_FORMS)),
    }
}

fn is_id_pattern(pattern: &str) -> bool {
    let mut rest = pattern;
    let mut is_random = false;
    while let Some(start) = rest.find(['{', '}']) {
        let Some((token, after)) = rest[start..].strip_prefix('{').and_then(|token| token.split_once('}'))
        else {
            return false;
        };
        let is_known = match token.split_once(':') {
            None => token == "uuid",
            Some(("hex" | "digits", count)) => matches!(count.parse::<usize>(), Ok(1..=64)),
            Some(_) => false,
        };
        if !is_known {
            return false;
        }
        is_random = true;
        rest = after;
    }
    is_random
}

/// The encoding of the body, and its schema.
fn read_body<'a>(operation: &DocumentNode<'a>) -> Result<Option<(BodyEncoding, DocumentNode<'a>)>, Problem> {
    let Some(body) = operation.optional("requestBody")? else {
        return Ok(None);
    };
    let content = body.member("content", "the media types of the body")?;
    for encoding in [BodyEncoding::Json, BodyEncoding::Form] {
        if let Some(media) = content.optional(encoding.media_type())? {
            let schema = media.member("schema", "the members of the body")?;
            return Ok(Some((encoding, schema)));
        }
    }
    Err(content.unexpected("application/json or application/x-www-form-urlencoded"))
}

/// Whether a schema, or one that it is composed of, has the member at the end of `keys`.
fn has_property(schema: &DocumentNode<'_>, keys: &[&str]) -> Result<bool, Problem> {
    has_unseen_property(schema, keys, &mut BTreeSet::new())
}

/// The same, without the schemas at the places in `seen`, each with the number of keys that were left there: schemas may
/// contain each other, and many times.
fn has_unseen_property(
    schema: &DocumentNode<'_>,
    keys: &[&str],
    seen: &mut BTreeSet<(Vec<String>, usize)>,
) -> Result<bool, Problem> {
    /// How many schemas are searched; a request is made of a handful.
    const MOST: usize = 500;
    let [first, rest @ ..] = keys else { return Ok(true) };
    if seen.len() >= MOST || !seen.insert((schema.place().to_vec(), keys.len())) {
        return Ok(false);
    }
    if let Some(properties) = schema.optional("properties")?
        && let Some(property) = properties.optional(first)?
        && has_unseen_property(&property, rest, seen)?
    {
        return Ok(true);
    }
    for composition in ["allOf", "anyOf", "oneOf"] {
        let Some(parts) = schema.optional(composition)? else { continue };
        for part in parts.elements()? {
            if has_unseen_property(&part, keys, seen)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The query parameters of the operation, and those of its path that it does not declare itself.
fn declared_parameters(
    path_node: &DocumentNode<'_>,
    operation_node: &DocumentNode<'_>,
) -> Result<Vec<Parameter>, Problem> {
    let mut found = parameters_of(operation_node)?;
    for shared in parameters_of(path_node)? {
        if !found.iter().any(|parameter| parameter.name == shared.name) {
            found.push(shared);
        }
    }
    Ok(found)
}

fn parameters_of(node: &DocumentNode<'_>) -> Result<Vec<Parameter>, Problem> {
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
            required: parameter.read_or_default("required")?,
            kind,
        });
    }
    Ok(found)
}

/// The type of a schema. OpenAPI 3.1 also allows a list, such as `[integer, "null"]`.
fn type_of<'a>(schema: &DocumentNode<'a>) -> Result<&'a str, Problem> {
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
