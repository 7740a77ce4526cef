//! `enum Error`: one variant for each documented refusal, and one for each way in which a call can end without a
//! documented response. The documentation of a variant names the statement on which it is based.

use anyhow::bail;
use heck::ToUpperCamelCase as _;
use otp_contract::{Cell, Certainty, Contract, Matching, Operation};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The variants that every vendor's error has, with their documentation.
const COMMON: [(&str, &str); 8] = [
    (
        "Ambiguous",
        "The vendor's document gives this response several meanings; [`outcomes`](crate::Error::outcomes) lists them.",
    ),
    (
        "Contradictory",
        "The response signals both an approval and a refusal, or has a duplicate key. It is no approval, and the call may have \
         consumed an attempt.",
    ),
    (
        "RateLimited",
        "Too many calls in a short time: an HTTP 429 to which the vendor's document gives no other meaning. See \
         [`retry_after`](crate::Error::retry_after).",
    ),
    (
        "Undocumented",
        "No document describes the response, for example a redirect or the error page of a gateway. It is no approval, and \
         the call may have consumed an attempt.",
    ),
    (
        "Incomplete",
        "The response was cut off, or its body is longer than 64 KiB. It is no approval, and the call may have consumed an \
         attempt. [`raw`](crate::Error::raw) returns the part that arrived.",
    ),
    (
        "InvalidInput",
        "An argument cannot be sent unchanged. Nothing was sent, and the call consumed no attempt.",
    ),
    (
        "Unsent",
        "The client could not connect, even after retries within the call's timeout. Nothing was sent and the call consumed no \
         attempt, so it can be repeated.",
    ),
    (
        "Unanswered",
        "The request may have arrived, but there was no response. The vendor may have counted an attempt or approved the code, \
         so a repeated call may report a used code. Requesting a new code is the safe way to continue.",
    ),
];

/// A documented refusal: the cells that share one variant. There are several if the document has the same response for
/// several outcomes, which no client can distinguish.
struct Refusal<'c>(Vec<&'c Cell>);

