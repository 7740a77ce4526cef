//! The findings: what a check asserts and what says so, expected, actual, the differences, every exchange, and the script
//! that repeats them.
//!
//! May use `exchange`, `badge` and `filter`. Findings whose cause another one shows are there in full as well, but closed.

use std::collections::HashMap;

use maud::{Markup, html};

use super::badge::{Shown, badge};
use super::exchange::{Room, exchanges, steps};
use super::filter::Marks;
use super::plain::{block, command, inline};
use crate::oracle::Difference;
use crate::report::facts::{findings, is_consequence, source};
use crate::report::{CheckReport, Finding, Report};

/// Every finding of a report, in the order of the page.
pub(super) struct Findings<'r> {
    report: &'r Report,
    ordered: Vec<(&'r CheckReport, &'r Finding)>,
    numbers: HashMap<&'r str, usize>,
}

impl<'r> Findings<'r> {
    /// Those that fail the run come first, and each cause before its consequences.
    pub(super) fn of(report: &'r Report) -> Findings<'r> {
        let mut ordered = findings(report);
        ordered.sort_by_key(|(check, _)| (!check.gates, is_consequence(report, check)));
        let mut numbers = HashMap::new();
        for (index, (check, _)) in ordered.iter().enumerate() {
            numbers.entry(check.id.as_str()).or_insert(index + 1);
        }
        Findings { report, ordered, numbers }
    }

    /// How many findings fail the run or, without that weight, are advisory.
    pub(super) fn number(&self, gating: bool) -> usize {
        self.ordered.iter().filter(|(check, _)| check.gates == gating).count()
    }

    /// The name of the place where the finding of a check stands, if it has one.
    pub(super) fn anchor(&self, id: &str) -> Option<String> {
        self.numbers.get(id).map(|number| format!("finding-{number}"))
    }

    /// A link to the finding of the check with this id, or only its id.
    fn link(&self, id: &str) -> Markup {
        let name = inline(id);
        html! {
            @match self.anchor(id) {
                Some(anchor) => a href={ "#" (anchor) } { code { (name) } },
                None => code { (name) },
            }
        }
    }
}

/// The section of the findings that fail the run, or of the advisory ones; nothing if there are none.
pub(super) fn section(
    id: &str,
    title: &str,
    gating: bool,
    findings: &Findings<'_>,
    room: &mut Room,
) -> Markup {
    if findings.number(gating) == 0 {
        return Markup::default();
    }
    let numbered = findings.ordered.iter().enumerate().filter(|(_, (check, _))| check.gates == gating);
    html! {
        section.group id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) " " span.count { (findings.number(gating)) } }
            @for (index, (check, finding)) in numbered {
                (article(index + 1, check, finding, findings, room))
            }
        }
    }
}

fn article(
    number: usize,
    check: &CheckReport,
    finding: &Finding,
    findings: &Findings<'_>,
    room: &mut Room,
) -> Markup {
    let Marks { result, area } = Marks::of(check);
    let is_explained = is_consequence(findings.report, check);
    let facts = facts(check, finding, findings, room);
    html! {
        article.finding id={ "finding-" (number) } data-result=(result) data-area=(area) {
            h3 { (badge(Shown::of(check))) " " code { (inline(&check.id)) } }
            p.statement { (inline(&check.statement)) }
            @match &check.cause {
                Some(cause) if is_explained => {
                    p { "Probably the same cause as " (findings.link(cause)) }
                    details {
                        summary { "What the check found" }
                        (facts)
                    }
                },
                _ => (facts),
            }
        }
    }
}

fn facts(check: &CheckReport, finding: &Finding, findings: &Findings<'_>, room: &mut Room) -> Markup {
    html! {
        dl.facts {
            dt { "Source" }
            dd { (source(check)) }
            dt { "Weight" }
            dd { (check.basis.in_words()) }
        }
        h4 { "Expected" }
        ul.alternatives {
            @for line in finding.expected.lines() {
                li { pre { code { (block(line)) } } }
            }
        }
        h4 { "Actual" }
        pre.actual { code { (block(&finding.actual)) } }
        (differences(&finding.differences))
        (steps(finding))
        (exchanges(finding, room))
        @if !finding.script.is_empty() {
            details.script {
                summary { "Shell script that repeats it" }
                pre { code { (command(&finding.script)) } }
            }
        }
        @if !check.also.is_empty() {
            h4 { "Probably for the same cause" }
            ul.also {
                @for id in &check.also {
                    li { (findings.link(id)) }
                }
            }
        }
    }
}

fn differences(differences: &[Difference]) -> Markup {
    if differences.is_empty() {
        return Markup::default();
    }
    html! {
        table.differences {
            caption { "Differences" }
            thead {
                tr {
                    th scope="col" { "Where" }
                    th scope="col" { "Expected" }
                    th scope="col" { "Found" }
                }
            }
            tbody {
                @for difference in differences {
                    tr {
                        th scope="row" { code { (inline(&difference.place)) } }
                        td { code { (inline(&difference.expected)) } }
                        td { code { (inline(&difference.actual)) } }
                    }
                }
            }
        }
    }
}
