//! The suite, against real servers on loopback: the sandbox, the sandbox with faults, and servers made up for a test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod control;
mod faults;
mod house;
mod program;
mod replays;
mod reports;
mod served;
mod serving;
mod sixth;
mod transcripts;
