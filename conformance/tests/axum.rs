//! The conformance of the axum example, as its own project would test it: `cargo test --test axum`, with `-- --list`, a filter
//! such as `-- expiry`, or anything else that tests understand.

#[expect(clippy::unused_async, reason = "a store in memory has nothing to wait for")]
#[path = "../examples/axum/control.rs"]
mod control;
#[path = "../examples/axum/server.rs"]
mod server;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use otp_conformance::{SubjectOptions, libtest};
use otp_contract::{Contract, ContractError};

pub(crate) fn main() -> Result<ExitCode, ContractError> {
    Ok(libtest::main(vec![Contract::of_vendor("exotel")?], start))
}

pub(crate) async fn start() -> Result<SubjectOptions, Box<dyn Error + Send + Sync>> {
    let has_bug = std::env::var("BUG").is_ok_and(|bug| bug == "isolation");
    let store = Arc::new(server::Store::new(has_bug));
    let app = server::router(Arc::clone(&store)).merge(control::router(store));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(SubjectOptions { targets: vec![url], ..SubjectOptions::default() })
}
