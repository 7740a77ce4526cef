//! The documented answers as a static table: what the client reads an answer by, what an answer means for whoever asked,
//! who says so, and how a mock gives it.

use anyhow::bail;
use otp_contract::{
    Attempt, Cell, Certainty, Contract, Matching, Member, Place, Remedy, StateValue, StatusPattern,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::lowering::pascal;

/// `static CELLS`, and the table around it.
pub(super) fn table(contract: &Contract) -> anyhow::Result<TokenStream> {
    let cells = contract
        .verify()
        .cells
        .iter()
        .map(|each| cell(contract, each))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let doc = format!(" Every documented answer of {}, in the order of the document.", contract.name);
    let request_id = contract.request_id.iter().map(|pointer| path(pointer));
    Ok(quote! {
        static CELLS: &[Cell] = &[#(#cells),*];

        /// What an answer is read by.
        pub(crate) static TABLE: Table = Table::new(CELLS, &[#(#request_id),*]);

        #[doc = #doc]
        pub fn cells() -> &'static [Cell] {
            CELLS
        }
    })
}

fn cell(contract: &Contract, cell: &Cell) -> anyhow::Result<TokenStream> {
    let vendor = &contract.vendor;
    let name = &cell.name;
    let summary = &cell.summary;
    let outcome = format_ident!("{}", pascal(cell.outcome.as_str()));
    let status = match cell.status {
        StatusPattern::Exact(status) => quote!(Status::Exact(#status)),
        StatusPattern::Class(class) => quote!(Status::Class(#class)),
    };
    let usual_status = cell.sandbox_status;
    let documented = cell.certainty == Certainty::Documented;
    let specified = cell.body_specified;
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
    let play = play(contract, cell);
    Ok(quote! {
        Cell {
            vendor: #vendor,
            name: #name,
            summary: #summary,
            outcome: Outcome::#outcome,
            status: #status,
            usual_status: #usual_status,
            documented: #documented,
            specified: #specified,
            members: &[#(#members),*],
            document: #document,
            section: #section,
            note: #note,
            consumption: #consumption,
            remedy: #remedy,
            #[cfg(feature = "mock")]
            play: #play,
        }
    })
}

/// How a mock gives the answer: the body of the document, and what in it repeats the request.
fn play(contract: &Contract, cell: &Cell) -> TokenStream {
    let operation = &contract.verify();
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
        let carried = match place {
            Place::Path => quote!(Carried::Path(#name)),
            Place::Query => quote!(Carried::Query(#name)),
            Place::Body => quote!(Carried::Body(#name)),
        };
        quote!((#pointer, crate::mock::#carried))
    });
    let body = cell.body.to_string();
    quote!(crate::mock::Play { body: #body, echoes: &[#(#echoes),*] })
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
            other => bail!("{pointer}: expected text where the case of letters is ignored, found {other}"),
        },
        Matching::Anywhere => {
            let name = names(pointer).last().unwrap_or_default();
            let literal = literal(&member.example)?;
            quote!(Rule::Anywhere(#name, #literal))
        }
        Matching::Echo(what) => quote!(Rule::Echo(#what)),
        Matching::List => quote!(Rule::List),
        Matching::State(StateValue::RemainingAttempts) => quote!(Rule::State(State::RemainingAttempts)),
        Matching::State(StateValue::LockoutSeconds) => quote!(Rule::State(State::LockoutSeconds)),
        Matching::Text | Matching::Open | Matching::Volatile(_) => quote!(Rule::Free),
    };
    Ok(quote!(Member { path: #path, optional: #optional, rule: #rule }))
}

/// A JSON pointer as the client walks it.
fn path(pointer: &str) -> TokenStream {
    let names = names(pointer);
    quote!(&[#(#names),*])
}

/// The names that a JSON pointer is made of (RFC 6901 §4).
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
