//! A vendor's whole API as this project sees it: its operations, their documented responses, and a policy.
//!
//! Plain data; the reader fills it in. Nothing here knows how a server behaves or how a check judges it.

use crate::{Certainty, Operation, Outcome, Role, Situation, Source};

/// An annotated vendor document, read and checked.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The vendor's id, used in check ids and on the command line; see [`is_vendor_id`].
    pub vendor: String,
    /// The vendor's name for people.
    pub name: String,
    /// The title of the document that the cells cite where they name no other.
    pub document: String,
    /// Where a body may carry the vendor's id of the call, as JSON pointers.
    pub request_id: Vec<String>,
    /// The server of the document, with the defaults of its variables filled in.
    pub base_url: String,
    /// The calls of the API. Private, because [`Contract::verify`] relies on a verify call being among them.
    pub(crate) operations: Vec<Operation>,
    /// What the API allows.
    pub policy: Policy,
    /// The body of an answer that no cell covers, such as one to a path that is not there. The strings `$reason` and
    /// `$status` stand for the HTTP reason phrase and number.
    pub refusal: serde_json::Value,
    /// What the document says in words.
    pub statements: Vec<Statement>,
}

/// A sentence of a vendor's document.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The sentence, or the part of it that matters.
    pub text: String,
    /// Where it stands.
    pub source: Source,
    /// Where it shows.
    pub coverage: Coverage,
}

/// Where a sentence shows.
#[derive(Debug, Clone)]
pub enum Coverage {
    /// In the answers to calls in these situations.
    Situations(Vec<Situation>),
    /// In no answer; why.
    Untestable(String),
}

impl Contract {
    /// The calls of the API, in the order of the document.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The first operation with this role.
    pub fn operation(&self, role: Role) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.role == role)
    }

    /// The verify call.
    ///
    /// # Panics
    /// Never for a contract that was read from a document: the reader refuses one without a verify call.
    #[expect(clippy::expect_used, reason = "the reader refuses a document without a verify call")]
    pub fn verify(&self) -> &Operation {
        self.operation(Role::Verify).expect("a contract has a verify call")
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

/// What an API allows a session.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long a code is valid.
    pub lifetime: Lifetime,
    /// How many wrong codes are compared; `None` where the document knows no limit.
    pub attempts: Option<Limit>,
    /// How long a session stays locked, in seconds, where the lock ends by itself.
    pub lockout_seconds: Option<u64>,
    /// The answers that the wrong code which reaches the limit may get; the sandbox gives the first.
    pub boundary: Vec<Boundary>,
    /// Which answer a session gets that is used, locked and expired at once; the sandbox gives the first that holds.
    pub precedence: Vec<Outcome>,
    /// What the request itself may set.
    pub overrides: Overrides,
}

impl Policy {
    /// Every way in which a session can be over, the preferred first: what the contract orders, and then the rest.
    pub fn order(&self) -> impl Iterator<Item = Outcome> {
        const ALL: [Outcome; 3] = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::Expired];
        let rest = ALL.into_iter().filter(|outcome| !self.precedence.contains(outcome));
        self.precedence.iter().copied().chain(rest)
    }

    /// What the wrong code that reaches the limit is told; a wrong code where the contract says nothing.
    pub fn at_limit(&self) -> Outcome {
        self.boundary.first().copied().unwrap_or(Boundary::WrongCode).outcome()
    }
}

/// How long a code is valid.
#[derive(Debug, Clone)]
pub struct Lifetime {
    /// The documented or usual lifetime, in seconds.
    pub seconds: u64,
    /// The longest lifetime that can be asked for, in seconds.
    pub max: Option<u64>,
    /// How sure the number is.
    pub certainty: Certainty,
    /// Where it stands.
    pub source: Source,
}

/// How many wrong codes are compared before a session is locked.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The documented or usual number.
    pub limit: u32,
    /// The largest number that can be asked for.
    pub max: Option<u32>,
    /// How sure the number is.
    pub certainty: Certainty,
    /// Where it stands.
    pub source: Source,
}

/// What the wrong code that reaches the limit is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// That it is wrong; the next call finds the session locked.
    WrongCode,
    /// That the session is now locked.
    AttemptsExhausted,
}

impl Boundary {
    /// The outcome that the call gets.
    pub fn outcome(self) -> Outcome {
        match self {
            Boundary::WrongCode => Outcome::WrongCode,
            Boundary::AttemptsExhausted => Outcome::AttemptsExhausted,
        }
    }
}

/// The request parameters that change the policy of the call they stand in. Each names one of
/// [`Operation::parameters`].
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// A boolean; unless it is true, one wrong code ends the session.
    pub retry: Option<String>,
    /// An integer; the limit of wrong codes for this call.
    pub limit: Option<String>,
    /// An integer; the lifetime in minutes for this call.
    pub lifetime_minutes: Option<String>,
}

/// Another path under which the vendor's document shows the operation.
#[derive(Debug, Clone)]
pub struct PathVariant {
    /// The path, with the same parameters.
    pub path: crate::PathTemplate,
    /// Where it stands.
    pub source: Source,
    /// What is known of it.
    pub note: Option<String>,
}
