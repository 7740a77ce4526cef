//! What is judged of a body, member by member. A rule stands in the contract; its absence means [`Matching::Literal`],
//! so that nothing a document prints goes unjudged by forgetting it.

use serde::Deserialize;
use serde_json::Value;

/// One judged place of an example body.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// JSON pointer into the body; `*` stands for every element of a list.
    pub pointer: String,
    /// What the example has there.
    pub example: Value,
    /// How an answer's value is compared with it.
    pub rule: FieldRule,
}

/// How one member of an answer is judged and made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRule {
    /// How its value is compared.
    pub matching: Matching,
    /// Whether it may be absent.
    pub optional: bool,
}

/// How a value is compared with the example's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// Equal. A signal: clients decide by it.
    Literal,
    /// A wording for people: clients do not decide by it, and another one does not make an answer another one.
    Text,
    /// Equal but for the case of ASCII letters. A signal.
    IgnoreCase,
    /// The body has, at any depth, a member of this name, or of one that ends with it, with this value, as a number or as
    /// its decimal text. A signal.
    Anywhere,
    /// Of the example's JSON type, with any value.
    Open,
    /// A list of at least one element, each like the example's first.
    List,
    /// The value that the request carried: `session`, `code`, or an account parameter.
    Echo(String),
    /// What follows from the session's state.
    State(StateValue),
    /// Of the example's JSON type; the sandbox puts a value of its own there.
    Volatile(VolatileValue),
}

impl Matching {
    /// Whether a client can tell one outcome from another by the value.
    pub fn is_signal(&self) -> bool {
        matches!(self, Matching::Literal | Matching::IgnoreCase | Matching::Anywhere)
    }
}

/// A value that follows from the session's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateValue {
    /// How many wrong codes will still be compared.
    RemainingAttempts,
    /// How many seconds the session stays locked.
    LockoutSeconds,
}

/// A value that differs from call to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatileValue {
    /// When the session was issued, RFC 3339.
    IssuedAt,
    /// The time of the answer, RFC 3339.
    Now,
    /// A fresh id.
    RequestId,
    /// The user name of the caller's Basic credentials.
    Username,
}

const FORMS: &str = "one of literal, text, ignore_case, anywhere, open, optional, list, {echo: …}, {state: …}, \
                     {volatile: …}, each of the last with an optional `optional: true`";

impl<'de> Deserialize<'de> for FieldRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        // Not serde's `untagged`, whose only message is that no variant matched.
        let value = Value::deserialize(deserializer)?;
        match value {
            Value::String(word) => FieldRule::of_word(&word)
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

    fn of_word(word: &str) -> Option<FieldRule> {
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
                FieldRule::of_word(&word)
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

/// Every judged place of `body`: its leaves, and those inner places that have a rule of their own.
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
                let token = name.replace('~', "~0").replace('/', "~1");
                collect(member, format!("{pointer}/{token}"), rule, found);
            }
        }
        leaf => found.push(Member {
            pointer,
            example: leaf.clone(),
            rule: if leaf.is_object() || leaf.is_array() {
                // An empty object says that there is one, not that it stays empty.
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
        serde_norway::from_str(yaml).map_err(|error| error.to_string())
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
    fn a_list_is_judged_by_its_first_element() {
        let list = |pointer: &str| (pointer == "/d").then(|| rule("list").unwrap());
        let members = members(&json!({"d": [{"x": 1}, {"y": 2}]}), &list);
        let pointers: Vec<_> = members.iter().map(|member| member.pointer.as_str()).collect();
        assert_eq!(pointers, ["/d", "/d/*/x"]);
    }

    #[test]
    fn a_rule_that_is_no_rule_says_what_the_rules_are() {
        for wrong in ["nonsense", "5", "{echo: a, state: remaining_attempts}", "{}"] {
            assert!(rule(wrong).unwrap_err().contains("ignore_case"), "{wrong}");
        }
    }
}
