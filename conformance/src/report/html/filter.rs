//! The form that filters checks by result and area. It is hidden until the page's script shows it: without the script,
//! everything is shown.
//!
//! May use `badge`. What it filters carries the attributes that [`Marks`] writes.

use maud::{Markup, html};

use super::badge::Shown;
use crate::checks::Area;
use crate::report::{CheckReport, Report};

/// What the filter has to know of an element.
pub(super) struct Marks {
    /// The word for its result.
    pub(super) result: &'static str,
    /// Its area.
    pub(super) area: &'static str,
}

impl Marks {
    /// The marks of a check.
    pub(super) fn of(check: &CheckReport) -> Marks {
        Marks { result: Shown::of(check).word(), area: check.area.as_str() }
    }
}

/// The form.
pub(super) fn form(report: &Report) -> Markup {
    let checks: Vec<_> = report.vendors.iter().flat_map(|vendor| &vendor.checks).collect();
    let with_result = |shown: Shown| checks.iter().filter(|check| Shown::of(check) == shown).count();
    let of_area = |area: Area| checks.iter().filter(|check| check.area == area).count();
    html! {
        form.filter id="filter" hidden aria-label="Filter of checks and findings" {
            fieldset {
                legend { "Result" }
                @for shown in Shown::ALL.into_iter().filter(|shown| with_result(*shown) > 0) {
                    label {
                        input type="checkbox" name="result" value=(shown.word()) checked;
                        " " (shown.word()) " " span.count { (with_result(shown)) }
                    }
                }
            }
            div.field {
                label for="area" { "Area" }
                select id="area" name="area" {
                    option value="" { "all areas" }
                    @for area in Area::ALL.into_iter().filter(|area| of_area(*area) > 0) {
                        option value=(area.as_str()) { (area.as_str()) " (" (of_area(area)) ")" }
                    }
                }
            }
            div.field {
                button type="button" id="open" { "Open all" }
                button type="reset" { "Reset" }
            }
            p id="shown" role="status" {}
        }
    }
}
