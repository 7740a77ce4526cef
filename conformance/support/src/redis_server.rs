//! A Redis server on a free port, which ends when it is dropped.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use otp_sandbox::{RedisStore, StoreError};
use tempfile::TempDir;

/// A Redis server process.
pub struct RedisServer {
    child: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

/// A port that is free at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl RedisServer {
    /// Starts a server that persists nothing.
    pub async fn start() -> RedisServer {
        RedisServer::start_with(&["--save", "", "--appendonly", "no"]).await
    }

    /// Starts a server that writes each command to disk before it acknowledges it.
    pub async fn start_durable() -> RedisServer {
        RedisServer::start_with(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).await
    }

    /// Starts a server with the given arguments and waits until it accepts connections.
    pub async fn start_with(arguments: &[&str]) -> RedisServer {
        let server = RedisServer::spawn(arguments);
        server.wait().await;
        server
    }

    /// Starts a server without waiting until it accepts connections.
    pub(crate) fn spawn(arguments: &[&str]) -> RedisServer {
        let port = free_port();
        let folder = TempDir::new().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let child = spawn_process(port, &folder, &arguments);
        RedisServer { child, port, folder, arguments }
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A store in this server, which shares its secret there.
    pub async fn store(&self) -> RedisStore {
        RedisStore::connect(&self.url(), None).await.unwrap()
    }

    /// Kills the server without a chance to save anything, as a power failure does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again with the same port and folder.
    pub async fn restart(&mut self) {
        self.child = spawn_process(self.port, &self.folder, &self.arguments);
        self.wait().await;
    }

    /// Runs a command with `redis-cli` and returns its output.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(arguments)
            .output()
            .expect("redis-cli is needed: apt-get install redis-tools");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn wait(&self) {
        for _ in 0..200 {
            match RedisStore::connect(&self.url(), None).await {
                Ok(_) => return,
                Err(StoreError::Unreachable(_) | StoreError::Refused(_)) => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the Redis server does not respond");
    }
}

fn spawn_process(port: u16, folder: &TempDir, arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir", folder.path().to_str().unwrap()])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is needed: apt-get install redis-server")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
