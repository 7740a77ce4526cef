//! A vendor's whole API as this project sees it: its operations, their documented responses, and a policy.
//!
//! Plain data; the reader fills it in. Nothing here knows how a server behaves or how a check judges it.

use crate::{Backing, Call, Operation, Outcome, Role, SendPolicy, Situation, Source};

/// An annotated vendor document, read and checked.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The vendor's id, used in check ids and on the command line; see [`is_vendor_id`].
    pub vendor: String,
    /// The vendor's name as people write it.
    pub name: String,
    /// The title of the document that a cell cites unless it names another.
    pub document: String,
    /// JSON pointers to the places where a body may contain the vendor's id of the request.
    pub request_id: Vec<String>,
    /// The first server of the document, with the default values of its variables.
    pub base_url: String,
    /// The verify operation.
    pub(crate) verify: Operation,
    /// The other operations, in the order of the document; at most one of each role.
    pub calls: Vec<Call>,
    /// Lifetime, limits and precedence.
    pub policy: Policy,
    /// The body of a response that no cell covers, such as the one for an unknown path. The strings `$reason` and
    /// `$status` stand for the HTTP reason phrase and number.
    pub refusal: serde_json::Value,
    /// What the document states in prose.
    pub statements: Vec<Statement>,
}

/// A sentence of a vendor's documentation.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The sentence, or the part of it that matters.
    pub text: String,
    /// The place in the documentation.
    pub source: Source,
    /// Where it can be observed.
    pub coverage: Coverage,
}

/// Where a statement can be observed.
#[derive(Debug, Clone)]
pub enum Coverage {
    /// In the responses to requests in these situations.
    Situations(Vec<Situation>),
    /// In no response, for this reason.
    Untestable(String),
}

impl Contract {
    /// The operations that the client, the sandbox and the suite use so far: the verify operation. The others are
    /// [`Contract::calls`].
    pub fn operations(&self) -> &[Operation] {
        std::slice::from_ref(&self.verify)
    }

    /// The first of [`Contract::operations`] with this role.
    pub fn operation(&self, role: Role) -> Option<&Operation> {
        self.operations().iter().find(|operation| operation.role == role)
    }

    /// The verify operation, which every contract has.
    pub fn verify(&self) -> &Operation {
        &self.verify
    }
}

/// Whether `id` can be a vendor's id: a lower-case letter, then lower-case letters, digits and `_`. It becomes a file
/// name, a Rust module and the first part of check ids. `x-otp.schema.json` states the same rule as a pattern.
pub fn is_vendor_id(id: &str) -> bool {
    let is_rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match id.as_bytes() {
        [first, rest @ ..] => first.is_ascii_lowercase() && rest.iter().copied().all(is_rest),
        [] => false,
    }
}

/// The rules by which a session ends.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a code is valid.
    pub lifetime: Lifetime,
    /// How many wrong codes are compared; `None` if the document mentions no limit.
    pub attempts: Option<Limit>,
    /// How long a session stays locked, in seconds, if the lock ends by itself.
    pub lockout_seconds: Option<u64>,
    /// The possible outcomes of the wrong code that reaches the limit; the sandbox uses the first.
    pub boundary: Vec<Boundary>,
    /// The outcome of a session that is used, locked or expired at the same time; the first that applies.
    pub precedence: Vec<Outcome>,
    /// What the request may change.
    pub overrides: Overrides,
    /// The rules for sending codes.
    pub sending: SendPolicy,
}

impl Policy {
    /// Every outcome of a session that is over, in order of precedence: those that the contract orders, then the rest.
    pub fn order(&self) -> impl Iterator<Item = Outcome> {
        const ALL: [Outcome; 3] = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::Expired];
        let rest = ALL.into_iter().filter(|outcome| !self.precedence.contains(outcome));
        self.precedence.iter().copied().chain(rest)
    }

    /// The outcome of the wrong code that reaches the limit; [`Outcome::WrongCode`] if the contract states none.
    pub fn at_limit(&self) -> Outcome {
        self.boundary.first().copied().unwrap_or(Boundary::WrongCode).outcome()
    }
}

/// How long a code is valid.
#[derive(Debug, Clone)]
pub struct Lifetime {
    /// The documented or the usual lifetime, in seconds.
    pub seconds: u64,
    /// The longest lifetime that a request may set, in seconds.
    pub max: Option<u64>,
    /// What stands behind the number.
    pub backing: Backing,
}

/// How many wrong codes are compared before a session is locked.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The documented or the usual number.
    pub limit: u32,
    /// The largest number that a request may set.
    pub max: Option<u32>,
    /// What stands behind the number.
    pub backing: Backing,
}

/// The response to the wrong code that reaches the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The code is wrong; the next request finds the session locked.
    WrongCode,
    /// The session is locked from now on.
    AttemptsExhausted,
}

impl Boundary {
    /// The outcome of the request.
    pub fn outcome(self) -> Outcome {
        match self {
            Boundary::WrongCode => Outcome::WrongCode,
            Boundary::AttemptsExhausted => Outcome::AttemptsExhausted,
        }
    }
}

/// The request parameters that change the policy for their own request. Each is the name of one of
/// [`Operation::parameters`].
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A boolean: unless it is true, one wrong code ends the session.
    pub retry: Option<String>,
    /// An integer: the limit of wrong codes.
    pub limit: Option<String>,
    /// An integer: the lifetime in minutes.
    pub lifetime_minutes: Option<String>,
}
