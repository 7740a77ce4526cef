//! One operation of an API: the request, and every documented response.
//!
//! Plain data that `reader` fills in. Uses the types of the request and of the cells. It never reads a document.

use std::fmt;

use crate::{Account, Cell, CodeShape, Outcome, Parameter, PathTemplate, SecurityScheme, SessionId, Source};

/// One operation of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The purpose of the operation.
    pub role: Role,
    /// The operation's id in the document.
    pub id: String,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path.
    pub path: PathTemplate,
    /// Other paths under which the document shows the operation; a server may serve any of them.
    pub path_variants: Vec<PathVariant>,
    /// The alternative ways to authenticate a request; clients use the first.
    pub security: Vec<SecurityScheme>,
    /// The session id in the request.
    pub session: SessionId,
    /// The code in the request.
    pub code: CodeShape,
    /// The path parameters that name the caller's account.
    pub accounts: Vec<Account>,
    /// The query parameters other than session id and code.
    pub parameters: Vec<Parameter>,
    /// Whether the request has a JSON body.
    pub has_body: bool,
    /// Every documented response, in the order of the document.
    pub cells: Vec<Cell>,
}

/// Another path under which the vendor's document shows the operation.
#[derive(Debug, Clone)]
pub struct PathVariant {
    /// The path, with the same parameters.
    pub path: PathTemplate,
    /// The place in the documentation.
    pub source: Source,
    /// Further information for people.
    pub note: Option<String>,
}

/// The purpose of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Compares a code with the one that was issued.
    Verify,
}

impl Role {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Verify => "verify",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Operation {
    /// The cell with this name.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }

    /// The cells that approve the code.
    pub fn approvals(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.outcome == Outcome::Approved)
    }

    /// The cells that do not approve the code.
    pub fn refusals(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.outcome != Outcome::Approved)
    }

    /// The query parameter with this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}
