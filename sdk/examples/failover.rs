//! Fails over from one vendor to another.
//!
//! ```console
//! $ cargo run -p otp-verify --example failover
//! ```
//!
//! Only the vendor that sent a code can verify it, so the whole sign-in fails over: if a vendor is unreachable or its
//! response is unusable, the program verifies a code that the other vendor sent. Only `main` knows which vendors these
//! are.
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::sync::Arc;

use otp_verify::{Approval, Code, Error, ErrorKind, SessionId, Verifier, d7, zeckta};

mod sandbox;

/// A vendor and a code that it sent.
struct Route {
    verifier: Arc<dyn Verifier>,
    session: SessionId,
    code: Code,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = sandbox::Sandbox::start().await?;
    let account = sandbox.account("d7").await?;
    let working = d7::Client::builder(account.get("token")).base_url(&sandbox.url).build()?;
    // The port has no listener, so the vendor is down.
    let broken = zeckta::Client::builder("an API key").base_url("http://127.0.0.1:1").build()?;

    let routes = [
        Route { verifier: Arc::new(broken), session: "feab6011".into(), code: Code::new(sandbox::CODE) },
        Route {
            verifier: Arc::new(working),
            session: sandbox.issue(&account).await?.into(),
            code: Code::new(sandbox::CODE),
        },
    ];
    match first_decision(&routes).await {
        Some(Ok(approval)) => println!("approved by {}", approval.vendor()),
        Some(Err(error)) => println!("not approved: {error}"),
        None => println!("no vendor decided"),
    }
    Ok(())
}

/// The first decision of a vendor. A refusal is a decision: trying another vendor after it would double the attempts of
/// an attacker.
async fn first_decision(routes: &[Route]) -> Option<Result<Approval, Error>> {
    for route in routes {
        let result = route.verifier.verify(route.session.clone(), route.code.clone()).await;
        match result {
            Err(error) if failed(&error) => {
                println!("{}; attempt consumed: {:?}", error, error.attempt_consumed());
            }
            decided => return Some(decided),
        }
    }
    None
}

/// Whether the vendor failed rather than the code.
fn failed(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Transport
            | ErrorKind::UndocumentedResponse
            | ErrorKind::RateLimited
            | ErrorKind::Unauthorized
    )
}
