//! The store in a Redis cluster: it finds sessions on every node and while they move, and neither guesses nor retries
//! if an outcome is unknown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use otp_contract::Outcome;
use otp_sandbox::{IssueRequest, Issued, RedisStore, Secret, Store, StoreError};
use otp_test_support::{RedisCluster, RedisServer, wait_until};

use crate::redis::{RIGHT, attempt, issue, key, lossy_proxy};

const WRONG: &str = "654321";

#[tokio::test]
async fn sessions_on_every_node_are_one_service() {
    let cluster = RedisCluster::start().await;
    let (one, other) = (cluster.nodes[0].store().await, cluster.nodes[1].store().await);
    for number in 0..40 {
        let session = format!("s{number}");
        issue(&one, &session).await.unwrap();
        assert_eq!(attempt(&other, &session, WRONG).await.unwrap().remaining_attempts, Some(2));
        assert_eq!(attempt(&one, &session, WRONG).await.unwrap().remaining_attempts, Some(1));
        assert_eq!(attempt(&other, &session, RIGHT).await.unwrap().outcome, Outcome::Approved);
        assert_eq!(attempt(&one, &session, RIGHT).await.unwrap().outcome, Outcome::AlreadyUsed);
    }
    for node in &cluster.nodes {
        let stored: usize = node.cli(&["DBSIZE"]).parse().unwrap();
        assert!((5..=36).contains(&stored), "{stored} of 40 sessions are on one node");
    }
}

#[tokio::test]
async fn a_resent_code_inherits_its_count_from_another_node() {
    let cluster = RedisCluster::start().await;
    let store = cluster.nodes[0].store().await;
    for number in 0..20 {
        let (first, next) = (format!("a{number}"), format!("b{number}"));
        issue(&store, &first).await.unwrap();
        attempt(&store, &first, WRONG).await.unwrap();
        let resent = IssueRequest {
            key: key(&next),
            code: RIGHT,
            ttl_seconds: 60,
            max_attempts: Some(3),
            lockout_seconds: None,
            resend_of: Some(key(&first)),
        };
        assert_eq!(store.issue(resent).await, Ok(Issued::Done));
        assert_eq!(attempt(&store, &next, WRONG).await.unwrap().remaining_attempts, Some(1));
        assert_eq!(attempt(&store, &first, RIGHT).await.unwrap().outcome, Outcome::Expired);
    }
}

#[tokio::test]
async fn a_session_keeps_its_count_and_its_use_while_it_moves_to_another_node() {
    let cluster = RedisCluster::start().await;
    let store = cluster.nodes[0].store().await;
    issue(&store, "s").await.unwrap();
    let names = cluster.nodes.each_ref().map(|node| node.cli(&["--raw", "KEYS", "otp:{*"]));
    let name = names.iter().find(|name| !name.is_empty()).unwrap().as_str();
    let (from, to) = cluster.owner_and_other(name);
    let (from_id, to_id) = (from.cli(&["CLUSTER", "MYID"]), to.cli(&["CLUSTER", "MYID"]));
    let slot = from.cli(&["CLUSTER", "KEYSLOT", name]);

    // During the move, the old node redirects with ASK.
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    assert_eq!(attempt(&store, "s", WRONG).await.unwrap().remaining_attempts, Some(2));
    let port = to.port().to_string();
    assert_eq!(from.cli(&["MIGRATE", "127.0.0.1", &port, name, "0", "1000"]), "OK");
    assert_eq!(attempt(&store, "s", WRONG).await.unwrap().remaining_attempts, Some(1));

    // After the move, the old node redirects the first call with MOVED, and the next calls go to the new node.
    for node in [to, from] {
        assert_eq!(node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]), "OK");
    }
    assert_eq!(attempt(&store, "s", RIGHT).await.unwrap().outcome, Outcome::Approved);
    wait_until(|| from.cli(&["CLUSTER", "SHARDS"]).contains(&slot)).await;
    for _ in 0..5 {
        assert_eq!(attempt(&store, "s", RIGHT).await.unwrap().outcome, Outcome::AlreadyUsed);
    }
}

#[tokio::test]
async fn while_a_node_is_down_only_the_sessions_of_the_other_are_served() {
    let mut cluster = RedisCluster::start().await;
    let store = cluster.nodes[0].store().await;
    let mut sessions: Vec<String> = (0..16).map(|number| format!("s{number}")).collect();
    for session in &sessions {
        issue(&store, session).await.unwrap();
    }
    cluster.nodes[1].kill();
    let mut decided = 0;
    let mut failed = Vec::new();
    for session in sessions.drain(..) {
        match attempt(&store, &session, WRONG).await {
            Ok(decision) => {
                assert_eq!((decision.outcome, decision.remaining_attempts), (Outcome::WrongCode, Some(2)));
                decided += 1;
            }
            Err(error) => {
                let is_expected = matches!(error, StoreError::Unreachable(_) | StoreError::ResponseLost(_));
                assert!(is_expected, "{error}");
                failed.push(session);
            }
        }
    }
    assert!(decided > 0 && !failed.is_empty(), "{decided} of 16 were decided");
    // Once the store knows that the node is down, it also knows that it sent nothing.
    let error = attempt(&store, &failed[0], RIGHT).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_response_that_the_network_loses_is_reported_and_the_script_runs_once() {
    let cluster = RedisCluster::start().await;
    let lose = Arc::default();
    let mut urls = Vec::new();
    for node in &cluster.nodes {
        let url = lossy_proxy(node, &lose).await;
        let port = url.rsplit_once(':').unwrap().1.to_owned();
        assert_eq!(node.cli(&["CONFIG", "SET", "cluster-announce-port", &port]), "OK");
        urls.push((url, port));
    }
    for node in &cluster.nodes {
        wait_until(|| urls.iter().all(|(_, port)| node.cli(&["CLUSTER", "SLOTS"]).contains(port))).await;
    }
    let store = RedisStore::connect(&urls[0].0, Secret::random()).await.unwrap();
    let counts = || {
        let names = |node: &RedisServer| node.cli(&["--raw", "KEYS", "otp:{*"]);
        let count = |node: &RedisServer, name: &str| node.cli(&["HGET", name, "f"]).parse::<u32>().unwrap();
        let of = |node| names(node).lines().map(|name| count(node, name)).sum::<u32>();
        cluster.nodes.iter().map(of).sum::<u32>()
    };
    for number in 0..6 {
        let session = format!("s{number}");
        issue(&store, &session).await.unwrap();
        attempt(&store, &session, WRONG).await.unwrap();
        let before = counts();
        lose.store(true, Ordering::SeqCst);
        let error = attempt(&store, &session, WRONG).await.unwrap_err();
        assert!(matches!(error, StoreError::ResponseLost(_)), "{error}");
        assert!(!lose.load(Ordering::SeqCst), "no response was dropped");
        // Leaves enough time for a second run.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(counts(), before + 1);
        assert_eq!(attempt(&store, &session, WRONG).await.unwrap().remaining_attempts, Some(0));
    }
}
