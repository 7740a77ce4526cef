//! Reads a document into a [`Contract`].
//!
//! Checks that the annotations agree with the OpenAPI parts and with each other, so that the sandbox, the suite and the
//! code generator can rely on every contract. Uses the annotations, the document nodes and every type of a contract. It
//! never decides what a server or a check does with a contract.

use cells::read_cells;
use request::read_operation;

use crate::document_node::DocumentNode;
use crate::{
    Backing, Boundary, Certainty, Cited, Contract, ContractError, Coverage, Lifetime, Limit, Operation,
    Outcome, Overrides, Policy, Problem, SendLimit, SendPolicy, Source, Statement, ValueKind, annotation,
    is_vendor_id,
};

mod cells;
mod request;
mod security;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// The size of the longest document that is read: many times that of the longest contract, and small enough that a text
/// which is no contract is refused at once. The parser itself bounds the nesting and the use of aliases.
const MAX_BYTES: usize = 4 << 20;

impl Contract {
    /// Reads a document. Errors refer to it as `file`.
    ///
    /// # Errors
    /// Names the first place that is not as expected.
    pub fn from_yaml(file: &str, text: &str) -> Result<Contract, ContractError> {
        let whole = |problem| ContractError { file: file.to_owned(), place: Vec::new(), problem };
        if text.len() > MAX_BYTES {
            return Err(whole(Problem::TooLong { limit: MAX_BYTES, found: text.len() }));
        }
        // Through YAML's own value, which refuses duplicate keys and reads the key `200:` as the text "200".
        let mut yaml: serde_norway::Value =
            serde_norway::from_str(text).map_err(|error| whole(Problem::NotYaml(error.to_string())))?;
        yaml.apply_merge().map_err(|error| whole(Problem::NotYaml(error.to_string())))?;
        let root = serde_json::to_value(yaml).map_err(|error| whole(Problem::NotYaml(error.to_string())))?;
        read_document(&DocumentNode::new(file, &root))
    }

    /// Reads the document in a file.
    ///
    /// # Errors
    /// As [`Contract::from_yaml`], and [`Problem::Unreadable`] if the file cannot be read.
    pub fn from_file(path: &std::path::Path) -> Result<Contract, ContractError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Contract::from_yaml(&file, &text),
            Err(error) => Err(ContractError {
                file,
                place: Vec::new(),
                problem: Problem::Unreadable(error.to_string()),
            }),
        }
    }
}

fn read_document(root: &DocumentNode<'_>) -> Result<Contract, ContractError> {
    let version = root.member("openapi", "the OpenAPI version")?;
    let text = version.string()?;
    if !text.starts_with("3.0.") && !text.starts_with("3.1.") {
        return Err(version.unexpected("OpenAPI 3.0.x or 3.1.x"));
    }
    let vendor_node = root.member("x-otp-vendor", "whose API this is: id, name and document")?;
    let vendor: annotation::Vendor = vendor_node.read()?;
    if !is_vendor_id(&vendor.id) {
        let expected = "a lower-case letter, then lower-case letters, digits and _";
        return Err(vendor_node.member("id", "")?.unexpected(expected));
    }
    if vendor.request_id.iter().any(|pointer| !pointer.starts_with('/')) {
        return Err(vendor_node.member("request_id", "")?.unexpected("JSON pointers such as /requestId"));
    }

    let (path_node, operation_node) = find_operation(root)?;
    let extension_node =
        operation_node.member("x-otp", "the places of session id and code, and the policy")?;
    let extension: annotation::Operation = extension_node.read()?;

    let mut operation =
        read_operation(root, &path_node, &operation_node, &extension_node, &extension, &vendor.document)?;
    let policy =
        read_policy(&extension_node.member("policy", "")?, extension.policy, &operation, &vendor.document)?;
    operation.cells = read_cells(&operation_node, &operation, &policy, &vendor.document)?;
    let statements = read_statements(&vendor_node, vendor.statements, &vendor.document)?;
    Ok(Contract {
        vendor: vendor.id,
        name: vendor.name,
        base_url: base_url(root)?,
        operations: vec![operation],
        policy,
        refusal: extension.refusal.body,
        statements,
        document: vendor.document,
        request_id: vendor.request_id,
    })
}

fn read_statements(
    vendor_node: &DocumentNode<'_>,
    statements: Vec<annotation::Statement>,
    document: &str,
) -> Result<Vec<Statement>, ContractError> {
    let read = |statement: annotation::Statement| {
        let coverage = match (statement.situations, statement.untestable) {
            (situations, None) if !situations.is_empty() => Coverage::Situations(situations),
            (situations, Some(reason)) if situations.is_empty() => {
                Coverage::Untestable(reason.trim().to_owned())
            }
            _ => {
                let expected =
                    "either the situations in which the sentence can be observed, or why it is untestable";
                return Err(vendor_node.member("statements", "")?.unexpected(expected));
            }
        };
        let source = Source { document: document.to_owned(), section: statement.section };
        Ok(Statement { text: statement.text, source, coverage })
    };
    statements.into_iter().map(read).collect()
}

