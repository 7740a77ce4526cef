//! Reads the page of an `html` report with a parser that reports every error of syntax, and checks what the parser does not:
//! content models, names, headings, tables, and that the page loads nothing and runs only its own script.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scraper::{ElementRef, Html, Selector};

/// Every element that a page has.
const ELEMENTS: [&str; 49] = [
    "a", "article", "body", "button", "caption", "code", "dd", "details", "div", "dl", "dt", "fieldset",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "head", "header", "html", "input", "label", "legend",
    "li", "link", "main", "meta", "nav", "ol", "option", "p", "pre", "script", "section", "select", "span",
    "strong", "style", "summary", "table", "tbody", "td", "th", "thead", "title", "tr", "ul",
];

/// What may stand in a line of text.
const PHRASING: [&str; 9] = ["a", "button", "code", "input", "label", "option", "select", "span", "strong"];

/// The elements that contain nothing but such a line.
const LINES: &str =
    "a, button, caption, code, dt, h1, h2, h3, h4, h5, label, legend, p, pre, span, strong, summary, th";

/// Every attribute that a page has. None of them runs a script.
const ATTRIBUTES: [&str; 22] = [
    "aria-label",
    "aria-labelledby",
    "charset",
    "checked",
    "class",
    "content",
    "data-area",
    "data-result",
    "for",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "rel",
    "role",
    "scope",
    "type",
    "value",
    "open",
    "tabindex",
];

/// A page without errors of syntax.
pub(crate) fn parse(text: &str) -> Html {
    let page = Html::parse_document(text);
    assert_eq!(page.errors, Vec::<&str>::new());
    assert!(text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", &text[..100]);
    page
}

/// The elements that a selector finds.
pub(crate) fn select<'p>(page: &'p Html, selector: &str) -> Vec<ElementRef<'p>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

/// The text of an element.
pub(crate) fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// Fails if the page breaks a rule.
pub(crate) fn assert_valid(page: &Html) {
    for element in select(page, "*") {
        let name = element.value().name();
        assert!(ELEMENTS.contains(&name), "an element {name}");
        for (attribute, value) in element.value().attrs() {
            assert!(ATTRIBUTES.contains(&attribute), "an attribute {attribute} of {name}");
            assert!(!["href", "id"].contains(&attribute) || !value.contains(char::is_whitespace), "{value}");
        }
    }
    for line in select(page, LINES) {
        for inside in line.descendent_elements().skip(1) {
            let name = inside.value().name();
            assert!(PHRASING.contains(&name), "{name} in {}", line.value().name());
        }
    }
    assert_places(page);
    assert_structure(page);
    assert_policy(page);
}

/// Names are unique, and whatever is referred to exists.
fn assert_places(page: &Html) {
    let ids: Vec<_> = select(page, "[id]").iter().map(|element| element.attr("id").unwrap()).collect();
    let known: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), known.len(), "{ids:?}");
    for attribute in ["for", "aria-labelledby"] {
        for element in select(page, &format!("[{attribute}]")) {
            assert!(known.contains(element.attr(attribute).unwrap()), "{}", element.html());
        }
    }
    for link in select(page, "a") {
        assert!(known.contains(link.attr("href").unwrap().strip_prefix('#').unwrap()), "{}", link.html());
    }
    for input in select(page, "input, select") {
        let is_labelled =
            input.ancestors().filter_map(ElementRef::wrap).any(|outer| outer.value().name() == "label");
        let id = input.attr("id").unwrap_or_default();
        assert!(is_labelled || !select(page, &format!("label[for=\"{id}\"]")).is_empty(), "{}", input.html());
    }
}

/// Headings are in order, tables have a caption and headers, and what opens has a summary.
fn assert_structure(page: &Html) {
    for once in ["title", "h1", "main", "meta[charset]", "meta[name=viewport]", "style", "script"] {
        assert_eq!(select(page, once).len(), 1, "{once}");
    }
    assert!(!text(select(page, "title")[0]).trim().is_empty());
    let mut level = 0;
    for heading in select(page, "h1, h2, h3, h4, h5") {
        let next = heading.value().name()[1..].parse::<u32>().unwrap();
        assert!(next <= level + 1, "h{next} after h{level}: {}", heading.html());
        assert!(!text(heading).trim().is_empty());
        level = next;
    }
    for table in select(page, "table") {
        assert_eq!(table.child_elements().next().unwrap().value().name(), "caption");
    }
    for header in select(page, "th") {
        assert!(matches!(header.attr("scope"), Some("row" | "col")), "{}", header.html());
    }
    for details in select(page, "details") {
        assert_eq!(details.child_elements().next().unwrap().value().name(), "summary");
    }
    for list in select(page, "ul, ol") {
        assert!(list.child_elements().all(|item| item.value().name() == "li"));
        assert!(list.child_elements().next().is_some(), "an empty list");
    }
}

/// The page allows itself its own style sheet and script, and loads nothing.
fn assert_policy(page: &Html) {
    let hash = |element: &str| {
        let text = text(select(page, element)[0]);
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        format!("'sha256-{}'", STANDARD.encode(digest))
    };
    let policy = select(page, "meta[http-equiv=Content-Security-Policy]")[0].attr("content").unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            hash("style"),
            hash("script")
        )
    );
    let loaded = select(page, "link");
    assert_eq!(loaded.iter().map(|link| link.attr("href").unwrap()).collect::<Vec<_>>(), ["data:,"]);
    let style = text(select(page, "style")[0]);
    assert!(!style.contains("url(") && !style.contains("@import"));
}

/// The elements of a page in order, with their attributes and without their text. What a finding
/// expects is left out: it has an item for each line of a text.
pub(crate) fn outline(page: &Html) -> Vec<String> {
    let elements = select(page, "body :not(.alternatives, .alternatives *)").into_iter();
    elements
        .map(|element| {
            let attributes = element.value().attrs().map(|(name, value)| format!(" {name}={value:?}"));
            let depth = element.ancestors().count();
            format!("{depth} {}{}", element.value().name(), attributes.collect::<String>())
        })
        .collect()
}
