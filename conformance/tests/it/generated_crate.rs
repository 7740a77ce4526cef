//! A client crate that is generated from a contract verifies codes against the sandbox that serves the same contract.

use std::path::{Path, PathBuf};
use std::process::Command;

use otp_contract::Contract;
use otp_sandbox::Settings;
use otp_test_support::{ControlClient, HttpClient};
use serde_json::json;

use crate::suite::sandbox;

/// A program that sends one verify call with the generated client.
const PROGRAM: &str = r#"
use twilio_verify::{Client, ClientExt as _, Code, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [url, account, user, password, session, code]: [String; 6] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let client = Client::builder(account, user, password).base_url(url).build().unwrap();
    match client.verify(session, Code::new(code)).await {
        Ok(_) => println!("approved"),
        Err(Error::WrongCode(_)) => println!("wrong code"),
        Err(Error::NotFoundOrOutOfAttempts404(_)) => println!("not found"),
        Err(error) => println!("{error:?}"),
    }
}
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_generated_from_a_contract_verifies_against_the_sandbox_that_serves_it() {
    let file = root().join("conformance/tests/contracts/twilio.yaml");
    let contract = Contract::from_file(&file).unwrap();
    let url = sandbox(Settings { contracts: vec![contract], ..Settings::default() }).await;
    let control = ControlClient::new(HttpClient::new(&url));
    let tenant = control.tenant("twilio").await;
    let session = control.session(&tenant, "012345", json!({})).await;

    let folder = tempfile::tempdir().unwrap();
    let cargo = || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.env("CARGO_TARGET_DIR", root().join("target/generated"));
        cargo
    };
    let mut generate = Command::new(env!("CARGO"));
    generate.current_dir(root()).args([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--",
        "codegen",
        "--contract",
    ]);
    run(generate.arg(&file).arg("--crate").arg(folder.path()));
    std::fs::create_dir(folder.path().join("examples")).unwrap();
    std::fs::write(folder.path().join("examples/verify.rs"), PROGRAM).unwrap();
    // The versions with which this repository is tested.
    std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    run(cargo().current_dir(folder.path()).args(["build", "--quiet", "--offline", "--example", "verify"]));

    let credentials = &tenant.json()["credentials"]["accountSidAuthToken"];
    let verify = |code: &str| {
        run(Command::new(root().join("target/generated/debug/examples/verify")).args([
            url.as_str(),
            tenant.json()["parameters"]["ServiceSid"].as_str().unwrap(),
            credentials["username"].as_str().unwrap(),
            credentials["password"].as_str().unwrap(),
            &session,
            code,
        ]))
    };
    assert_eq!(verify("543210"), "wrong code");
    assert_eq!(verify("012345"), "approved");
    // Twilio has one response for a used, an expired and an unknown verification.
    assert_eq!(verify("012345"), "not found");
}
