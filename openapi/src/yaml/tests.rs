//! What YAML means in JSON, where everything stands, and what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    match Tree::parse(text) {
        (Some(tree), problems) if problems.is_empty() => tree.value,
        (_, problems) => panic!("{text}: {problems:?}"),
    }
}

fn problems(text: &str) -> Vec<String> {
    let (_, problems) = Tree::parse(text);
    problems.iter().map(|problem| problem.in_file("f").to_string()).collect()
}

fn position(text: &str, place: &[&str]) -> (u32, u32) {
    let (tree, _) = Tree::parse(text);
    let Position { line, column } = tree.unwrap().position(place.iter().copied());
    (line, column)
}

#[test]
fn a_plain_scalar_has_the_type_of_the_core_schema() {
    for (text, expected) in [
        ("~", json!(null)),
        ("null", json!(null)),
        ("True", json!(true)),
        ("no", json!("no")),
        ("012", json!(12)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("-7", json!(-7)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1_000", json!("1_000")),
        ("1.5e3", json!(1500.0)),
        (".5", json!(0.5)),
        ("1.2.3", json!("1.2.3")),
        ("+15017122661", json!(15_017_122_661_i64)),
        ("2026-01-02", json!("2026-01-02")),
        ("'12'", json!("12")),
        ("\"true\"", json!("true")),
        ("!!str 12", json!("12")),
        ("!!int \"12\"", json!(12)),
        ("! 12", json!("12")),
        ("", json!(null)),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn keys_are_texts_whatever_they_look_like() {
    assert_eq!(
        value("200: a\ntrue: b\n~: c\n? d\n: e\n"),
        json!({"200": "a", "true": "b", "~": "c", "d": "e"})
    );
}

#[test]
fn json_is_read_as_it_is() {
    let text = r#"{"a": [1, -2.5, "x\u00e9\n"], "b": {"c": null}, "d/e": true}"#;
    assert_eq!(value(text), serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn an_alias_repeats_a_value_or_a_key() {
    let text = "a: &x { b: [1] }\nc: *x\nd: &k key\n*k : e\n";
    assert_eq!(value(text), json!({"a": {"b": [1]}, "c": {"b": [1]}, "d": "key", "key": "e"}));
}

#[test]
fn a_merged_member_yields_to_a_stated_one_and_an_earlier_source_to_none() {
    let text = "base: &base { a: 1, b: 2 }\nmore: &more { b: 3, c: 4 }\n\
                one: { <<: *base, b: 5 }\ntwo: { <<: [*base, *more], d: 6 }\nthree:\n  b: 7\n  <<: *more\n";
    let value = value(text);
    assert_eq!(value["one"], json!({"a": 1, "b": 5}));
    assert_eq!(value["two"], json!({"a": 1, "b": 2, "c": 4, "d": 6}));
    assert_eq!(value["three"], json!({"b": 7, "c": 4}));
}

#[test]
fn a_quoted_merge_key_is_a_key() {
    assert_eq!(value("\"<<\": { a: 1 }"), json!({"<<": {"a": 1}}));
}

#[test]
fn every_value_has_a_line_and_a_column() {
    let text = "a: 1\nb:\n  c: [x, yy]\n  d:\n    - e: z\n";
    assert_eq!(position(text, &["a"]), (1, 4));
    assert_eq!(position(text, &["b"]), (2, 1));
    assert_eq!(position(text, &["b", "c", "1"]), (3, 10));
    assert_eq!(position(text, &["b", "d", "0", "e"]), (5, 10));
    assert_eq!(position(text, &["b", "nowhere", "deeper"]), (2, 1));
}

#[test]
fn a_merged_value_is_where_it_was_written() {
    let text = "base: &base\n  a: 1\nother:\n  <<: *base\n  b: 2\n";
    assert_eq!(position(text, &["other", "a"]), (2, 6));
    assert_eq!(position(text, &["other", "b"]), (5, 6));
}

#[test]
fn each_problem_names_its_line() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: not valid YAML: the key `a` stands twice, first in line 1"),
        ("a: [1\nb: 2\n", "f:2:2: not valid YAML: "),
        ("a: .inf\n", "f:1:4: not valid YAML: `.inf` is no number in JSON"),
        ("a: !mine x\n", "f:1:4: not valid YAML: the tag !mine has no meaning in JSON"),
        ("<<: 5\n", "f:1:5: not valid YAML: expected an object, or a list of objects, for the merge key"),
        ("{ <<: &a {x: 1}, <<: *a }\n", "f:1:18: not valid YAML: the key `<<` stands twice"),
        ("a: 1\n---\nb: 2\n", "f:2:1: not valid YAML: expected one document, found a second one"),
        ("? [a]\n: b\n", "f:1:3: not valid YAML: expected a key that is a text"),
        ("a: &a [*a]\n", "f:1:8: not valid YAML: an alias stands inside the value that it repeats"),
        ("a: *b\n", "f:1:4: not valid YAML: "),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{text}: {found:?}");
    }
}

#[test]
fn a_problem_does_not_hide_the_next() {
    assert_eq!(problems("a: 1\na: 2\nb: .nan\nc: !x y\n").len(), 3);
}

proptest! {
    #[test]
    fn what_serde_json_writes_reads_the_same(written in arbitrary_json()) {
        prop_assert_eq!(&value(&written.to_string()), &written);
        prop_assert_eq!(&value(&serde_json::to_string_pretty(&written).unwrap()), &written);
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]{}:,&*!|>'\"%@`#?<a-c0-9 \n\t-]{0,80}") {
        let _ = Tree::parse(&text);
    }
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z/~ ]{0,6}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
