//! The signals that ask the program to stop.
//!
//! It must not know what the program does then.

use crate::error::Exit;

/// Waits for a signal that asks the program to stop, and returns the exit status that tells a shell about it.
pub(super) async fn stop() -> Exit {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => Exit::Terminated,
                _ = tokio::signal::ctrl_c() => Exit::Interrupted,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    Exit::Interrupted
}
