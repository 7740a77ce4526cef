//! A Redis server of a test's own, on a free port, that ends with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use otp_sandbox::{RedisStore, StoreError};
use tempfile::TempDir;

pub(crate) struct Redis {
    child: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Redis {
    /// A server that keeps nothing when it ends.
    pub(crate) async fn start() -> Redis {
        Redis::start_with(&["--save", "", "--appendonly", "no"]).await
    }

    /// A server that has written to disk what it acknowledges.
    pub(crate) async fn start_durable() -> Redis {
        Redis::start_with(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Redis {
        let redis = Redis::begin(arguments);
        redis.wait().await;
        redis
    }

    /// A server that may not answer yet.
    pub(crate) fn begin(arguments: &[&str]) -> Redis {
        let port = free_port();
        let folder = TempDir::new().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let child = spawn(port, &folder, &arguments);
        Redis { child, port, folder, arguments }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn store(&self) -> RedisStore {
        RedisStore::connect(&self.url(), None).await.unwrap()
    }

    /// Ends the server without a warning, as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port and folder.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.port, &self.folder, &self.arguments);
        self.wait().await;
    }

    /// Runs a command by Redis's own client.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
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
        panic!("the Redis server does not answer");
    }
}

fn spawn(port: u16, folder: &TempDir, arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir", folder.path().to_str().unwrap()])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is needed: apt-get install redis-server")
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
