//! What the shared client needs to know of a vendor. Implemented by generated code only, on the vendor's `Body`.

use crate::cell::Cell;
use crate::transport::Call;

/// A vendor, as the type of its documented bodies.
pub(crate) trait Vendor: Sized {
    /// The generated client.
    type Client;

    /// The id in the contracts, such as `zeckta`.
    const ID: &'static str;
    /// The address in the vendor's document.
    const DEFAULT_BASE_URL: &'static str;
    /// Every documented answer.
    const CELLS: &'static [Cell];

    /// A generated client for one call.
    fn client(base_url: &str, http: reqwest::Client, call: Call) -> Self::Client;

    /// The body as the type documented for its status.
    fn decode(status: u16, body: &[u8]) -> Option<Self>;
}
