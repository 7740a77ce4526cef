//! The value of a scalar, by the core schema of YAML 1.2: `yes` is a text, and `0o17` a number.
//!
//! Uses nothing of this crate.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

/// The value of a scalar, or why it has none in JSON.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => plain(text),
            _ => Ok(Value::String(text.to_owned())),
        };
    };
    // `!` alone makes a text of any scalar.
    if format!("{}{}", tag.handle, tag.suffix) == "!" {
        return Ok(Value::String(text.to_owned()));
    }
    match core_tag(tag) {
        Some("str") => Ok(Value::String(text.to_owned())),
        Some(name @ ("int" | "float" | "bool" | "null")) => {
            let value = plain(text)?;
            let has_type = match name {
                "int" => value.is_i64() || value.is_u64(),
                "float" => value.is_number(),
                "bool" => value.is_boolean(),
                _ => value.is_null(),
            };
            if has_type { Ok(value) } else { Err(format!("`{text}` is no !!{name}")) }
        }
        _ => Err(unknown_tag(tag)),
    }
}

/// The name of a tag of the core schema, such as `str` of `!!str`.
pub(super) fn core_tag(tag: &Tag) -> Option<&str> {
    tag.is_yaml_core_schema().then_some(tag.suffix.as_str())
}

pub(super) fn unknown_tag(tag: &Tag) -> String {
    format!("the tag {}{} has no meaning in JSON", tag.handle, tag.suffix)
}

fn plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if [".inf", ".Inf", ".INF"].contains(&unsigned) || [".nan", ".NaN", ".NAN"].contains(&text) {
        return Err(format!("`{text}` is no number in JSON"));
    }
    let number = integer(text).or_else(|| float(text, unsigned));
    Ok(number.map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

fn integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return is_all(digits, |byte| (b'0'..=b'7').contains(&byte))
            .then(|| u64::from_str_radix(digits, 8).ok())?
            .map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return is_all(digits, |byte| byte.is_ascii_hexdigit())
            .then(|| u64::from_str_radix(digits, 16).ok())?
            .map(Number::from);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_all(digits, |byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

/// A decimal fraction, or an integer that is too large for [`integer`].
fn float(text: &str, unsigned: &str) -> Option<Number> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_mantissa = match mantissa.split_once('.') {
        Some((whole, part)) => is_digits(whole) && is_digits(part) && !(whole.is_empty() && part.is_empty()),
        None => is_all(mantissa, |byte| byte.is_ascii_digit()),
    };
    let has_exponent = exponent.is_none_or(|exponent| {
        is_all(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), |byte| byte.is_ascii_digit())
    });
    if !has_mantissa || !has_exponent {
        return None;
    }
    // JSON has no infinity, so a number that is too large stays a text.
    Number::from_f64(text.parse().ok()?)
}

fn is_all(text: &str, holds: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(holds)
}
