//! One call of an API: how to make it, and every documented response.
//!
//! May use the request and response types of this crate. It never reads a document; that is the reader's job.

use std::fmt;

use crate::{
    Account, Cell, CodeShape, Outcome, Parameter, PathTemplate, PathVariant, SecurityScheme, SessionId,
};

/// One call of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What the call is for.
    pub role: Role,
    /// The operation's id in the document.
    pub id: String,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path.
    pub path: PathTemplate,
    /// Other paths under which the document shows the call; a server may serve any of them.
    pub path_variants: Vec<PathVariant>,
    /// The schemes that authenticate a call, any one of which is enough; clients use the first.
    pub security: Vec<SecurityScheme>,
    /// Where the session id sits.
    pub session: SessionId,
    /// Where the code sits, and which codes are well formed.
    pub code: CodeShape,
    /// The path parameters that name the caller's account.
    pub accounts: Vec<Account>,
    /// The query parameters other than session and code.
    pub parameters: Vec<Parameter>,
    /// Whether the call carries a JSON body.
    pub has_body: bool,
    /// Every documented response, in the order of the document.
    pub cells: Vec<Cell>,
}

/// What a call is for.
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
