//! Sessions in Redis, which let several servers form one service.
//!
//! Each session is one key, and its whole name is the hash tag, so that a cluster keeps it on one node. One script
//! decides an attempt, which makes it atomic. A script never runs twice for one call: if its response is lost, so is
//! the outcome.
//!
//! Keys hold keyed digests of codes and nothing that a client could use. They expire an hour after the last timer
//! instead of with the code, because an expired code must not become an unknown one. Redis should not evict keys
//! (`noeviction`); what it acknowledges is as durable as its `appendfsync` setting.

use std::sync::Arc;
use std::time::Duration;

use otp_contract::{Mode, Outcome, Policy};

use self::client::{LuaScript, RedisClient};
use self::shared_secret::SharedSecret;
use super::{IssueRequest, Issued, SessionKey, Store, StoreError, StoreFuture, VerifyAttempt};
use crate::engine::{Decision, Secret};

mod client;
mod cluster;
mod shared_secret;

/// How long a key is kept after the code's lifetime: the longest lock, and an hour.
const RETENTION_SECONDS: u64 = 86_400 + 3_600;

/// The pause between two looks for a session that another server has announced and not yet written.
const SUCCESSOR_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How many times an announced session is looked for. After that, nobody is expected to write it any more: its server
/// stopped in between, or the client disconnected.
const SUCCESSOR_POLLS: u32 = 15;

/// Sessions in Redis.
pub struct RedisStore {
    client: RedisClient,
    secret: Secret,
    /// The secret's copy in Redis; `None` if the secret was configured.
    shared_secret: Option<Arc<SharedSecret>>,
    scripts: Scripts,
    suffix: ReplicaSuffix,
}

struct Scripts {
    attempt: LuaScript,
    issue: LuaScript,
    reissue: LuaScript,
    supersede: LuaScript,
    claim: LuaScript,
    shortcut: LuaScript,
    age: LuaScript,
}

/// Suffixes of the field names for the state that a replica does not share with the others. Empty, except with a fault
/// that makes replicas diverge.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplicaSuffix {
    /// The suffix of the fields with counts.
    pub(crate) counts: String,
    /// The suffix of the field that marks a used code.
    pub(crate) used: String,
}

/// What a resent code inherits from the earlier one: the number of wrong codes, and when the lock began.
struct Inherited {
    failed: String,
    locked: String,
}

