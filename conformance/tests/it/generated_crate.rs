//! A client crate that is generated from a contract verifies codes against the sandbox that serves the same contract.

use std::path::{Path, PathBuf};
use std::process::Command;

use otp_contract::Contract;
use otp_sandbox::Settings;
use otp_test_support::{ControlClient, HttpClient};
use serde_json::json;
use tempfile::TempDir;

use crate::suite::sandbox;

/// A program that sends one verify call with the client that is generated from Twilio's contract.
const TWILIO: &str = r#"
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

/// The same for Globex, with the builder that the first argument names. It prints all that the client shows of itself.
const GLOBEX: &str = r#"
use globex_verify::{Client, ClientExt as _, Code, Error, VerifyRequestExt as _};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [place, url, key, session, code]: [String; 5] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let (region, tier, application, strict) = ("eu", 2, "canary-application", true);
    let builder = match place.as_str() {
        "query" => Client::builder(region, tier, application, strict, key),
        "header" => Client::builder_with_header_key(region, tier, application, strict, key),
        _ => Client::builder_with_cookie_key(region, tier, application, strict, key),
    };
    let client = builder.base_url(url).build().unwrap();
    let call = client.verify(session, Code::new(code)).tier(3).style("brief").since("2024-01-15T10:30:00+05:30");
    print!("{client:?} {call:?} ");
    match call.await {
        Ok(_) => println!("approved"),
        Err(Error::BadPin(_)) => println!("wrong code"),
        Err(error) => println!("{error:?} {error}"),
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

fn contract(vendor: &str) -> PathBuf {
    root().join(format!("conformance/tests/contracts/{vendor}.yaml"))
}

/// The crate that is generated from a contract, with `program` as an example.
struct GeneratedCrate {
    vendor: &'static str,
    folder: TempDir,
}

impl GeneratedCrate {
    fn new(vendor: &'static str, program: &str) -> GeneratedCrate {
        let generated = GeneratedCrate { vendor, folder: tempfile::tempdir().unwrap() };
        let folder = generated.folder.path();
        let arguments = ["run", "--quiet", "--package", "xtask", "--", "codegen", "--contract"];
        let mut generate = Command::new(env!("CARGO"));
        run(generate.current_dir(root()).args(arguments).arg(contract(vendor)).arg("--crate").arg(folder));
        std::fs::create_dir(folder.join("examples")).unwrap();
        std::fs::write(folder.join(format!("examples/{vendor}.rs")), program).unwrap();
        // The versions with which this repository is tested.
        std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        generated
    }

    fn cargo(&self, command: &str, arguments: &[&str]) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.env("CARGO_TARGET_DIR", root().join("target/generated")).current_dir(&self.folder);
        run(cargo.args([command, "--quiet", "--offline"]).args(arguments));
    }

    fn example(&self, arguments: &[&str]) -> String {
        let program = root().join("target/generated/debug/examples").join(self.vendor);
        run(Command::new(program).args(arguments))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_generated_from_a_contract_verifies_against_the_sandbox_that_serves_it() {
    let contract = Contract::from_file(&contract("twilio")).unwrap();
    let url = sandbox(Settings { contracts: vec![contract], ..Settings::default() }).await;
    let control = ControlClient::new(HttpClient::new(&url));
    let tenant = control.tenant("twilio").await;
    let session = control.session(&tenant, "012345", json!({})).await;

    let generated = GeneratedCrate::new("twilio", TWILIO);
    generated.cargo("build", &["--example", "twilio"]);

    let credentials = &tenant.json()["credentials"]["accountSidAuthToken"];
    let verify = |code: &str| {
        generated.example(&[
            url.as_str(),
            tenant.json()["parameters"]["ServiceSid"].as_str().unwrap(),
            credentials["username"].as_str().unwrap(),
            credentials["password"].as_str().unwrap(),
            &session,
            code,
        ])
    };
    assert_eq!(verify("543210"), "wrong code");
    assert_eq!(verify("012345"), "approved");
    // Twilio has one response for a used, an expired and an unknown verification.
    assert_eq!(verify("012345"), "not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_required_values_authenticates_with_a_key_in_any_place() {
    let contract = Contract::from_file(&contract("globex")).unwrap();
    let url = sandbox(Settings { contracts: vec![contract], ..Settings::default() }).await;
    let control = ControlClient::new(HttpClient::new(&url));
    let tenant = control.tenant("globex").await;

    let generated = GeneratedCrate::new("globex", GLOBEX);
    generated.cargo("test", &[]);
    generated.cargo("build", &["--example", "globex"]);

    for place in ["query", "header", "cookie"] {
        let session = control.session(&tenant, "012345", json!({})).await;
        let json = tenant.json();
        let key = json["credentials"][format!("{place}Key")]["value"].as_str().unwrap();
        let verify = |url: &str, key: &str, code: &str| {
            let printed = generated.example(&[place, url, key, &session, code]);
            for secret in [key, &session, code, "canary"] {
                assert!(!printed.contains(secret), "{secret} is in {printed}");
            }
            printed
        };
        assert!(verify(&url, key, "543210").ends_with(" wrong code"));
        let other = format!("{key}+&=");
        let printed = verify(&url, &other, "012345");
        assert!(printed.contains(" Who("), "{printed}");
        let printed = verify("http://127.0.0.1:1", key, "012345");
        assert!(printed.contains(" Unsent("), "{printed}");
        let printed = verify(&url, key, "012345");
        assert!(printed.ends_with(" approved"), "{printed}");
    }
}
