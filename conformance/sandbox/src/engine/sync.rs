//! Locks and atomics: the standard library's, or those of the shuttle model checker, which tries many thread schedules
//! (feature `shuttle`). Code under test by the model checker imports them from here.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::atomic::{AtomicUsize, Ordering};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
