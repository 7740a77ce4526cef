//! Fails over from one vendor to another.
//!
//! ```console
//! $ cargo run -p otp-verify --example failover
//! ```
//!
//! A code lives with the vendor that issued it, so no other vendor can verify it. What fails over is the sign-in: where
//! a vendor cannot be reached, or answers what nobody can act on, a code of the other vendor's is sent and verified. No
//! vendor is named below the choice of the two.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use otp_verify::{Approval, Code, Error, ErrorKind, SessionId, Verifier, d7, zeckta};

mod sandbox;

/// A vendor, and the code that it sent.
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
    // Nobody listens there: the vendor is down.
    let broken = zeckta::Client::builder("an API key").base_url("http://127.0.0.1:1").build()?;

    let routes = [
        Route { verifier: Arc::new(broken), session: "feab6011".into(), code: Code::new(sandbox::CODE) },
        Route {
            verifier: Arc::new(working),
            session: sandbox.issue(&account).await?.into(),
            code: Code::new(sandbox::CODE),
        },
    ];
    match first_answer(&routes).await {
        Some(Ok(approval)) => println!("approved by {}", approval.vendor()),
        Some(Err(error)) => println!("not approved: {error}"),
        None => println!("no vendor answered"),
    }
    Ok(())
}

/// What the first vendor decides that decides anything. A refusal is a decision: asking another vendor after one would
/// give whoever guesses a second set of attempts.
async fn first_answer(routes: &[Route]) -> Option<Result<Approval, Error>> {
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

/// Whether the vendor failed, and not the code.
fn failed(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Transport
            | ErrorKind::UndocumentedResponse
            | ErrorKind::RateLimited
            | ErrorKind::Unauthorized
    )
}
