//! The nodes of a Redis cluster. Which node has a key, the library knows; where it errs, the node that was asked names
//! another, and that one is asked over a connection of its own. The library itself tries nothing again: it would do so
//! as well when an answer was lost, and a wrong code would count twice.

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError,
    ServerErrorKind as Told, Value,
};

use super::link::{Failure, PATIENCE, failure, words};
use crate::store::StoreError;

/// How often a command is sent on: twice while a key moves, and a few times more while its nodes do not agree yet.
const HOPS: usize = 5;

/// A cluster. Clones share its connections.
#[derive(Clone)]
pub(super) struct Cluster {
    nodes: ClusterConnection,
    /// The node that was named first; what is said of it but its address holds for all.
    entry: ConnectionInfo,
}

/// Another node is to be asked.
#[derive(Debug, PartialEq, Eq)]
struct Elsewhere {
    host: String,
    port: u16,
    /// For this once: the key is on its way there.
    is_moving: bool,
}

impl Cluster {
    pub(super) async fn open(entry: ConnectionInfo) -> Result<Cluster, StoreError> {
        let unreachable = |error: RedisError| StoreError::Unreachable(words(&error));
        let client = ClusterClient::builder([entry.clone()])
            .retries(0)
            .connection_timeout(PATIENCE)
            .response_timeout(PATIENCE)
            .build()
            .map_err(|error| StoreError::Refused(words(&error)))?;
        let nodes = client.get_async_connection().await.map_err(unreachable)?;
        Ok(Cluster { nodes, entry })
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let mut nodes = self.nodes.clone();
        let mut error = match command.query_async(&mut nodes).await {
            Ok(told) => return Ok(told),
            Err(error) if was_refused(&error) => error,
            // The library may hand on, as the answer to this command, what became of its own questions to other nodes.
            Err(error) => return Err(Failure::Store(StoreError::Lost(words(&error)))),
        };
        for _ in 0..HOPS {
            let Some(elsewhere) = self.elsewhere(&error) else { break };
            error = match self.hop(&elsewhere, command).await? {
                Ok(told) => return Ok(told),
                Err(error) => error,
            };
        }
        Err(failure(&error))
    }

    /// Sends a command to that node; the inner error is the node's own.
    async fn hop(&self, to: &Elsewhere, command: &Cmd) -> Result<Result<Value, RedisError>, Failure> {
        // Until the connection is there, nothing is sent.
        let unreachable = |error: RedisError| Failure::Store(StoreError::Unreachable(words(&error)));
        let address = ConnectionAddr::Tcp(to.host.clone(), to.port);
        let client = Client::open(self.entry.clone().set_addr(address)).map_err(unreachable)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let mut node =
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(unreachable)?;
        if to.is_moving {
            let asking: Result<(), _> = redis::cmd("ASKING").query_async(&mut node).await;
            asking.map_err(unreachable)?;
        }
        match command.query_async(&mut node).await {
            Ok(told) => Ok(Ok(told)),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => Ok(Err(error)),
            Err(error) => Err(failure(&error)),
        }
    }

    fn elsewhere(&self, error: &RedisError) -> Option<Elsewhere> {
        let is_moving = error.kind() == ErrorKind::Server(Told::Ask);
        let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
        // A node that does not know its own name leaves it out, and means the one by which it was reached.
        let host = match (host, self.entry.addr()) {
            ("", ConnectionAddr::Tcp(entry, _)) => entry.clone(),
            _ => host.to_owned(),
        };
        Some(Elsewhere { host, port: port.parse().ok()?, is_moving })
    }
}

/// Whether it is certain that the command did not run. Only answers count that no question of the library's own has.
fn was_refused(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(told) => {
            matches!(told, Told::Moved | Told::Ask | Told::NoScript | Told::CrossSlot | Told::ReadOnly)
        }
        _ => matches!(error.code(), Some("WRONGTYPE" | "OOM")),
    }
}
