//! Sessions in Redis, so that several servers are one service. One session is one key, tagged as a whole, so that a
//! cluster keeps it in one place; one script decides an attempt, so that it is indivisible. A script is never run a
//! second time for the same call: if its answer is lost, so is the outcome.
//!
//! Keys hold keyed digests of codes and nothing that a caller could use. They expire an hour after the last timer, not
//! with the code, for an expired code must not become an unknown one. Redis should not evict (`noeviction`), and what it
//! acknowledges is as durable as it was told to make it (`appendfsync`).

use std::time::Duration;

use otp_contract::{Mode, Outcome, Policy};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};

use super::{Attempt, Issue, Issued, Key, Pending, Store, StoreError, now};
use crate::record::{Verdict, is_over};
use crate::secret::Secret;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a key is kept after the code's lifetime, in seconds: the longest lock, and an hour.
const RETENTION: u64 = 86_400 + 3_600;

/// Where the secret is kept that the replicas of one service share.
const SECRET: &str = "otp:secret";

/// Sessions in Redis.
pub struct RedisStore {
    connection: ConnectionManager,
    secret: Secret,
    scripts: Scripts,
    own: Own,
}

struct Scripts {
    attempt: Script,
    issue: Script,
    supersede: Script,
    age: Script,
}

/// What a replica keeps for itself instead of sharing it; a fault, and otherwise nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    /// The end of the names of the fields for counts.
    pub(crate) counts: String,
    /// The end of the name of the field for use.
    pub(crate) used: String,
}

impl RedisStore {
    /// Connects to `url` (`redis://host:port/database`). Without `secret` the service's secret is kept there as well,
    /// made by whoever comes first; then whoever can read the database can guess codes from their digests.
    pub async fn connect(url: &str, secret: Option<Secret>) -> Result<RedisStore, StoreError> {
        let client = Client::open(url).map_err(|error| StoreError::Refused(words(&error)))?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let unreachable = |error: RedisError| StoreError::Unreachable(words(&error));
        let mut connection = ConnectionManager::new_with_config(client, config).await.map_err(unreachable)?;
        let secret = match secret {
            Some(secret) => secret,
            None => shared_secret(&mut connection).await?,
        };
        let scripts = Scripts {
            attempt: Script::new(include_str!("attempt.lua")),
            issue: Script::new(include_str!("issue.lua")),
            supersede: Script::new(include_str!("supersede.lua")),
            age: Script::new(include_str!("age.lua")),
        };
        Ok(RedisStore { connection, secret, scripts, own: Own::default() })
    }

    /// The secret that the replicas of the service share.
    pub fn secret(&self) -> Secret {
        self.secret.clone()
    }

    /// The same, with counts or uses of its own.
    pub(crate) fn keeping(self, own: Own) -> RedisStore {
        RedisStore { own, ..self }
    }

    fn name(&self, key: Key<'_>) -> String {
        format!("otp:{{{}}}", hex(&self.secret.session(key.vendor, key.session)))
    }

    fn tenant(&self, key: Key<'_>) -> String {
        hex(&self.secret.tenant(key.vendor, key.tenant))
    }

    async fn write(&self, issue: Issue<'_>) -> Result<Issued, StoreError> {
        let mut connection = self.connection.clone();
        let (mut failed, mut locked) = ("0".to_owned(), String::new());
        if let Some(earlier) = issue.resend_of {
            let mut call = self.scripts.supersede.key(self.name(earlier));
            let inherited: Vec<String> = call
                .arg(self.tenant(earlier))
                .invoke_async(&mut connection)
                .await
                .map_err(|error| lost(&error))?;
            match inherited.as_slice() {
                [] => return Ok(Issued::NoSuchSession),
                // Wrong codes since the last success count on (NIST SP 800-63B-4 §3.1.3.2).
                [used, count, since]
                    if used != "1" && !is_over(since.parse().ok(), issue.lockout_seconds, now()) =>
                {
                    (failed, locked) = (count.clone(), since.clone());
                }
                _ => {}
            }
        }
        let kept = issue.ttl_seconds.saturating_add(RETENTION).saturating_mul(1_000);
        let written: i64 = self
            .scripts
            .issue
            .key(self.name(issue.key))
            .arg(self.tenant(issue.key))
            .arg(hex(&self.secret.code(issue.code)))
            .arg(issue.ttl_seconds)
            .arg(issue.max_attempts.map(|limit| limit.to_string()).unwrap_or_default())
            .arg(failed)
            .arg(locked)
            .arg(kept)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| lost(&error))?;
        match written {
            1 => Ok(Issued::Done),
            other => Err(StoreError::Foreign(format!("{other} where 1 was to come"))),
        }
    }

    async fn decide(&self, policy: &Policy, attempt: Attempt<'_>) -> Result<Verdict, StoreError> {
        let mut connection = self.connection.clone();
        let text = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let terms = attempt.terms;
        let retry = match terms.retry {
            None => "",
            Some(true) => "1",
            Some(false) => "0",
        };
        let order: Vec<_> = policy.order().map(Outcome::as_str).collect();
        let told: (String, i64, String, String, String) = self
            .scripts
            .attempt
            .key(self.name(attempt.key))
            .arg(self.tenant(attempt.key))
            .arg(hex(&self.secret.code(attempt.code)))
            .arg(retry)
            .arg(text(terms.limit.map(u64::from)))
            .arg(text(terms.lifetime_seconds))
            .arg(text(policy.lockout_seconds))
            .arg(policy.at_limit().as_str())
            .arg(order.join(","))
            .arg(&self.own.counts)
            .arg(&self.own.used)
            .invoke_async(&mut connection)
            .await
            .map_err(|error| lost(&error))?;
        read(&told, terms.retry == Some(true))
    }
}

