//! A trait that verifies codes with any vendor. It adds nothing to the client but dynamic dispatch, and must
//! not know a vendor by name.

use std::pin::Pin;
use std::sync::Arc;

use crate::approval::Approval;
use crate::client::Client;
use crate::error::Error;
use crate::http::{Code, SessionId};
use crate::vendor::VerifyOperation;

/// The future that [`Verifier::verify`] returns.
pub type Verification = Pin<Box<dyn Future<Output = Result<Approval, Error>> + Send + 'static>>;

/// Verifies codes with any vendor.
///
/// Every vendor's client implements it, and so do `Arc` and `Box` of a verifier. A program can implement it too. Only
/// clients create an [`Error`] or an [`Approval`], so such an implementation wraps a client.
///
/// ```
/// # #[cfg(all(feature = "zeckta", feature = "d7"))]
/// # fn main() -> Result<(), otp_verify::BuildError> {
/// use std::sync::Arc;
///
/// use otp_verify::{Verifier, d7, zeckta};
///
/// let zeckta: Arc<dyn Verifier> = Arc::new(zeckta::Client::builder("an API key").build()?);
/// let d7: Arc<dyn Verifier> = Arc::new(d7::Client::builder("an access token").build()?);
/// assert_eq!([zeckta.vendor(), d7.vendor()], ["zeckta", "d7"]);
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "zeckta", feature = "d7")))]
/// # fn main() {}
/// ```
pub trait Verifier: Send + Sync + 'static {
    /// The vendor's id, such as `zeckta`.
    fn vendor(&self) -> &'static str;

    /// Verifies `code` for the session. Nothing is sent before the future is polled. If it is dropped, the call may or
    /// may not have consumed an attempt.
    ///
    /// # Errors
    /// Any result but an approval, such as a wrong code.
    fn verify(&self, session: SessionId, code: Code) -> Verification;
}

impl<V: VerifyOperation> Verifier for Client<V> {
    fn vendor(&self) -> &'static str {
        V::ID
    }

    fn verify(&self, session: SessionId, code: Code) -> Verification {
        let call = Client::verify(self, session, code);
        Box::pin(async move { call.await.map(Approval::from).map_err(Into::into) })
    }
}

impl<V: Verifier + ?Sized> Verifier for Arc<V> {
    fn vendor(&self) -> &'static str {
        (**self).vendor()
    }

    fn verify(&self, session: SessionId, code: Code) -> Verification {
        (**self).verify(session, code)
    }
}

impl<V: Verifier + ?Sized> Verifier for Box<V> {
    fn vendor(&self) -> &'static str {
        (**self).vendor()
    }

    fn verify(&self, session: SessionId, code: Code) -> Verification {
        (**self).verify(session, code)
    }
}
