//! Sessions in Redis, so that several servers are one service. One session is one key, tagged as a whole, so that a
//! cluster keeps it in one place; one script decides an attempt, so that it is indivisible. A script is never run a
//! second time for the same call: if its answer is lost, so is the outcome.
//!
//! Keys hold keyed digests of codes and nothing that a caller could use. They expire an hour after the last timer, not
//! with the code, for an expired code must not become an unknown one. Redis should not evict (`noeviction`), and what it
//! acknowledges is as durable as it was told to make it (`appendfsync`).

use std::sync::Arc;
use std::time::Duration;

use otp_contract::{Mode, Outcome, Policy};

use self::link::{Link, Lua};
use self::shared::Shared;
use super::{Attempt, Issue, Issued, Key, Pending, Store, StoreError};
use crate::record::Verdict;
use crate::secret::Secret;

mod cluster;
mod link;
mod shared;

/// How long a key is kept after the code's lifetime, in seconds: the longest lock, and an hour.
const RETENTION: u64 = 86_400 + 3_600;

/// How long a session is waited for that another server is about to write, and how often it is looked for. After that it
/// is taken for one that nobody will write any more: its server ended in between, or its caller hung up.
const SUCCESSION: (Duration, u32) = (Duration::from_millis(20), 15);

/// Sessions in Redis.
pub struct RedisStore {
    link: Link,
    secret: Secret,
    shared: Option<Arc<Shared>>,
    scripts: Scripts,
    own: Own,
}

struct Scripts {
    attempt: Lua,
    issue: Lua,
    reissue: Lua,
    supersede: Lua,
    claim: Lua,
    point: Lua,
    age: Lua,
}

/// What a replica keeps for itself instead of sharing it; a fault, and otherwise nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    /// The end of the names of the fields for counts.
    pub(crate) counts: String,
    /// The end of the name of the field for use.
    pub(crate) used: String,
}

/// What a new code inherits: the wrong codes so far, and since when its recipient is locked.
struct Inherited {
    failed: String,
    locked: String,
}

impl RedisStore {
    /// Connects to `url` (`redis://host:port/database`); the node of a cluster stands for all of it. Without `secret` the
    /// service's secret is kept there as well, made by whoever comes first; then whoever can read the database can guess
    /// codes from their digests.
    pub async fn connect(url: &str, secret: Option<Secret>) -> Result<RedisStore, StoreError> {
        let link = Link::open(url).await?;
        let (secret, shared) = if let Some(secret) = secret {
            (secret, None)
        } else {
            let (secret, shared) = Shared::agree(&link).await?;
            (secret, Some(shared))
        };
        let scripts = Scripts {
            attempt: Lua::new(include_str!("redis/attempt.lua")),
            issue: Lua::new(include_str!("redis/issue.lua")),
            reissue: Lua::new(include_str!("redis/reissue.lua")),
            supersede: Lua::new(include_str!("redis/supersede.lua")),
            claim: Lua::new(include_str!("redis/claim.lua")),
            point: Lua::new(include_str!("redis/point.lua")),
            age: Lua::new(include_str!("redis/age.lua")),
        };
        Ok(RedisStore { link, secret, shared, scripts, own: Own::default() })
    }

    /// The secret that the replicas of the service share.
    pub fn secret(&self) -> Secret {
        self.secret.clone()
    }

    /// The same, with counts or uses of its own.
    pub(crate) fn keeping(self, own: Own) -> RedisStore {
        RedisStore { own, ..self }
    }

    /// Nothing is decided while the replicas of the service do not have the same secret: what one of them made, the others
    /// would not know.
    fn check(&self) -> Result<(), StoreError> {
        self.shared.as_ref().map_or(Ok(()), |shared| shared.check())
    }

    fn name(&self, key: Key<'_>) -> String {
        format!("otp:{{{}}}", hex(&self.secret.session(key.vendor, key.session)))
    }

    fn tenant(&self, key: Key<'_>) -> String {
        hex(&self.secret.tenant(key.vendor, key.tenant))
    }

    async fn write(&self, issue: Issue<'_>) -> Result<Issued, StoreError> {
        self.check()?;
        let fresh = Inherited { failed: "0".to_owned(), locked: String::new() };
        match issue.resend_of {
            None => self.write_new(issue, fresh).await,
            Some(earlier) if earlier == issue.key => self.write_again(issue).await,
            Some(earlier) => {
                let Some((inherited, hops)) = self.supersede(earlier, issue).await? else {
                    return Ok(Issued::NoSuchSession);
                };
                let issued = self.write_new(issue, inherited).await.map_err(|error| match error {
                    StoreError::Unreachable(told) | StoreError::Refused(told) => StoreError::Halfway(told),
                    other => other,
                })?;
                if hops > 1 {
                    // Only once the last is there: who finds it missing inherits from the session that led to it. And only
                    // a shortcut, without which the code is issued as well.
                    let arguments: &[&str] = &[&self.tenant(earlier), &self.name(issue.key)];
                    let _: Result<i64, _> =
                        self.link.run(&self.scripts.point, &self.name(earlier), arguments).await;
                }
                Ok(issued)
            }
        }
    }

