//! The verify operation of an API: the request, and every documented response.
//!
//! Plain data that `reader` fills in. Uses the types of the request and of the cells. It never reads a document.

use std::collections::BTreeMap;

use crate::{
    Account, Backing, BodyEncoding, Cell, CodeShape, Outcome, Parameter, PathTemplate, Role, SecurityScheme,
    SessionId, Source,
};

/// The verify operation of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The purpose of the operation, [`Role::Verify`].
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
    /// How the request's body is encoded, if it has one.
    pub body: Option<BodyEncoding>,
    /// Every documented response, in the order of the document.
    pub cells: Vec<Cell>,
    /// What stands behind each fact of the request that the document backs. A fact that is not listed is inferred.
    pub facts: BTreeMap<Fact, Backing>,
}

/// A fact of a request, or of the policy, that has a certainty of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The vendor's address.
    Host,
    /// The HTTP method.
    Method,
    /// The path.
    Path,
    /// How a request is authenticated.
    Security,
    /// The media type of the body.
    MediaType,
    /// The names of the parameters that a request may have.
    Parameters,
    /// The place and name of the session id.
    Session,
    /// The place and name of the code.
    Code,
    /// The characters of a code.
    Alphabet,
    /// The length of a code.
    Length,
    /// The responses to the wrong code that reaches the limit.
    Boundary,
    /// The order in which the ends of a session are reported.
    Precedence,
    /// How long a lock lasts.
    Lockout,
}

impl Fact {
    /// Every fact, in the order in which output lists them.
    pub const ALL: [Fact; 13] = [
        Fact::Host,
        Fact::Method,
        Fact::Path,
        Fact::Security,
        Fact::MediaType,
        Fact::Parameters,
        Fact::Session,
        Fact::Code,
        Fact::Alphabet,
        Fact::Length,
        Fact::Boundary,
        Fact::Precedence,
        Fact::Lockout,
    ];

    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Fact::Host => "host",
            Fact::Method => "method",
            Fact::Path => "path",
            Fact::Security => "security",
            Fact::MediaType => "media_type",
            Fact::Parameters => "parameters",
            Fact::Session => "session",
            Fact::Code => "code",
            Fact::Alphabet => "alphabet",
            Fact::Length => "length",
            Fact::Boundary => "boundary",
            Fact::Precedence => "precedence",
            Fact::Lockout => "lockout",
        }
    }
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

impl Operation {
    /// Whether the request has a JSON body.
    pub fn has_json_body(&self) -> bool {
        self.body == Some(BodyEncoding::Json)
    }

    /// The media types of the responses, each once.
    pub fn response_media_types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = Vec::new();
        for media_type in self.cells.iter().filter_map(|cell| cell.media_type.as_deref()) {
            if !types.contains(&media_type) {
                types.push(media_type);
            }
        }
        types
    }

    /// Whether the vendor's document states this fact.
    pub fn is_documented(&self, fact: Fact) -> bool {
        self.facts.get(&fact).is_some_and(Backing::is_documented)
    }

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
