//! The suite against real servers on loopback: the sandbox, the sandbox with faults, and servers written for a test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certainty;
mod control;
mod diff;
mod fault_scenarios;
mod faults;
mod generated_crate;
mod html;
mod junit;
mod new_vendor;
mod program;
mod readme;
mod replays;
mod report_escaping;
mod report_formats;
mod report_page;
mod reports;
mod served;
mod serving;
mod setup;
mod suite;
mod transcripts;
mod tutorial;
