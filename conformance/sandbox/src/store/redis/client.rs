//! The connection to Redis: one server, or the nodes of a cluster.
//!
//! A script is sent once. It is sent again only if the server reports that it ran nothing, because it does not know the
//! script or because another node has the key; never because a response did not arrive.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, Script, ServerErrorKind,
};

use super::cluster::Cluster;
use crate::store::StoreError;

/// How long to wait for a connection or a response.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// A script, and the hash by which Redis knows it after its first run.
pub(super) struct LuaScript {
    text: &'static str,
    hash: String,
}

impl LuaScript {
    pub(super) fn new(text: &'static str) -> LuaScript {
        LuaScript { text, hash: Script::new(text).get_hash().to_owned() }
    }

    fn command(name: &str, script: &str, key: &str, arguments: &[&str]) -> Cmd {
        let bytes = arguments.iter().map(|argument| argument.len()).sum::<usize>();
        let mut command =
            Cmd::with_capacity(arguments.len() + 4, bytes + name.len() + script.len() + key.len() + 1);
        command.arg(name).arg(script).arg(1).arg(key).arg(arguments);
        command
    }
}

/// A client of one server or of a cluster. Clones share the connection.
#[derive(Clone)]
pub(super) enum RedisClient {
    Server(ConnectionManager),
    Cluster(Cluster),
}

/// Why a command failed.
#[derive(Debug)]
pub(super) enum CommandError {
    /// The server does not know the script's hash; nothing ran.
    NoScript,
    Store(StoreError),
}

impl RedisClient {
    /// Connects to the server at `url`, or to the cluster to which it belongs.
    pub(super) async fn connect(url: &str) -> Result<RedisClient, StoreError> {
        let refused = |error: RedisError| StoreError::Refused(message(&error));
        let entry = url.into_connection_info().map_err(refused)?;
        let client = Client::open(entry.clone()).map_err(refused)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let unreachable = |error: RedisError| StoreError::Unreachable(message(&error));
        let mut server = ConnectionManager::new_with_config(client, config).await.map_err(unreachable)?;
        // Without permission for INFO, assume a single server; a cluster node then refuses keys of other nodes.
        let info: Result<String, _> = redis::cmd("INFO").arg("cluster").query_async(&mut server).await;
        match info {
            Ok(info) if info.contains("cluster_enabled:1") => {
                Ok(RedisClient::Cluster(Cluster::connect(entry).await?))
            }
            _ => Ok(RedisClient::Server(server)),
        }
    }

    /// Runs a script on its one key.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &LuaScript,
        key: &str,
        arguments: &[&str],
    ) -> Result<T, StoreError> {
        match self.send(&LuaScript::command("EVALSHA", &script.hash, key, arguments)).await {
            // EVAL also stores the script on the node that has the key. SCRIPT LOAD would have to run on every node,
            // and again after each failover.
            Err(CommandError::NoScript) => {
                self.query(&LuaScript::command("EVAL", script.text, key, arguments)).await
            }
            Err(CommandError::Store(error)) => Err(error),
            Ok(value) => parse(value),
        }
    }

    /// Sends a command on one key.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        match self.send(command).await {
            Ok(value) => parse(value),
            Err(CommandError::Store(error)) => Err(error),
            Err(CommandError::NoScript) => {
                Err(StoreError::UnexpectedData("a script was unknown right after it ran".to_owned()))
            }
        }
    }

    async fn send(&self, command: &Cmd) -> Result<redis::Value, CommandError> {
        match self {
            RedisClient::Server(server) => {
                let mut server = server.clone();
                command.query_async(&mut server).await.map_err(|error| classify(&error))
            }
            RedisClient::Cluster(cluster) => cluster.send(command).await,
        }
    }
}

fn parse<T: FromRedisValue>(value: redis::Value) -> Result<T, StoreError> {
    T::from_redis_value(value).map_err(|error| StoreError::UnexpectedData(message(&error.into())))
}

/// Classifies the error of a command by whether anything can have changed: certainly not if the connection was refused
/// or the server returned an error; otherwise that is unknown.
pub(super) fn classify(error: &RedisError) -> CommandError {
    use ErrorKind as K;
    let text = message(error);
    CommandError::Store(match error.kind() {
        K::Server(ServerErrorKind::NoScript) => return CommandError::NoScript,
        _ if error.is_connection_refusal() => StoreError::Unreachable(text),
        K::Server(_) | K::Extension | K::AuthenticationFailed | K::InvalidClientConfig => {
            StoreError::Refused(text)
        }
        K::UnexpectedReturnType | K::Parse => StoreError::UnexpectedData(text),
        _ => StoreError::ResponseLost(text),
    })
}

/// The message of a Redis error, without the command's arguments, which contain digests.
pub(super) fn message(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let text = match error.code() {
        Some(code) if !detail.is_empty() => format!("{code} {detail}"),
        Some(code) => code.to_owned(),
        None => error.to_string(),
    };
    text.chars().take(200).collect()
}
