//! A connection to the nodes of a Redis cluster.
//!
//! The redis crate picks the node for a key. If the node redirects, this module follows over a separate connection. The
//! crate's own retries are off, because it would also retry after a lost response, and a wrong code would count twice.

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError,
    ServerErrorKind, Value,
};

use super::client::{CommandError, TIMEOUT, classify, message};
use crate::store::StoreError;

/// How many redirects are followed: up to two while a key moves, and some more while the nodes disagree.
const MAX_REDIRECTS: usize = 5;

/// A cluster. Clones share its connections.
#[derive(Clone)]
pub(super) struct Cluster {
    nodes: ClusterConnection,
    /// The node connected to first. All nodes share its settings except for the address.
    entry: ConnectionInfo,
}

/// A redirect to another node.
#[derive(Debug, PartialEq, Eq)]
struct Redirect {
    host: String,
    port: u16,
    /// Whether the redirect is for this command only, because the key is being moved (`ASK`).
    is_temporary: bool,
}

impl Cluster {
    pub(super) async fn connect(entry: ConnectionInfo) -> Result<Cluster, StoreError> {
        let unreachable = |error: RedisError| StoreError::Unreachable(message(&error));
        let client = ClusterClient::builder([entry.clone()])
            .retries(0)
            .connection_timeout(TIMEOUT)
            .response_timeout(TIMEOUT)
            .build()
            .map_err(|error| StoreError::Refused(message(&error)))?;
        let nodes = client.get_async_connection().await.map_err(unreachable)?;
        Ok(Cluster { nodes, entry })
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, CommandError> {
        let mut nodes = self.nodes.clone();
        let mut error = match command.query_async(&mut nodes).await {
            Ok(value) => return Ok(value),
            Err(error) if ran_nothing(&error) => error,
            // The crate may return the error of one of its own commands, to any node, as the error of this one.
            Err(error) => return Err(CommandError::Store(StoreError::ResponseLost(message(&error)))),
        };
        for _ in 0..MAX_REDIRECTS {
            let Some(redirect) = self.redirect(&error) else { break };
            error = match self.follow(&redirect, command).await? {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
        }
        Err(classify(&error))
    }

    /// Sends a command to another node. The inner error is the response of that node.
    async fn follow(&self, to: &Redirect, command: &Cmd) -> Result<Result<Value, RedisError>, CommandError> {
        // Nothing is sent before the connection is established.
        let unreachable = |error: RedisError| CommandError::Store(StoreError::Unreachable(message(&error)));
        let address = ConnectionAddr::Tcp(to.host.clone(), to.port);
        let client = Client::open(self.entry.clone().set_addr(address)).map_err(unreachable)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let mut node =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(unreachable)?;
        if to.is_temporary {
            let asking: Result<(), _> = redis::cmd("ASKING").query_async(&mut node).await;
            asking.map_err(unreachable)?;
        }
        match command.query_async(&mut node).await {
            Ok(value) => Ok(Ok(value)),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => Ok(Err(error)),
            Err(error) => Err(classify(&error)),
        }
    }

    fn redirect(&self, error: &RedisError) -> Option<Redirect> {
        let is_temporary = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
        let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
        // A node that does not know its own host name leaves it empty, which means the host of this connection.
        let host = match (host, self.entry.addr()) {
            ("", ConnectionAddr::Tcp(entry, _)) => entry.clone(),
            _ => host.to_owned(),
        };
        Some(Redirect { host, port: port.parse().ok()?, is_temporary })
    }
}

/// Whether the command certainly did not run. Only errors count that none of the crate's own commands can cause.
fn ran_nothing(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => {
            matches!(
                kind,
                ServerErrorKind::Moved
                    | ServerErrorKind::Ask
                    | ServerErrorKind::NoScript
                    | ServerErrorKind::CrossSlot
                    | ServerErrorKind::ReadOnly
            )
        }
        _ => matches!(error.code(), Some("WRONGTYPE" | "OOM")),
    }
}
