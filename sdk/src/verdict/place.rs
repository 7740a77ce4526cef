//! Places in a JSON body: by pointer, where `*` stands for every element of a list, or by name at any depth.

use serde_json::Value;

/// The values at `pointer`; several only where it has a `*`.
pub(super) fn values<'v>(body: &'v Value, pointer: &str) -> Vec<&'v Value> {
    let mut found = vec![body];
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        found = found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(elements) if name == "*" => elements.iter().collect(),
                Value::Array(elements) => {
                    name.parse().ok().and_then(|index: usize| elements.get(index)).into_iter().collect()
                }
                Value::Object(members) => members.get(&name).into_iter().collect::<Vec<_>>(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
}

/// Whether `value` or anything in it is an object with a member `name`, or one that ends with it such as `error_code` of
/// `code`, that passes `test`.
///
/// The recursion is as deep as the body, which the parser has bounded.
pub(super) fn anywhere(value: &Value, name: &str, test: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| (is_named(key, name) && test(member)) || anywhere(member, name, test)),
        Value::Array(elements) => elements.iter().any(|element| anywhere(element, name, test)),
        _ => false,
    }
}

fn is_named(key: &str, name: &str) -> bool {
    key.to_ascii_lowercase().ends_with(&name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_every_element_of_a_list_and_for_a_member_of_that_name() {
        let body = json!({ "d": [{ "x": 1 }, { "x": 2 }, {}], "e": { "*": 3 } });
        assert_eq!(values(&body, "/d/*/x"), [&json!(1), &json!(2)]);
        assert_eq!(values(&body, "/e/*"), [&json!(3)]);
        assert_eq!(values(&body, "/d/1/x"), [&json!(2)]);
        assert!(values(&body, "/d/x").is_empty() && values(&body, "/none/at/all").is_empty());
        assert_eq!(values(&body, ""), [&body]);
    }

    #[test]
    fn a_name_is_found_at_any_depth() {
        let body = json!([{ "a": { "code": "1211" } }]);
        assert!(anywhere(&body, "code", &|value| value == "1211"));
        assert!(!anywhere(&body, "code", &|value| value == 1211));
        assert!(anywhere(&json!({ "errorCode": 1 }), "code", &|value| value == 1));
        assert!(!anywhere(&json!({ "codes": 1 }), "code", &|value| value == 1));
        assert!(!anywhere(&json!("code"), "code", &|_| true));
    }
}
