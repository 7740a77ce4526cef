//! The secret of a service, stored in Redis beside the sessions for all replicas to use.
//!
//! Somebody may empty the database while the replicas run. Each replica then writes the secret back, and one that finds
//! a different secret refuses to decide anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::client::RedisClient;
use crate::engine::Secret;
use crate::store::StoreError;

/// The key that holds the secret.
const KEY_NAME: &str = "otp:secret";

/// How often the stored secret is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A secret stored in Redis.
pub(super) struct SharedSecret {
    stored: String,
    is_replaced: AtomicBool,
}

impl SharedSecret {
    /// Loads the stored secret, or creates it if this replica is the first. A task checks it until the result is
    /// dropped.
    pub(super) async fn load_or_create(
        client: &RedisClient,
    ) -> Result<(Secret, Arc<SharedSecret>), StoreError> {
        let own = Secret::random()
            .ok_or_else(|| StoreError::Refused("the system provides no random bytes".to_owned()))?
            .sign("secret", &[]);
        let stored = store_if_absent(client, &hex::encode(own)).await?;
        let secret = Secret::from_bytes(stored.as_bytes());
        let shared = Arc::new(SharedSecret { stored, is_replaced: AtomicBool::new(false) });
        let (watched, client) = (Arc::downgrade(&shared), client.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECK_INTERVAL).await;
                let Some(shared) = watched.upgrade() else { return };
                // On an error, the next check tries again.
                if let Ok(stored) = store_if_absent(&client, &shared.stored).await {
                    shared.is_replaced.store(stored != shared.stored, Ordering::Relaxed);
                }
            }
        });
        Ok((secret, shared))
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.is_replaced.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(StoreError::Refused(
                "the database was emptied and now has the secret of another server; restart this one"
                    .to_owned(),
            )),
        }
    }
}

/// Stores `secret` unless there is one. Returns the stored one.
async fn store_if_absent(client: &RedisClient, secret: &str) -> Result<String, StoreError> {
    let mut first = redis::cmd("SET");
    let _: Option<String> = client.query(first.arg(KEY_NAME).arg(secret).arg("NX")).await?;
    client.query(redis::cmd("GET").arg(KEY_NAME)).await
}