impl RedisStore {
    /// Connects to `url` (`redis://host:port/database`), which may be any node of a cluster. Without `secret`, the
    /// service's secret is stored in Redis as well, created by the first server to connect; then anyone who can read
    /// the database can guess codes from their digests.
    pub fn connect(url: &str, secret: Option<Secret>) -> StoreFuture<'_, RedisStore> {
        // Boxed, so that the Redis client is compiled in this crate and not in the crate that awaits it.
        Box::pin(RedisStore::open(url, secret))
    }

    async fn open(url: &str, secret: Option<Secret>) -> Result<RedisStore, StoreError> {
        let client = RedisClient::connect(url).await?;
        let (secret, shared_secret) = if let Some(secret) = secret {
            (secret, None)
        } else {
            let (secret, shared) = SharedSecret::load_or_create(&client).await?;
            (secret, Some(shared))
        };
        let scripts = Scripts {
            attempt: LuaScript::new(include_str!("redis/attempt.lua")),
            issue: LuaScript::new(include_str!("redis/issue.lua")),
            reissue: LuaScript::new(include_str!("redis/reissue.lua")),
            supersede: LuaScript::new(include_str!("redis/supersede.lua")),
            claim: LuaScript::new(include_str!("redis/claim.lua")),
            shortcut: LuaScript::new(include_str!("redis/shortcut.lua")),
            age: LuaScript::new(include_str!("redis/age.lua")),
        };
        Ok(RedisStore { client, secret, shared_secret, scripts, suffix: ReplicaSuffix::default() })
    }

    /// The secret that the replicas of the service share.
    pub fn secret(&self) -> Secret {
        self.secret.clone()
    }

    /// This store with counts or uses of its own, for faults that make replicas diverge.
    pub(crate) fn with_replica_suffix(self, suffix: ReplicaSuffix) -> RedisStore {
        RedisStore { suffix, ..self }
    }

    /// Fails while the replicas of the service have different secrets: they would not know each other's sessions.
    fn check_secret(&self) -> Result<(), StoreError> {
        self.shared_secret.as_ref().map_or(Ok(()), |secret| secret.check())
    }

    fn key_name(&self, key: SessionKey<'_>) -> String {
        format!("otp:{{{}}}", hex::encode(self.secret.session(key.vendor, key.session)))
    }

    fn tenant(&self, key: SessionKey<'_>) -> String {
        hex::encode(self.secret.tenant(key.vendor, key.tenant))
    }

    async fn issue_code(&self, issue: IssueRequest<'_>) -> Result<Issued, StoreError> {
        self.check_secret()?;
        let fresh = Inherited { failed: "0".to_owned(), locked: String::new() };
        match issue.resend_of {
            None => self.create(issue, fresh).await,
            Some(earlier) if earlier == issue.key => self.replace(issue).await,
            Some(earlier) => {
                let Some((inherited, hops)) = self.supersede(earlier, issue).await? else {
                    return Ok(Issued::NoSuchSession);
                };
                let issued = self.create(issue, inherited).await.map_err(|error| match error {
                    StoreError::Unreachable(reason) | StoreError::Refused(reason) => {
                        StoreError::PartiallyApplied(reason)
                    }
                    other => other,
                })?;
                if hops > 1 {
                    // A shortcut to the new session, written only now that it exists: a resend that finds a missing
                    // session inherits from the one pointing to it. An error is ignored, because the code has been
                    // issued.
                    let arguments: &[&str] = &[&self.tenant(earlier), &self.key_name(issue.key)];
                    let _: Result<i64, _> =
                        self.client.run(&self.scripts.shortcut, &self.key_name(earlier), arguments).await;
                }
                Ok(issued)
            }
        }
    }

    async fn create(&self, issue: IssueRequest<'_>, inherited: Inherited) -> Result<Issued, StoreError> {
        let arguments: &[&str] = &[
            &self.tenant(issue.key),
            &hex::encode(self.secret.code(issue.code)),
            &issue.ttl_seconds.to_string(),
            &text(issue.max_attempts),
            &inherited.failed,
            &inherited.locked,
            &retention_millis(issue.ttl_seconds),
        ];
        match self.client.run(&self.scripts.issue, &self.key_name(issue.key), arguments).await? {
            1_i64 => Ok(Issued::Done),
            0 => Err(StoreError::Refused("another code was sent in the meantime".to_owned())),
            other => Err(StoreError::UnexpectedData(format!("{other} instead of 0 or 1"))),
        }
    }

    async fn replace(&self, issue: IssueRequest<'_>) -> Result<Issued, StoreError> {
        let arguments: &[&str] = &[
            &self.tenant(issue.key),
            &hex::encode(self.secret.code(issue.code)),
            &issue.ttl_seconds.to_string(),
            &text(issue.max_attempts),
            &text(issue.lockout_seconds),
            &retention_millis(issue.ttl_seconds),
        ];
        match self.client.run(&self.scripts.reissue, &self.key_name(issue.key), arguments).await? {
            1_i64 => Ok(Issued::Done),
            0 => Ok(Issued::NoSuchSession),
            other => Err(StoreError::UnexpectedData(format!("{other} instead of 0 or 1"))),
        }
    }

    /// Supersedes the current session of the recipient of `earlier`, which may be a successor. Returns what the new
    /// session inherits and how many successors were followed; `None` if `earlier` is unknown.
    async fn supersede(
        &self,
        earlier: SessionKey<'_>,
        issue: IssueRequest<'_>,
    ) -> Result<Option<(Inherited, usize)>, StoreError> {
        let (tenant, successor) = (self.tenant(earlier), self.key_name(issue.key));
        let lock = text(issue.lockout_seconds);
        let mut polls_left = SUCCESSOR_POLLS;
        let mut name = self.key_name(earlier);
        let mut before: Option<Inherited> = None;
        let (mut hops, mut has_retried) = (0, false);
        let inherited = loop {
            let arguments: &[&str] = &[&tenant, &successor, &lock];
            let values: Vec<String> = self.client.run(&self.scripts.supersede, &name, arguments).await?;
            match (values.as_slice(), before.take()) {
                ([], None) => return Ok(None),
                // Another resend has announced its session and not yet written it.
                ([], Some(inherited)) if polls_left > 0 => {
                    polls_left -= 1;
                    before = Some(inherited);
                    tokio::time::sleep(SUCCESSOR_POLL_INTERVAL).await;
                }
                ([], Some(inherited)) => {
                    let arguments: &[&str] = &[&tenant, &successor, &retention_millis(issue.ttl_seconds)];
                    match self.client.run(&self.scripts.claim, &name, arguments).await? {
                        1_i64 => break inherited,
                        // It has been written after all; look once more.
                        _ if !has_retried => (has_retried, before) = (true, Some(inherited)),
                        _ => {
                            return Err(StoreError::UnexpectedData(
                                "a session of another tenant as the successor".to_owned(),
                            ));
                        }
                    }
                }
                ([failed, locked, next], _) => {
                    let inherited = Inherited { failed: failed.clone(), locked: locked.clone() };
                    if next.is_empty() {
                        break inherited;
                    }
                    name.clone_from(next);
                    before = Some(inherited);
                    hops += 1;
                }
                (other, _) => {
                    return Err(StoreError::UnexpectedData(format!("{} values instead of 3", other.len())));
                }
            }
        };
        Ok(Some((inherited, hops)))
    }

    async fn decide(&self, policy: &Policy, attempt: VerifyAttempt<'_>) -> Result<Decision, StoreError> {
        self.check_secret()?;
        let overrides = attempt.overrides;
        let retry = match overrides.retry {
            None => "",
            Some(true) => "1",
            Some(false) => "0",
        };
        let order: Vec<_> = policy.order().map(Outcome::as_str).collect();
        let arguments: &[&str] = &[
            &self.tenant(attempt.key),
            &hex::encode(self.secret.code(attempt.code)),
            retry,
            &text(overrides.limit),
            &text(overrides.lifetime_seconds),
            &text(policy.lockout_seconds),
            policy.at_limit().as_str(),
            &order.join(","),
            &self.suffix.counts,
            &self.suffix.used,
        ];
        let reply = self.client.run(&self.scripts.attempt, &self.key_name(attempt.key), arguments).await?;
        parse_decision(&reply, overrides.retry == Some(true))
    }
}

