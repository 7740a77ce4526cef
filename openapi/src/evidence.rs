//! What in a body counts as an approval and what as a refusal, and where a value may sit that a document places nowhere
//! in particular.
//!
//! The suite and the codegen read these rules here, so that both mean the same by "approved". May use the cells of an
//! operation; it never decides whether a response conforms.

use serde_json::Value;

use crate::{Matching, Member, Operation};

impl Operation {
    /// The values that only approvals have: each is a required literal of an approval that no refusal shows in the same
    /// place. A refusal that carries one of them claims success.
    pub fn approval_signals(&self) -> impl Iterator<Item = &Member> {
        let shown_by_a_refusal = |signal: &Member| {
            self.refusals().any(|cell| cell.body.pointer(&signal.pointer) == Some(&signal.example))
        };
        self.approvals()
            .flat_map(|cell| &cell.members)
            .filter(|member| member.is_required_literal())
            .filter(move |signal| !shown_by_a_refusal(signal))
    }

    /// The values that only refusals have: each is a required literal of a refusal, in a place where no approval has a
    /// value of its own. An approval that carries one of them contradicts itself.
    pub fn refusal_signals(&self) -> impl Iterator<Item = &Member> {
        let shown_by_an_approval =
            |signal: &Member| self.approvals().any(|cell| cell.body.pointer(&signal.pointer).is_some());
        self.refusals()
            .filter(|cell| cell.body_specified)
            .flat_map(|cell| &cell.members)
            .filter(|member| member.is_required_literal())
            .filter(move |signal| !shown_by_an_approval(signal))
    }
}

impl Member {
    /// Whether the member has one fixed value and may not be absent.
    pub fn is_required_literal(&self) -> bool {
        self.rule.matching == Matching::Literal && !self.rule.optional
    }

    /// The member's own name: the last part of its pointer.
    pub fn name(&self) -> &str {
        self.pointer.rsplit('/').next().unwrap_or_default()
    }

    /// The values in `body` that [`Matching::Anywhere`] compares with the example: those of every member, at any depth,
    /// whose name is this member's or ends with it without regard to case, as `errorCode` ends with `code`.
    pub fn candidates<'b>(&self, body: &'b Value) -> Vec<&'b Value> {
        let mut found = Vec::new();
        collect(body, &self.name().to_ascii_lowercase(), &mut found);
        found
    }

    /// Whether [`Matching::Anywhere`] accepts `value`: the example itself, or the decimal text of a number.
    pub fn accepts_anywhere(&self, value: &Value) -> bool {
        let spells_number = || match (value, &self.example) {
            (Value::String(text), Value::Number(number)) => text.parse().ok() == number.as_i64(),
            _ => false,
        };
        same_value(&self.example, value) || spells_number()
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
    fn a_value_may_sit_at_any_depth_under_a_name_with_the_same_ending() {
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
    }
}
