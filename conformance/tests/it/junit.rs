//! Reads the XML of a `junit` report, and checks it against the rules of Jenkins' `junit-10.xsd` and its counts against its
//! content. Two rules are stricter than the schema: the order of the elements is that of older schemas, and a time has a dot.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element with everything in it.
#[derive(Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

/// An element's rules: required attributes, optional attributes, the children in their order, and whether it has text.
struct Rules {
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
    text: bool,
}

fn rules(element: &str) -> Rules {
    let (required, optional, children, text): (&[_], &[_], &[_], bool) = match element {
        "testsuites" => (&[], &["name", "time", "tests", "failures", "errors"], &["testsuite"], false),
        "testsuite" => (
            &["name", "tests", "failures", "errors"],
            &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
            &["properties", "testcase", "system-out", "system-err"],
            false,
        ),
        "properties" => (&[], &[], &["property"], false),
        "property" => (&["name", "value"], &[], &[], false),
        "testcase" => (
            &["name"],
            &["time", "classname", "group"],
            &["skipped", "error", "failure", "system-out", "system-err"],
            false,
        ),
        "skipped" | "error" | "failure" => (&[], &["type", "message"], &[], true),
        "system-out" | "system-err" => (&[], &[], &[], true),
        other => panic!("no such element: {other}"),
    };
    Rules { required, optional, children, text }
}

/// Parses a document; fails if it is not well-formed.
pub(crate) fn parse(text: &str) -> Element {
    assert!(text.chars().all(is_allowed), "a character that XML 1.0 forbids");
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().unwrap();
        let current = open.last_mut().unwrap();
        match event {
            Event::Start(start) => open.push(element(&start)),
            Event::Empty(start) => current.children.push(element(&start)),
            Event::End(_) => {
                let finished = open.pop().unwrap();
                open.last_mut().unwrap().children.push(finished);
            }
            Event::Text(text) => current.text.push_str(&text.xml10_content().unwrap()),
            Event::GeneralRef(reference) => {
                if let Some(character) = reference.resolve_char_ref().unwrap() {
                    current.text.push(character);
                } else {
                    let name = reference.decode().unwrap();
                    current.text.push_str(quick_xml::escape::resolve_xml_entity(&name).unwrap());
                }
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(open.len(), 1);
    let mut roots = open.remove(0).children;
    assert_eq!(roots.len(), 1);
    roots.remove(0)
}

fn element(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned();
        assert!(value.chars().all(is_allowed));
        (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value)
    });
    Element {
        name: String::from_utf8(start.name().as_ref().to_vec()).unwrap(),
        attributes: attributes.collect(),
        ..Element::default()
    }
}

/// Whether XML 1.0 allows a character.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The elements with the names of their attributes, without any text.
pub(crate) fn outline(element: &Element) -> String {
    let attributes: Vec<_> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
    let children: Vec<_> = element.children.iter().map(outline).collect();
    format!("{}({}){{{}}}", element.name, attributes.join(" "), children.join(" "))
}

/// Fails if the document breaks a rule of the schema, or if its counts do not agree with its content.
pub(crate) fn assert_valid(root: &Element) {
    assert_eq!(root.name, "testsuites");
    assert_structure(root);
    assert_counts(root);
    for suite in &root.children {
        assert_counts(suite);
    }
}

fn assert_structure(element: &Element) {
    let name = &element.name;
    let rules = rules(name);
    for required in rules.required {
        assert!(value(element, required).is_some(), "{name} without {required}");
    }
    for (attribute, value) in &element.attributes {
        let attribute = attribute.as_str();
        let known = rules.required.contains(&attribute) || rules.optional.contains(&attribute);
        assert!(known, "{name} must not have {attribute}");
        if attribute == "time" {
            let (whole, fraction) = value.split_once('.').unwrap();
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(digits(whole) && digits(fraction), "{value} is no time");
        }
    }
    let place = |child: &Element| {
        let place = rules.children.iter().position(|known| *known == child.name);
        place.unwrap_or_else(|| panic!("{name} must not contain {}", child.name))
    };
    assert!(element.children.iter().is_sorted_by_key(place), "wrong order in {name}");
    assert!(rules.text || element.text.trim().is_empty(), "{name} must not contain text");
    element.children.iter().for_each(assert_structure);
}

fn assert_counts(element: &Element) {
    let cases = cases(element);
    let with = |child: &str| {
        let has = |case: &&&Element| case.children.iter().any(|known| known.name == child);
        cases.iter().filter(has).count().to_string()
    };
    assert_eq!(value(element, "tests").unwrap(), cases.len().to_string());
    assert_eq!(value(element, "failures").unwrap(), with("failure"));
    assert_eq!(value(element, "errors").unwrap(), with("error"));
    if let Some(skipped) = value(element, "skipped") {
        assert_eq!(skipped, with("skipped"));
    }
}

/// The test cases below an element.
fn cases(element: &Element) -> Vec<&Element> {
    let (direct, others): (Vec<_>, Vec<_>) =
        element.children.iter().partition(|child| child.name == "testcase");
    let nested = others.into_iter().flat_map(cases);
    direct.into_iter().chain(nested).collect()
}

fn value<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
