//! With which contracts a fault is observable: what its rule needs from the contract, and what its effect needs
//! besides. This module must not look at a fault's name or a vendor's name.

use otp_contract::{Alphabet, Contract, Matching, Place, Scheme, Situation, StateValue, ValueKind};
use otp_sandbox::{Effect, Fault, Leak, Reading, Rule, SessionDefect, Spelling, StoreDefect, Trigger};

use super::observation::{differ, is_misreport_observable, is_observable};

pub(super) fn applies(fault: &Fault, contract: &Contract) -> bool {
    has_rule(contract, fault.breaks) && shows(fault.effect, contract)
}

/// Whether a server of the contract can break `rule`.
fn has_rule(contract: &Contract, rule: Rule) -> bool {
    let operation = contract.verify();
    let overrides = &contract.policy.overrides;
    let is_limited = contract.policy.attempts.is_some();
    let has_code_in_body = operation.code.location.place == Place::Body;
    match rule {
        Rule::Undecided
        | Rule::DocumentedResponse
        | Rule::SingleUse
        | Rule::AtomicUse
        | Rule::Disconnect
        | Rule::Resend
        | Rule::Lifetime
        | Rule::Isolation
        | Rule::ExactCode
        | Rule::CodeRequired
        | Rule::UniqueNames
        | Rule::TextEncoding
        | Rule::CodeLength
        | Rule::CredentialsRequired
        | Rule::CredentialsCompared
        | Rule::Method
        | Rule::Challenge
        | Rule::Secrecy
        | Rule::ResponseHeaders => true,
        Rule::AttemptLimit
        | Rule::AtomicCount
        | Rule::CountPerSession
        | Rule::CountPersists
        | Rule::MalformedIsNoAttempt
        // The sandbox accepts another spelling only for counting.
        | Rule::ExactSessionId => is_limited,
        Rule::LimitOverride => is_limited && overrides.limit.is_some(),
        Rule::LifetimeOverride => overrides.lifetime_minutes.is_some(),
        Rule::RetryOverride => overrides.retry.is_some(),
        Rule::Lockout => is_limited && contract.policy.lockout_seconds.is_some(),
        Rule::RemainingAttempts => operation.cells.iter().any(|cell| {
            let remaining = Matching::State(StateValue::RemainingAttempts);
            !cell.alternative && cell.members.iter().any(|member| member.rule.matching == remaining)
        }),
        Rule::CodeType => has_code_in_body,
        Rule::UnknownMembers | Rule::BodyIsObject => operation.has_json_body(),
        Rule::SessionIdType => operation.session.location.place == Place::Body,
        Rule::WholeBody | Rule::ContentEncoding => operation.has_json_body() && has_code_in_body,
        Rule::ParameterBounds => {
            operation.parameters.iter().any(|parameter| parameter.kind != ValueKind::Text)
        }
        Rule::OwnAccount => !operation.accounts.is_empty(),
        Rule::SchemeName => {
            operation.security.iter().all(|scheme| !matches!(scheme.scheme, Scheme::ApiKey { .. }))
        }
    }
}

/// Whether a client can observe `effect`, for effects that need more than their rule.
fn shows(effect: Effect, contract: &Contract) -> bool {
    let operation = contract.verify();
    let is_limited = contract.policy.attempts.is_some();
    let has_code_in_body = operation.code.location.place == Place::Body;
    match effect {
        Effect::Response(situations, distortion) | Effect::Intermittent(situations, distortion) => {
            is_observable(contract, situations, distortion)
        }
        Effect::Decision(SessionDefect::ComparedFirst(outcome)) => {
            outcome.situation().is_some_and(|situation| differ(contract, situation, Situation::WrongCode))
        }
        Effect::Decision(SessionDefect::Misreported(truth, reported)) => truth
            .situation()
            .zip(reported.situation())
            .is_some_and(|(truth, reported)| is_misreport_observable(contract, truth, reported)),
        Effect::Storage(StoreDefect::ForeignRevealed) => {
            differ(contract, Situation::UnknownSession, Situation::WrongCode)
        }
        Effect::Storage(StoreDefect::ForeignCounts | StoreDefect::ResendResets)
        | Effect::Reading(Reading::AttemptsMember) => is_limited,
        // A malformed code may count as a wrong one; a malformed body may not.
        Effect::Storage(StoreDefect::MalformedCounts) => operation.has_json_body(),
        Effect::Storage(StoreDefect::SessionSpelling(spelling)) => has_other(contract, spelling),
        Effect::Reading(Reading::LetterCase) => operation.code.alphabet == Alphabet::Alphanumeric,
        Effect::Reading(Reading::Null | Reading::Crash(Trigger::NotText)) => has_code_in_body,
        Effect::Reading(Reading::DropsInvalidUtf8) => operation.has_json_body() && has_code_in_body,
        // With only one possible length, the document discloses it.
        Effect::Leak(Leak::Length) => operation.code.min_length < operation.code.max_length,
        _ => true,
    }
}

/// Whether the session ids of the contract have another spelling of this kind.
fn has_other(contract: &Contract, spelling: Spelling) -> bool {
    let pattern = &contract.verify().session.id_pattern;
    match spelling {
        Spelling::Case => pattern.contains("{uuid}") || pattern.contains("{hex:"),
        Spelling::Hyphens => pattern.contains("{uuid}"),
        _ => true,
    }
}