impl<'c> Refusal<'c> {
    /// The refusals of an operation, in the order of the document.
    fn all(operation: &'c Operation) -> Vec<Refusal<'c>> {
        let mut refusals: Vec<Refusal<'_>> = Vec::new();
        for cell in operation.refusals() {
            match refusals
                .iter_mut()
                .find(|refusal| refusal.0.iter().any(|other| shares_variant(other, cell)))
            {
                Some(refusal) => refusal.0.push(cell),
                None => refusals.push(Refusal(vec![cell])),
            }
        }
        refusals
    }

    /// The name of the variant, such as `Expired` or `WrongCodeOrExpired`.
    fn variant(&self) -> syn::Ident {
        let names: Vec<_> = self.0.iter().map(|cell| cell.name.to_upper_camel_case()).collect();
        format_ident!("{}", names.join("Or"))
    }

    /// The match arms that select the variant.
    fn arms(&self) -> TokenStream {
        let variant = self.variant();
        let names: Vec<_> = self.0.iter().map(|cell| &cell.name).collect();
        let alone = quote!(#(Variant::Cell(#names))|* => Error::#variant(error),);
        if self.0.len() == 1 {
            return alone;
        }
        quote!(#alone Variant::Ambiguous if error.is_one_of(&[#(#names),*]) => Error::#variant(error),)
    }

    /// The documentation of the variant.
    fn doc(&self, operation: &Operation) -> String {
        let docs: Vec<_> = self.0.iter().map(|cell| doc(operation, cell)).collect();
        let mut doc = docs.join("\n\n");
        if self.0.len() > 1 {
            doc += "\n\n The document has the same response for all of these, so no client can distinguish them; \
                    [`outcomes`](crate::Error::outcomes) lists them.";
        }
        doc
    }
}

/// The variants that the response of a cell can have: its own and, if signals do not tell it from another refusal,
/// that one's and `Ambiguous`.
pub(super) fn variants(operation: &Operation, cell: &Cell) -> Vec<syn::Ident> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for refusal in Refusal::all(operation) {
        if refusal.0.iter().any(|other| other.name == cell.name) {
            own.push(refusal.variant());
        } else if refusal.0.iter().any(|other| is_similar(cell, other)) {
            others.push(refusal.variant());
        }
    }
    if !others.is_empty() {
        others.push(format_ident!("Ambiguous"));
    }
    own.into_iter().chain(others).collect()
}

/// Whether one status fits both, and the body does not tell them apart: it is unspecified in one, or no signal at the same
/// place has different values.
fn is_similar(cell: &Cell, other: &Cell) -> bool {
    let differs = cell.members.iter().any(|one| {
        let is_signal = |matching: &Matching| matches!(matching, Matching::Literal | Matching::IgnoreCase);
        let same_place = other.members.iter().find(|member| member.pointer == one.pointer);
        is_signal(&one.rule.matching)
            && same_place
                .is_some_and(|member| is_signal(&member.rule.matching) && member.example != one.example)
    });
    let is_specified = cell.body_specified && other.body_specified;
    other.status.matches(cell.sandbox_status) && !(is_specified && differs)
}

/// Whether the document states the same response for both literally.
fn shares_variant(one: &Cell, other: &Cell) -> bool {
    let documented = |cell: &Cell| cell.facts.body.is_documented();
    documented(one) && documented(other) && have_same_response(one, other)
}

/// Whether two refusals with different outcomes have the same response.
fn have_same_response(one: &Cell, other: &Cell) -> bool {
    one.name != other.name
        && one.outcome != other.outcome
        && other.status.matches(one.sandbox_status)
        && (other.body_specified && other.body == one.body)
}

/// The enum, and its conversions from and to the vendor-neutral error.
pub(super) fn error(contract: &Contract, operation: &Operation) -> anyhow::Result<TokenStream> {
    let refusals = Refusal::all(operation);
    let names: Vec<syn::Ident> = refusals.iter().map(Refusal::variant).collect();
    if let Some(name) = names.iter().find(|name| COMMON.iter().any(|(common, _)| *name == common)) {
        bail!("expected no cell with the variant {name}, which every vendor's error has; rename the cell");
    }
    let docs = refusals.iter().map(|refusal| refusal.doc(operation));
    let arms = refusals.iter().map(Refusal::arms);
    let common: Vec<syn::Ident> = COMMON.iter().map(|(name, _)| format_ident!("{name}")).collect();
    let common_docs = COMMON.iter().map(|(_, doc)| format!(" {doc}"));
    let summary = format!(" Why {} did not approve.", contract.name);
    let all: Vec<&syn::Ident> = names.iter().chain(&common).collect();
    Ok(quote! {
        #[doc = #summary]
        ///
        /// It has a variant for each documented refusal, and one for each way in which a call can end without a
        /// documented response. Each variant holds a [`crate::Error`], whose methods are also available on this enum.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum Error {
            #(#[doc = #docs] #names(crate::Error),)*
            #(#[doc = #common_docs] #common(crate::Error),)*
        }

        impl Error {
            /// The body as the type documented for its status. `None` if there is no response or its body has another
            /// type, such as the HTML page of a gateway.
            pub fn body(&self) -> Option<Body> {
                let raw = self.raw()?;
                Body::decode(raw.status(), raw.body())
            }

            pub(crate) fn new(error: crate::Error) -> Error {
                match error.variant() {
                    #(#arms)*
                    // No other cell exists.
                    Variant::Cell(_) => Error::Ambiguous(error),
                    #(Variant::#common => Error::#common(error),)*
                }
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
    })
}

/// The documentation of a cell: the response, whether it is documented or inferred, and where.
fn doc(operation: &Operation, cell: &Cell) -> String {
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
    for refusal in Refusal::all(operation) {
        let same: Vec<_> = refusal.0.iter().filter(|other| have_same_response(cell, other)).collect();
        let is_documented = same.iter().any(|other| other.certainty == Certainty::Documented);
        if cell.certainty == Certainty::Inferred && is_documented {
            let names: Vec<_> = same.iter().map(|other| format!("`{}`", other.name)).collect();
            doc += &format!(
                "\n\n The document has the same response for {}, so the error is [`Error::{}`], whose outcomes include \
                 this one.",
                names.join(" and "),
                refusal.variant(),
            );
        }
    }
    if !cell.body_specified {
        doc += "\n\n The document does not specify the body, so the client uses only the status.";
    }
    if let Some(note) = &cell.note {
        doc += &format!("\n\n {}", text(note));
    }
    doc
}

/// Text of a contract as one paragraph of documentation, with markup escaped.
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
