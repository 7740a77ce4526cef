//! Every fault in one list, joined from one table for each kind. It depends on the definition of faults and on the
//! enums of effects; it must contain no behaviour.

mod decisions;
mod liberties;
mod requests;
mod responses;

pub use liberties::LIBERTIES;

use super::definition::{Effect, Fault};
use super::rule::Rule;

const COUNT: usize = responses::TABLE.len() + decisions::TABLE.len() + requests::TABLE.len();

static ALL: [Fault; COUNT] = join(&[responses::TABLE, decisions::TABLE, requests::TABLE]);

/// Every fault that a sandbox can be started with.
pub static FAULTS: &[Fault] = &ALL;

/// Former names of faults, which the command line still accepts, and the current names.
const FORMER_NAMES: &[(&str, &str)] = &[
    ("hang-up-undoes", "disconnect-undoes"),
    ("expired-told-as-wrong", "expired-reported-as-wrong"),
    ("exhausted-told-as-wrong", "exhausted-reported-as-wrong"),
    ("used-told-as-expired", "used-reported-as-expired"),
    ("unknown-told-as-wrong", "unknown-reported-as-wrong"),
    ("foreign-told", "foreign-revealed"),
    ("length-told", "length-disclosed"),
];

impl Fault {
    /// The fault with this name or former name.
    pub fn named(name: &str) -> Option<&'static Fault> {
        let current =
            FORMER_NAMES.iter().find(|(former, _)| *former == name).map_or(name, |(_, current)| current);
        FAULTS.iter().find(|fault| fault.name == current)
    }
}

/// Joins the tables into one array, so that callers see one slice of faults and not a slice of tables.
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

const fn row(name: &'static str, summary: &'static str, breaks: Rule, effect: Effect) -> Fault {
    Fault { name, summary, breaks, effect }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let names: BTreeSet<_> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
    }

    #[test]
    fn a_former_name_finds_the_fault_and_belongs_to_no_other() {
        for (former, current) in FORMER_NAMES {
            assert_eq!(Fault::named(former).map(|fault| fault.name), Some(*current));
            assert!(FAULTS.iter().all(|fault| fault.name != *former), "{former}");
        }
        assert!(Fault::named("gremlin").is_none());
    }

    #[test]
    fn a_summary_is_one_sentence_without_its_full_stop() {
        for fault in FAULTS {
            let summary = fault.summary;
            assert!(!summary.is_empty() && !summary.ends_with('.') && !summary.contains(". "), "{summary}");
        }
    }

    #[test]
    fn no_two_faults_have_the_same_effect_or_summary() {
        for (index, fault) in FAULTS.iter().enumerate() {
            let twin = FAULTS[index + 1..]
                .iter()
                .find(|other| other.effect == fault.effect || other.summary == fault.summary);
            assert!(twin.is_none(), "{} and {:?}", fault.name, twin.map(|twin| twin.name));
        }
    }
}
