//! Text and names of a document in the generated code.

use heck::ToSnakeCase as _;
use quote::format_ident;

/// Text as one line, which keeps its markup.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A parameter's name as the name of a function or a field.
pub(super) fn identifier(name: &str) -> syn::Ident {
    let name = name.to_snake_case();
    syn::parse_str(&name).unwrap_or_else(|_| format_ident!("{name}_"))
}
