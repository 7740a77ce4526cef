//! A comparison as JSON, and in words for a terminal of 80 columns: for each vendor what fails the run now, what no longer does, and
//! what does not decide. The last line says whether something got worse.
//!
//! Everything from the files is shown on one line, escaped and cut to the width.

use super::{Change, Comparison, Kind, Pair, VendorComparison};
use crate::report::saved::{SavedVerdict, Standing};
use crate::report::text::{lines as spelled, one_line};

/// The width of a line, in characters.
const WIDTH: usize = 80;

impl Kind {
    /// The heading of the changes of this kind.
    fn heading(self) -> &'static str {
        match self {
            Kind::Worse => "worse: fails the run now",
            Kind::Better => "better: no longer fails the run",
            Kind::Changed => "changed: fails as before, with another finding",
            Kind::AdvisoryWorse => "new advisory finding, which does not decide",
            Kind::AdvisoryBetter => "advisory finding gone, which does not decide",
            Kind::Result => "another result, which does not decide",
            Kind::Appeared => "appeared: the old report does not have it",
            Kind::Went => "went: the new report does not have it",
        }
    }
}

impl Comparison {
    /// The comparison for people.
    pub(crate) fn in_words(&self) -> String {
        let mut lines = Vec::new();
        for vendor in &self.vendors {
            write_vendor(vendor, &mut lines);
        }
        lines.extend(self.conclusion());
        lines.into_iter().map(|line| fitted(&line, WIDTH) + "\n").collect()
    }

    /// The comparison for programs. What a reader would not see is escaped: in JSON, the spelling means the character.
    pub(crate) fn in_json(&self) -> serde_json::Result<String> {
        Ok(spelled(&serde_json::to_string_pretty(self)?) + "\n")
    }

    /// The counts, and what they mean.
    fn conclusion(&self) -> Vec<String> {
        let counts = &self.counts;
        let Pair { old, new } = self.verdict;
        let decisive =
            format!("{} worse, {} better, {} changed", counts.worse, counts.better, counts.changed);
        let others = format!(
            "{} advisory new, {} advisory gone, {} other, {} appeared, {} went",
            counts.advisory_worse, counts.advisory_better, counts.result, counts.appeared, counts.went
        );
        let is_better = counts.better > 0 || new < old;
        let word = match (self.worse, is_better) {
            (true, _) => "worse",
            (false, true) => "better",
            (false, false) => "not worse",
        };
        let verdict = match old == new {
            true => format!("still {}", new.as_str()),
            false => format!("{} → {}", old.as_str(), new.as_str()),
        };
        vec![others, format!("{word}: {verdict}; {decisive}")]
    }
}

fn write_vendor(vendor: &VendorComparison, lines: &mut Vec<String>) {
    let name = one_line(&vendor.vendor);
    let verdict = |verdict: Option<SavedVerdict>| verdict.map_or("absent", SavedVerdict::as_str);
    let (old, new) = (verdict(vendor.verdict.old), verdict(vendor.verdict.new));
    if vendor.changes.is_empty() && old == new {
        lines.push(format!("{name}: {new}, no change"));
        lines.push(String::new());
        return;
    }
    lines.push(match old == new {
        true => format!("{name}: still {new}"),
        false => format!("{name}: {old} → {new}"),
    });
    for kind in Kind::ALL {
        let changes: Vec<_> = vendor.changes.iter().filter(|change| change.kind == kind).collect();
        if !changes.is_empty() {
            lines.push(format!("  {} ({})", kind.heading(), changes.len()));
        }
        for change in changes {
            write_change(change, &vendor.vendor, lines);
        }
    }
    lines.push(String::new());
}

/// How many differences of a finding are shown.
const MAX_DIFFERENCES: usize = 3;

/// The column of the results, and the width of what stands before it.
const NAME_WIDTH: usize = 46;

fn write_change(change: &Change, vendor: &str, lines: &mut Vec<String>) {
    // Under the heading of its vendor, an id needs no vendor.
    let rest = change.id.strip_prefix(vendor).and_then(|rest| rest.strip_prefix('/'));
    let name = fitted(&one_line(rest.unwrap_or(&change.id)), NAME_WIDTH);
    let Pair { old, new } = change.result;
    let results = match (old, new) {
        (old, new) if old == new => new.as_str().to_owned(),
        (Standing::Absent, new) => new.as_str().to_owned(),
        (old, Standing::Absent) => format!("was {}", old.as_str()),
        (old, new) => format!("{} → {}", old.as_str(), new.as_str()),
    };
    lines.push(format!("    {name:<NAME_WIDTH$} {results}"));
    let (old, new) = (change.finding.old.as_ref(), change.finding.new.as_ref());
    match (change.kind, old, new) {
        (Kind::Worse | Kind::AdvisoryWorse, _, Some(new)) => {
            write_fact("expected", &new.expected, lines);
            write_fact("actual", &new.actual, lines);
            // The beginnings of two bodies are often the same.
            for difference in new.differences.iter().take(MAX_DIFFERENCES) {
                let (place, actual) = (&difference.place, &difference.actual);
                write_fact(
                    "differs",
                    &format!("{place}: found {actual}, not {}", difference.expected),
                    lines,
                );
            }
        }
        (Kind::Changed, Some(old), Some(new)) => {
            for (label, old, new) in
                [("expected", &old.expected, &new.expected), ("actual", &old.actual, &new.actual)]
            {
                if super::stable(old) != super::stable(new) {
                    write_fact(&format!("{label} was"), old, lines);
                    write_fact(&format!("{label} now"), new, lines);
                }
            }
        }
        _ => {}
    }
}

fn write_fact(label: &str, fact: &str, lines: &mut Vec<String>) {
    lines.push(format!("      {label:<13}{}", one_line(fact)));
}

/// The beginning of a text, with a mark if there is more.
fn fitted(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
    }
}
