//! Reads the policy: lifetime, limits and precedence from the verify operation, and the rules for sending codes from
//! any operation.
//!
//! Uses what `request` has read of the operation. It never looks at the responses.

use super::names;
use super::problems::Problems;
use crate::annotation::{self, Source};
use crate::document_node::DocumentNode;
use crate::problem::Problem;
use crate::{
    Backing, Boundary, Certainty, Cited, Lifetime, Limit, Outcome, Overrides, Parameter, Policy, SendLimit,
    SendPolicy, ValueKind,
};

const VERIFYING: [&str; 6] =
    ["lifetime", "attempts", "lockout_seconds", "boundary", "precedence", "overrides"];

const SENDING: [&str; 8] = [
    "cooldown",
    "send_limit",
    "resend_limit",
    "code_on_resend",
    "lifetime_on_resend",
    "older_code",
    "check_interval",
    "reuse",
];

/// The rules for sending codes that the operations state.
#[derive(Default)]
pub(super) struct Sending(SendPolicy);

impl Sending {
    pub(super) fn into_policy(self) -> SendPolicy {
        self.0
    }

    /// Reads the policy of an operation that does not verify.
    pub(super) fn read(&mut self, node: &DocumentNode<'_>, document: &str, problems: &mut Problems) {
        if problems.only(node, &SENDING).is_some() {
            self.read_rules(node, document, problems);
        }
    }

    fn read_rules(&mut self, node: &DocumentNode<'_>, document: &str, problems: &mut Problems) {
        let rules = &mut self.0;
        let mut reader = RuleReader { node, document, problems };
        reader.rule("cooldown", &mut rules.cooldown, annotation::Seconds::cite);
        reader.rule("send_limit", &mut rules.send_limit, annotation::SendLimit::cite);
        reader.rule("resend_limit", &mut rules.resend_limit, annotation::Count::cite);
        reader.rule("code_on_resend", &mut rules.code_on_resend, annotation::Stated::cite);
        reader.rule("lifetime_on_resend", &mut rules.lifetime_on_resend, annotation::Stated::cite);
        reader.rule("older_code", &mut rules.older_code, annotation::Stated::cite);
        reader.rule("check_interval", &mut rules.check_interval, annotation::Seconds::cite);
        reader.rule("reuse", &mut rules.reuse, annotation::Stated::cite);
    }
}

struct RuleReader<'r, 'a> {
    node: &'r DocumentNode<'a>,
    document: &'r str,
    problems: &'r mut Problems,
}

impl RuleReader<'_, '_> {
    /// Reads the rule `name` into `place`, unless the document does not have it.
    fn rule<A: serde::de::DeserializeOwned, T>(
        &mut self,
        name: &str,
        place: &mut Option<Cited<T>>,
        cite: fn(A, &str) -> Cited<T>,
    ) {
        let Some(Some(rule)) = self.problems.keep(self.node.optional(name)) else { return };
        let Some(stated) = self.problems.keep(rule.read::<A>()) else { return };
        if place.is_some() {
            self.problems.add(rule.unexpected(format!("`{name}` in one operation only")));
            return;
        }
        *place = Some(cite(stated, self.document));
    }
}

impl annotation::Seconds {
    fn cite(self, document: &str) -> Cited<u64> {
        cited(self.seconds, self.certainty, &self.source, document)
    }
}

impl annotation::Count {
    fn cite(self, document: &str) -> Cited<u32> {
        cited(self.count, self.certainty, &self.source, document)
    }
}

impl annotation::SendLimit {
    fn cite(self, document: &str) -> Cited<SendLimit> {
        let limit = SendLimit { count: self.count, window_seconds: self.window_seconds };
        cited(limit, self.certainty, &self.source, document)
    }
}

impl<T> annotation::Stated<T> {
    fn cite(self, document: &str) -> Cited<T> {
        cited(self.value, self.certainty, &self.source, document)
    }
}

fn cited<T>(value: T, certainty: Certainty, source: &Source, document: &str) -> Cited<T> {
    Cited { value, backing: backing(certainty, source, document) }
}

fn backing(certainty: Certainty, source: &Source, document: &str) -> Backing {
    Backing { certainty, source: source.cite(document) }
}

