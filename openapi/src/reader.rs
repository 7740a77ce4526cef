//! Reads a document into a [`Contract`], and collects everything that is wrong with it.
//!
//! Checks that the annotations agree with the OpenAPI parts and with each other, so that the sandbox, the suite and the
//! code generator can rely on every contract. Uses the annotations, the document nodes and every type of a contract. It
//! never decides what a server or a check does with a contract.

use problems::Problems;

use crate::document_node::DocumentNode;
use crate::problem::{ContractError, Problem, ProblemKind, in_order};
use crate::yaml::Tree;
use crate::{Call, Contract, Coverage, Role, Source, Statement, annotation, is_vendor_id};

mod call;
mod cells;
mod policy;
mod problems;
mod request;
mod security;
mod verify;

pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];

impl Contract {
    /// Reads a document. Errors refer to it as `file`.
    ///
    /// # Errors
    /// Names every place that is not as expected, with its line and column.
    pub fn from_yaml(file: &str, text: &str) -> Result<Contract, ContractError> {
        let (tree, mut problems) = Tree::parse(text);
        let contract = tree.as_ref().and_then(|tree| {
            let (contract, more) = read(tree);
            problems.extend(more);
            contract
        });
        match contract {
            Some(contract) if problems.is_empty() => Ok(contract),
            _ => Err(ContractError { file: file.to_owned(), problems: in_order(problems) }),
        }
    }

    /// Reads the document in a file.
    ///
    /// # Errors
    /// As [`Contract::from_yaml`], and [`ProblemKind::Unreadable`] if the file cannot be read.
    pub fn from_file(path: &std::path::Path) -> Result<Contract, ContractError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Contract::from_yaml(&file, &text),
            Err(error) => Err(ContractError::whole(&file, ProblemKind::Unreadable(error.to_string()))),
        }
    }
}

/// Reads a contract. There may be problems even if there is a contract; without one, there is at least one.
pub(crate) fn read(tree: &Tree) -> (Option<Contract>, Vec<Problem>) {
    let mut problems = Problems::default();
    let contract = read_document(&DocumentNode::new(tree), &mut problems);
    (contract, problems.into_vec())
}

fn read_document(root: &DocumentNode<'_>, problems: &mut Problems) -> Option<Contract> {
    let version = problems.keep(read_version(root));
    let vendor = problems.keep(root.member("x-otp-vendor", "whose API this is: id, name and document"));
    let vendor = vendor.and_then(|node| read_vendor(&node, problems));
    let base_url = problems.keep(base_url(root));
    // Without the title of the page nothing can be cited, but the rest can still be read.
    let document = vendor.as_ref().map_or("", |vendor| vendor.document.as_str());
    let found = find_operations(root, problems)?;

    let mut sending = policy::Sending::default();
    let mut calls: Vec<Call> = Vec::new();
    let mut verify = None;
    for operation in &found {
        match operation.role {
            Role::Verify => verify = verify::read(root, operation, document, &mut sending, problems),
            _ => calls.extend(call::read(root, operation, document, &mut sending, problems)),
        }
    }
    let verify = verify?;
    version?;
    let vendor = vendor?;
    Some(Contract {
        vendor: vendor.id,
        name: vendor.name,
        base_url: base_url?,
        verify: verify.operation,
        calls,
        policy: crate::Policy { sending: sending.into_policy(), ..verify.policy },
        refusal: verify.refusal,
        statements: vendor.statements,
        document: vendor.document,
        request_id: vendor.request_id,
    })
}

fn read_version(root: &DocumentNode<'_>) -> Result<(), Problem> {
    let version = root.member("openapi", "the OpenAPI version")?;
    let text = version.string()?;
    match text.starts_with("3.0.") || text.starts_with("3.1.") {
        true => Ok(()),
        false => Err(version.unexpected("OpenAPI 3.0.x or 3.1.x")),
    }
}

struct Vendor {
    id: String,
    name: String,
    document: String,
    request_id: Vec<String>,
    statements: Vec<Statement>,
}

