//! The page of an `html` report in a real browser. A test program of its own, because a browser needs most of the machine.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod page;
mod reports;
mod server;
mod webdriver;
