//! A client for programs without an asynchronous runtime. Only with the feature `blocking`.
//!
//! It is the asynchronous client with a thread of its own that drives it: the same settings, the same errors, the same
//! promises. It may be used, and dropped, on any thread, an asynchronous program's among them, which it then holds up; so
//! its connections are its own, for one that the held-up program drives would bring no answer.
//!
//! ```
//! # #[cfg(feature = "zeckta")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use otp_verify::{Code, blocking, zeckta};
//!
//! let client = blocking::Client::new(zeckta::Client::builder("an API key").build()?)?;
//! # let nobody = zeckta::Client::builder("an API key").base_url("http://127.0.0.1:1").build()?;
//! # let client = blocking::Client::new(nobody)?;
//! let call = client.prepare("feab6011", Code::new("123456")).timeout(Duration::from_secs(5));
//! match client.send(call) {
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

use crate::answer::Approved;
use crate::call::Verify;
use crate::error::{BuildError, Cause, Error, NoAnswer, Report};
use crate::secret::{Code, SessionId};
use crate::vendor::Vendor;

/// A client of one vendor whose calls return when they are over.
///
/// Cloning is cheap, and clones share their thread and their connections.
pub struct Client<B> {
    client: crate::Client<B>,
    driver: Arc<Driver>,
}

/// The runtime. Dropping one waits for its threads, which an asynchronous program must not do; this one does not wait.
struct Driver(Option<Runtime>);

impl<B: Vendor> Client<B> {
    /// A client that makes its calls as `client` does, over connections of its own. Only an HTTP client that the program
    /// handed in is shared; it must not be used on a thread that this client holds up.
    ///
    /// # Errors
    /// [`BuildError::Unavailable`] where the system gives no thread, or has no usable TLS.
    pub fn new(client: crate::Client<B>) -> Result<Client<B>, BuildError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("otp-verify")
            .enable_all()
            .build()
            .map_err(|error| BuildError::Unavailable(error.to_string()))?;
        Ok(Client { client: client.apart()?, driver: Arc::new(Driver(Some(runtime))) })
    }

    /// Verifies `code` for the session, and returns when that is decided.
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub fn verify(&self, session: impl Into<SessionId>, code: Code) -> Result<Approved<B>, B::Error> {
        self.send(self.prepare(session, code))
    }

    /// A call that can be given options, and is made by [`Client::send`].
    pub fn prepare(&self, session: impl Into<SessionId>, code: Code) -> Verify<B> {
        self.client.verify(session, code)
    }

    /// Makes a call, and returns when it is over.
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub fn send(&self, call: Verify<B>) -> Result<Approved<B>, B::Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.driver.0 {
            // Not `block_on`, which would stop a program that calls this from its own runtime.
            runtime.spawn(async move {
                // Nobody waits for it only where the caller's thread has ended.
                let _ = sender.send(call.into_future().await);
            });
        }
        receiver.recv().unwrap_or_else(|_| {
            let detail = "the thread that makes calls has ended".to_owned();
            let cause = Cause::Unanswered(NoAnswer { timed_out: false, detail });
            Err(B::failure(Error::new(Report { vendor: B::ID, table: B::table(), cause, raw: None })))
        })
    }
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Client<B> {
        Client { client: self.client.clone(), driver: Arc::clone(&self.driver) }
    }
}

impl<B> fmt::Debug for Client<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
