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

/// An answer that is no approval: the cells that it may be. There are several where the document gives one answer to
/// several outcomes, which no client can tell apart.
struct Refusal<'c>(Vec<&'c Cell>);

impl<'c> Refusal<'c> {
    /// The refusals of a contract, in its order.
    fn all(contract: &'c Contract) -> Vec<Refusal<'c>> {
        let mut refusals: Vec<Refusal<'_>> = Vec::new();
        for cell in contract.verify().cells.iter().filter(|cell| cell.outcome != Outcome::Approved) {
            match refusals.iter_mut().find(|refusal| refusal.0.iter().any(|other| is_one_answer(other, cell)))
            {
                Some(refusal) => refusal.0.push(cell),
                None => refusals.push(Refusal(vec![cell])),
            }
        }
        refusals
    }

    /// The name of its variant, such as `Expired` or `WrongCodeOrExpired`.
    fn variant(&self) -> syn::Ident {
        let names: Vec<_> = self.0.iter().map(|cell| pascal(&cell.name)).collect();
        format_ident!("{}", names.join("Or"))
    }

    /// The arms that choose its variant.
    fn arms(&self) -> TokenStream {
        let variant = self.variant();
        let names: Vec<_> = self.0.iter().map(|cell| &cell.name).collect();
        let alone = quote!(#(Variant::Cell(#names))|* => Error::#variant(error),);
        if self.0.len() == 1 {
            return alone;
        }
        quote!(#alone Variant::Ambiguous if error.is_one_of(&[#(#names),*]) => Error::#variant(error),)
    }

    /// What the answer is, how sure that is, and who says so.
    fn doc(&self, contract: &Contract) -> String {
        let of_each: Vec<_> = self.0.iter().map(|cell| doc(contract, cell)).collect();
        let mut doc = of_each.join("\n\n");
        if self.0.len() > 1 {
            doc += "\n\n The document gives one answer to all of these, so no client can tell them apart; \
                    [`outcomes`](crate::Error::outcomes) has them.";
        }
        doc
    }
}

/// Whether the document gives one and the same answer to both.
fn is_one_answer(one: &Cell, other: &Cell) -> bool {
    let documented = |cell: &Cell| cell.certainty == Certainty::Documented;
    documented(one) && documented(other) && are_twins(one, other)
}

/// Whether the same answer may be either of two refusals.
fn are_twins(one: &Cell, other: &Cell) -> bool {
    one.name != other.name
        && one.outcome != other.outcome
        && other.status.matches(one.sandbox_status)
        && (other.body_specified && other.body == one.body)
}

/// The enum, and how one is made.
pub(super) fn error(contract: &Contract) -> anyhow::Result<TokenStream> {
    let refusals = Refusal::all(contract);
    let names: Vec<syn::Ident> = refusals.iter().map(Refusal::variant).collect();
    if let Some(name) = names.iter().find(|name| COMMON.iter().any(|(common, _)| *name == common)) {
        bail!("expected no cell whose variant is {name}, which every vendor's error has");
    }
    let docs = refusals.iter().map(|refusal| refusal.doc(contract));
    let arms = refusals.iter().map(Refusal::arms);
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
                    #(#arms)*
                    // No cell has another name.
                    Variant::Cell(_) => Error::Ambiguous(error),
                    #(Variant::#common => Error::#common(error),)*
                }
            }
        }
    })
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
    for refusal in Refusal::all(contract) {
        let twins: Vec<_> = refusal.0.iter().filter(|other| are_twins(cell, other)).collect();
        let is_documented = twins.iter().any(|twin| twin.certainty == Certainty::Documented);
        if cell.certainty == Certainty::Inferred && is_documented {
            let names: Vec<_> = twins.iter().map(|twin| format!("`{}`", twin.name)).collect();
            doc += &format!(
                "\n\n The document gives the same answer to {}, so the answer comes as [`Error::{}`], and its \
                 outcomes have this one too.",
                names.join(" and "),
                refusal.variant(),
            );
        }
    }
    if !cell.body_specified {
        doc += "\n\n The document says nothing of the body, so the status alone tells.";
    }
    if let Some(note) = &cell.note {
        doc += &format!("\n\n {}", text(note));
    }
    doc
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
