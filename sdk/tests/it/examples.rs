//! Every example runs against a sandbox that it starts, and against one that the environment configures.

use std::path::PathBuf;
use std::process::Command;

#[path = "../../examples/sandbox/mod.rs"]
mod sandbox;

use sandbox::{CODE, Sandbox};

/// The command for an example. Cargo builds the examples with the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder: PathBuf = test.ancestors().nth(2).unwrap().join("examples");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{name} is not built; to build it: cargo build -p otp-verify --examples");
    let mut command = Command::new(path);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command
}

fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn each_example_verifies_a_code_with_its_own_sandbox() {
    let (again, used) = ("please try again: ", "that code has been used\n");
    let cases = [
        ("zeckta", format!("{again}zeckta did not approve: wrong_code\n"), used.to_owned()),
        (
            "kaleyra",
            format!("{again}kaleyra did not approve: wrong_code or unknown_session or invalid_request\n"),
            used.to_owned(),
        ),
        (
            "dailystory",
            "wrong code, Some(2) attempts left\n".to_owned(),
            "please ask for a new code: dailystory did not approve: wrong_code or expired or already_used or \
             attempts_exhausted or malformed_code\n"
                .to_owned(),
        ),
        ("exotel", format!("{again}exotel did not approve: wrong_code\n"), used.to_owned()),
        ("d7", "wrong or expired code\n".to_owned(), used.to_owned()),
    ];
    for (vendor, wrong, second) in cases {
        let expected = format!("{wrong}approved: welcome (HTTP 200)\n{second}");
        assert_eq!(output_of(example(vendor)), expected, "{vendor}");
    }
}

#[test]
fn another_vendor_replaces_one_that_is_down() {
    let printed = output_of(example("failover"));
    assert!(printed.starts_with("the request to zeckta was not sent: "), "{printed}");
    assert!(printed.ends_with("; attempt consumed: No\napproved by d7\n"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_example_accepts_a_session_and_reads_the_environment() {
    let sandbox = Sandbox::start().await.unwrap();
    // The variables of each vendor, and the names that the sandbox gives their values.
    let cases: &[(&'static str, &[(&str, &str)])] = &[
        ("zeckta", &[("ZECKTA_API_KEY", "token")]),
        ("kaleyra", &[("KALEYRA_SID", "sid"), ("KALEYRA_API_KEY", "value")]),
        ("dailystory", &[("DAILYSTORY_API_TOKEN", "token")]),
        (
            "exotel",
            &[
                ("EXOTEL_ACCOUNT_SID", "account_sid"),
                ("EXOTEL_APPLICATION_ID", "username"),
                ("EXOTEL_APPLICATION_SECRET", "password"),
            ],
        ),
        ("d7", &[("D7_ACCESS_TOKEN", "token")]),
    ];
    for &(vendor, variables) in cases {
        let account = sandbox.account(vendor).await.unwrap();
        let session = sandbox.issue(&account).await.unwrap();
        let mut command = example(vendor);
        command.args([&session, CODE]).env(format!("{}_BASE_URL", vendor.to_uppercase()), &sandbox.url);
        for (variable, name) in variables {
            command.env(variable, account.get(name));
        }
        let output = tokio::task::spawn_blocking(move || output_of(command)).await.unwrap();
        assert_eq!(output, "approved: welcome (HTTP 200)\n", "{vendor}");

        let mut without = example(vendor);
        without.args([&session, CODE]);
        for (variable, _) in variables {
            without.env_remove(variable);
        }
        let output = without.output().unwrap();
        assert!(!output.status.success(), "{vendor} needs no credentials");
        assert!(String::from_utf8_lossy(&output.stderr).contains(variables[0].0), "{output:?}");
    }
}
