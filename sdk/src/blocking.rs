//! A client for programs without an asynchronous runtime, with the feature `blocking`.
//!
//! It runs the asynchronous client on a thread of its own and has the same settings, errors and guarantees. Any thread
//! may use and drop it, even one of an asynchronous runtime, which it then blocks. It therefore has connections of its
//! own: one that the blocked runtime drives would never deliver a response.
//!
//! ```
//! # #[cfg(feature = "zeckta")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use otp_verify::{Code, blocking, zeckta};
//!
//! let client = blocking::Client::new(zeckta::Client::builder("an API key").build()?)?;
//! # let unreachable = zeckta::Client::builder("an API key").base_url("http://127.0.0.1:1").build()?;
//! # let client = blocking::Client::new(unreachable)?;
//! let request = client.prepare("feab6011", Code::new("123456")).timeout(Duration::from_secs(5));
//! match client.send(request) {
//!     Ok(_) => println!("welcome"),
//!     Err(error) => println!("{error}; {:?}", error.next_step()),
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "zeckta"))]
//! # fn main() {}
//! ```

use std::fmt;
use std::future::IntoFuture as _;
use std::sync::{Arc, mpsc};

use tokio::runtime::{Builder, Runtime};

use crate::approval::Approved;
use crate::call::VerifyRequest;
use crate::error::{Cause, Error};
use crate::http::{BuildError, Code, SessionId, TransportError};
use crate::vendor::VerifyOperation;

/// A blocking client of the vendor `V`.
///
/// Cloning is cheap, and clones share their thread and their connections.
pub struct Client<V> {
    client: crate::Client<V>,
    runtime: Arc<BackgroundRuntime>,
}

/// A runtime that does not wait for its threads when it is dropped. An asynchronous program must not wait for them.
struct BackgroundRuntime(Option<Runtime>);

impl<V: VerifyOperation> Client<V> {
    /// Creates a client with the settings of `client` and connections of its own. It shares only an HTTP client that
    /// the program supplied; do not use that one on a thread that this client blocks.
    ///
    /// # Errors
    /// [`BuildError::Unavailable`] if the system cannot start a thread or has no usable TLS.
    pub fn new(client: crate::Client<V>) -> Result<Client<V>, BuildError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("otp-verify")
            .enable_all()
            .build()
            .map_err(|error| BuildError::Unavailable(error.to_string()))?;
        Ok(Client {
            client: client.with_own_connections()?,
            runtime: Arc::new(BackgroundRuntime(Some(runtime))),
        })
    }

    /// Verifies `code` for the session.
    ///
    /// # Errors
    /// Any result but an approval, such as a wrong code.
    pub fn verify(&self, session: impl Into<SessionId>, code: Code) -> Result<Approved<V>, V::Error> {
        self.send(self.prepare(session, code))
    }

    /// Prepares a call that accepts options. [`Client::send`] starts it.
    pub fn prepare(&self, session: impl Into<SessionId>, code: Code) -> VerifyRequest<V> {
        self.client.verify(session, code)
    }

    /// Sends a prepared call and waits for its result.
    ///
    /// # Errors
    /// Any result but an approval, such as a wrong code.
    pub fn send(&self, request: VerifyRequest<V>) -> Result<Approved<V>, V::Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.runtime.0 {
            // `block_on` would panic on a thread of another runtime.
            runtime.spawn(async move {
                // There is no receiver only if the caller's thread has ended.
                let _ = sender.send(request.into_future().await);
            });
        }
        receiver.recv().unwrap_or_else(|_| {
            let cause = TransportError::new(false, "the thread that sends calls has ended");
            Err(V::error(Error::new(V::operation(), Cause::Unanswered(cause), None)))
        })
    }
}

impl<V> Clone for Client<V> {
    fn clone(&self) -> Client<V> {
        Client { client: self.client.clone(), runtime: Arc::clone(&self.runtime) }
    }
}

impl<V> fmt::Debug for Client<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
