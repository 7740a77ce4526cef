//! Which checks find a violation of each rule. The patterns are those of check ids without the vendor. This module
//! must not look at a contract.

use std::collections::BTreeSet;

use otp_contract::Situation;
use otp_sandbox::{Effect, Fault, Rule, SessionDefect};

/// The faults that other checks find than those of their rule, because they show in fewer or more places.
pub(super) const EXCEPTIONS: &[(&str, &[&str])] = &[
    (
        "reuse-by-spelling",
        &["request/code-spelling", "request/code-whitespace", "single-use/*", "lifecycle/random"],
    ),
    ("use-forgotten", &["single-use/stays-used", "lifecycle/random", "consistency/walk"]),
    (
        "count-per-vendor",
        &[
            "matrix/*",
            "request/*",
            "lifecycle/*",
            "limit/*",
            "expiry/*",
            "single-use/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
            "disclosure/*",
            "auth/*",
        ],
    ),
    ("count-per-forwarded", &["limit/not-reset"]),
    ("malformed-resets", &["limit/not-reset", "request/*", "lifecycle/random"]),
    (
        "expired-reported-as-wrong",
        &["matrix/expired", "lifecycle/random", "expiry/*", "limit/resend", "policy/*", "consistency/*"],
    ),
    ("code-number", &["request/code-as-number", "limit/not-reset", "lifecycle/random"]),
    ("code-list", &["request/code-in-a-list", "limit/not-reset", "lifecycle/random"]),
    ("code-operator", &["request/code-as-object", "limit/not-reset", "lifecycle/random"]),
    ("attempts-member", &["request/unknown-members", "limit/not-reset"]),
    ("broken-off-taken", &["request/truncated-body", "request/*", "limit/not-reset", "lifecycle/random"]),
    ("invalid-utf-8-dropped", &["request/encoding"]),
    (
        "nul-500",
        &[
            "request/encoding",
            "request/parameters",
            "request/code-spelling",
            "request/session-*",
            "limit/not-reset",
            "lifecycle/random",
        ],
    ),
    ("empty-credentials", &["auth/missing", "auth/wrong", "auth/challenge"]),
];

/// The checks that can find `fault`.
pub(super) fn checks(fault: &Fault) -> Vec<&'static str> {
    let exception = EXCEPTIONS.iter().find(|(name, _)| *name == fault.name);
    exception.map_or_else(|| usual_checks(fault), |(_, checks)| checks.to_vec())
}

/// The checks that can find a fault that breaks the same rule.
pub(super) fn usual_checks(fault: &Fault) -> Vec<&'static str> {
    if fault.breaks != Rule::DocumentedResponse {
        return of_rule(fault.breaks).to_vec();
    }
    let situations = match fault.effect {
        Effect::Response(situations, _) | Effect::Intermittent(situations, _) => situations.to_vec(),
        Effect::Decision(SessionDefect::Misreported(truth, _)) => truth.situation().into_iter().collect(),
        // Any situation may have a wrong response.
        _ => Situation::ALL.to_vec(),
    };
    let mut seen = BTreeSet::new();
    situations.into_iter().flat_map(of_situation).copied().filter(|check| seen.insert(*check)).collect()
}

/// The checks that bring about `situation` and judge the response.
fn of_situation(situation: Situation) -> &'static [&'static str] {
    match situation {
        Situation::Approved => &[
            "matrix/approved",
            "request/*",
            "lifecycle/random",
            "limit/*",
            "expiry/*",
            "single-use/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
            "disclosure/*",
            "auth/*",
        ],
        Situation::WrongCode => &[
            "matrix/wrong_code*",
            "request/*",
            "lifecycle/random",
            "limit/*",
            "expiry/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
        ],
        Situation::Expired => &[
            "matrix/expired",
            "lifecycle/random",
            "limit/resend",
            "expiry/*",
            "single-use/stays-used",
            "policy/*",
            "consistency/*",
        ],
        Situation::AttemptsExhausted => &[
            "matrix/attempts_exhausted*",
            "request/*",
            "lifecycle/random",
            "limit/*",
            "isolation/*",
            "disclosure/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
        ],
        Situation::AlreadyUsed => &[
            "matrix/already_used",
            "request/*",
            "lifecycle/random",
            "single-use/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
        ],
        Situation::UnknownSession | Situation::ForeignSession => &[
            "matrix/unknown_session",
            "matrix/foreign_session",
            "request/session-*",
            "request/encoding",
            "lifecycle/random",
            "isolation/*",
            "consistency/*",
        ],
        Situation::MalformedCode | Situation::MalformedBody => &[
            "matrix/malformed_*",
            "request/*",
            "limit/not-reset",
            "lifecycle/random",
            "consistency/*",
            "disclosure/*",
        ],
        Situation::MissingCode | Situation::MissingSession => &[
            "matrix/missing_*",
            "request/*",
            "limit/not-reset",
            "lifecycle/random",
            "consistency/*",
            "disclosure/*",
        ],
        Situation::MissingCredentials | Situation::WrongCredentials => {
            &["matrix/*_credentials", "auth/*", "isolation/*"]
        }
    }
}

