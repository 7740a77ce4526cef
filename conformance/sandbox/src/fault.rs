//! Deliberate defects, to prove that a suite finds them. They are a layer around the store and behind the dialect, so
//! that neither contains a line of them; what a fault needs to know it remembers itself.

mod answer;
mod decision;

pub(crate) use answer::distort;
pub(crate) use decision::FaultyStore;

use otp_contract::{Contract, Matching, Situation};

/// A deliberate defect.
#[derive(Debug)]
pub struct Fault {
    /// The name on the command line.
    pub name: &'static str,
    /// One sentence: what the server does wrong.
    pub summary: &'static str,
    /// What is done wrong.
    pub effect: Effect,
    /// The situations whose checks must find it. A suite that reports any other for it accuses wrongly.
    pub shows_in: &'static [Situation],
}

/// What a fault does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A used code is approved again.
    Reuse,
    /// Wrong codes are compared without end.
    NoLimit,
    /// One wrong code more than allowed is compared.
    LimitOffByOne,
    /// The right code opens a locked session.
    LockOpens,
    /// Codes do not expire.
    NoExpiry,
    /// A session is found for any tenant.
    ForeignTenant,
    /// The answer has this status.
    Status(u16),
    /// The last value by which a client decides is another one.
    Literal,
    /// The last required member is not there.
    MissingMember,
    /// The answer carries what an approval carries.
    ClaimsSuccess,
    /// The answer is called plain text.
    ContentType,
    /// The echoed session id is another one.
    Echo,
}

use Effect as E;
use Situation as S;

/// Every fault that a sandbox can be started with.
pub static FAULTS: &[Fault] = &[
    Fault {
        name: "expired-status",
        summary: "an expired code is answered with HTTP 500",
        effect: E::Status(500),
        shows_in: &[S::Expired],
    },
    Fault {
        name: "wrong-code-as-200",
        summary: "a wrong code is answered with HTTP 200 and the body of the refusal",
        effect: E::Status(200),
        shows_in: &[S::WrongCode],
    },
    Fault {
        name: "wrong-code-literal",
        summary: "the word or code by which a wrong code is told is another one",
        effect: E::Literal,
        shows_in: &[S::WrongCode],
    },
    Fault {
        name: "approved-member-missing",
        summary: "the approval lacks its last required member",
        effect: E::MissingMember,
        shows_in: &[S::Approved],
    },
    Fault {
        name: "approved-echo",
        summary: "the approval names another session than the one that was asked about",
        effect: E::Echo,
        shows_in: &[S::Approved],
    },
    Fault {
        name: "wrong-code-claims-success",
        summary: "the answer to a wrong code carries the members of an approval, such as `verified: true`",
        effect: E::ClaimsSuccess,
        shows_in: &[S::WrongCode],
    },
    Fault {
        name: "wrong-code-content-type",
        summary: "the answer to a wrong code is called text/plain",
        effect: E::ContentType,
        shows_in: &[S::WrongCode],
    },
    Fault {
        name: "malformed-body-500",
        summary: "a body that cannot be read is answered with HTTP 500",
        effect: E::Status(500),
        shows_in: &[S::MalformedBody],
    },
    Fault {
        name: "reuse",
        summary: "a used code is approved again",
        effect: E::Reuse,
        shows_in: &[S::AlreadyUsed],
    },
    Fault {
        name: "no-limit",
        summary: "wrong codes are compared without end",
        effect: E::NoLimit,
        shows_in: &[S::AttemptsExhausted],
    },
    Fault {
        name: "limit-off-by-one",
        summary: "one wrong code more than allowed is compared",
        effect: E::LimitOffByOne,
        // A vendor that tells how many attempts remain tells one too many.
        shows_in: &[S::AttemptsExhausted, S::WrongCode],
    },
    Fault {
        name: "lock-opens",
        summary: "the right code opens a locked session",
        effect: E::LockOpens,
        shows_in: &[S::AttemptsExhausted],
    },
    Fault { name: "no-expiry", summary: "codes do not expire", effect: E::NoExpiry, shows_in: &[S::Expired] },
    Fault {
        name: "foreign-tenant",
        summary: "a session is verified for any tenant",
        effect: E::ForeignTenant,
        shows_in: &[S::ForeignSession],
    },
];

impl Fault {
    /// The fault of that name.
    pub fn named(name: &str) -> Option<&'static Fault> {
        FAULTS.iter().find(|fault| fault.name == name)
    }

    /// Whether the defect can show in a server of this contract.
    pub fn applies(&self, contract: &Contract) -> bool {
        let shows =
            contract.cells.iter().any(|cell| self.shows_in.iter().any(|situation| cell.answers(*situation)));
        let echoes = || {
            contract
                .approvals()
                .flat_map(|cell| &cell.members)
                .any(|member| member.rule.matching == Matching::Echo("session".to_owned()))
        };
        match self.effect {
            E::LimitOffByOne => shows && contract.policy.attempts.is_some(),
            E::Echo => shows && echoes(),
            _ => shows,
        }
    }

    /// Whether the defect is in what is decided, rather than in how it is answered.
    pub(crate) fn is_decision(&self) -> bool {
        matches!(
            self.effect,
            E::Reuse | E::NoLimit | E::LimitOffByOne | E::LockOpens | E::NoExpiry | E::ForeignTenant
        )
    }
}
