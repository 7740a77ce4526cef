//! What changed between two saved reports: what fails the run now and did not, what no longer does, and everything that
//! does not decide.
//!
//! May use `saved`. It must not show anything; `comparison/text.rs` does.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::saved::{SavedCheck, SavedFinding, SavedReport, SavedVendor, SavedVerdict, Standing};

mod text;

/// A value before and now; `None` where a report does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Pair<T> {
    pub(super) old: T,
    pub(super) new: T,
}

/// What changed between two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Comparison {
    /// Whether a check fails the run that did not, or a verdict is worse.
    pub(crate) worse: bool,
    pub(super) verdict: Pair<SavedVerdict>,
    /// How many changes there are of each kind.
    pub(super) counts: Counts,
    pub(super) vendors: Vec<VendorComparison>,
}

/// What changed for one vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct VendorComparison {
    pub(super) vendor: String,
    pub(super) verdict: Pair<Option<SavedVerdict>>,
    pub(super) changes: Vec<Change>,
}

/// What changed for one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) result: Pair<Standing>,
    pub(super) finding: Pair<Option<SavedFinding>>,
}

/// The kinds of changes, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// It fails the run now and did not.
    Worse,
    /// It failed the run and no longer does.
    Better,
    /// It fails as before, with another finding.
    Changed,
    /// An advisory finding that there was not.
    AdvisoryWorse,
    /// An advisory finding that there is no longer.
    AdvisoryBetter,
    /// Another result, which neither fails the run nor is a finding.
    Result,
    /// A check that the former run did not have.
    Appeared,
    /// A check that this run does not have.
    Went,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Kind; 8] = [
        Kind::Worse,
        Kind::Better,
        Kind::Changed,
        Kind::AdvisoryWorse,
        Kind::AdvisoryBetter,
        Kind::Result,
        Kind::Appeared,
        Kind::Went,
    ];

    /// The kind of a change between two different standings.
    fn of(old: Standing, new: Standing) -> Kind {
        match (old, new) {
            (_, Standing::Failed) => Kind::Worse,
            (Standing::Failed, _) => Kind::Better,
            (_, Standing::Advisory) => Kind::AdvisoryWorse,
            (Standing::Advisory, _) => Kind::AdvisoryBetter,
            (Standing::Absent, _) => Kind::Appeared,
            (_, Standing::Absent) => Kind::Went,
            _ => Kind::Result,
        }
    }
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) worse: usize,
    pub(super) better: usize,
    pub(super) changed: usize,
    pub(super) advisory_worse: usize,
    pub(super) advisory_better: usize,
    pub(super) result: usize,
    pub(super) appeared: usize,
    pub(super) went: usize,
}

impl Counts {
    fn over<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Counts {
        let mut counts = Counts::default();
        for change in changes {
            *match change.kind {
                Kind::Worse => &mut counts.worse,
                Kind::Better => &mut counts.better,
                Kind::Changed => &mut counts.changed,
                Kind::AdvisoryWorse => &mut counts.advisory_worse,
                Kind::AdvisoryBetter => &mut counts.advisory_better,
                Kind::Result => &mut counts.result,
                Kind::Appeared => &mut counts.appeared,
                Kind::Went => &mut counts.went,
            } += 1;
        }
        counts
    }
}

impl Comparison {
    /// Compares a former report with a new one.
    pub(crate) fn of(old: &SavedReport, new: &SavedReport) -> Comparison {
        let of_both = new.vendors.iter().chain(&old.vendors);
        let names = once(of_both.map(|vendor| vendor.vendor.as_str()));
        let vendors: Vec<_> = names.into_iter().map(|name| compare_vendor(name, old, new)).collect();
        let counts = Counts::over(vendors.iter().flat_map(|vendor| &vendor.changes));
        let verdict = Pair { old: old.verdict, new: new.verdict };
        let is_worse = |vendor: &VendorComparison| match vendor.verdict {
            Pair { old: Some(old), new: Some(new) } => old < new,
            _ => false,
        };
        let worse = counts.worse > 0 || verdict.old < verdict.new || vendors.iter().any(is_worse);
        Comparison { worse, verdict, counts, vendors }
    }
}

fn compare_vendor(name: &str, old: &SavedReport, new: &SavedReport) -> VendorComparison {
    let of = |report: &'_ SavedReport| report.vendors.iter().position(|vendor| vendor.vendor == name);
    let (before, now) = (of(old).map(|index| &old.vendors[index]), of(new).map(|index| &new.vendors[index]));
    let former = by_id(before);
    let current = by_id(now);
    let of_both = now.iter().chain(&before).flat_map(|vendor| &vendor.checks);
    let ids = once(of_both.map(|check| check.id.as_str()));
    let changes = ids.into_iter().filter_map(|id| {
        let (old_check, new_check) = (former.get(id).copied(), current.get(id).copied());
        let standing =
            |check: Option<&SavedCheck>, report| check.map_or(Standing::Absent, |it| it.standing(report));
        let result = Pair { old: standing(old_check, old), new: standing(new_check, new) };
        let finding = Pair {
            old: old_check.and_then(|check| check.finding.clone()),
            new: new_check.and_then(|check| check.finding.clone()),
        };
        let kind = match result.old == result.new {
            false => Kind::of(result.old, result.new),
            true if is_same(finding.old.as_ref(), finding.new.as_ref()) => return None,
            true => Kind::Changed,
        };
        Some(Change { id: id.to_owned(), kind, result, finding })
    });
    VendorComparison {
        vendor: name.to_owned(),
        changes: changes.collect(),
        verdict: Pair { old: before.map(|vendor| vendor.verdict), new: now.map(|vendor| vendor.verdict) },
    }
}

/// The names in order, each once.
fn once<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// The checks of a vendor by their ids; of two with the same id the first.
fn by_id(vendor: Option<&SavedVendor>) -> HashMap<&str, &SavedCheck> {
    let mut checks = HashMap::new();
    for check in vendor.iter().flat_map(|vendor| &vendor.checks) {
        checks.entry(check.id.as_str()).or_insert(check);
    }
    checks
}

/// Whether two findings say the same, apart from what every run chooses anew.
fn is_same(old: Option<&SavedFinding>, new: Option<&SavedFinding>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            stable(&old.expected) == stable(&new.expected) && stable(&old.actual) == stable(&new.actual)
        }
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// The shortest word that may be an id, an address, a code or a time. A status and an error code are shorter.
const SHORTEST_ID: usize = 6;

/// `text` without ids, addresses, codes and times: words with a digit in them that are as long as those are.
fn stable(text: &str) -> String {
    let is_of_word = |character: char| character.is_alphanumeric() || "_-:.".contains(character);
    let mut stable = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character| !is_of_word(character)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        let is_volatile =
            word.len() >= SHORTEST_ID && word.contains(|character: char| character.is_ascii_digit());
        stable.push_str(if is_volatile { "…" } else { word });
        let next = tail.find(is_of_word).unwrap_or(tail.len());
        stable.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    stable
}

#[cfg(test)]
mod tests;
