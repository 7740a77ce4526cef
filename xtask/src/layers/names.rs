//! Resolves the paths of a package to the modules that define what they name, through imports and re-exports.
//!
//! Uses the parsed modules of `source`. It never reads a file, and knows nothing of folders or cycles.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Module, Source};

/// Which file uses which, each with the path in the code that shows it.
pub(super) type Uses = BTreeMap<(String, String), String>;

/// What a path names.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
    /// Something of another crate.
    Foreign,
}

/// One resolution: the modules whose imports it went through, and the imports it is in the middle of.
#[derive(Default)]
struct Search {
    through: BTreeSet<usize>,
    pending: BTreeSet<(usize, String)>,
}

/// Every use of one file by another. A path that goes through a re-export uses the file that defines the item, and the
/// file that re-exports it unless that is the root of the crate.
pub(super) fn uses(source: &Source) -> Uses {
    let mut uses = Uses::new();
    for (index, module) in source.modules.iter().enumerate() {
        let imports = module.imports.iter().map(|import| &import.path);
        for path in imports.chain(&module.paths) {
            for used in used_modules(source, index, path) {
                record(&mut uses, source, (index, used), &path.join("::"));
            }
        }
        for name in &module.macro_calls {
            let used = used_modules(source, index, std::slice::from_ref(name));
            // A macro without a path is in scope by its place in the text.
            let textual = source.macros.get(name).copied().filter(|_| used.is_empty());
            for used in used.into_iter().chain(textual) {
                record(&mut uses, source, (index, used), &format!("{name}!"));
            }
        }
    }
    uses
}

fn record(uses: &mut Uses, source: &Source, (from, to): (usize, usize), path: &str) {
    let (from, to) = (&source.modules[from].file, &source.modules[to].file);
    if from == to {
        return;
    }
    // Of several paths an import is shown rather than a name that was imported, and then the first in the alphabet, so that
    // the output is stable.
    let rank = |path: &str| {
        let is_absolute = ["crate::", "self::", "super::"].iter().any(|start| path.starts_with(start));
        (!is_absolute, !path.contains("::"), path.to_owned())
    };
    let shown = uses.entry((from.clone(), to.clone())).or_insert_with(|| path.to_owned());
    if rank(path) < rank(shown) {
        path.clone_into(shown);
    }
}

fn used_modules(source: &Source, from: usize, path: &[String]) -> BTreeSet<usize> {
    let mut search = Search::default();
    let target = resolve(source, from, path, &mut search);
    let mut used = search.through;
    used.retain(|module| source.modules[*module].parent.is_some());
    used.remove(&from);
    match target {
        // A path to the root itself, as in `use super::*`, uses what is then named through it.
        Some(Target::Module(module)) if source.modules[module].parent.is_some() => _ = used.insert(module),
        Some(Target::Item(module)) => _ = used.insert(module),
        Some(Target::Module(_) | Target::Foreign) | None => {}
    }
    used
}

fn resolve(source: &Source, from: usize, path: &[String], search: &mut Search) -> Option<Target> {
    let (first, mut rest) = path.split_first()?;
    let mut target = match first.as_str() {
        "crate" => Target::Module(root(source, from)),
        "self" => Target::Module(from),
        "super" => Target::Module(source.modules[from].parent?),
        // A bare name of a module is a variable with the same name, unless an import declares it.
        name if rest.is_empty() && source.modules[from].children.contains_key(name) => {
            return look_up(source, from, name, true, search)
                .filter(|target| !matches!(target, Target::Module(_)));
        }
        name => match look_up(source, from, name, rest.is_empty(), search) {
            Some(target) => target,
            None => match &source.library {
                Some((library, root)) if library == name => Target::Module(*root),
                _ => return None,
            },
        },
    };
    while let (Target::Module(module), Some((name, further))) = (target, rest.split_first()) {
        target = if name == "super" {
            Target::Module(source.modules[module].parent?)
        } else {
            // A name that is not found is an exported macro, which has its path in the root, or comes from a macro call.
            let exported = || source.macros.get(name).filter(|_| source.modules[module].parent.is_none());
            look_up(source, module, name, further.is_empty(), search)
                .unwrap_or_else(|| Target::Item(exported().copied().unwrap_or(module)))
        };
        rest = further;
    }
    Some(target)
}

/// What `name` means in `module`. Where a module and an item share the name, the end of a path is the item.
fn look_up(source: &Source, module: usize, name: &str, is_last: bool, search: &mut Search) -> Option<Target> {
    let Module { children, items, imports, .. } = &source.modules[module];
    let item = items.contains(name).then_some(Target::Item(module));
    let child = children.get(name).copied().map(Target::Module);
    let own = if is_last { item.or(child) } else { child.or(item) };
    if own.is_some() {
        return own;
    }
    if !search.pending.insert((module, name.to_owned())) {
        return None;
    }
    let mut found = None;
    for import in imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
        match resolve_import(source, module, &import.path, search) {
            Some(Target::Foreign) | None => found = found.or(Some(Target::Foreign)),
            target => {
                found = target;
                search.through.insert(module);
                break;
            }
        }
    }
    if found.is_none() {
        for import in imports.iter().filter(|import| import.name.is_none()) {
            let Some(Target::Module(globbed)) = resolve_import(source, module, &import.path, search) else {
                continue;
            };
            if let target @ Some(Target::Module(_) | Target::Item(_)) =
                look_up(source, globbed, name, is_last, search)
            {
                found = target;
                search.through.insert(module);
                break;
            }
        }
    }
    search.pending.remove(&(module, name.to_owned()));
    found
}

/// As [`resolve`], but the path of an import may be the bare name of a module.
fn resolve_import(source: &Source, module: usize, path: &[String], search: &mut Search) -> Option<Target> {
    match path {
        [name] => match source.modules[module].children.get(name) {
            Some(child) => Some(Target::Module(*child)),
            None => resolve(source, module, path, search),
        },
        _ => resolve(source, module, path, search),
    }
}

fn root(source: &Source, mut module: usize) -> usize {
    while let Some(parent) = source.modules[module].parent {
        module = parent;
    }
    module
}
