//! `cargo xtask layers`: which module of each package uses which, and that no cycle crosses a module.
//!
//! A module is a file or a folder directly below `src/`; a folder and the file of the same name are one, and `lib.rs` and
//! `main.rs` are modules too. The same holds inside each folder. Tests are left out. Uses its own sub-modules only, and
//! never changes a file.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use graph::{Cycle, Graph};
use packages::Package;
use source::Source;

mod graph;
mod mentions;
mod names;
mod packages;
mod source;

/// How much is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The graph of every package, and what is wrong with it.
    Graphs,
    /// Only what is wrong.
    Errors,
}

/// Checks every package of the workspace; false if a cycle crosses modules or a dependency is not allowed.
pub(crate) fn run(root: &Path, detail: Detail, out: &mut dyn Write) -> anyhow::Result<bool> {
    let packages = packages::of_workspace(root)?;
    let mut errors = 0;
    for package in &packages {
        errors += check(package, root, detail, out)?;
    }
    for violation in packages::violations(&packages) {
        errors += 1;
        writeln!(out, "error: {violation}")?;
    }
    if errors == 0 {
        writeln!(out, "{:>12} {} packages, no cycle across modules", "Clean", packages.len())?;
    }
    Ok(errors == 0)
}

/// Prints the graph of one package; the number of errors in it.
fn check(package: &Package, root: &Path, detail: Detail, out: &mut dyn Write) -> anyhow::Result<usize> {
    let src = root.join(&package.folder).join("src");
    let mut source = Source::default();
    for target in &package.roots {
        let index = source.add_target(&src, target)?;
        if source.library.is_none()
            && let Some(library) = &package.library
        {
            source.library = Some((library.clone(), index));
        }
    }
    let files: BTreeSet<String> = source.modules.iter().map(|module| module.file.clone()).collect();
    let uses = names::uses(&source);
    if detail == Detail::Graphs {
        writeln!(out, "{} ({}/src)", package.name, package.folder)?;
    }
    let mut errors = 0;
    for graph in graph::graphs(&files, &uses) {
        if detail == Detail::Graphs {
            print(&graph, out)?;
        }
        for cycle in graph.cycles() {
            if cycle.is_error {
                errors += 1;
            }
            if cycle.is_error || detail == Detail::Graphs {
                print_cycle(package, &graph, &cycle, out)?;
            }
        }
    }
    if detail == Detail::Graphs {
        writeln!(out)?;
    }
    Ok(errors)
}

fn print(graph: &Graph, out: &mut dyn Write) -> anyhow::Result<()> {
    if !graph.folder.is_empty() {
        writeln!(out, "  {}", graph.folder)?;
    }
    let indent = if graph.folder.is_empty() { "  " } else { "    " };
    let width = graph.edges.keys().map(String::len).max().unwrap_or_default();
    for (module, used) in &graph.edges {
        let used = used.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let used = if used.is_empty() { "-" } else { &used };
        writeln!(out, "{indent}{module:width$}  {used}")?;
    }
    Ok(())
}

fn print_cycle(package: &Package, graph: &Graph, cycle: &Cycle, out: &mut dyn Write) -> anyhow::Result<()> {
    let kind = if cycle.is_error { "error: a cycle across modules" } else { "note: a cycle of files" };
    let mut way: Vec<&str> = cycle.steps.iter().map(|step| step.module.as_str()).collect();
    way.extend(way.first().copied());
    writeln!(out, "{kind} in {}/src/{}: {}", package.folder, graph.folder, way.join(" -> "))?;
    for step in &cycle.steps {
        writeln!(out, "    {} uses {}", step.file, step.path)?;
    }
    if cycle.tangled > cycle.steps.len() {
        writeln!(
            out,
            "    it is the shortest of a group of {} modules that reach each other",
            cycle.tangled
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
