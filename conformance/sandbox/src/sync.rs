//! Locks and counters: the standard library's, or those of the model checker that tries every order of the threads
//! (feature `shuttle`). Whoever is to be checked takes them from here.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::atomic::{AtomicUsize, Ordering};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