    async fn write_new(&self, issue: Issue<'_>, inherited: Inherited) -> Result<Issued, StoreError> {
        let arguments: &[&str] = &[
            &self.tenant(issue.key),
            &hex(&self.secret.code(issue.code)),
            &issue.ttl_seconds.to_string(),
            &text(issue.max_attempts),
            &inherited.failed,
            &inherited.locked,
            &kept(issue.ttl_seconds),
        ];
        match self.link.run(&self.scripts.issue, &self.name(issue.key), arguments).await? {
            1_i64 => Ok(Issued::Done),
            0 => Err(StoreError::Refused("another code was sent meanwhile".to_owned())),
            other => Err(StoreError::Foreign(format!("{other} where 1 or 0 was to come"))),
        }
    }

    async fn write_again(&self, issue: Issue<'_>) -> Result<Issued, StoreError> {
        let arguments: &[&str] = &[
            &self.tenant(issue.key),
            &hex(&self.secret.code(issue.code)),
            &issue.ttl_seconds.to_string(),
            &text(issue.max_attempts),
            &text(issue.lockout_seconds),
            &kept(issue.ttl_seconds),
        ];
        match self.link.run(&self.scripts.reissue, &self.name(issue.key), arguments).await? {
            1_i64 => Ok(Issued::Done),
            0 => Ok(Issued::NoSuchSession),
            other => Err(StoreError::Foreign(format!("{other} where 1 or 0 was to come"))),
        }
    }

    /// Takes the code out of use that the recipient of `earlier` has now, whichever session that is by now, and says how
    /// many sessions on from `earlier` it is; `None` where there is no such session.
    async fn supersede(
        &self,
        earlier: Key<'_>,
        issue: Issue<'_>,
    ) -> Result<Option<(Inherited, usize)>, StoreError> {
        let (tenant, successor) = (self.tenant(earlier), self.name(issue.key));
        let lock = text(issue.lockout_seconds);
        let (pause, mut looks) = SUCCESSION;
        let mut name = self.name(earlier);
        let mut before: Option<Inherited> = None;
        let (mut hops, mut is_late) = (0, false);
        let inherited = loop {
            let arguments: &[&str] = &[&tenant, &successor, &lock];
            let told: Vec<String> = self.link.run(&self.scripts.supersede, &name, arguments).await?;
            match (told.as_slice(), before.take()) {
                ([], None) => return Ok(None),
                // Another resend has named its session, and not yet written it.
                ([], Some(inherited)) if looks > 0 => {
                    looks -= 1;
                    before = Some(inherited);
                    tokio::time::sleep(pause).await;
                }
                ([], Some(inherited)) => {
                    let arguments: &[&str] = &[&tenant, &successor, &kept(issue.ttl_seconds)];
                    match self.link.run(&self.scripts.claim, &name, arguments).await? {
                        1_i64 => break inherited,
                        // It was written at last; one look more.
                        _ if !is_late => (is_late, before) = (true, Some(inherited)),
                        _ => return Err(StoreError::Foreign("a successor of somebody else's".to_owned())),
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
                    return Err(StoreError::Foreign(format!("{} values where 3 were to come", other.len())));
                }
            }
        };
        Ok(Some((inherited, hops)))
    }

    async fn decide(&self, policy: &Policy, attempt: Attempt<'_>) -> Result<Verdict, StoreError> {
        self.check()?;
        let terms = attempt.terms;
        let retry = match terms.retry {
            None => "",
            Some(true) => "1",
            Some(false) => "0",
        };
        let order: Vec<_> = policy.order().map(Outcome::as_str).collect();
        let arguments: &[&str] = &[
            &self.tenant(attempt.key),
            &hex(&self.secret.code(attempt.code)),
            retry,
            &text(terms.limit),
            &text(terms.lifetime_seconds),
            &text(policy.lockout_seconds),
            policy.at_limit().as_str(),
            &order.join(","),
            &self.own.counts,
            &self.own.used,
        ];
        let told = self.link.run(&self.scripts.attempt, &self.name(attempt.key), arguments).await?;
        read(&told, terms.retry == Some(true))
    }
}

fn text(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// For how many milliseconds a key is kept.
fn kept(ttl_seconds: u64) -> String {
    ttl_seconds.saturating_add(RETENTION).saturating_mul(1_000).to_string()
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

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl Store for RedisStore {
    fn issue<'a>(&'a self, issue: Issue<'a>) -> Pending<'a, Issued> {
        Box::pin(self.write(issue))
    }

    fn age<'a>(&'a self, key: Key<'a>, seconds: u64) -> Pending<'a, bool> {
        Box::pin(async move {
            self.check()?;
            let millis = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
            let arguments: &[&str] = &[&self.tenant(key), &(-millis).to_string()];
            let aged: i64 = self.link.run(&self.scripts.age, &self.name(key), arguments).await?;
            Ok(aged == 1)
        })
    }

    fn attempt<'a>(&'a self, policy: &'a Policy, attempt: Attempt<'a>) -> Pending<'a, Verdict> {
        Box::pin(self.decide(policy, attempt))
    }
}