/// The checks that find a violation of `rule`.
fn of_rule(rule: Rule) -> &'static [&'static str] {
    match rule {
        // The situations decide, see `usual_checks`.
        Rule::DocumentedResponse | Rule::Undecided => &[],
        Rule::SingleUse => &[
            "matrix/already_used",
            "request/*",
            "lifecycle/random",
            "single-use/*",
            "concurrency/*",
            "policy/*",
            "consistency/walk",
        ],
        Rule::AtomicUse => &["concurrency/single-use", "concurrency/mixed"],
        Rule::Disconnect => &["limit/client-disconnect", "single-use/client-disconnect"],
        Rule::AttemptLimit => &[
            "matrix/attempts_exhausted*",
            // A response with the number of remaining attempts is wrong from the first wrong code on.
            "matrix/wrong_code.retry",
            "request/*",
            "lifecycle/random",
            "limit/*",
            "expiry/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/walk",
        ],
        Rule::AtomicCount => &["concurrency/limit", "concurrency/mixed"],
        // A shared count affects every check that uses a second session.
        Rule::CountPerSession => &[
            "matrix/attempts_exhausted*",
            "matrix/wrong_code.retry",
            "request/*",
            "lifecycle/random",
            "limit/*",
            "expiry/*",
            "single-use/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
            "disclosure/*",
            "auth/*",
        ],
        Rule::CountPersists => &["limit/*", "lifecycle/random", "consistency/walk"],
        Rule::MalformedIsNoAttempt => &["limit/*", "request/*", "lifecycle/random"],
        Rule::Resend => &["limit/resend", "lifecycle/random", "consistency/walk"],
        Rule::Lifetime => &["matrix/expired", "lifecycle/random", "expiry/*", "policy/*", "consistency/walk"],
        Rule::Isolation => &["matrix/foreign_session", "isolation/*", "lifecycle/random", "consistency/walk"],
        Rule::ExactSessionId => &["request/session-spelling", "request/session-types", "request/encoding"],
        Rule::LimitOverride | Rule::RetryOverride | Rule::Lockout => {
            &["policy/*", "limit/*", "lifecycle/random", "consistency/walk"]
        }
        Rule::LifetimeOverride => &["policy/*", "expiry/*", "lifecycle/random", "consistency/walk"],
        Rule::RemainingAttempts => &[
            "matrix/wrong_code.retry",
            "limit/*",
            "policy/*",
            "lifecycle/random",
            "concurrency/*",
            "consistency/walk",
        ],
        // A misread code turns a malformed request into an attempt, so checks that expect such a request to be free
        // may fail as well.
        Rule::ExactCode => &[
            "request/code-spelling",
            "request/code-whitespace",
            "request/encoding",
            "request/size",
            "matrix/malformed_code",
            "limit/not-reset",
            "lifecycle/random",
        ],
        Rule::CodeType => &["request/code-*", "limit/not-reset", "lifecycle/random"],
        Rule::CodeRequired => &["request/*", "matrix/missing_code", "limit/not-reset", "lifecycle/random"],
        Rule::UniqueNames => {
            &["request/duplicate-members", "request/parameters", "limit/not-reset", "lifecycle/random"]
        }
        Rule::UnknownMembers => &["request/unknown-members"],
        Rule::BodyIsObject => &["request/not-an-object", "limit/not-reset", "lifecycle/random"],
        Rule::SessionIdType => &["request/session-types"],
        Rule::WholeBody => &["request/fragmented-body", "request/size"],
        Rule::TextEncoding => &[
            "request/encoding",
            "request/parameters",
            "request/session-*",
            "limit/not-reset",
            "lifecycle/random",
        ],
        Rule::CodeLength => &["request/size", "request/code-spelling", "limit/not-reset", "lifecycle/random"],
        Rule::ContentEncoding => &["request/compressed"],
        Rule::ParameterBounds => &["request/parameters", "limit/not-reset", "lifecycle/random"],
        Rule::CredentialsRequired => &["auth/*", "matrix/missing_credentials"],
        Rule::CredentialsCompared => &["auth/*", "matrix/wrong_credentials"],
        Rule::OwnAccount => &["auth/other-account", "isolation/*", "matrix/foreign_session"],
        Rule::SchemeName => &["auth/scheme-case"],
        Rule::Method => &["request/method"],
        Rule::Challenge => &["auth/*"],
        Rule::Secrecy => &["disclosure/*"],
        Rule::ResponseHeaders => &["disclosure/headers"],
    }
}

#[cfg(test)]
mod tests {
    use otp_sandbox::FAULTS;

    use super::*;

    #[test]
    fn an_exception_belongs_to_a_fault_and_differs_from_its_rule() {
        let mut names = BTreeSet::new();
        for (name, checks) in EXCEPTIONS {
            assert!(names.insert(name), "{name} has two exceptions");
            let fault = FAULTS.iter().find(|fault| fault.name == *name).unwrap_or_else(|| panic!("{name}"));
            let checks: BTreeSet<_> = checks.iter().copied().collect();
            assert_ne!(checks, usual_checks(fault).into_iter().collect(), "{name}");
        }
    }
}
