//! The suite against real servers on loopback: the sandbox, the sandbox with faults, and servers written for a test.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

#[expect(dead_code, reason = "the tests of the store ask more of it")]
#[path = "../../sandbox/tests/it/cluster_house.rs"]
mod cluster_house;
mod control;
mod fault_scenarios;
mod faults;
mod house;
mod new_vendor;
mod program;
mod raw_http;
mod readme;
#[expect(dead_code, reason = "the tests of the store ask more of it")]
#[path = "../../sandbox/tests/it/redis_house.rs"]
mod redis_house;
mod replays;
mod reports;
#[expect(dead_code, reason = "the tests of the sandbox use the rest")]
#[path = "../../sandbox/tests/it/house.rs"]
mod sandbox_house;
mod served;
mod serving;
mod transcripts;
