//! Text and names of a document in the generated code.

use heck::ToSnakeCase as _;
use quote::format_ident;

/// Text as one line, which keeps its markup.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A parameter's name as the name of a function, an argument or a field.
pub(super) fn identifier(name: &str) -> syn::Ident {
    let name = name.to_snake_case();
    match syn::parse_str(&name) {
        Ok(identifier) => identifier,
        // A keyword, or a name that starts with a digit or has no letter.
        Err(_) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => format_ident!("{name}_"),
        Err(_) => format_ident!("parameter_{name}"),
    }
}