fn text(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// How long a key is kept, in milliseconds.
fn retention_millis(ttl_seconds: u64) -> String {
    ttl_seconds.saturating_add(RETENTION_SECONDS).saturating_mul(1_000).to_string()
}

/// Parses the reply of the attempt script.
fn parse_decision(
    (outcome, locked, left, wait, issued): &(String, i64, String, String, String),
    retry: bool,
) -> Result<Decision, StoreError> {
    let decided = [
        Outcome::Approved,
        Outcome::WrongCode,
        Outcome::Expired,
        Outcome::AttemptsExhausted,
        Outcome::AlreadyUsed,
    ];
    let outcome = match decided.into_iter().find(|known| known.as_str() == outcome) {
        Some(outcome) => outcome,
        None if outcome == "unknown_session" => {
            return Ok(Decision::without_session(Outcome::UnknownSession));
        }
        None if outcome == "foreign" => {
            return Ok(Decision { foreign: true, ..Decision::without_session(Outcome::UnknownSession) });
        }
        None => return Err(StoreError::UnexpectedData(format!("the outcome `{outcome}`"))),
    };
    let mode = match outcome {
        // The response of a locked session depends on the mode in which it was locked, not on the mode of this call.
        Outcome::AttemptsExhausted => (*locked == 1).then_some(Mode::Retry),
        _ => retry.then_some(Mode::Retry),
    };
    Ok(Decision {
        outcome,
        mode,
        remaining_attempts: left.parse().ok(),
        lockout_seconds: wait.parse().ok(),
        issued_at: issued.parse().ok(),
        foreign: false,
    })
}

impl Store for RedisStore {
    fn issue<'a>(&'a self, issue: IssueRequest<'a>) -> StoreFuture<'a, Issued> {
        Box::pin(self.issue_code(issue))
    }

    fn age<'a>(&'a self, key: SessionKey<'a>, seconds: u64) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.check_secret()?;
            let millis = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
            let arguments: &[&str] = &[&self.tenant(key), &(-millis).to_string()];
            let aged: i64 = self.client.run(&self.scripts.age, &self.key_name(key), arguments).await?;
            Ok(aged == 1)
        })
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: VerifyAttempt<'a>) -> StoreFuture<'a, Decision> {
        Box::pin(self.decide(policy, attempt))
    }
}
