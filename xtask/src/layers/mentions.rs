//! Finds every path and import in the code of one item, at any depth, and leaves out code that only tests compile.
//!
//! Uses `syn` alone. It never decides what a path refers to; `names` does.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, Token, UseTree};

/// Macros whose tokens are code of another crate.
const QUOTING: [&str; 4] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

/// One name of a `use` declaration.
#[derive(Debug)]
pub(super) struct Import {
    /// The name in this module; `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
}

/// What the code of an item mentions.
#[derive(Default)]
pub(super) struct Mentions {
    pub(super) imports: Vec<Import>,
    pub(super) paths: BTreeSet<Vec<String>>,
    pub(super) macro_calls: BTreeSet<String>,
}

impl Mentions {
    pub(super) fn of(item: &Item) -> Mentions {
        let mut found = Mentions::default();
        found.visit_item(item);
        found
    }

    /// The tokens of a macro call or an attribute have no syntax tree, so paths are found by their `::`.
    /// Attributes name functions and modules in strings too, as `#[serde(with = "module::path")]` does.
    fn scan(&mut self, tokens: TokenStream, read_strings: bool) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.mention(std::mem::take(&mut path));
                    }
                    // `::name` without a name before it is the path of another crate.
                    if colons != 2 || !path.is_empty() {
                        path.push(name.to_string());
                    }
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    self.mention(std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.scan(group.stream(), read_strings),
                        TokenTree::Literal(literal) if read_strings => {
                            if let Ok(path) = syn::parse_str(literal.to_string().trim_matches('"')) {
                                self.visit_path(&path);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        self.mention(path);
    }

    fn mention(&mut self, path: Vec<String>) {
        // `pub(super)` and a lone `self` name no item.
        if path.iter().any(|name| !matches!(name.as_str(), "crate" | "self" | "super")) {
            self.paths.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_only(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !is_test_only(item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        if !is_test_only(item) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !are_test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !are_test_only(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        if !is_test_only(statement) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.imports.extend(imports(&item.tree, &[]));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        if let Some(name) = call.path.get_ident() {
            self.macro_calls.insert(name.to_string());
        } else {
            self.visit_path(&call.path);
        }
        if !QUOTING.contains(&name.as_str()) {
            self.scan(call.tokens.clone(), false);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), true);
        }
    }
}

/// Whether `node` starts with an attribute that keeps it out of everything but tests.
pub(super) fn is_test_only(node: &impl ToTokens) -> bool {
    let outer = |input: ParseStream<'_>| {
        let attributes = Attribute::parse_outer(input)?;
        input.parse::<TokenStream>()?;
        Ok(attributes)
    };
    outer.parse2(node.to_token_stream()).is_ok_and(|attributes| are_test_only(&attributes))
}

/// Whether one of the attributes keeps its item out of everything but tests.
pub(super) fn are_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            syn::parse2::<Meta>(list.tokens.clone()).is_ok_and(|condition| needs_test(&condition))
        }
        _ => false,
    })
}

/// Whether the condition of a `cfg` is false without `test`, whatever else is set.
fn needs_test(condition: &Meta) -> bool {
    let conditions = |list: &syn::MetaList| {
        list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default()
    };
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => conditions(list).iter().any(needs_test),
        Meta::List(list) if list.path.is_ident("any") => {
            let conditions = conditions(list);
            !conditions.is_empty() && conditions.iter().all(needs_test)
        }
        _ => false,
    }
}

/// The names of a `use` declaration, with the path of each.
fn imports(tree: &UseTree, prefix: &[String]) -> Vec<Import> {
    let longer = |name: &syn::Ident| {
        let mut path = prefix.to_vec();
        path.push(name.to_string());
        path
    };
    match tree {
        UseTree::Path(path) => imports(&path.tree, &longer(&path.ident)),
        UseTree::Group(group) => group.items.iter().flat_map(|tree| imports(tree, prefix)).collect(),
        UseTree::Glob(_) => vec![Import { name: None, path: prefix.to_vec() }],
        UseTree::Name(name) if name.ident == "self" => {
            vec![Import { name: prefix.last().cloned(), path: prefix.to_vec() }]
        }
        UseTree::Name(name) => vec![Import { name: Some(name.ident.to_string()), path: longer(&name.ident) }],
        UseTree::Rename(rename) => {
            let path = if rename.ident == "self" { prefix.to_vec() } else { longer(&rename.ident) };
            vec![Import { name: Some(rename.rename.to_string()), path }]
        }
    }
}
