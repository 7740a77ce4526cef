//! The values of a request besides session, code and accounts: where each comes from, and which type it has.
//!
//! They are the query parameters and the members of the body. An optional one of a type that no setter can take, such as
//! an array, is left out and never sent.

use anyhow::{Context as _, bail};
use otp_contract::{Operation, Place};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::{Value, json};

use super::media::JSON;
use super::secrets;

/// A value of a request.
pub(super) struct RequestValue {
    /// The name in the document.
    pub(super) name: String,
    place: ValuePlace,
    pub(super) kind: Kind,
    pub(super) origin: Origin,
    description: Option<String>,
    /// The values that the document lists, as text.
    listed: Vec<String>,
}

/// The part of a request that contains a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValuePlace {
    Query,
    Body,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Every request contains the only value that the document allows.
    Fixed(Constant),
    /// Every request contains the document's default, unless the call has another value.
    Default(Constant),
    /// The builder of the client requires it.
    Builder,
    /// Only requests whose call has it contain it. The document may state what the vendor assumes otherwise.
    Option(Option<Value>),
}

/// A value in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Constant {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

impl Constant {
    fn of(value: &Value) -> Option<Constant> {
        match value {
            Value::String(text) => Some(Constant::Text(text.clone())),
            Value::Bool(boolean) => Some(Constant::Boolean(*boolean)),
            Value::Number(number) => number.as_i64().map(Constant::Integer),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The constant as the generated request takes it.
    pub(super) fn expression(&self) -> TokenStream {
        match self {
            Constant::Text(text) => quote!(crate::http::Secret::new(#text.to_owned())),
            Constant::Integer(integer) => {
                let integer = Literal::i64_suffixed(*integer);
                quote!(#integer)
            }
            Constant::Boolean(boolean) => quote!(#boolean),
        }
    }
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Text,
    /// An integer between the bounds of the document.
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
}

impl Kind {
    fn of(schema: &Value) -> Option<Kind> {
        // OpenAPI 3.1 also allows a list, such as `[string, "null"]`.
        let types = schema["type"].as_array();
        let named = types.into_iter().flatten().filter_map(Value::as_str).find(|name| *name != "null");
        match named.or(schema["type"].as_str()) {
            Some("boolean") => Some(Kind::Boolean),
            Some("string") => Some(Kind::Text),
            Some("integer") => {
                Some(Kind::Integer { min: schema["minimum"].as_i64(), max: schema["maximum"].as_i64() })
            }
            Some(_) => None,
            None => {
                let values = schema["enum"].as_array()?;
                let kinds: Option<Vec<_>> =
                    values.iter().map(|value| Some(Kind::of_constant(&Constant::of(value)?))).collect();
                let kinds = kinds?;
                let first = *kinds.first()?;
                kinds.iter().all(|kind| *kind == first).then_some(first)
            }
        }
    }

    fn of_constant(constant: &Constant) -> Kind {
        match constant {
            Constant::Text(_) => Kind::Text,
            Constant::Integer(_) => Kind::Integer { min: None, max: None },
            Constant::Boolean(_) => Kind::Boolean,
        }
    }

    /// The type of the field that holds the value. Integers have the smallest type with every allowed value.
    pub(super) fn field_type(self) -> TokenStream {
        match self {
            Kind::Boolean => quote!(bool),
            Kind::Text => quote!(crate::http::Secret),
            Kind::Integer { min: Some(0..), max: Some(..=0xff) } => quote!(u8),
            Kind::Integer { min: Some(0..), max: Some(..=0xffff_ffff) } => quote!(u32),
            Kind::Integer { .. } => quote!(i64),
        }
    }

    /// The type of an argument with the value.
    pub(super) fn argument_type(self) -> TokenStream {
        match self {
            Kind::Text => quote!(impl Into<String>),
            Kind::Boolean | Kind::Integer { .. } => self.field_type(),
        }
    }

    /// The condition for an allowed value, and the condition in words.
    pub(super) fn range(self, value: &TokenStream) -> Option<(TokenStream, String)> {
        let literal = Literal::i64_unsuffixed;
        match self {
            Kind::Boolean | Kind::Text | Kind::Integer { min: None, max: None } => None,
            Kind::Integer { min: Some(min), max: Some(max) } => {
                let (first, last) = (literal(min), literal(max));
                Some((quote!((#first..=#last).contains(&#value)), format!("must be from {min} to {max}")))
            }
            Kind::Integer { min: Some(min), max: None } => {
                let first = literal(min);
                Some((quote!(#value >= #first), format!("must be at least {min}")))
            }
            Kind::Integer { min: None, max: Some(max) } => {
                let last = literal(max);
                Some((quote!(#value <= #last), format!("must be at most {max}")))
            }
        }
    }
}

impl RequestValue {
    /// What the document says about the value, or `otherwise`.
    pub(super) fn description(&self, otherwise: &str) -> String {
        let mut text = self.description.clone().unwrap_or_else(|| otherwise.to_owned());
        if self.listed.len() > 1 {
            let listed: Vec<_> = self.listed.iter().map(|value| format!("`{value}`")).collect();
            text += &format!(" The vendor's document lists {}.", listed.join(", "));
        }
        text
    }

    /// An allowed value as a literal, for examples.
    pub(super) fn example(&self) -> String {
        match (self.kind, self.listed.first()) {
            (Kind::Text, Some(listed)) => format!("{listed:?}"),
            (Kind::Text, None) => format!("{:?}", format!("a value of {}", self.name)),
            (Kind::Boolean, _) => "true".to_owned(),
            (Kind::Integer { .. }, Some(listed)) => listed.clone(),
            (Kind::Integer { min, max }, None) => min.or(max).unwrap_or(1).to_string(),
        }
    }

    pub(super) fn is_in_body(&self) -> bool {
        self.place == ValuePlace::Body
    }
}

/// The values of an operation, in the order of the document: the parameters first, then the members of the body.
///
/// `document` is the output of [`readable`](super::readable).
pub(super) fn of(operation: &Operation, document: &Value) -> anyhow::Result<Vec<RequestValue>> {
    let mut values = Vec::new();
    for parameter in parameters(operation, document) {
        let name = parameter["name"].as_str().unwrap_or_default();
        if let Some(place @ ("header" | "cookie")) = parameter["in"].as_str() {
            bail!(
                "the required parameter {name} is in a {place}; a client can only set parameters of the path and the query"
            );
        }
        if parameter["in"] == "query" && !is_session_or_code(operation, name, &[Place::Query]) {
            let is_required = parameter["required"] == true;
            let description = parameter["description"].as_str();
            let schema = &parameter["schema"];
            values.extend(value(document, name, ValuePlace::Query, is_required, description, schema)?);
        }
    }
    let schema = resolved(document, body_schema(operation, document));
    let required = schema["required"].as_array();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if !is_session_or_code(operation, name, &[Place::Body, Place::Form]) {
            let is_required = required.is_some_and(|required| required.iter().any(|each| each == name));
            values.extend(value(document, name, ValuePlace::Body, is_required, None, property)?);
        }
    }
    Ok(values)
}

fn is_session_or_code(operation: &Operation, name: &str, places: &[Place]) -> bool {
    [&operation.session.location, &operation.code.location]
        .iter()
        // A member that only contains one of them is not a value of its own.
        .any(|location| location.keys().first() == Some(&name) && places.contains(&location.place))
}

/// One value; `None` if it is optional and no setter can take it.
fn value(
    document: &Value,
    name: &str,
    place: ValuePlace,
    is_required: bool,
    description: Option<&str>,
    schema: &Value,
) -> anyhow::Result<Option<RequestValue>> {
    let outer = schema;
    let schema = resolved(document, schema);
    let values = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    let default = schema.get("default").or_else(|| outer.get("default")).filter(|default| !default.is_null());
    let fixed = match (schema.get("const"), values) {
        (Some(only), _) | (None, [only]) => Some(only),
        _ => None,
    };
    let what = if place == ValuePlace::Query { "parameter" } else { "member" };
    let constant = |value: &Value| {
        Constant::of(value).with_context(|| {
            format!("the required {what} {name} has the value {value}; a client can only send text, integers and booleans")
        })
    };
    let kind = Kind::of(schema);
    let (kind, origin) = match (is_required, fixed, default, kind) {
        (true, Some(only), _, _) => {
            let only = constant(only)?;
            (Kind::of_constant(&only), Origin::Fixed(only))
        }
        (true, None, Some(default), kind) => {
            let default = constant(default)?;
            let of_default = Kind::of_constant(&default);
            let kind = kind.unwrap_or(of_default);
            if std::mem::discriminant(&kind) != std::mem::discriminant(&of_default) {
                bail!("the required {what} {name} has a default of another type than its schema");
            }
            (kind, Origin::Default(default))
        }
        (true, None, None, Some(kind)) => (kind, Origin::Builder),
        (true, None, None, None) => bail!(
            "the required {what} {name} is neither text nor an integer nor a boolean; a client cannot set it"
        ),
        (false, _, default, Some(kind)) => (kind, Origin::Option(default.cloned())),
        (false, _, _, None) => return Ok(None),
    };
    let description = description.or(schema["description"].as_str()).or(outer["description"].as_str());
    let listed = values.iter().filter_map(Constant::of).map(|value| match value {
        Constant::Text(text) => text,
        Constant::Integer(integer) => integer.to_string(),
        Constant::Boolean(boolean) => boolean.to_string(),
    });
    Ok(Some(RequestValue {
        name: name.to_owned(),
        place,
        kind,
        origin,
        description: description.map(super::text::one_line),
        listed: listed.collect(),
    }))
}

/// The document in which progenitor sees plain types for the values, and no other optional members of the body.
///
/// It would make an enum of listed texts, and types of other crates of some formats, which a call cannot convert to
/// without failing. All text gets the type that nothing prints.
pub(super) fn with_plain_types(
    document: &Value,
    operation: &Operation,
    values: &[RequestValue],
) -> anyhow::Result<Value> {
    let mut document = document.clone();
    let path = operation.path.to_string();
    let method = operation.method.to_ascii_lowercase();
    for value in values {
        let is_optional = matches!(value.origin, Origin::Option(_));
        let plain = match value.kind {
            Kind::Text => secrets::reference(),
            Kind::Boolean => json!({ "type": "boolean" }),
            // progenitor chooses the type of an optional integer by its bounds; the options convert to it.
            Kind::Integer { min, max } if is_optional && !value.is_in_body() => {
                let bounds = [("minimum", min), ("maximum", max)];
                let bounds =
                    bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), bound?.into())));
                Value::Object(bounds.chain([("type".to_owned(), "integer".into())]).collect())
            }
            Kind::Integer { .. } => json!({ "type": "integer" }),
        };
        let schema = match value.place {
            ValuePlace::Query => secrets::parameter(&mut document, &path, &method, "query", &value.name),
            ValuePlace::Body => secrets::property(&mut document, &path, &method, &[&value.name]),
        };
        *schema.with_context(|| format!("{method} {path} has no parameter or member {}", value.name))? =
            plain;
    }
    if let Some(properties) = secrets::properties(&mut document, &path, &method) {
        properties.retain(|name, _| {
            is_session_or_code(operation, name, &[Place::Body, Place::Form])
                || values.iter().any(|value| value.is_in_body() && value.name == *name)
        });
    }
    Ok(document)
}

/// The parameters of an operation, and those of its path.
fn parameters<'d>(operation: &Operation, document: &'d Value) -> impl Iterator<Item = &'d Value> {
    let item = &document["paths"][operation.path.to_string()];
    let of_operation = &item[operation.method.to_ascii_lowercase()]["parameters"];
    let shared = item["parameters"].as_array().into_iter().flatten().filter(|shared| {
        let own = of_operation.as_array().into_iter().flatten();
        !own.into_iter().any(|own| own["name"] == shared["name"] && own["in"] == shared["in"])
    });
    shared.chain(of_operation.as_array().into_iter().flatten())
}

fn body_schema<'d>(operation: &Operation, document: &'d Value) -> &'d Value {
    let method = operation.method.to_ascii_lowercase();
    let body = &document["paths"][operation.path.to_string()][method]["requestBody"];
    &resolved(document, body)["content"][JSON]["schema"]
}

/// The target of references within the document. A wrapper with one schema, which OpenAPI 3.0 needs for a reference with
/// a default or a description, counts as one.
pub(super) fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let mut value = value;
    // The contract reader reports references that never end.
    for _ in 0..16 {
        let wrapped = value["allOf"].as_array().and_then(|all| <&[Value; 1]>::try_from(all.as_slice()).ok());
        let target = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        match (target.and_then(|pointer| document.pointer(pointer)), wrapped) {
            (Some(target), _) | (None, Some([target])) => value = target,
            (None, None) => break,
        }
    }
    value
}
