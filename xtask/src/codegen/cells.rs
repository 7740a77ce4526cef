//! The documented answers as a static table, which the client reads an answer by. Only what decides is copied: names,
//! outcomes, statuses and the judged members; notes and sources stay in the contract.

use anyhow::bail;
use otp_contract::{Cell, Certainty, Contract, Matching, Member, Outcome, StatusPattern};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

/// `static CELLS`.
pub(super) fn table(contract: &Contract) -> anyhow::Result<TokenStream> {
    let cells = contract.cells.iter().map(cell).collect::<anyhow::Result<Vec<_>>>()?;
    let doc = format!(" Every documented answer of {}, in the order of the document.", contract.name);
    Ok(quote! {
        #[doc = #doc]
        pub(crate) static CELLS: &[Cell] = &[#(#cells),*];
    })
}

fn cell(cell: &Cell) -> anyhow::Result<TokenStream> {
    let name = &cell.name;
    let outcome = outcome(cell.outcome);
    let status = match cell.status {
        StatusPattern::Exact(status) => quote!(Status::Exact(#status)),
        StatusPattern::Class(class) => quote!(Status::Class(#class)),
    };
    let usual_status = cell.sandbox_status;
    let documented = cell.certainty == Certainty::Documented;
    let specified = cell.body_specified;
    let members = cell.members.iter().map(member).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(quote! {
        Cell {
            name: #name,
            outcome: #outcome,
            status: #status,
            usual_status: #usual_status,
            documented: #documented,
            specified: #specified,
            members: &[#(#members),*],
        }
    })
}

fn outcome(outcome: Outcome) -> TokenStream {
    let variant: String = outcome
        .as_str()
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    let variant = format_ident!("{variant}");
    quote!(Outcome::#variant)
}

fn member(member: &Member) -> anyhow::Result<TokenStream> {
    let pointer = &member.pointer;
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
            let name = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
            let literal = literal(&member.example)?;
            quote!(Rule::Anywhere(#name, #literal))
        }
        Matching::Echo(what) => quote!(Rule::Echo(#what)),
        Matching::List => quote!(Rule::List),
        Matching::Text | Matching::Open | Matching::State(_) | Matching::Volatile(_) => quote!(Rule::Free),
    };
    Ok(quote!(Member { pointer: #pointer, optional: #optional, rule: #rule }))
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
