//! What the shared client needs to know of a vendor. Implemented by generated code, and by each vendor's module for the
//! one call; nothing here knows a vendor by name.

use std::fmt;

use crate::secret::Secret;
use crate::transport::Api;
use crate::verdict::Table;

/// A vendor, as the type of its documented bodies: [`zeckta::Body`](crate::zeckta::Body) for instance.
///
/// It ties a [`Client`](crate::Client), its [`Verify`](crate::Verify) calls and its errors together. It is implemented for
/// the vendors of this crate and cannot be implemented elsewhere; to take any vendor, take a
/// [`Verifier`](crate::Verifier).
pub trait Vendor: Exchange + Send + Sync + 'static {
    /// The vendor's error, with a variant for each documented answer that is no approval.
    type Error: std::error::Error + Into<crate::Error> + Send + Sync + 'static;

    /// The variant of the vendor's error that this error is.
    #[doc(hidden)]
    fn failure(error: crate::Error) -> Self::Error;
}

/// The part of a vendor that was generated from its contract.
pub trait Wire: Sized {
    /// The id in the contracts, such as `zeckta`.
    const ID: &'static str;
    /// The address in the vendor's document.
    const DEFAULT_BASE_URL: &'static str;
    /// What the client calls itself, the version of the document included.
    const USER_AGENT: &'static str;
    /// The method of the call.
    const METHOD: &'static str;
    /// The path of the call, with its parameters in braces.
    const PATH: &'static str;

    /// Every documented answer.
    fn table() -> &'static Table;

    /// The body as the type documented for its status.
    fn decode(status: u16, body: &[u8]) -> Option<Self>;
}

/// The part of a vendor that is written by hand: how its generated code is called.
pub trait Exchange: Wire {
    /// What a call may ask for beside session and code.
    type Options: Clone + Default + fmt::Debug + Send + Sync + 'static;

    /// Has the generated code write the request.
    fn request(api: &Api, input: &Input<Self::Options>) -> reqwest::Result<reqwest::Request>;
}

/// What a verify call carries.
pub struct Input<O> {
    pub(crate) session: Secret,
    pub(crate) code: Secret,
    /// The accounts, by the names of their path parameters.
    pub(crate) accounts: std::sync::Arc<[(&'static str, Secret)]>,
    pub(crate) options: O,
}

impl<O> Input<O> {
    /// The account of that name; the builder of each vendor that has one sets it.
    #[allow(dead_code, reason = "not every vendor has accounts, and a build may have one vendor")]
    pub(crate) fn account(&self, name: &str) -> Secret {
        let known = self.accounts.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Secret::new(String::new()), |(_, account)| account.clone())
    }
}
