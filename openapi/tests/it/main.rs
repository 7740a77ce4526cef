//! The contract reader, seen from outside.

mod broken;
mod documents;
