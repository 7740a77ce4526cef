//! The store in a Redis cluster: sessions are found wherever they live and while they move, and what is not certain is
//! neither guessed nor tried again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use otp_contract::Outcome;
use otp_sandbox::{IssueRequest, Issued, RedisStore, Secret, Store, StoreError};

use crate::redis::{RIGHT, attempt, issue, key, lossy};
use otp_test_support::RedisServer;
use otp_test_support::{RedisCluster, wait_until};

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
        let kept: usize = node.cli(&["DBSIZE"]).parse().unwrap();
        assert!((5..=36).contains(&kept), "{kept} of 40 sessions are on one node");
    }
}

#[tokio::test]
async fn a_code_that_is_sent_again_inherits_its_count_from_another_node() {
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

    // On its way: where it was, it is asked for at the other for once.
    to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    assert_eq!(attempt(&store, "s", WRONG).await.unwrap().remaining_attempts, Some(2));
    let port = to.port().to_string();
    assert_eq!(from.cli(&["MIGRATE", "127.0.0.1", &port, name, "0", "1000"]), "OK");
    assert_eq!(attempt(&store, "s", WRONG).await.unwrap().remaining_attempts, Some(1));

    // Moved: the first call is sent on, and the next go there at once.
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
async fn while_a_node_is_down_its_sessions_approve_nothing_and_the_others_are_served() {
    let mut cluster = RedisCluster::start().await;
    let store = cluster.nodes[0].store().await;
    let mut sessions: Vec<String> = (0..16).map(|number| format!("s{number}")).collect();
    for session in &sessions {
        issue(&store, session).await.unwrap();
    }
    cluster.nodes[1].kill();
    let mut answered = 0;
    let mut refused = Vec::new();
    for session in sessions.drain(..) {
        match attempt(&store, &session, WRONG).await {
            Ok(decision) => {
                assert_eq!((decision.outcome, decision.remaining_attempts), (Outcome::WrongCode, Some(2)));
                answered += 1;
            }
            Err(error) => {
                let is_told = matches!(error, StoreError::Unreachable(_) | StoreError::ResponseLost(_));
                assert!(is_told, "{error}");
                refused.push(session);
            }
        }
    }
    assert!(answered > 0 && !refused.is_empty(), "{answered} of 16 were answered");
    // Once it is known that the node is gone, it is known as well that it was not asked.
    let error = attempt(&store, &refused[0], RIGHT).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn an_answer_that_a_node_gave_and_the_network_lost_is_lost_and_the_script_ran_once() {
    let cluster = RedisCluster::start().await;
    let lose = Arc::default();
    let mut urls = Vec::new();
    for node in &cluster.nodes {
        let url = lossy(node, &lose).await;
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
        assert!(!lose.load(Ordering::SeqCst), "the answer was not there to be lost");
        // Time enough for a second run.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(counts(), before + 1);
        assert_eq!(attempt(&store, &session, WRONG).await.unwrap().remaining_attempts, Some(0));
    }
}
