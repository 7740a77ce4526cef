//! Verifies a code with D7 Networks.
//!
//! ```console
//! $ cargo run -p otp-verify --example d7
//! ```
//!
//! uses the sandbox of this repository. With a session id and a code, the example calls the vendor, or the server that
//! `D7_BASE_URL` names, with the credentials in `D7_ACCESS_TOKEN`:
//!
//! ```console
//! $ cargo run -p otp-verify --example d7 -- SESSION CODE
//! ```
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use otp_verify::{Code, NextStep, d7};

mod sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(session), Some(code)) = (arguments.next(), arguments.next()) {
        let client = d7::ClientBuilder::from_env()?.build()?;
        verify(&client, &session, &code).await;
        return Ok(());
    }

    let sandbox = sandbox::Sandbox::start().await?;
    let account = sandbox.account("d7").await?;
    let session = sandbox.issue(&account).await?;
    let client = d7::Client::builder(account.get("token")).base_url(&sandbox.url).build()?;
    verify(&client, &session, "000000").await;
    verify(&client, &session, sandbox::CODE).await;
    verify(&client, &session, sandbox::CODE).await;
    Ok(())
}

async fn verify(client: &d7::Client, session: &str, code: &str) {
    match client.verify(session, Code::new(code)).await {
        Ok(approved) => println!("approved: welcome (HTTP {})", approved.raw().status()),
        // D7 Networks sends the same response for a wrong and for an expired code.
        Err(d7::Error::WrongCodeOrExpired(_)) => println!("wrong or expired code"),
        Err(d7::Error::AlreadyUsed(_)) => println!("that code has been used"),
        Err(error) => match error.next_step() {
            NextStep::EnterCodeAgain => println!("please try again: {error}"),
            NextStep::RequestNewCode => println!("please ask for a new code: {error}"),
            NextStep::Wait(time) => println!("please wait {time:?}: {error}"),
            // A problem of the program, which the user cannot solve.
            _ => println!("something is wrong: {error}"),
        },
    }
}
