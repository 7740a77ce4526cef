//! The one thing that all vendors can do, as a trait that a program can hold without knowing which vendor it is.

use std::pin::Pin;
use std::sync::Arc;

use crate::answer::Approval;
use crate::client::Client;
use crate::error::Error;
use crate::secret::{Code, SessionId};
use crate::vendor::Vendor;

/// What [`Verifier::verify`] returns.
pub type Verification = Pin<Box<dyn Future<Output = Result<Approval, Error>> + Send + 'static>>;

/// Anything that verifies a code, whoever the vendor is.
///
/// Every vendor's client is one, and so is a reference-counted or boxed one. It can be implemented by a program too, for a
/// vendor of its own or for a test; [`Error`] and [`Approval`] are made by clients only, so such an implementation wraps
/// one.
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

    /// Verifies `code` for the session. Nothing is sent before the future is polled, and dropping it leaves open whether
    /// an attempt is spent.
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    fn verify(&self, session: SessionId, code: Code) -> Verification;
}

impl<B: Vendor> Verifier for Client<B> {
    fn vendor(&self) -> &'static str {
        B::ID
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
