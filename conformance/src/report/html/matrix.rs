//! The checks of each vendor: the documented matrix in full, the other areas each in a list that opens, and every response
//! that the document describes.
//!
//! May use `badge`, `filter` and `finding`'s links. It must not show a finding.

use maud::{Markup, html};

use super::badge::{Shown, badge, counts, verdict_class};
use super::filter::Marks;
use super::finding::Findings;
use super::plain::{block, brief, count, distinct, inline};
use crate::checks::Area;
use crate::report::facts::{short_name, source};
use crate::report::{CellReport, CheckReport, VendorReport};

/// The section of a vendor, the one with this number.
pub(super) fn section(number: usize, vendor: &VendorReport, findings: &Findings<'_>) -> Markup {
    let matrix: Vec<_> = vendor.checks.iter().filter(|check| check.area == Area::Matrix).collect();
    let others: Vec<_> = Area::ALL.into_iter().filter(|area| *area != Area::Matrix).collect();
    html! {
        section id={ "vendor-" (number) } aria-labelledby={ "vendor-" (number) "-name" } {
            h2 id={ "vendor-" (number) "-name" } {
                (inline(&vendor.name)) " "
                span class={ "verdict " (verdict_class(vendor.verdict)) } { (vendor.verdict.as_str()) }
            }
            @if !vendor.operations.is_empty() {
                ul.operations {
                    @for operation in &vendor.operations {
                        li { code { (inline(&format!("{} {}", operation.method, operation.path))) } }
                    }
                }
            }
            @if !matrix.is_empty() {
                div.group {
                    h3 { "Matrix" }
                    p { (counts(matrix.iter().copied())) }
                    (table("The documented responses, and what the server sent", &matrix, vendor, findings))
                }
            }
            (described(&vendor.cells))
            @if vendor.checks.len() > matrix.len() {
                div.group {
                    h3 { "Other areas" }
                    @for area in others {
                        (in_area(area, vendor, findings))
                    }
                }
            }
        }
    }
}

/// The checks of an area, in a list that opens.
fn in_area(area: Area, vendor: &VendorReport, findings: &Findings<'_>) -> Markup {
    let checks: Vec<_> = vendor.checks.iter().filter(|check| check.area == area).collect();
    if checks.is_empty() {
        return Markup::default();
    }
    let caption = format!("The checks of the area {}", area.as_str());
    html! {
        details.group.folded {
            summary { span.name { (area.as_str()) } " " (counts(checks.iter().copied())) }
            (table(&caption, &checks, vendor, findings))
        }
    }
}

fn table(caption: &str, checks: &[&CheckReport], vendor: &VendorReport, findings: &Findings<'_>) -> Markup {
    // Only a check of the matrix asks for one documented response.
    let has_status = checks.iter().any(|check| check.area == Area::Matrix);
    html! {
        table.checks {
            caption { (caption) }
            thead {
                tr {
                    th scope="col" { "Result" }
                    th scope="col" { "Check" }
                    @if has_status { th.http scope="col" { "HTTP" } }
                }
            }
            tbody {
                @for check in checks {
                    (row(check, has_status, vendor, findings))
                }
            }
        }
    }
}

fn row(check: &CheckReport, has_status: bool, vendor: &VendorReport, findings: &Findings<'_>) -> Markup {
    let Marks { result, area } = Marks::of(check);
    let name = inline(short_name(check, vendor));
    html! {
        tr data-result=(result) data-area=(area) {
            td { (badge(Shown::of(check))) }
            th scope="row" {
                @match findings.anchor(&check.id) {
                    Some(anchor) => a href={ "#" (anchor) } { code { (name) } },
                    None => code { (name) },
                }
                " "
                span.statement { (inline(&check.statement)) }
                " "
                span.source { (source(check)) " · " (check.basis.as_str()) }
                @if let Some(reason) = check.reason.as_ref().or(check.note.as_ref()) {
                    span.reason { (brief(reason)) }
                }
            }
            @if has_status { td.http { (status(check, vendor)) } }
        }
    }
}

/// The status that came; if it is not the one that the document allows, that one as well.
fn status(check: &CheckReport, vendor: &VendorReport) -> Markup {
    let given = check.given.iter().filter_map(|name| vendor.cells.iter().find(|cell| cell.cell == *name));
    let given = distinct(given.map(|cell| inline(&cell.status)));
    let Some(finding) = &check.finding else { return html! { (given.join(", ")) } };
    let last = finding.exchanges.last().map(|exchange| exchange.response.as_ref());
    let came = match last {
        Some(Some(response)) => response.status.to_string(),
        Some(None) => "none".to_owned(),
        None => String::new(),
    };
    // Each alternative that a check allows is a line such as `HTTP 409 {…}`.
    let allowed = finding.expected.lines().filter_map(|line| line.strip_prefix("HTTP ")?.split(' ').next());
    let allowed = distinct(allowed.map(brief));
    html! {
        (came)
        @if !allowed.is_empty() && allowed != [came.as_str()] {
            " "
            span.allowed { "not " (allowed.join(", ")) }
        } @else if let Some(first) = finding.differences.first() {
            " "
            span.allowed { "differs at " code { (brief(&first.place)) } }
        }
    }
}

/// Every response that the document describes, and how often it came.
fn described(cells: &[CellReport]) -> Markup {
    if cells.is_empty() {
        return Markup::default();
    }
    let given = cells.iter().filter(|cell| cell.seen > 0).count();
    html! {
        details.cells {
            summary {
                span.name { (count(cells.len(), "described response", "described responses")) }
                ", " (given) " of them given by the server"
            }
            ul {
                @for cell in cells {
                    li {
                        p {
                            strong { "HTTP " (inline(&cell.status)) } " " code { (inline(&cell.cell)) }
                            @if cell.alternative { " (also allowed)" }
                            ": " (inline(&cell.summary))
                        }
                        p.source {
                            (inline(&format!("{}: {}", cell.source.document, cell.source.section)))
                            " · " (cell.certainty) " · "
                            @if cell.seen == 0 { "not given" } @else { "given " (cell.seen) " ×" }
                        }
                        @match &cell.body {
                            Some(body) => pre { code { (block(&body.to_string())) } },
                            None => p.source { "The document describes no body." },
                        }
                    }
                }
            }
        }
    }
}
