//! The page around the parts: its head, the verdict, links to the sections, and the verdict again in the last line.
//!
//! May use the other parts of the format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use super::badge::{Shown, counts, verdict_class};
use super::exchange::Room;
use super::finding::Findings;
use super::plain::{distinct, inline};
use super::{filter, finding, matrix, verdict};
use crate::report::facts::{known, stale};
use crate::report::{CheckReport, Report};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The whole page.
pub(super) fn page(report: &Report) -> Markup {
    let findings = Findings::of(report);
    let mut room = Room::new();
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(report))
            body {
                header {
                    h1 {
                        "OTP conformance: "
                        span class={ "verdict " (verdict_class(report.verdict)) } { (report.verdict.as_str()) }
                    }
                    (verdict::summary(report))
                    p { (counts(report.vendors.iter().flat_map(|vendor| &vendor.checks))) }
                    (contents(report, &findings))
                }
                main {
                    (filter::form(report))
                    @for (index, vendor) in report.vendors.iter().enumerate() {
                        (matrix::section(index + 1, vendor, &findings))
                    }
                    (finding::section("failing", "Findings that fail the run", true, &findings, &mut room))
                    (finding::section("advisory", "Advisory findings", false, &findings, &mut room))
                    (stale_waivers(report))
                    (known_findings(report))
                    (without_result("errors", "Checks in error", Shown::Error, report))
                    (without_result("skipped", "Skipped checks", Shown::Skipped, report))
                }
                footer { p { (verdict::line(report)) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn head(report: &Report) -> Markup {
    let vendors: Vec<_> = report.vendors.iter().map(|vendor| inline(&vendor.name)).collect();
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { "OTP conformance: " (report.verdict.as_str()) " (" (vendors.join(", ")) ")" }
            // Without it, a browser asks the server for an icon. The policy must allow it.
            link rel="icon" href="data:,";
            style { (PreEscaped(STYLE)) }
        }
    }
}

/// What the policy calls an inline style sheet or script.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

fn contents(report: &Report, findings: &Findings<'_>) -> Markup {
    let sections =
        [("failing", "Findings that fail the run", true), ("advisory", "Advisory findings", false)];
    html! {
        nav aria-label="Contents" {
            ul {
                @for (index, vendor) in report.vendors.iter().enumerate() {
                    li { a href={ "#vendor-" (index + 1) } { (inline(&vendor.name)) } }
                }
                @for (id, title, gating) in sections {
                    @if findings.number(gating) > 0 {
                        li { a href={ "#" (id) } { (title) } }
                    }
                }
                @for (id, title, shown) in [("errors", "Checks in error", Shown::Error), ("skipped", "Skipped checks", Shown::Skipped)] {
                    @if !with_result(report, shown).is_empty() {
                        li { a href={ "#" (id) } { (title) } }
                    }
                }
            }
        }
    }
}

fn with_result(report: &Report, shown: Shown) -> Vec<&CheckReport> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter(|check| Shown::of(check) == shown).collect()
}

/// The waivers that are of no use any more, which fail the run.
fn stale_waivers(report: &Report) -> Markup {
    if report.stale_waivers.is_empty() {
        return Markup::default();
    }
    html! {
        section id="waivers" aria-labelledby="waivers-title" {
            h2 id="waivers-title" { "Stale waivers " span.count { (report.stale_waivers.len()) } }
            ul {
                @for waiver in &report.stale_waivers { li.failed { (stale(waiver)) } }
            }
        }
    }
}

/// The findings that a waiver covers, each with its reason.
fn known_findings(report: &Report) -> Markup {
    let known = known(report);
    if known.is_empty() {
        return Markup::default();
    }
    html! {
        section.group id="known" aria-labelledby="known-title" {
            h2 id="known-title" { "Known findings " span.count { (known.len()) } }
            ul.also {
                @for (check, reason) in known {
                    @let marks = filter::Marks::of(check);
                    li data-result=(marks.result) data-area=(marks.area) { code { (inline(&check.id)) } ": " (reason) }
                }
            }
        }
    }
}

/// The checks without a result, by their reason: one trouble often stops many.
fn without_result(id: &str, title: &str, shown: Shown, report: &Report) -> Markup {
    let checks = with_result(report, shown);
    if checks.is_empty() {
        return Markup::default();
    }
    let reason = |check: &CheckReport| inline(check.reason.as_deref().unwrap_or("no reason is known"));
    html! {
        section.group id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) " " span.count { (checks.len()) } }
            @for same in distinct(checks.iter().map(|check| reason(check))) {
                div.group {
                    p.reason { (same) }
                    ul.also {
                        @for check in checks.iter().filter(|check| reason(check) == same) {
                            @let marks = filter::Marks::of(check);
                            li data-result=(marks.result) data-area=(marks.area) { code { (inline(&check.id)) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        for text in [STYLE, SCRIPT] {
            let text = text.to_ascii_lowercase();
            assert!(!text.contains("</style") && !text.contains("</script") && !text.contains("<!--"));
            // A browser changes line ends before it compares hashes.
            assert!(!text.contains('\r') && text.is_ascii());
        }
    }

    #[test]
    fn a_hash_is_the_one_that_a_policy_names() {
        // Of the example in the specification of the Content-Security-Policy.
        assert_eq!(hash("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }
}
