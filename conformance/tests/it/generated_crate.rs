//! A client crate that is generated from a contract verifies codes against the sandbox that serves the same contract.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

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
    let call = client.verify(session, Code::new(code)).since("2024-01-15T10:30:00+05:30").style("canary & style");
    let call = call.tier(3).depth(2).parameter_2fa(9).note("canary").age(7).consent(true).locale("de");
    print!("{client:?} {call:?} ");
    match call.await {
        Ok(_) => println!("approved"),
        Err(Error::BadPin(_)) => println!("wrong code"),
        Err(error) => println!("{error:?} {error}"),
    }
}
"#;

/// The same for Relay, whose requests have members inside members, and whose approval has no body.
const RELAY: &str = r#"
use relay_verify::{Client, ClientExt as _, Code, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let [url, key, session, code]: [String; 4] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let client = Client::builder(key).base_url(url).build().unwrap();
    match client.verify(session, Code::new(code)).await {
        Ok(_) => println!("approved"),
        Err(Error::WrongCode(_)) => println!("wrong code"),
        Err(Error::UnknownSession(_)) => println!("not found"),
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
async fn a_client_sends_members_inside_members_and_reads_a_response_without_a_body() {
    let contract = Contract::from_file(&contract("relay")).unwrap();
    let url = sandbox(Settings { contracts: vec![contract], ..Settings::default() }).await;
    let control = ControlClient::new(HttpClient::new(&url));
    let tenant = control.tenant("relay").await;
    let session = control.session(&tenant, "012345", json!({})).await;

    let generated = GeneratedCrate::new("relay", RELAY);
    generated.cargo("test", &[]);
    generated.cargo("build", &["--example", "relay"]);
    let key = tenant.json()["credentials"]["key"]["value"].as_str().unwrap().to_owned();
    let verify = |code: &str| generated.example(&[&url, &key, &session, code]);
    assert_eq!(verify("543210"), "wrong code");
    assert_eq!(verify("012345"), "approved");
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

    let (url, request) = listener();
    generated.example(&["query", &url, "a+b c&d", "T-1", "012345"]);
    let request = request.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap();
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    let expected = [
        "2fa=9",
        "depth=2",
        "format=json",
        "key%5B%5D=App%20a%2Bb%20c%26d",
        "region=eu",
        "since=2024-01-15T10%3A30%3A00%2B05%3A30",
        "style=canary+%26+style",
        "tier=3",
    ];
    assert_eq!((path, pairs.as_slice()), ("/check/T-1", expected.as_slice()));
    let expected = json!({
        "pin": "012345", "application": "canary-application", "type": "otp", "locale": "de", "strict": true,
        "retries": 2, "note": "canary", "age": 7, "consent": true,
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap(), expected);
}

/// A server for one request, which it returns as text.
fn listener() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let (mut request, mut buffer) = (String::new(), [0; 4096]);
        while !request.ends_with('}') {
            let length = connection.read(&mut buffer).unwrap();
            assert_ne!(length, 0, "the request ends early: {request}");
            request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        connection.write_all(b"HTTP/1.1 500 Error\r\ncontent-length: 0\r\n\r\n").unwrap();
        request
    });
    (url, request)
}
