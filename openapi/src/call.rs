//! An operation other than verify: send, resend, status or cancel.
//!
//! Plain data that `reader` fills in. Uses the types of the request and of the cells. It never reads a document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Account, Backing, BodyEncoding, Cell, Fact, Location, Parameter, PathTemplate, PathVariant,
    RecipientForm, Role, SecurityScheme,
};

/// An operation other than verify. The sandbox and the suite do not use it yet.
#[derive(Debug, Clone)]
pub struct Call {
    /// The purpose of the operation.
    pub role: Role,
    /// The operation's id in the document.
    pub id: String,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path.
    pub path: PathTemplate,
    /// Other paths under which the document shows the operation.
    pub path_variants: Vec<PathVariant>,
    /// The alternative ways to authenticate a request; clients use the first.
    pub security: Vec<SecurityScheme>,
    /// The path parameters that name the caller's account.
    pub accounts: Vec<Account>,
    /// The query parameters other than those of the session and the recipient.
    pub parameters: Vec<Parameter>,
    /// How the request's body is encoded, if it has one.
    pub body: Option<BodyEncoding>,
    /// The places that name the recipient; a request uses one of them.
    pub recipients: Vec<Recipient>,
    /// The places that name the session; a request uses one of them. Empty if there is no session yet.
    pub session: Vec<Location>,
    /// What the response says about the session, if it says anything.
    pub result: Option<SendResult>,
    /// Every documented response, in the order of the document.
    pub cells: Vec<Cell>,
    /// What stands behind each fact of the request that the document backs. A fact that is not listed is inferred.
    pub facts: BTreeMap<Fact, Backing>,
}

/// A place of a request that names the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The location in the request.
    pub location: Location,
    /// How the recipient is written there.
    pub form: RecipientForm,
}

/// What the response to a send or a resend says about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendResult {
    /// Where a successful response carries the session's id.
    pub session: ResultPlace,
    /// What a second send to the same recipient does to the id.
    pub again: SecondSend,
    /// What stands behind [`SendResult::again`].
    pub backing: Backing,
}

/// A place of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultPlace {
    /// A member of the body, by JSON pointer.
    Body(String),
    /// A header field.
    Header(String),
}

/// What a second send to the same recipient does to the session's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondSend {
    /// Every send creates a session with an id of its own.
    New,
    /// The id stays the same.
    Same,
    /// A server may do either.
    Either,
    /// The id is the recipient's, whatever the state of a session.
    Recipient,
    /// The id stays the same while the session is open, and no new code is sent.
    Reused,
}

impl SecondSend {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            SecondSend::New => "new",
            SecondSend::Same => "same",
            SecondSend::Either => "either",
            SecondSend::Recipient => "recipient",
            SecondSend::Reused => "reused",
        }
    }
}
