//! Places in a JSON body: by pointer, where `*` stands for every element of a list, or by name at any depth.

use crate::json::Node;

/// Shows each value at `pointer` to `test`, several only where it has a `*`: whether there is any, and whether all that
/// there are pass.
pub(super) fn look(body: &Node<'_>, pointer: &str, test: &dyn Fn(&Node<'_>) -> bool) -> Look {
    let Some(rest) = pointer.strip_prefix('/') else {
        let passed = test(body);
        return Look { any: true, passed, all: passed };
    };
    let (token, rest) = match rest.split_once('/') {
        Some((token, _)) => (token, &rest[token.len()..]),
        None => (rest, ""),
    };
    let mut looked = Look { any: false, passed: false, all: true };
    let mut descend = |value: &Node<'_>| {
        let below = look(value, rest, test);
        looked.any |= below.any;
        looked.passed |= below.passed;
        looked.all &= below.all;
    };
    match body {
        Node::List(elements) if token == "*" => elements.iter().for_each(descend),
        Node::List(elements) => {
            if let Some(element) = token.parse().ok().and_then(|index: usize| elements.get(index)) {
                descend(element);
            }
        }
        Node::Object(members) => {
            if let Some((_, member)) = members.iter().find(|(name, _)| is_token(name, token)) {
                descend(member);
            }
        }
        _ => {}
    }
    looked
}

/// What was found at a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// There is a value.
    pub(super) any: bool,
    /// A value passed.
    pub(super) passed: bool,
    /// No value failed.
    pub(super) all: bool,
}

/// The first value at `pointer`.
pub(super) fn first<'n, 'b>(body: &'n Node<'b>, pointer: &str) -> Option<&'n Node<'b>> {
    let mut value = body;
    for token in pointer.split('/').skip(1) {
        value = match value {
            Node::List(elements) if token == "*" => elements.first()?,
            Node::List(elements) => elements.get(token.parse::<usize>().ok()?)?,
            Node::Object(members) => &members.iter().find(|(name, _)| is_token(name, token))?.1,
            _ => return None,
        };
    }
    Some(value)
}

/// Whether a pointer's token stands for this name.
fn is_token(name: &str, token: &str) -> bool {
    token == name || token.contains('~') && token.replace("~1", "/").replace("~0", "~") == name
}

/// Whether `value` or anything in it is an object with a member `name`, or one that ends with it such as `error_code` of
/// `code`, that passes `test`.
///
/// The recursion is as deep as the body, which the parser has bounded.
pub(super) fn anywhere(value: &Node<'_>, name: &str, test: &dyn Fn(&Node<'_>) -> bool) -> bool {
    match value {
        Node::Object(members) => members
            .iter()
            .any(|(key, member)| (is_named(key, name) && test(member)) || anywhere(member, name, test)),
        Node::List(elements) => elements.iter().any(|element| anywhere(element, name, test)),
        _ => false,
    }
}

fn is_named(key: &str, name: &str) -> bool {
    key.len() >= name.len() && key.as_bytes()[key.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Body, parse};

    fn json(text: &str) -> Node<'_> {
        match parse(text.as_bytes()) {
            Body::Json(node) => node,
            other => panic!("{other:?}"),
        }
    }

    fn found(body: &Node<'_>, pointer: &str) -> Vec<String> {
        let seen = std::cell::RefCell::new(Vec::new());
        look(body, pointer, &|value| {
            seen.borrow_mut().push(format!("{value:?}"));
            true
        });
        let mut seen = seen.into_inner();
        seen.dedup();
        seen
    }

    #[test]
    fn a_star_stands_for_every_element_of_a_list_and_for_a_member_of_that_name() {
        let body = json(r#"{ "d": [{ "x": 1 }, { "x": 2 }, {}], "e": { "*": 3 }, "a/b": 4 }"#);
        assert_eq!(found(&body, "/d/*/x"), ["Integer(1)", "Integer(2)"]);
        assert_eq!(found(&body, "/e/*"), ["Integer(3)"]);
        assert_eq!(found(&body, "/d/1/x"), ["Integer(2)"]);
        assert_eq!(found(&body, "/a~1b"), ["Integer(4)"]);
        assert!(found(&body, "/d/x").is_empty() && found(&body, "/none/at/all").is_empty());
        assert_eq!(found(&body, ""), [format!("{body:?}")]);
        assert_eq!(first(&body, "/d/*/x"), Some(&Node::Integer(1)));
        assert_eq!(first(&body, "/d/7"), None);
    }

    #[test]
    fn of_several_values_some_or_all_may_pass() {
        let body = json("[1, 2]");
        let is_one = |value: &Node<'_>| *value == Node::Integer(1);
        assert_eq!(look(&body, "/*", &is_one), Look { any: true, passed: true, all: false });
        assert_eq!(look(&body, "/x", &is_one), Look { any: false, passed: false, all: true });
    }

    #[test]
    fn a_name_is_found_at_any_depth() {
        let body = json(r#"[{ "a": { "code": "1211" } }]"#);
        assert!(anywhere(&body, "code", &|value| *value == Node::Text("1211".into())));
        assert!(!anywhere(&body, "code", &|value| *value == Node::Integer(1211)));
        assert!(anywhere(&json(r#"{ "errorCode": 1 }"#), "code", &|value| *value == Node::Integer(1)));
        assert!(!anywhere(&json(r#"{ "codes": 1 }"#), "code", &|value| *value == Node::Integer(1)));
        assert!(!anywhere(&json("\"code\""), "code", &|_| true));
    }
}
