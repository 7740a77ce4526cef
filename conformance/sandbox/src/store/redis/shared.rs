//! The secret that the replicas of a service share by keeping it beside the sessions. A database can be emptied while they
//! run; what they agreed on is then put back, and who finds another's there says so instead of deciding anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::hex;
use super::link::Link;
use crate::secret::Secret;
use crate::store::StoreError;

/// Where the secret is kept.
const NAME: &str = "otp:secret";

/// How often it is looked at.
const BEAT: Duration = Duration::from_secs(1);

/// A secret that others know by looking it up.
pub(super) struct Shared {
    kept: String,
    is_replaced: AtomicBool,
}

impl Shared {
    /// The secret that is kept there; whoever comes first makes it. It is looked after for as long as the result is held.
    pub(super) async fn agree(link: &Link) -> Result<(Secret, Arc<Shared>), StoreError> {
        let own = Secret::random()
            .ok_or_else(|| StoreError::Refused("the system gives no random bytes".to_owned()))?
            .sign("secret", &[]);
        let kept = put(link, &hex(&own)).await?;
        let secret = Secret::from_bytes(kept.as_bytes());
        let shared = Arc::new(Shared { kept, is_replaced: AtomicBool::new(false) });
        let (watched, link) = (Arc::downgrade(&shared), link.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                let Some(shared) = watched.upgrade() else { return };
                // Who cannot be asked is asked again.
                if let Ok(kept) = put(&link, &shared.kept).await {
                    shared.is_replaced.store(kept != shared.kept, Ordering::Relaxed);
                }
            }
        });
        Ok((secret, shared))
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.is_replaced.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(StoreError::Refused(
                "it was emptied, and has the secret of a server that was started then; start this one again"
                    .to_owned(),
            )),
        }
    }
}

/// Keeps this one where there is none; the one that is kept.
async fn put(link: &Link, secret: &str) -> Result<String, StoreError> {
    let mut first = redis::cmd("SET");
    let _: Option<String> = link.ask(first.arg(NAME).arg(secret).arg("NX")).await?;
    link.ask(redis::cmd("GET").arg(NAME)).await
}
