//! Every fault, in one list. A table says what a fault is and by which checks it may be found; what it does stands in
//! the module of its kind.

mod answers;
mod decisions;
mod requests;

use super::{Effect, Fault};

/// How many faults there are.
const COUNT: usize = answers::TABLE.len() + decisions::TABLE.len() + requests::TABLE.len();

/// All of them.
pub(super) static ALL: [Fault; COUNT] = join(&[answers::TABLE, decisions::TABLE, requests::TABLE]);

/// The tables one after the other; a slice of slices would make every reader flatten it.
const fn join(tables: &[&[Fault]]) -> [Fault; COUNT] {
    let mut all = [tables[0][0]; COUNT];
    let (mut table, mut filled) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[filled] = tables[table][row];
            filled += 1;
            row += 1;
        }
        table += 1;
    }
    all
}

const fn fault(
    name: &'static str,
    summary: &'static str,
    effect: Effect,
    found_by: &'static [&'static str],
) -> Fault {
    Fault { name, summary, effect, found_by }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ALL;

    /// Every check that a suite may have, without the vendor.
    const CHECKS: &[&str] = &[
        "matrix/approved",
        "matrix/wrong_code",
        "matrix/wrong_code.retry",
        "matrix/expired",
        "matrix/attempts_exhausted",
        "matrix/attempts_exhausted.retry",
        "matrix/already_used",
        "matrix/unknown_session",
        "matrix/foreign_session",
        "matrix/missing_session",
        "matrix/missing_code",
        "matrix/malformed_code",
        "matrix/malformed_body",
        "matrix/missing_credentials",
        "matrix/wrong_credentials",
        "request/code-as-number",
        "request/code-in-a-list",
        "request/code-as-object",
        "request/code-null-or-empty",
        "request/code-spelling",
        "request/session-spelling",
        "request/session-types",
        "request/duplicate-members",
        "request/unknown-members",
        "request/not-an-object",
        "request/encoding",
        "request/size",
        "request/content-type",
        "request/method",
        "request/pieces",
        "request/broken-off",
        "request/compressed",
        "request/parameters",
        "lifecycle/random",
        "limit/boundary",
        "limit/alike",
        "limit/own-counter",
        "limit/not-reset",
        "limit/not-forgotten",
        "limit/resend",
        "limit/hang-up",
        "expiry/boundary",
        "expiry/not-extended",
        "expiry/alike",
        "single-use/alike",
        "single-use/stays-used",
        "single-use/hang-up",
        "isolation/alike",
        "isolation/own-code",
        "isolation/no-cost",
        "concurrency/single-use",
        "concurrency/limit",
        "concurrency/mixed",
        "policy/retry",
        "policy/limit",
        "policy/lifetime",
        "policy/lockout",
        "consistency/walk",
        "consistency/wording",
        "disclosure/code",
        "disclosure/internals",
        "disclosure/headers",
        "auth/missing",
        "auth/wrong",
        "auth/other-account",
        "auth/each-scheme",
        "auth/challenge",
        "auth/scheme-case",
    ];

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: BTreeSet<_> = ALL.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
    }

    #[test]
    fn there_are_as_many_as_it_takes() {
        assert!(ALL.len() >= 70, "{}", ALL.len());
    }

    #[test]
    fn each_is_found_by_checks_that_there_are() {
        for fault in &ALL {
            assert!(!fault.found_by.is_empty(), "{}", fault.name);
            for pattern in fault.found_by {
                let is_known = match pattern.split_once('*') {
                    Some((before, after)) => CHECKS
                        .iter()
                        .any(|check| check.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))),
                    None => CHECKS.contains(pattern),
                };
                assert!(is_known, "{}: {pattern}", fault.name);
            }
        }
    }

    #[test]
    fn a_summary_is_one_sentence_without_its_full_stop() {
        for fault in &ALL {
            let summary = fault.summary;
            assert!(!summary.is_empty() && !summary.ends_with('.') && !summary.contains(". "), "{summary}");
        }
    }

    #[test]
    fn no_two_do_the_same() {
        for (index, fault) in ALL.iter().enumerate() {
            let twin = ALL[index + 1..].iter().find(|other| other.effect == fault.effect);
            assert!(twin.is_none(), "{} and {:?}", fault.name, twin.map(|twin| twin.name));
        }
    }
}
