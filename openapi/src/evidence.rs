//! Which values in a body show an approval or a refusal, and where to look for a value that the document gives no place.
//!
//! The suite and the generated clients both follow these rules, so "approved" means the same in both. Uses the cells of
//! an operation. It never decides whether a response conforms.

use serde_json::Value;

use crate::{Matching, Member, Operation};

impl Operation {
    /// The values that only approvals contain: required literals of an approval that no refusal has in the same place. A
    /// refusal with one of them claims success.
    pub fn approval_signals(&self) -> impl Iterator<Item = &Member> {
        let is_in_a_refusal = |signal: &Member| {
            self.refusals().any(|cell| cell.body.pointer(&signal.pointer) == Some(&signal.example))
        };
        self.approvals()
            .flat_map(|cell| &cell.members)
            .filter(|member| member.is_required_literal())
            .filter(move |signal| !is_in_a_refusal(signal))
    }

    /// The values that only refusals contain: required literals of a refusal in a place where no approval has a value. An
    /// approval with one of them contradicts itself.
    pub fn refusal_signals(&self) -> impl Iterator<Item = &Member> {
        let is_in_an_approval =
            |signal: &Member| self.approvals().any(|cell| cell.body.pointer(&signal.pointer).is_some());
        self.refusals()
            .filter(|cell| cell.body_specified)
            .flat_map(|cell| &cell.members)
            .filter(|member| member.is_required_literal())
            .filter(move |signal| !is_in_an_approval(signal))
    }
}

impl Member {
    /// Whether the member is always present with the same value.
    pub fn is_required_literal(&self) -> bool {
        self.rule.matching == Matching::Literal && !self.rule.optional
    }

    /// The member's name: the last part of its pointer.
    pub fn name(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// The values in `body` that [`Matching::Anywhere`] compares with the example: those of all members, at any depth,
    /// whose name ends with this member's name, ignoring case, as `errorCode` ends with `code`.
    pub fn candidates<'b>(&self, body: &'b Value) -> Vec<&'b Value> {
        let mut found = Vec::new();
        collect(body, &self.name().to_ascii_lowercase(), &mut found);
        found
    }

    /// Whether [`Matching::Anywhere`] accepts `value`: the example itself, or the decimal text of a number.
    pub fn accepts_anywhere(&self, value: &Value) -> bool {
        let is_text_of_number = || match (value, &self.example) {
            (Value::String(text), Value::Number(number)) => {
                number.as_i64().is_some_and(|number| text.parse() == Ok(number))
            }
            _ => false,
        };
        same_value(&self.example, value) || is_text_of_number()
    }
}

/// Whether two JSON values are equal, with numbers compared by value: `1` equals `1.0`.
pub fn same_value(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
        _ => one == other,
    }
}

fn collect<'b>(value: &'b Value, suffix: &str, found: &mut Vec<&'b Value>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key.to_ascii_lowercase().ends_with(suffix) {
                    found.push(member);
                }
                collect(member, suffix, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, suffix, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::FieldRule;

    fn member(example: Value) -> Member {
        let rule = FieldRule { matching: Matching::Anywhere, optional: false };
        Member { pointer: "/error/code".to_owned(), example, rule }
    }

    fn accepts(example: Value, body: &Value) -> bool {
        let member = member(example);
        member.candidates(body).into_iter().any(|value| member.accepts_anywhere(value))
    }

    #[test]
    fn a_value_matches_at_any_depth_under_a_name_with_the_same_ending() {
        for body in [
            json!({"code": 1211}),
            json!({"error": [{"code": 1211}]}),
            json!({"data": {"errorCode": 1211}}),
            json!({"Error_Code": "1211"}),
            json!({"code": 1211.0}),
        ] {
            assert!(accepts(json!(1211), &body), "{body}");
        }
    }

    #[test]
    fn another_name_and_another_value_do_not_match() {
        for body in [json!({"codes": 1211}), json!({"code": 1212}), json!({"code": "x1211"}), json!("code")] {
            assert!(!accepts(json!(1211), &body), "{body}");
        }
        assert!(!accepts(json!("1211"), &json!({"code": 1211})));
        assert!(!accepts(json!(0.5), &json!({"code": "half"})));
    }
}
