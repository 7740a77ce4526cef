//! The suite against real servers on loopback: the sandbox, the sandbox with faults, and servers written for a test.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certainty;
mod control;
mod control_exec;
mod diff;
mod environments;
mod fault_scenarios;
mod faults;
mod findings;
mod fixtures;
mod generated_crate;
mod html;
mod junit;
mod new_vendor;
mod pace;
mod program;
mod readme;
mod replay_command;
mod replays;
mod report_escaping;
mod report_formats;
mod report_page;
mod reports;
mod samples;
mod served;
mod serving;
mod setup;
mod suite;
mod transcripts;
mod tutorial;
mod waivers;
