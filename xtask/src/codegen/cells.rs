//! The documented responses of an operation as a static table: how the client recognizes each, what it means, where it
//! is documented, and what a mock server sends.

use anyhow::bail;
use heck::ToUpperCamelCase as _;
use otp_contract::{
    Attempt, Cell, Contract, Matching, Member, Operation, Place, Remedy, StateValue, StatusPattern,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

/// The table of an operation's documented responses.
pub(super) struct Table {
    /// `static CELLS`, and the function that returns it.
    pub(super) items: TokenStream,
    /// The table with these cells, as an expression.
    pub(super) expression: TokenStream,
}

pub(super) fn table(contract: &Contract, operation: &Operation) -> anyhow::Result<Table> {
    let cells = operation
        .cells
        .iter()
        .map(|each| cell(contract, operation, each))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let doc = format!(" The documented responses of {}, in the order of the document.", contract.name);
    let request_id = contract.request_id.iter().map(|pointer| path(pointer));
    let items = quote! {
        static CELLS: &[Cell] = &[#(#cells),*];

        #[doc = #doc]
        pub fn cells() -> &'static [Cell] {
            CELLS
        }
    };
    Ok(Table { items, expression: quote!(ResponseTable::new(CELLS, &[#(#request_id),*])) })
}

fn cell(contract: &Contract, operation: &Operation, cell: &Cell) -> anyhow::Result<TokenStream> {
    let vendor = &contract.vendor;
    let name = &cell.name;
    let summary = &cell.summary;
    let outcome = format_ident!("{}", cell.outcome.as_str().to_upper_camel_case());
    let status = match cell.status {
        StatusPattern::Exact(status) => quote!(StatusPattern::Exact(#status)),
        StatusPattern::Class(class) => quote!(StatusPattern::Class(#class)),
    };
    let usual_status = cell.sandbox_status;
    // Clients recognize a response by its body, so the certainty of the body decides.
    let documented = cell.facts.body.is_documented();
    let body_specified = cell.body_specified;
    let members = cell.members.iter().map(member).collect::<anyhow::Result<Vec<_>>>()?;
    let (document, section) = (&cell.source.document, &cell.source.section);
    let note = cell.note.as_ref().map_or_else(|| quote!(None), |note| quote!(Some(#note)));
    let consumption = match contract.attempt(cell) {
        Attempt::Spent => quote!(Consumption::Yes),
        Attempt::Kept => quote!(Consumption::No),
        Attempt::Unknown => quote!(Consumption::Unknown),
    };
    let remedy = match contract.remedy(cell) {
        None => quote!(None),
        Some(Remedy::EnterAgain) => quote!(Some(Remedy::EnterAgain)),
        Some(Remedy::NewCode) => quote!(Some(Remedy::NewCode)),
        Some(Remedy::Wait) => quote!(Some(Remedy::Wait)),
        Some(Remedy::FixRequest) => quote!(Some(Remedy::FixRequest)),
    };
    let mock = mock_response(operation, cell);
    Ok(quote! {
        Cell {
            vendor: #vendor,
            name: #name,
            summary: #summary,
            outcome: Outcome::#outcome,
            status: #status,
            usual_status: #usual_status,
            documented: #documented,
            body_specified: #body_specified,
            members: &[#(#members),*],
            document: #document,
            section: #section,
            note: #note,
            consumption: #consumption,
            remedy: #remedy,
            mock: #mock,
        }
    })
}

/// The response that a mock server sends: the body in the document, and which of its values repeat the request.
fn mock_response(operation: &Operation, cell: &Cell) -> TokenStream {
    let echoes = cell.members.iter().filter_map(|member| match &member.rule.matching {
        Matching::Echo(name) => Some((&member.pointer, name)),
        _ => None,
    });
    let echoes = echoes.map(|(pointer, name)| {
        let location = match name.as_str() {
            "session" => Some(&operation.session.location),
            "code" => Some(&operation.code.location),
            _ => None,
        };
        let (place, name) = location.map_or((Place::Path, name), |location| (location.place, &location.name));
        let part = match place {
            Place::Path => quote!(RequestPart::Path(#name)),
            Place::Query => quote!(RequestPart::Query(#name)),
            Place::Body | Place::Form => quote!(RequestPart::Body(#name)),
        };
        quote!((#pointer, crate::response::#part))
    });
    let body = if cell.media_type.is_some() { cell.body.to_string() } else { String::new() };
    let (method, path) = (&operation.method, operation.path.to_string());
    quote! {
        crate::response::MockResponse { method: #method, path: #path, body: #body, echoes: &[#(#echoes),*] }
    }
}

fn member(member: &Member) -> anyhow::Result<TokenStream> {
    let pointer = &member.pointer;
    let path = path(pointer);
    let optional = member.rule.optional;
    let rule = match &member.rule.matching {
        Matching::Literal => {
            let literal = literal(&member.example)?;
            quote!(Rule::Literal(#literal))
        }
        Matching::IgnoreCase => match &member.example {
            Value::String(text) => quote!(Rule::IgnoreCase(#text)),
            other => bail!("{pointer}: expected text for a comparison that ignores case, found {other}"),
        },
        Matching::Anywhere => {
            let name = names(pointer).last().unwrap_or_default();
            let literal = literal(&member.example)?;
            quote!(Rule::Anywhere(#name, #literal))
        }
        Matching::Echo(what) => quote!(Rule::Echo(#what)),
        Matching::List => quote!(Rule::NonEmptyArray),
        Matching::State(StateValue::RemainingAttempts) => quote!(Rule::State(StateValue::RemainingAttempts)),
        Matching::State(StateValue::LockoutSeconds) => quote!(Rule::State(StateValue::LockoutSeconds)),
        Matching::Text | Matching::Open | Matching::Volatile(_) => quote!(Rule::Any),
    };
    Ok(quote!(Member { path: #path, optional: #optional, rule: #rule }))
}

/// A JSON pointer, split into names.
fn path(pointer: &str) -> TokenStream {
    let names = names(pointer);
    quote!(&[#(#names),*])
}

/// The names in a JSON pointer (RFC 6901 §4).
fn names(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

fn literal(value: &Value) -> anyhow::Result<TokenStream> {
    Ok(match value {
        Value::Null => quote!(Literal::Null),
        Value::Bool(value) => quote!(Literal::Bool(#value)),
        Value::String(text) => quote!(Literal::Text(#text)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => {
                let number = proc_macro2::Literal::i64_unsuffixed(number);
                quote!(Literal::Integer(#number))
            }
            None => bail!("expected a whole number of 64 bits as a signal, found {number}"),
        },
        Value::Array(_) | Value::Object(_) => bail!("expected a scalar as a signal, found {value}"),
    })
}
