//! A Redis cluster of a test's own: two nodes, each with half of the slots.

use std::time::Duration;

use crate::redis_house::{Redis, free_port};

pub(crate) struct Cluster {
    pub(crate) nodes: [Redis; 2],
}

const HALVES: [(&str, &str); 2] = [("0", "8191"), ("8192", "16383")];

impl Cluster {
    pub(crate) async fn start() -> Cluster {
        Cluster::start_with(&[]).await
    }

    /// Two nodes that are told `arguments` as well.
    pub(crate) async fn start_with(arguments: &[&str]) -> Cluster {
        let buses = [free_port(), free_port()];
        let nodes = buses.map(|bus| {
            let bus = bus.to_string();
            let fixed =
                ["--save", "", "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-port", &bus];
            Redis::begin(&[&fixed, arguments].concat())
        });
        let cluster = Cluster { nodes };
        for (node, (first, last)) in cluster.nodes.iter().zip(HALVES) {
            until(|| node.cli(&["PING"]) == "PONG").await;
            assert_eq!(node.cli(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
        }
        let (port, bus) = (cluster.nodes[1].port().to_string(), buses[1].to_string());
        assert_eq!(cluster.nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]), "OK");
        for node in &cluster.nodes {
            until(|| node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")).await;
            until(|| node.cli(&["CLUSTER", "NODES"]).lines().count() == 2).await;
        }
        cluster
    }

    /// The node that has a key now, and the other.
    pub(crate) fn owner_and_other(&self, key: &str) -> (&Redis, &Redis) {
        let [one, other] = &self.nodes;
        match one.cli(&["EXISTS", key]).as_str() {
            "1" => (one, other),
            _ => (other, one),
        }
    }
}

pub(crate) async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the cluster does not come about");
}