/// Reads the policy of the verify operation, whose query parameters are `parameters`.
pub(super) fn read(
    node: &DocumentNode<'_>,
    parameters: &[Parameter],
    document: &str,
    sending: &mut Sending,
    problems: &mut Problems,
) -> Option<Policy> {
    problems.only(node, &[&VERIFYING[..], &SENDING[..]].concat())?;
    sending.read_rules(node, document, problems);
    let lifetime = node.member("lifetime", "how long a code is valid").and_then(|lifetime| lifetime.read());
    let lifetime = problems.keep(lifetime);
    let attempts: Option<Option<annotation::Attempts>> = problems.keep(node.read_or_default("attempts"));
    let lockout_seconds = problems.keep(node.read_or_default("lockout_seconds"));
    let boundary = problems.keep(read_boundary(node));
    if let (Some(Some(_)), Some([])) = (&attempts, boundary.as_deref()) {
        problems
            .add(node.missing("boundary", "which responses the wrong code that reaches the limit may get"));
    }
    let precedence = problems.keep(read_precedence(node));
    let overrides = problems.keep(read_overrides(node, parameters));
    let lifetime: annotation::Lifetime = lifetime?;
    Some(Policy {
        sending: SendPolicy::default(),
        lifetime: Lifetime {
            seconds: lifetime.seconds,
            max: lifetime.max,
            backing: backing(lifetime.certainty, &lifetime.source, document),
        },
        attempts: attempts?.map(|attempts| Limit {
            limit: attempts.limit,
            max: attempts.max,
            backing: backing(attempts.certainty, &attempts.source, document),
        }),
        lockout_seconds: lockout_seconds?,
        boundary: boundary?,
        precedence: precedence?,
        overrides: overrides?,
    })
}

fn read_boundary(node: &DocumentNode<'_>) -> Result<Vec<Boundary>, Problem> {
    let outcomes: Vec<Outcome> = node.read_or_default("boundary")?;
    let boundary = outcomes.iter().map(|outcome| match outcome {
        Outcome::WrongCode => Ok(Boundary::WrongCode),
        Outcome::AttemptsExhausted => Ok(Boundary::AttemptsExhausted),
        _ => Err(node.inner("boundary").unexpected("wrong_code and attempts_exhausted only")),
    });
    boundary.collect()
}

fn read_precedence(node: &DocumentNode<'_>) -> Result<Vec<Outcome>, Problem> {
    let purpose = "the outcome of a session that is used, locked or expired at the same time";
    let given = node.member("precedence", purpose)?;
    let outcomes: Vec<Outcome> = given.read()?;
    let ends = [Outcome::AlreadyUsed, Outcome::AttemptsExhausted, Outcome::Expired];
    let is_repeated = (1..outcomes.len()).any(|index| outcomes[..index].contains(&outcomes[index]));
    if is_repeated || outcomes.iter().any(|outcome| !ends.contains(outcome)) {
        let expected = format!("{} only, each at most once", names(ends.map(Outcome::as_str)));
        return Err(given.unexpected(expected));
    }
    Ok(outcomes)
}

fn read_overrides(node: &DocumentNode<'_>, parameters: &[Parameter]) -> Result<Overrides, Problem> {
    let given: annotation::Overrides = node.read_or_default("overrides")?;
    let checked = |name: Option<String>, right: fn(ValueKind) -> bool, what: &str| match name {
        None => Ok(None),
        Some(name) => match parameters.iter().find(|parameter| parameter.name == name) {
            Some(parameter) if right(parameter.kind) => Ok(Some(name)),
            _ => Err(node.inner("overrides").unexpected(format!("`{name}` to be {what}"))),
        },
    };
    let integer: fn(ValueKind) -> bool = |kind| matches!(kind, ValueKind::Integer { .. });
    Ok(Overrides {
        retry: checked(given.retry, |kind| kind == ValueKind::Boolean, "a boolean query parameter")?,
        limit: checked(given.limit, integer, "an integer query parameter")?,
        lifetime_minutes: checked(given.lifetime_minutes, integer, "an integer query parameter")?,
    })
}
