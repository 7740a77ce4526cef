//! The rules by which the members of a body are compared. A member without a rule is [`Matching::Literal`], so forgetting
//! a rule can only make a check stricter.
//!
//! Uses `pointer` alone. It never compares a response; the suite does.

use serde::Deserialize;
use serde_json::Value;

use crate::pointer::token;

/// One member of an example body, and the rule for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// JSON pointer into the body; `*` stands for every element of a list.
    pub pointer: String,
    /// The value in the example.
    pub example: Value,
    /// How the value in a response is compared with the example.
    pub rule: FieldRule,
}

/// How a check compares a member, and how the sandbox fills it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRule {
    /// How the value is compared.
    pub matching: Matching,
    /// Whether the member may be absent.
    pub optional: bool,
}

/// How a value is compared with the example's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// Equal. Clients decide by it.
    Literal,
    /// Text for people. Clients do not decide by it, and another wording conforms.
    Text,
    /// Equal, ignoring the case of ASCII letters. Clients decide by it.
    IgnoreCase,
    /// A member at any depth, whose name ends with this name, has this value as a number or as decimal text. Clients
    /// decide by it.
    Anywhere,
    /// Any value of the example's JSON type.
    Open,
    /// A list with at least one element, each like the first of the example.
    List,
    /// The value in the request: `session`, `code`, or an account parameter.
    Echo(String),
    /// A value that follows from the session's state.
    State(StateValue),
    /// Any value of the example's JSON type; the sandbox inserts a new one.
    Volatile(VolatileValue),
}

impl Matching {
    /// Whether a client can distinguish outcomes by the value.
    pub fn is_signal(&self) -> bool {
        matches!(self, Matching::Literal | Matching::IgnoreCase | Matching::Anywhere)
    }
}

/// A value that follows from the session's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateValue {
    /// How many more wrong codes are compared.
    RemainingAttempts,
    /// For how many seconds the session stays locked.
    LockoutSeconds,
}

/// A value that differs between responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatileValue {
    /// The time at which the session was issued, RFC 3339.
    IssuedAt,
    /// The time of the response, RFC 3339.
    Now,
    /// A new id.
    RequestId,
    /// The user name of the client's Basic credentials.
    Username,
}

const FORMS: &str = "one of literal, text, ignore_case, anywhere, open, optional, list, {echo: …}, {state: …}, \
                     {volatile: …}, each of the last with an optional `optional: true`";

impl<'de> Deserialize<'de> for FieldRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        // serde's `untagged` could only report that no variant matched.
        let value = Value::deserialize(deserializer)?;
        match value {
            Value::String(word) => FieldRule::from_word(&word)
                .ok_or_else(|| D::Error::custom(format!("unknown rule `{word}`, expected {FORMS}"))),
            Value::Object(_) => {
                let map: RuleMap = serde_json::from_value(value).map_err(D::Error::custom)?;
                map.into_rule().map_err(D::Error::custom)
            }
            other => Err(D::Error::custom(format!("expected {FORMS}, found {other}"))),
        }
    }
}

impl FieldRule {
    pub(crate) const LITERAL: FieldRule = FieldRule { matching: Matching::Literal, optional: false };

    fn from_word(word: &str) -> Option<FieldRule> {
        let (matching, optional) = match word {
            "literal" => (Matching::Literal, false),
            "text" => (Matching::Text, false),
            "ignore_case" => (Matching::IgnoreCase, false),
            "anywhere" => (Matching::Anywhere, false),
            "open" => (Matching::Open, false),
            "optional" => (Matching::Open, true),
            "list" => (Matching::List, false),
            _ => return None,
        };
        Some(FieldRule { matching, optional })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleMap {
    rule: Option<String>,
    echo: Option<String>,
    state: Option<StateValue>,
    volatile: Option<VolatileValue>,
    #[serde(default)]
    optional: bool,
}

impl RuleMap {
    fn into_rule(self) -> Result<FieldRule, String> {
        let matching = match (self.rule, self.echo, self.state, self.volatile) {
            (Some(word), None, None, None) => {
                FieldRule::from_word(&word)
                    .ok_or_else(|| format!("unknown rule `{word}`, expected {FORMS}"))?
                    .matching
            }
            (None, Some(name), None, None) => Matching::Echo(name),
            (None, None, Some(value), None) => Matching::State(value),
            (None, None, None, Some(value)) => Matching::Volatile(value),
            _ => return Err(format!("expected exactly one rule: {FORMS}")),
        };
        Ok(FieldRule { matching, optional: self.optional })
    }
}

/// The members of `body`: its leaves, and every inner value that has a rule.
pub(crate) fn members(body: &Value, rule: &dyn Fn(&str) -> Option<FieldRule>) -> Vec<Member> {
    let mut found = Vec::new();
    collect(body, String::new(), rule, &mut found);
    found
}

fn collect(
    value: &Value,
    pointer: String,
    rule: &dyn Fn(&str) -> Option<FieldRule>,
    found: &mut Vec<Member>,
) {
    let own = rule(&pointer);
    let is_list = matches!(&own, Some(rule) if rule.matching == Matching::List);
    if let Some(rule) = own.clone() {
        found.push(Member { pointer: pointer.clone(), example: value.clone(), rule });
        if !is_list {
            return;
        }
    }
    match value {
        Value::Array(elements) if is_list => {
            if let Some(first) = elements.first() {
                collect(first, format!("{pointer}/*"), rule, found);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (index, element) in elements.iter().enumerate() {
                collect(element, format!("{pointer}/{index}"), rule, found);
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                collect(member, format!("{pointer}{}", token(name)), rule, found);
            }
        }
        leaf => found.push(Member {
            pointer,
            example: leaf.clone(),
            rule: if leaf.is_object() || leaf.is_array() {
                // The example shows that there is an object, not that it is always empty.
                FieldRule { matching: Matching::Open, optional: false }
            } else {
                FieldRule::LITERAL
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(yaml: &str) -> Result<FieldRule, String> {
        let (tree, _) = crate::yaml::Tree::parse(yaml);
        serde_json::from_value(tree.unwrap().value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_member_without_a_rule_is_literal() {
        let members = members(&json!({"a": {"b": 1}, "c": {}}), &|_| None);
        assert_eq!(members[0].pointer, "/a/b");
        assert_eq!(members[0].rule, FieldRule::LITERAL);
        assert_eq!(members[1].pointer, "/c");
        assert_eq!(members[1].rule.matching, Matching::Open);
    }

    #[test]
    fn each_element_of_a_list_is_compared_with_the_first() {
        let list = |pointer: &str| (pointer == "/d").then(|| rule("list").unwrap());
        let members = members(&json!({"d": [{"x": 1}, {"y": 2}]}), &list);
        let pointers: Vec<_> = members.iter().map(|member| member.pointer.as_str()).collect();
        assert_eq!(pointers, ["/d", "/d/*/x"]);
    }

    #[test]
    fn the_error_for_an_unknown_rule_lists_the_rules() {
        for wrong in ["nonsense", "5", "{echo: a, state: remaining_attempts}", "{}"] {
            assert!(rule(wrong).unwrap_err().contains("ignore_case"), "{wrong}");
        }
    }
}
