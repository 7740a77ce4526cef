//! Everything below a vendor's API: credentials, checks of arguments, the transport, retries and spans.
//!
//! May use [`response`](crate::response). Knows neither clients nor vendors, and never decides what a response means.

pub(crate) mod credentials;
pub(crate) mod environment;
pub(crate) mod extra_header;
pub(crate) mod input;
pub(crate) mod retry;
pub(crate) mod telemetry;

mod error;
mod secret;
mod transport;

pub use error::{BuildError, IncompleteBody, InvalidInput, TransportError};
pub use secret::Secret;
pub use secret::{Code, SessionId};
pub use transport::Api;
pub(crate) use transport::{ExchangeResult, Transport};