fn find_operation<'a>(
    root: &DocumentNode<'a>,
) -> Result<(DocumentNode<'a>, DocumentNode<'a>), ContractError> {
    let paths = root.member("paths", "the verify call")?;
    let mut found = Vec::new();
    for path in paths.members()? {
        for method in METHODS {
            if let Some(operation) = path.optional(method)?
                && operation.object()?.contains_key("x-otp")
            {
                found.push((path.clone(), operation));
            }
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(paths.error(Problem::Missing {
            member: "x-otp".to_owned(),
            purpose: "one operation must carry it, and none does".to_owned(),
        })),
        _ => Err(found[1]
            .1
            .unexpected("x-otp on one operation only; a second verify call is a second document")),
    }
}

fn base_url(root: &DocumentNode<'_>) -> Result<String, ContractError> {
    let servers = root.member("servers", "the vendor's address")?;
    let first =
        servers.elements()?.into_iter().next().ok_or_else(|| servers.unexpected("at least one server"))?;
    let mut url = first.member("url", "the vendor's address")?.string()?.to_owned();
    if let Some(variables) = first.optional("variables")? {
        for variable in variables.members()? {
            let default = variable.member("default", "the value where none is given")?;
            url = url.replace(&format!("{{{}}}", variable.key()), default.string()?);
        }
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn backing(certainty: Certainty, source: &annotation::Source, document: &str) -> Backing {
    Backing { certainty, source: source.cite(document) }
}

fn cited<T>(value: T, certainty: Certainty, source: &annotation::Source, document: &str) -> Cited<T> {
    Cited { value, backing: backing(certainty, source, document) }
}

fn stated<T>(fact: annotation::Stated<T>, document: &str) -> Cited<T> {
    cited(fact.value, fact.certainty, &fact.source, document)
}

fn read_policy(
    node: &DocumentNode<'_>,
    policy: annotation::Policy,
    operation: &Operation,
    document: &str,
) -> Result<Policy, ContractError> {
    let boundary = policy
        .boundary
        .iter()
        .map(|outcome| match outcome {
            Outcome::WrongCode => Ok(Boundary::WrongCode),
            Outcome::AttemptsExhausted => Ok(Boundary::AttemptsExhausted),
            _ => Err(node.member("boundary", "")?.unexpected("wrong_code and attempts_exhausted only")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if policy.attempts.is_some() && boundary.is_empty() {
        return Err(node.error(Problem::Missing {
            member: "boundary".to_owned(),
            purpose: "which responses the wrong code that reaches the limit may get".to_owned(),
        }));
    }
    let terminal = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::Expired];
    if policy.precedence.iter().any(|outcome| !terminal.contains(outcome)) {
        return Err(node
            .member("precedence", "")?
            .unexpected("already_used, attempts_exhausted and expired only"));
    }
    let given = policy.overrides;
    let checked = |name: Option<String>, right: fn(ValueKind) -> bool, what: &str| match name {
        None => Ok(None),
        Some(name) => match operation.parameters.iter().find(|parameter| parameter.name == name) {
            Some(parameter) if right(parameter.kind) => Ok(Some(name)),
            _ => Err(node.member("overrides", "")?.unexpected(format!("`{name}` to be {what}"))),
        },
    };
    let integer: fn(ValueKind) -> bool = |kind| matches!(kind, ValueKind::Integer { .. });
    let overrides = Overrides {
        retry: checked(given.retry, |kind| kind == ValueKind::Boolean, "a boolean query parameter")?,
        limit: checked(given.limit, integer, "an integer query parameter")?,
        lifetime_minutes: checked(given.lifetime_minutes, integer, "an integer query parameter")?,
    };
    let sending = SendPolicy {
        cooldown: policy.cooldown.map(|fact| cited(fact.seconds, fact.certainty, &fact.source, document)),
        send_limit: policy.send_limit.map(|fact| {
            let limit = SendLimit { count: fact.count, window_seconds: fact.window_seconds };
            cited(limit, fact.certainty, &fact.source, document)
        }),
        resend_limit: policy
            .resend_limit
            .map(|fact| cited(fact.count, fact.certainty, &fact.source, document)),
        code_on_resend: policy.code_on_resend.map(|fact| stated(fact, document)),
        lifetime_on_resend: policy.lifetime_on_resend.map(|fact| stated(fact, document)),
        older_code: policy.older_code.map(|fact| stated(fact, document)),
        check_interval: policy
            .check_interval
            .map(|fact| cited(fact.seconds, fact.certainty, &fact.source, document)),
        reuse: policy.reuse.map(|fact| stated(fact, document)),
    };
    Ok(Policy {
        sending,
        lifetime: Lifetime {
            seconds: policy.lifetime.seconds,
            max: policy.lifetime.max,
            backing: backing(policy.lifetime.certainty, &policy.lifetime.source, document),
        },
        attempts: policy.attempts.map(|attempts| Limit {
            limit: attempts.limit,
            max: attempts.max,
            backing: backing(attempts.certainty, &attempts.source, document),
        }),
        lockout_seconds: policy.lockout_seconds,
        boundary,
        precedence: policy.precedence,
        overrides,
    })
}
