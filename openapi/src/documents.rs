//! The vendor documents that are compiled into this crate. No other list of vendors exists.
//!
//! Uses the reader through [`Contract`].

use crate::{Contract, ContractError, ProblemKind};

/// The text of a vendor document.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// The vendor's id, the same as `x-otp-vendor.id` in the text.
    pub vendor: &'static str,
    /// The file's path from the top of the repository.
    pub file: &'static str,
    /// The YAML.
    pub text: &'static str,
}

macro_rules! document {
    ($vendor:literal) => {
        Document {
            vendor: $vendor,
            file: concat!("openapi/", $vendor, ".yaml"),
            text: include_str!(concat!("../", $vendor, ".yaml")),
        }
    };
}

/// Every vendor document, in the order in which reports list the vendors.
pub const DOCUMENTS: &[Document] = &[
    document!("zeckta"),
    document!("kaleyra"),
    document!("dailystory"),
    document!("exotel"),
    document!("d7"),
];

impl Contract {
    /// Every built-in contract, in the order in which reports list the vendors.
    ///
    /// # Errors
    /// If a document is not a contract, which the tests of this crate exclude.
    pub fn all() -> Result<Vec<Contract>, ContractError> {
        DOCUMENTS.iter().map(|document| Contract::from_yaml(document.file, document.text)).collect()
    }

    /// The built-in contract of a vendor.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownVendor`] if no document of this vendor is built in.
    pub fn of_vendor(vendor: &str) -> Result<Contract, ContractError> {
        if let Some(document) = DOCUMENTS.iter().find(|document| document.vendor == vendor) {
            return Contract::from_yaml(document.file, document.text);
        }
        let known = DOCUMENTS.iter().map(|document| document.vendor).collect::<Vec<_>>().join(", ");
        let kind = ProblemKind::UnknownVendor { asked: vendor.to_owned(), known };
        Err(ContractError::whole("built-in contracts", kind))
    }
}
