//! Finds values in a JSON body: by path, where `*` stands for every element of an array, or by name at any depth.

use super::json::JsonValue;

/// Tests every value at `path`. There are several only if the path has a `*`.
pub(super) fn test_all(body: &JsonValue<'_>, path: &[&str], test: &dyn Fn(&JsonValue<'_>) -> bool) -> Tested {
    let (mut value, mut path) = (body, path);
    while let Some((name, rest)) = path.split_first() {
        let child = match value {
            JsonValue::Array(elements) if *name == "*" => {
                let each = elements.iter().map(|element| test_all(element, rest, test));
                return each.fold(Tested::NOTHING, Tested::and);
            }
            value => member(value, name),
        };
        let Some(child) = child else { return Tested::NOTHING };
        (value, path) = (child, rest);
    }
    let passed = test(value);
    Tested { found: true, any_passed: passed, all_passed: passed }
}

/// The member with this name, or the element with this index.
fn member<'n, 'b>(value: &'n JsonValue<'b>, name: &str) -> Option<&'n JsonValue<'b>> {
    match value {
        JsonValue::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        JsonValue::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, member)| member),
        _ => None,
    }
}

/// The result of testing the values at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tested {
    /// Whether the body has a value there.
    pub(super) found: bool,
    /// Whether a value passed.
    pub(super) any_passed: bool,
    /// Whether no value failed.
    pub(super) all_passed: bool,
}

impl Tested {
    const NOTHING: Tested = Tested { found: false, any_passed: false, all_passed: true };

    fn and(self, other: Tested) -> Tested {
        Tested {
            found: self.found | other.found,
            any_passed: self.any_passed | other.any_passed,
            all_passed: self.all_passed & other.all_passed,
        }
    }
}

/// The first value at `path`.
pub(super) fn first<'n, 'b>(body: &'n JsonValue<'b>, path: &[&str]) -> Option<&'n JsonValue<'b>> {
    path.iter().try_fold(body, |value, name| match value {
        JsonValue::Array(elements) if *name == "*" => elements.first(),
        value => member(value, name),
    })
}

/// Whether `value` contains, at any depth, a member that passes `test` and whose name ends with `name`, ignoring case,
/// as `errorCode` ends with `code`.
///
/// The parser limits the depth of a body and thereby of the recursion. `otp-contract` defines this rule
/// (`Member::candidates`); a property test compares the two.
pub(super) fn anywhere(value: &JsonValue<'_>, name: &str, test: &dyn Fn(&JsonValue<'_>) -> bool) -> bool {
    match value {
        JsonValue::Object(members) => members
            .iter()
            .any(|(key, member)| (ends_with(key, name) && test(member)) || anywhere(member, name, test)),
        JsonValue::Array(elements) => elements.iter().any(|element| anywhere(element, name, test)),
        _ => false,
    }
}

fn ends_with(key: &str, name: &str) -> bool {
    key.len() >= name.len() && key.as_bytes()[key.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::json::{ParsedBody, parse};

    fn json(text: &str) -> JsonValue<'_> {
        match parse(text.as_bytes()) {
            ParsedBody::Json(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn found(body: &JsonValue<'_>, path: &[&str]) -> Vec<String> {
        let seen = std::cell::RefCell::new(Vec::new());
        test_all(body, path, &|value| {
            seen.borrow_mut().push(format!("{value:?}"));
            true
        });
        let mut seen = seen.into_inner();
        seen.dedup();
        seen
    }

    #[test]
    fn a_star_matches_every_element_of_an_array_and_a_member_with_that_name() {
        let body = json(r#"{ "d": [{ "x": 1 }, { "x": 2 }, {}], "e": { "*": 3 }, "a/b": 4 }"#);
        assert_eq!(found(&body, &["d", "*", "x"]), ["Integer(1)", "Integer(2)"]);
        assert_eq!(found(&body, &["e", "*"]), ["Integer(3)"]);
        assert_eq!(found(&body, &["d", "1", "x"]), ["Integer(2)"]);
        assert_eq!(found(&body, &["a/b"]), ["Integer(4)"]);
        assert!(found(&body, &["d", "x"]).is_empty() && found(&body, &["none", "at", "all"]).is_empty());
        assert_eq!(found(&body, &[]), [format!("{body:?}")]);
        assert_eq!(first(&body, &["d", "*", "x"]), Some(&JsonValue::Integer(1)));
        assert_eq!(first(&body, &["d", "7"]), None);
    }

    #[test]
    fn some_or_all_of_several_values_may_pass() {
        let body = json("[1, 2]");
        let is_one = |value: &JsonValue<'_>| *value == JsonValue::Integer(1);
        assert_eq!(
            test_all(&body, &["*"], &is_one),
            Tested { found: true, any_passed: true, all_passed: false }
        );
        assert_eq!(
            test_all(&body, &["x"], &is_one),
            Tested { found: false, any_passed: false, all_passed: true }
        );
    }

    #[test]
    fn a_name_is_found_at_any_depth() {
        let body = json(r#"[{ "a": { "code": "1211" } }]"#);
        assert!(anywhere(&body, "code", &|value| *value == JsonValue::String("1211".into())));
        assert!(!anywhere(&body, "code", &|value| *value == JsonValue::Integer(1211)));
        assert!(anywhere(&json(r#"{ "errorCode": 1 }"#), "code", &|value| *value == JsonValue::Integer(1)));
        assert!(!anywhere(&json(r#"{ "codes": 1 }"#), "code", &|value| *value == JsonValue::Integer(1)));
        assert!(!anywhere(&json("\"code\""), "code", &|_| true));
    }
}
