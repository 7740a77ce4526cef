//! Tests of the contract reader through its public interface.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broken;
mod corpus;
mod documents;
mod facts;
mod flow;
mod lint;
mod sentences;
mod skeleton;
