//! Verifies a code with Kaleyra.
//!
//! ```console
//! $ cargo run -p otp-verify --example kaleyra
//! ```
//!
//! uses the sandbox of this repository. With a session id and a code, the example calls the vendor, or the server that
//! `KALEYRA_BASE_URL` names, with the credentials in `KALEYRA_SID` and `KALEYRA_API_KEY`:
//!
//! ```console
//! $ cargo run -p otp-verify --example kaleyra -- SESSION CODE
//! ```
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use otp_verify::{Code, NextStep, kaleyra};

mod sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(session), Some(code)) = (arguments.next(), arguments.next()) {
        let client = kaleyra::ClientBuilder::from_env()?.build()?;
        verify(&client, &session, &code).await;
        return Ok(());
    }

    let sandbox = sandbox::Sandbox::start().await?;
    let account = sandbox.account("kaleyra").await?;
    let session = sandbox.issue(&account).await?;
    let client =
        kaleyra::Client::builder(account.get("sid"), account.get("value")).base_url(&sandbox.url).build()?;
    verify(&client, &session, "000000").await;
    verify(&client, &session, sandbox::CODE).await;
    verify(&client, &session, sandbox::CODE).await;
    Ok(())
}

async fn verify(client: &kaleyra::Client, session: &str, code: &str) {
    match client.verify(session, Code::new(code)).await {
        Ok(approved) => println!("approved: welcome (HTTP {})", approved.raw().status()),
        Err(kaleyra::Error::AlreadyUsed(_)) => println!("that code has been used"),
        Err(error) => match error.next_step() {
            NextStep::EnterCodeAgain => println!("please try again: {error}"),
            NextStep::RequestNewCode => println!("please ask for a new code: {error}"),
            NextStep::Wait(time) => println!("please wait {time:?}: {error}"),
            // A problem of the program, which the user cannot solve.
            _ => println!("something is wrong: {error}"),
        },
    }
}
