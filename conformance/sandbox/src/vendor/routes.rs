//! Maps paths to the operations that vendors serve there.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use otp_contract::Contract;

use super::{Preferences, VendorAdapter};
use crate::http::PathParameters;

/// The adapters of all operations, by the paths under which they are served.
pub(crate) struct Routes {
    adapters: Vec<VendorAdapter>,
    /// For each path the adapters of its operations, as indexes. All belong to one vendor, each has a method of its
    /// own, and there is at least one.
    paths: matchit::Router<Vec<usize>>,
}

/// Two operations cannot be distinguished by path and method.
pub(crate) struct RouteConflict {
    pub(crate) path: String,
    pub(crate) vendor: String,
    pub(crate) reason: String,
}

impl Routes {
    pub(crate) fn new(contracts: Vec<Contract>, preferences: &Preferences) -> Result<Routes, RouteConflict> {
        let mut adapters: Vec<VendorAdapter> = Vec::new();
        let mut paths = matchit::Router::new();
        for contract in contracts {
            let contract = Arc::new(contract);
            let conflict = |path: &str, reason: String| RouteConflict {
                path: path.to_owned(),
                vendor: contract.vendor.clone(),
                reason,
            };
            let mut operations_by_path = BTreeMap::<String, Vec<usize>>::new();
            for (index, operation) in contract.operations().iter().enumerate() {
                let id = adapters.len();
                let variants = operation.path_variants.iter().map(|variant| &variant.path);
                for path in std::iter::once(&operation.path).chain(variants).map(ToString::to_string) {
                    let operations = operations_by_path.entry(path.clone()).or_default();
                    if operations.iter().any(|other| adapters[*other].operation().method == operation.method)
                    {
                        return Err(conflict(
                            &path,
                            format!("two operations have the method {}", operation.method),
                        ));
                    }
                    operations.push(id);
                }
                adapters.push(VendorAdapter::new(
                    id,
                    Arc::clone(&contract),
                    index,
                    preferences.cells_of(&contract),
                ));
            }
            for (path, operations) in operations_by_path {
                paths.insert(path.clone(), operations).map_err(|error| conflict(&path, error.to_string()))?;
            }
        }
        Ok(Routes { adapters, paths })
    }

    /// The adapters of all operations, ordered by [`VendorAdapter::id`].
    pub(crate) fn adapters(&self) -> &[VendorAdapter] {
        &self.adapters
    }

    /// The contract of a vendor, if it is served.
    pub(crate) fn contract(&self, vendor: &str) -> Option<&Contract> {
        self.contracts().find(|contract| contract.vendor == vendor)
    }

    /// The contracts of all vendors.
    pub(crate) fn contracts(&self) -> impl Iterator<Item = &Contract> {
        let operations_of_one = |a: &VendorAdapter, b: &VendorAdapter| Arc::ptr_eq(&a.contract, &b.contract);
        self.adapters.chunk_by(operations_of_one).map(|adapters| &*adapters[0].contract)
    }

    /// The operations at `path`; `None` if no vendor serves it.
    pub(crate) fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Route<'r, 'p>> {
        let found = self.paths.at(path).ok()?;
        Some(Route { adapters: &self.adapters, operations: found.value, parameters: found.params })
    }

    /// For a path that no vendor serves: an operation whose path has the most leading segments in common.
    pub(crate) fn nearest(&self, path: &str) -> Option<&VendorAdapter> {
        let common_segments = |adapter: &&VendorAdapter| {
            let template = adapter.operation().path.to_string();
            template.split('/').zip(path.split('/')).take_while(|(ours, theirs)| ours == theirs).count()
        };
        self.adapters.iter().max_by_key(common_segments)
    }
}

/// The operations at one path.
pub(crate) struct Route<'r, 'p> {
    adapters: &'r [VendorAdapter],
    operations: &'r [usize],
    parameters: matchit::Params<'r, 'p>,
}

impl<'r> Route<'r, '_> {
    /// The decoded path parameters; `None` if one cannot be decoded.
    pub(crate) fn parameters(&self) -> Option<PathParameters<'_>> {
        PathParameters::read(self.parameters.iter())
    }

    /// The vendor's contract.
    pub(crate) fn contract(&self) -> &'r Contract {
        &self.any_operation().contract
    }

    /// The operation with this method.
    pub(crate) fn operation(&self, method: &Method) -> Option<&'r VendorAdapter> {
        self.operations().find(|adapter| adapter.operation().method == method.as_str())
    }

    /// Some operation at this path, for requests that have none of the methods.
    pub(crate) fn any_operation(&self) -> &'r VendorAdapter {
        &self.adapters[self.operations[0]]
    }

    /// The value of `Allow` for this path.
    pub(crate) fn allowed_methods(&self) -> String {
        let methods: Vec<&str> =
            self.operations().map(|adapter| adapter.operation().method.as_str()).collect();
        methods.join(", ")
    }

    fn operations(&self) -> impl Iterator<Item = &'r VendorAdapter> {
        let adapters = self.adapters;
        self.operations.iter().map(move |id| &adapters[*id])
    }
}
