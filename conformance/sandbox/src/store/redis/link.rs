//! How Redis is reached: one server, or the nodes of a cluster. A script is sent once. It is sent again only where the
//! server that was asked has said that it ran nothing, because it does not know the script or another node has the key;
//! never because an answer did not arrive.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, Script, ServerErrorKind,
};

use super::cluster::Cluster;
use crate::store::StoreError;

/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// A script, and the hash that Redis knows it by once it has run it.
pub(super) struct Lua {
    text: &'static str,
    hash: String,
}

impl Lua {
    pub(super) fn new(text: &'static str) -> Lua {
        Lua { text, hash: Script::new(text).get_hash().to_owned() }
    }

    fn command(name: &str, script: &str, key: &str, arguments: &[&str]) -> Cmd {
        let octets = arguments.iter().map(|argument| argument.len()).sum::<usize>();
        let mut command =
            Cmd::with_capacity(arguments.len() + 4, octets + name.len() + script.len() + key.len() + 1);
        command.arg(name).arg(script).arg(1).arg(key).arg(arguments);
        command
    }
}

/// Where commands are sent. Clones share the connection.
#[derive(Clone)]
pub(super) enum Link {
    Server(ConnectionManager),
    Cluster(Cluster),
}

/// Why a command has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server does not know the script by its hash, and ran nothing.
    NoScript,
    Store(StoreError),
}

impl Link {
    /// Connects to the server at `url`, or to the cluster that it is a node of.
    pub(super) async fn open(url: &str) -> Result<Link, StoreError> {
        let refused = |error: RedisError| StoreError::Refused(words(&error));
        let entry = url.into_connection_info().map_err(refused)?;
        let client = Client::open(entry.clone()).map_err(refused)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let unreachable = |error: RedisError| StoreError::Unreachable(words(&error));
        let mut server = ConnectionManager::new_with_config(client, config).await.map_err(unreachable)?;
        // Who may not ask is taken for a caller of one server: a node of a cluster then refuses what it has not.
        let told: Result<String, _> = redis::cmd("INFO").arg("cluster").query_async(&mut server).await;
        match told {
            Ok(told) if told.contains("cluster_enabled:1") => Ok(Link::Cluster(Cluster::open(entry).await?)),
            _ => Ok(Link::Server(server)),
        }
    }

    /// Runs a script on the one key that it is about.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &Lua,
        key: &str,
        arguments: &[&str],
    ) -> Result<T, StoreError> {
        match self.send(&Lua::command("EVALSHA", &script.hash, key, arguments)).await {
            // In full it is known from then on, wherever the key lives; loading it first would have to be done on every
            // node, and again on each one that takes over.
            Err(Failure::NoScript) => self.ask(&Lua::command("EVAL", script.text, key, arguments)).await,
            Err(Failure::Store(error)) => Err(error),
            Ok(told) => read(told),
        }
    }

    /// Sends a command about one key.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        match self.send(command).await {
            Ok(told) => read(told),
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::NoScript) => {
                Err(StoreError::Foreign("it lost a script that it was given".to_owned()))
            }
        }
    }

    async fn send(&self, command: &Cmd) -> Result<redis::Value, Failure> {
        match self {
            Link::Server(server) => {
                let mut server = server.clone();
                command.query_async(&mut server).await.map_err(|error| failure(&error))
            }
            Link::Cluster(cluster) => cluster.send(command).await,
        }
    }
}

fn read<T: FromRedisValue>(told: redis::Value) -> Result<T, StoreError> {
    T::from_redis_value(told).map_err(|error| StoreError::Foreign(words(&error.into())))
}

/// What it means that a command sent over a connection of its own has failed. Whether anything was changed: certainly not
/// where nobody listened or the server refused, and otherwise nobody knows.
pub(super) fn failure(error: &RedisError) -> Failure {
    use ErrorKind as K;
    let told = words(error);
    Failure::Store(match error.kind() {
        K::Server(ServerErrorKind::NoScript) => return Failure::NoScript,
        _ if error.is_connection_refusal() => StoreError::Unreachable(told),
        K::Server(_) | K::Extension | K::AuthenticationFailed | K::InvalidClientConfig => {
            StoreError::Refused(told)
        }
        K::UnexpectedReturnType | K::Parse => StoreError::Foreign(told),
        _ => StoreError::Lost(told),
    })
}

/// What a Redis error says, without the arguments of the command: these have digests.
pub(super) fn words(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let told = match error.code() {
        Some(code) if !detail.is_empty() => format!("{code} {detail}"),
        Some(code) => code.to_owned(),
        None => error.to_string(),
    };
    told.chars().take(200).collect()
}