/// What the script told.
fn read(
    (outcome, locked, left, wait, issued): &(String, i64, String, String, String),
    retry: bool,
) -> Result<Verdict, StoreError> {
    let decided = [
        Outcome::Approved,
        Outcome::WrongCode,
        Outcome::Expired,
        Outcome::AttemptsExhausted,
        Outcome::AlreadyUsed,
    ];
    let outcome = match decided.into_iter().find(|known| known.as_str() == outcome) {
        Some(outcome) => outcome,
        None if outcome == "unknown_session" => return Ok(Verdict::without_session(Outcome::UnknownSession)),
        None if outcome == "foreign" => {
            return Ok(Verdict { foreign: true, ..Verdict::without_session(Outcome::UnknownSession) });
        }
        None => return Err(StoreError::Foreign(format!("the outcome `{outcome}`"))),
    };
    let mode = match outcome {
        // What a dead session says follows from how it died, not from how it is asked.
        Outcome::AttemptsExhausted => (*locked == 1).then_some(Mode::Retry),
        _ => retry.then_some(Mode::Retry),
    };
    Ok(Verdict {
        outcome,
        mode,
        remaining_attempts: left.parse().ok(),
        lockout_seconds: wait.parse().ok(),
        issued_at: issued.parse().ok(),
        foreign: false,
    })
}

/// The secret that is kept in the database; whoever comes first makes it.
async fn shared_secret(connection: &mut ConnectionManager) -> Result<Secret, StoreError> {
    let own = Secret::random()
        .ok_or_else(|| StoreError::Refused("the system gives no random bytes".to_owned()))?
        .sign("secret", &[]);
    let mut first = redis::cmd("SET");
    let _: Option<String> = first
        .arg(SECRET)
        .arg(hex(&own))
        .arg("NX")
        .query_async(connection)
        .await
        .map_err(|error| lost(&error))?;
    let kept: String =
        redis::cmd("GET").arg(SECRET).query_async(connection).await.map_err(|error| lost(&error))?;
    Ok(Secret::from_bytes(kept.as_bytes()))
}

/// Whether anything was changed: certainly not where nobody listened or the server refused, and otherwise nobody knows.
fn lost(error: &RedisError) -> StoreError {
    use redis::ErrorKind as K;
    let told = words(error);
    match error.kind() {
        _ if error.is_connection_refusal() => StoreError::Unreachable(told),
        K::Server(_) | K::Extension | K::AuthenticationFailed | K::InvalidClientConfig => {
            StoreError::Refused(told)
        }
        K::UnexpectedReturnType | K::Parse => StoreError::Foreign(told),
        _ => StoreError::Lost(told),
    }
}

/// What a Redis error says, without the arguments of the command: these have digests.
fn words(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let told = match error.code() {
        Some(code) if !detail.is_empty() => format!("{code} {detail}"),
        Some(code) => code.to_owned(),
        None => error.to_string(),
    };
    told.chars().take(200).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store for RedisStore {
    fn issue<'a>(&'a self, issue: Issue<'a>) -> Pending<'a, Issued> {
        Box::pin(self.write(issue))
    }

    fn age<'a>(&'a self, key: Key<'a>, seconds: u64) -> Pending<'a, bool> {
        Box::pin(async move {
            let mut connection = self.connection.clone();
            let mut call = self.scripts.age.key(self.name(key));
            let millis = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
            let call = call.arg(self.tenant(key)).arg(-millis);
            let aged: i64 = call.invoke_async(&mut connection).await.map_err(|error| lost(&error))?;
            Ok(aged == 1)
        })
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        Box::pin(self.decide(policy, attempt))
    }
}
