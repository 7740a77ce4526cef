//! `enum Error`: one variant for each documented answer that is no approval, and one for each way in which a call can end
//! without a documented answer. What each rests on stands in its documentation.

use anyhow::bail;
use otp_contract::{Cell, Certainty, Contract, Outcome};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::lowering::pascal;

/// The variants that every vendor has: name, and what it says.
const COMMON: [(&str, &str); 8] = [
    (
        "Ambiguous",
        "The vendor's document gives this answer several meanings; \
         [`outcomes`](crate::Error::outcomes) has them all.",
    ),
    (
        "Contradictory",
        "The answer claims an approval and denies it at once, or says one thing twice. It is no approval; an attempt \
         may be spent.",
    ),
    (
        "RateLimited",
        "An HTTP 429 that the vendor's document has no meaning for: too many calls in too little time. See \
         [`retry_after`](crate::Error::retry_after).",
    ),
    (
        "Undocumented",
        "No document knows such an answer, a redirect or a gateway's error page for instance. It is no approval; an \
         attempt may be spent.",
    ),
    (
        "Incomplete",
        "The answer began and did not end, or was longer than 64 KiB. It is no approval; an attempt may be spent, and \
         [`raw`](crate::Error::raw) holds the part that arrived.",
    ),
    ("InvalidInput", "An argument that cannot be sent as it is. Nothing was sent, and no attempt is spent."),
    (
        "Unsent",
        "No connection could be made, after trying again within the time of the call. Nothing was sent and no attempt is \
         spent, so the call may be repeated.",
    ),
    (
        "Unanswered",
        "The request may have arrived, and no answer came. Whether an attempt is spent, or the code approved, is \
         unknown: repeating the call may answer that the code is used. A new code is the safe way on.",
    ),
];

/// The enum, and how one is made.
pub(super) fn error(contract: &Contract) -> anyhow::Result<TokenStream> {
    let refusals: Vec<&Cell> =
        contract.cells.iter().filter(|cell| cell.outcome != Outcome::Approved).collect();
    let names: Vec<syn::Ident> = refusals.iter().map(|cell| variant(cell)).collect();
    if let Some(name) = names.iter().find(|name| COMMON.iter().any(|(common, _)| *name == common)) {
        bail!("expected no cell whose variant is {name}, which every vendor's error has");
    }
    let docs = refusals.iter().map(|cell| doc(contract, cell));
    let keys: Vec<&str> = refusals.iter().map(|cell| cell.name.as_str()).collect();
    let common: Vec<syn::Ident> = COMMON.iter().map(|(name, _)| format_ident!("{name}")).collect();
    let common_docs = COMMON.iter().map(|(_, doc)| format!(" {doc}"));
    let summary = format!(" Why {} did not approve.", contract.name);
    let all: Vec<&syn::Ident> = names.iter().chain(&common).collect();
    Ok(quote! {
        #[doc = #summary]
        ///
        /// It has a variant for each documented answer that is no approval, and one for each way in which a call can end
        /// without such an answer. All of them hold a [`crate::Error`], whose methods can be called on this enum too.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum Error {
            #(#[doc = #docs] #names(crate::Error),)*
            #(#[doc = #common_docs] #common(crate::Error),)*
        }

        impl Error {
            /// The body as the type documented for its status; `None` where there is no answer, or one of another type, as
            /// HTML of a gateway is.
            pub fn body(&self) -> Option<Body> {
                let raw = self.raw()?;
                decode(raw.status(), raw.body())
            }
        }

        impl std::ops::Deref for Error {
            type Target = crate::Error;

            fn deref(&self) -> &crate::Error {
                match self {
                    #(Error::#all(error))|* => error,
                }
            }
        }

        impl From<Error> for crate::Error {
            fn from(error: Error) -> crate::Error {
                match error {
                    #(Error::#all(error))|* => error,
                }
            }
        }

        impl std::fmt::Display for Error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }

        impl std::error::Error for Error {}

        impl crate::vendor::Vendor for Body {
            type Error = Error;

            fn failure(error: crate::Error) -> Error {
                match error.variant() {
                    #(Variant::Cell(#keys) => Error::#names(error),)*
                    // No cell has another name.
                    Variant::Cell(_) => Error::Ambiguous(error),
                    #(Variant::#common => Error::#common(error),)*
                }
            }
        }
    })
}

/// The variant of a cell's name.
fn variant(cell: &Cell) -> syn::Ident {
    format_ident!("{}", pascal(&cell.name))
}

/// What the answer is, how sure that is, and who says so.
fn doc(contract: &Contract, cell: &Cell) -> String {
    let certainty = match cell.certainty {
        Certainty::Documented => "Documented in",
        Certainty::Inferred => "Inferred from",
    };
    let mut doc = format!(
        " {}: HTTP {}, `{}`.\n\n {certainty} {}: {}.",
        text(&cell.summary),
        cell.status,
        cell.name,
        text(&cell.source.document),
        text(&cell.source.section),
    );
    for twin in twins(contract, cell) {
        let link = format!("[`Error::{}`]", variant(twin));
        let sentence = match (cell.certainty, twin.certainty) {
            (Certainty::Documented, Certainty::Documented) => format!(
                "The document contradicts itself: it gives the same answer to `{}`, so the answer comes as \
                 [`Error::Ambiguous`].",
                twin.name
            ),
            (Certainty::Inferred, Certainty::Documented) => format!(
                "The document gives the same answer to `{}`, so the answer comes as {link}, and its outcomes have this \
                 one too.",
                twin.name
            ),
            _ => continue,
        };
        doc += &format!("\n\n {sentence}");
    }
    if !cell.body_specified {
        doc += "\n\n The document says nothing of the body, so the status alone tells.";
    }
    if let Some(note) = &cell.note {
        doc += &format!("\n\n {}", text(note));
    }
    doc
}

/// The other refusals that the same answer may be.
fn twins<'c>(contract: &'c Contract, cell: &'c Cell) -> impl Iterator<Item = &'c Cell> {
    contract.cells.iter().filter(move |other| {
        other.name != cell.name
            && other.outcome != cell.outcome
            && other.status.matches(cell.sandbox_status)
            && (other.body_specified && other.body == cell.body)
    })
}

/// Text of a contract as it can stand in documentation, one paragraph and nothing that is markup.
fn text(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if matches!(character, '[' | ']' | '<' | '>' | '*' | '_' | '`' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped.trim_end_matches('.').to_owned()
}
