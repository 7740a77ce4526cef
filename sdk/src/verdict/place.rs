//! Places in a JSON body: by path, where `*` stands for every element of a list, or by name at any depth.

use crate::json::Node;

/// Shows each value at `path` to `test`, several only where it has a `*`: whether there is any, and whether all that
/// there are pass.
pub(super) fn look(body: &Node<'_>, path: &[&str], test: &dyn Fn(&Node<'_>) -> bool) -> Look {
    let (mut value, mut path) = (body, path);
    while let Some((token, rest)) = path.split_first() {
        let below = match value {
            Node::List(elements) if *token == "*" => {
                let each = elements.iter().map(|element| look(element, rest, test));
                return each.fold(Look::NOTHING, Look::and);
            }
            value => member(value, token),
        };
        let Some(below) = below else { return Look::NOTHING };
        (value, path) = (below, rest);
    }
    let passed = test(value);
    Look { any: true, passed, all: passed }
}

/// The member or element of that name.
fn member<'n, 'b>(value: &'n Node<'b>, token: &str) -> Option<&'n Node<'b>> {
    match value {
        Node::List(elements) => elements.get(token.parse::<usize>().ok()?),
        Node::Object(members) => members.iter().find(|(name, _)| name == token).map(|(_, member)| member),
        _ => None,
    }
}

/// What was found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// There is a value.
    pub(super) any: bool,
    /// A value passed.
    pub(super) passed: bool,
    /// No value failed.
    pub(super) all: bool,
}

impl Look {
    const NOTHING: Look = Look { any: false, passed: false, all: true };

    fn and(self, other: Look) -> Look {
        Look { any: self.any | other.any, passed: self.passed | other.passed, all: self.all & other.all }
    }
}

/// The first value at `path`.
pub(super) fn first<'n, 'b>(body: &'n Node<'b>, path: &[&str]) -> Option<&'n Node<'b>> {
    path.iter().try_fold(body, |value, token| match value {
        Node::List(elements) if *token == "*" => elements.first(),
        value => member(value, token),
    })
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

    fn found(body: &Node<'_>, path: &[&str]) -> Vec<String> {
        let seen = std::cell::RefCell::new(Vec::new());
        look(body, path, &|value| {
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
        assert_eq!(found(&body, &["d", "*", "x"]), ["Integer(1)", "Integer(2)"]);
        assert_eq!(found(&body, &["e", "*"]), ["Integer(3)"]);
        assert_eq!(found(&body, &["d", "1", "x"]), ["Integer(2)"]);
        assert_eq!(found(&body, &["a/b"]), ["Integer(4)"]);
        assert!(found(&body, &["d", "x"]).is_empty() && found(&body, &["none", "at", "all"]).is_empty());
        assert_eq!(found(&body, &[]), [format!("{body:?}")]);
        assert_eq!(first(&body, &["d", "*", "x"]), Some(&Node::Integer(1)));
        assert_eq!(first(&body, &["d", "7"]), None);
    }

    #[test]
    fn of_several_values_some_or_all_may_pass() {
        let body = json("[1, 2]");
        let is_one = |value: &Node<'_>| *value == Node::Integer(1);
        assert_eq!(look(&body, &["*"], &is_one), Look { any: true, passed: true, all: false });
        assert_eq!(look(&body, &["x"], &is_one), Look { any: false, passed: false, all: true });
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
