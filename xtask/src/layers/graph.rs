//! The import graph of each folder of a package, and the cycles in it.
//!
//! Uses file names and the uses between them. It never looks at source code.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::names::Uses;

/// A folder, and which of its modules uses which. A file and the folder of the same name are one module.
pub(super) struct Graph {
    /// Relative to `src/`, empty for that folder itself, and with a `/` at its end otherwise.
    pub(super) folder: String,
    /// What each module uses, by name. The folder's own file (`a.rs` of `a/`) has its file name.
    pub(super) edges: BTreeMap<String, BTreeSet<String>>,
    /// Those modules that have files below them.
    folders: BTreeSet<String>,
    /// The folder's own file, if it has one.
    own: Option<String>,
    /// For each edge a file that uses another, and the path that shows it.
    examples: BTreeMap<(String, String), (String, String)>,
}

/// Modules that use each other.
pub(super) struct Cycle {
    /// Each step: the module, the file in it that uses the next module, and the path in the code.
    pub(super) steps: Vec<Step>,
    /// How many modules reach each other, this cycle's included.
    pub(super) tangled: usize,
    /// Whether the cycle breaks a rule; one among the files of a folder does not.
    pub(super) is_error: bool,
}

pub(super) struct Step {
    pub(super) module: String,
    pub(super) file: String,
    pub(super) path: String,
}

/// One graph for each folder, the outer ones first.
pub(super) fn graphs(files: &BTreeSet<String>, uses: &Uses) -> Vec<Graph> {
    let mut folders: BTreeSet<String> = BTreeSet::from([String::new()]);
    for file in files {
        folders.extend(file.match_indices('/').map(|(end, _)| file[..=end].to_owned()));
    }
    folders.into_iter().map(|folder| graph(folder, files, uses)).collect()
}

fn graph(folder: String, files: &BTreeSet<String>, uses: &Uses) -> Graph {
    let (mut edges, mut folders, mut own) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new(), None);
    for file in files {
        let Some(module) = module_of(&folder, file) else { continue };
        if !folder.is_empty() && is_own_file(&folder, file) {
            own = Some(module.clone());
        } else if file[folder.len()..].contains('/') {
            folders.insert(module.clone());
        }
        edges.entry(module).or_default();
    }
    let mut examples = BTreeMap::new();
    for ((from, to), path) in uses {
        if let (Some(module), Some(used)) = (module_of(&folder, from), module_of(&folder, to))
            && module != used
        {
            edges.entry(module.clone()).or_default().insert(used.clone());
            examples.entry((module, used)).or_insert_with(|| (from.clone(), path.clone()));
        }
    }
    Graph { folder, edges, folders, own, examples }
}

fn is_own_file(folder: &str, file: &str) -> bool {
    file.strip_suffix(".rs") == folder.strip_suffix('/') || file.strip_prefix(folder) == Some("mod.rs")
}

/// The module of `folder` that contains the file; `None` for a file elsewhere.
fn module_of(folder: &str, file: &str) -> Option<String> {
    if !folder.is_empty() && is_own_file(folder, file) {
        return Some(file.rsplit('/').next().unwrap_or(file).to_owned());
    }
    let rest = file.strip_prefix(folder)?;
    let first = rest.split('/').next().unwrap_or(rest);
    match first {
        // The root of a crate keeps its file name: no module can be called so.
        "lib.rs" | "main.rs" if folder.is_empty() => Some(first.to_owned()),
        _ => Some(first.strip_suffix(".rs").unwrap_or(first).to_owned()),
    }
}

impl Graph {
    /// One cycle, the shortest, for each group of modules that reach each other.
    ///
    /// Below the top, the folder's own file is what its modules share, so a cycle through it breaks no rule, and neither
    /// does one among plain files. A cycle of the folder's modules in which a sub-folder takes part does.
    pub(super) fn cycles(&self) -> Vec<Cycle> {
        let all: BTreeSet<&str> = self.edges.keys().map(String::as_str).collect();
        let mut inner = all.clone();
        if let Some(own) = &self.own {
            inner.remove(own.as_str());
        }
        let is_wrong = |group: &BTreeSet<&str>| {
            self.folder.is_empty() || group.iter().any(|module| self.folders.contains(*module))
        };
        let mut cycles: Vec<Cycle> = self
            .groups(&inner)
            .into_iter()
            .filter(|group| is_wrong(group))
            .filter_map(|group| self.shortest(&group, true))
            .collect();
        if cycles.is_empty() {
            cycles = self.groups(&all).iter().filter_map(|group| self.shortest(group, false)).collect();
        }
        cycles
    }

    /// The sets of two or more modules that reach each other.
    fn groups<'a>(&self, modules: &BTreeSet<&'a str>) -> Vec<BTreeSet<&'a str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            modules.iter().map(|module| (*module, self.reached(module, modules))).collect();
        let groups: BTreeSet<BTreeSet<&str>> = modules
            .iter()
            .map(|module| {
                let mutual =
                    |other: &&&str| reached[module].contains(**other) && reached[**other].contains(module);
                modules.iter().filter(mutual).copied().collect()
            })
            .collect();
        groups.into_iter().filter(|group: &BTreeSet<&str>| group.len() > 1).collect()
    }

    /// Every module that `from` uses, directly or through others.
    fn reached<'a>(&self, from: &str, modules: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(module) = pending.pop() {
            for used in self.edges.get(module).into_iter().flatten() {
                if let Some(used) = modules.get(used.as_str())
                    && reached.insert(*used)
                {
                    pending.push(used);
                }
            }
        }
        reached
    }

    fn shortest(&self, group: &BTreeSet<&str>, is_error: bool) -> Option<Cycle> {
        let cycles = group.iter().filter_map(|start| self.way_back(start, group));
        // The first of the shortest, so that the output is stable.
        let modules = cycles.min_by_key(Vec::len)?;
        let steps = modules
            .iter()
            .enumerate()
            .map(|(index, module)| {
                let next = modules.get(index + 1).unwrap_or(&modules[0]);
                let (file, path) =
                    self.examples.get(&(module.clone(), next.clone())).cloned().unwrap_or_default();
                Step { module: module.clone(), file, path }
            })
            .collect();
        Some(Cycle { steps, tangled: group.len(), is_error })
    }

    /// The shortest way from `start` back to it, by breadth-first search.
    fn way_back(&self, start: &str, group: &BTreeSet<&str>) -> Option<Vec<String>> {
        let mut pending = VecDeque::from([vec![start.to_owned()]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = pending.pop_front() {
            for used in self.edges.get(way.last()?).into_iter().flatten() {
                if used == start {
                    return Some(way);
                }
                if group.contains(used.as_str()) && seen.insert(used) {
                    let mut longer = way.clone();
                    longer.push(used.clone());
                    pending.push_back(longer);
                }
            }
        }
        None
    }
}
