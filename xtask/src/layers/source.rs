//! Parses the source of a package into modules: what each one defines, imports and mentions.
//!
//! Uses `syn` and the file system. It never decides what a name refers to; `names` does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use syn::{Item, Meta};

use super::mentions::{self, Import, Mentions};

/// One module of Rust, inline or a file of its own.
#[derive(Default)]
pub(super) struct Module {
    /// The file that contains it, relative to `src/` and with `/` between the parts.
    pub(super) file: String,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// The names that it defines itself.
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    /// Every path in its code, other than those of its imports.
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Macros that it calls by their bare names.
    pub(super) macro_calls: BTreeSet<String>,
}

/// The modules of all targets of a package. A library and a binary each have a root.
#[derive(Default)]
pub(super) struct Source {
    pub(super) modules: Vec<Module>,
    /// Where the binary finds the library: its name and its root.
    pub(super) library: Option<(String, usize)>,
    /// The modules that define `macro_rules!` macros, by the macro's name.
    pub(super) macros: BTreeMap<String, usize>,
}

impl Source {
    /// Adds the target with this root file, and every file that its modules name.
    pub(super) fn add_target(&mut self, src: &Path, root: &Path) -> anyhow::Result<usize> {
        let folder = root.parent().unwrap_or(src).to_path_buf();
        self.add_file(src, root, &folder, None)
    }

    /// `folder` is where the modules that the file declares have their files.
    fn add_file(
        &mut self,
        src: &Path,
        path: &Path,
        folder: &Path,
        parent: Option<usize>,
    ) -> anyhow::Result<usize> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))?;
        let parts: Vec<_> = path
            .strip_prefix(src)
            .unwrap_or(path)
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        let module = Module { file: parts.join("/"), parent, ..Module::default() };
        let index = self.modules.len();
        self.modules.push(module);
        if !mentions::are_test_only(&parsed.attrs) {
            self.add_items(src, path, folder, index, parsed.items)?;
        }
        Ok(index)
    }

    fn add_items(
        &mut self,
        src: &Path,
        path: &Path,
        folder: &Path,
        index: usize,
        items: Vec<Item>,
    ) -> anyhow::Result<()> {
        for item in items {
            if mentions::is_test_only(&item) {
                continue;
            }
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                let child = if let Some((_, items)) = module.content {
                    let child = self.modules.len();
                    let file = self.modules[index].file.clone();
                    self.modules.push(Module { file, parent: Some(index), ..Module::default() });
                    self.add_items(src, path, &folder.join(&name), child, items)?;
                    child
                } else {
                    let (file, inner) = file_of(path, folder, &name, &module.attrs);
                    self.add_file(src, &file, &inner, Some(index))?
                };
                self.modules[index].children.insert(name, child);
                continue;
            }
            if let Item::Macro(definition) = &item
                && let Some(name) = &definition.ident
            {
                self.macros.insert(name.to_string(), index);
            }
            let found = Mentions::of(&item);
            let module = &mut self.modules[index];
            module.items.extend(defined_name(&item));
            module.imports.extend(found.imports);
            module.paths.extend(found.paths);
            module.macro_calls.extend(found.macro_calls);
        }
        Ok(())
    }
}

/// The file of `mod name;`, and the folder of the modules that this file declares in turn.
fn file_of(parent: &Path, folder: &Path, name: &str, attributes: &[syn::Attribute]) -> (PathBuf, PathBuf) {
    let given = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    if let Some(given) = given {
        let file = parent.parent().unwrap_or(folder).join(given);
        let inner = file.parent().unwrap_or(folder).to_path_buf();
        return (file, inner);
    }
    let inner = folder.join(name);
    let nested = inner.join("mod.rs");
    (if nested.is_file() { nested } else { folder.join(format!("{name}.rs")) }, inner)
}

/// The name that an item other than a module or an import adds to its module.
fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
