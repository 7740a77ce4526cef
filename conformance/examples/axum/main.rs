//! Exotel ExoVerify's "Verify OTP" with axum. Sessions live in memory.
//!
//! ```console
//! $ CONTROL=1 cargo run --example axum
//! ```
//!
//! Its dependencies are axum with the feature `json`, base64, humantime, serde, `serde_json`, subtle, tokio and uuid with `v4`.

#![expect(clippy::print_stdout, reason = "a server says where it listens")]

#[expect(clippy::unused_async, reason = "a store in memory has nothing to wait for")]
mod control;
mod server;

use std::sync::Arc;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    // A mistake to try the suite on: with BUG=isolation, an account can verify the sessions of others.
    let store = Arc::new(server::Store::new(is("BUG", "isolation")));
    let mut app = server::router(Arc::clone(&store));
    // The control issues codes to whoever asks: only a test environment may have it.
    if is("CONTROL", "1") {
        app = app.merge(control::router(store));
    }
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
