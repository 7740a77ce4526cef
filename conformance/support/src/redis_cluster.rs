//! A Redis cluster of two nodes, each with half of the slots. It ends when it is dropped.

use std::time::Duration;

use crate::redis_server::{RedisServer, free_port};

/// A Redis cluster.
pub struct RedisCluster {
    /// The nodes.
    pub nodes: [RedisServer; 2],
}

/// The first and the last slot of each node.
const SLOT_RANGES: [(&str, &str); 2] = [("0", "8191"), ("8192", "16383")];

impl RedisCluster {
    /// Starts a cluster and waits until it is ready.
    pub async fn start() -> RedisCluster {
        RedisCluster::start_with(&[]).await
    }

    /// Starts a cluster whose nodes get `arguments` as well.
    pub async fn start_with(arguments: &[&str]) -> RedisCluster {
        let buses = [free_port(), free_port()];
        let nodes = buses.map(|bus| {
            let bus = bus.to_string();
            let fixed =
                ["--save", "", "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-port", &bus];
            RedisServer::spawn(&[&fixed, arguments].concat())
        });
        let cluster = RedisCluster { nodes };
        for (node, (first, last)) in cluster.nodes.iter().zip(SLOT_RANGES) {
            wait_until(|| node.cli(&["PING"]) == "PONG").await;
            assert_eq!(node.cli(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
        }
        let (port, bus) = (cluster.nodes[1].port().to_string(), buses[1].to_string());
        assert_eq!(cluster.nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]), "OK");
        for node in &cluster.nodes {
            wait_until(|| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")).await;
            wait_until(|| node.cli(&["CLUSTER", "NODES"]).lines().count() == 2).await;
        }
        cluster
    }

    /// The node that has a key, and the other one.
    pub fn owner_and_other(&self, key: &str) -> (&RedisServer, &RedisServer) {
        let [one, other] = &self.nodes;
        match one.cli(&["EXISTS", key]).as_str() {
            "1" => (one, other),
            _ => (other, one),
        }
    }
}

/// Waits until `condition` holds, and panics if it does not within ten seconds.
pub async fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the Redis cluster does not become ready");
}