fn read_vendor(node: &DocumentNode<'_>, problems: &mut Problems) -> Option<Vendor> {
    problems.only(node, &["id", "name", "document", "request_id", "statements"])?;
    let text = |name: &str, purpose: &str| -> Result<String, Problem> {
        let node = node.member(name, purpose)?;
        match node.string()? {
            "" => Err(node.unexpected("a text")),
            text => Ok(text.to_owned()),
        }
    };
    let id = problems.keep(text("id", "the id in check ids and on the command line"));
    if let Some(id) = &id
        && !is_vendor_id(id)
    {
        let expected = "a lower-case letter, then lower-case letters, digits and _";
        problems.add(node.inner("id").unexpected(expected));
    }
    let name = problems.keep(text("name", "the name as people write it"));
    let document = problems.keep(text("document", "the title of the page that a cell cites"));
    let request_id: Vec<String> = problems.keep(node.read_or_default("request_id"))?;
    if request_id.iter().any(|pointer| !pointer.starts_with('/')) {
        problems.add(node.inner("request_id").unexpected("JSON pointers such as /requestId"));
    }
    let mut statements = Vec::new();
    let listed = problems.keep(node.optional("statements").and_then(|list| match list {
        Some(list) => list.elements(),
        None => Ok(Vec::new()),
    }));
    let page = document.clone().unwrap_or_default();
    for statement in listed.into_iter().flatten() {
        statements.extend(problems.keep(read_statement(&statement, &page)));
    }
    Some(Vendor { id: id?, name: name?, document: document?, request_id, statements })
}

fn read_statement(node: &DocumentNode<'_>, document: &str) -> Result<Statement, Problem> {
    let statement: annotation::Statement = node.read()?;
    let coverage = match (statement.situations, statement.untestable) {
        (situations, None) if !situations.is_empty() => Coverage::Situations(situations),
        (situations, Some(reason)) if situations.is_empty() => Coverage::Untestable(reason.trim().to_owned()),
        _ => {
            return Err(node.unexpected(
                "either the situations in which the sentence can be observed, or why it is untestable",
            ));
        }
    };
    let source = Source { document: document.to_owned(), section: statement.section };
    Ok(Statement { text: statement.text, source, coverage })
}

/// An operation with an annotation.
struct Annotated<'a> {
    role: Role,
    path: DocumentNode<'a>,
    operation: DocumentNode<'a>,
    extension: DocumentNode<'a>,
}

/// Every annotated operation, in the order of the document; `None` if no verify call is among them.
fn find_operations<'a>(root: &DocumentNode<'a>, problems: &mut Problems) -> Option<Vec<Annotated<'a>>> {
    let paths = problems.keep(root.member("paths", "the operations of the API"))?;
    let mut found: Vec<Annotated<'a>> = Vec::new();
    for path in problems.keep(paths.members())? {
        for method in METHODS {
            let Some(Some(operation)) = problems.keep(path.optional(method)) else { continue };
            let Some(Some(extension)) = problems.keep(operation.optional("x-otp")) else { continue };
            let Some(role) = problems.keep(read_role(&extension)) else { continue };
            if found.iter().any(|other| other.role == role) {
                let expected =
                    format!("x-otp on one {role} operation only; a second one is a second document");
                problems.add(extension.unexpected(expected));
                continue;
            }
            found.push(Annotated { role, path: path.clone(), operation, extension });
        }
    }
    if found.iter().any(|operation| operation.role == Role::Verify) {
        return Some(found);
    }
    problems.add(paths.missing("x-otp", "the verify operation must carry it, and none does"));
    // The other operations are still worth reading for what is wrong with them.
    (!found.is_empty()).then_some(found)
}

fn read_role(extension: &DocumentNode<'_>) -> Result<Role, Problem> {
    match extension.optional("role")? {
        None => Ok(Role::Verify),
        Some(role) => Role::ALL
            .into_iter()
            .find(|known| role.value().as_str() == Some(known.as_str()))
            .ok_or_else(|| role.unexpected(format!("one of {}", names(Role::ALL.map(Role::as_str))))),
    }
}

/// The names in one text for a message.
fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn base_url(root: &DocumentNode<'_>) -> Result<String, Problem> {
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
