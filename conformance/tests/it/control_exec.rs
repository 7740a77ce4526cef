//! Controls behind a pipe: a program that answers requests line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use otp_sandbox::{Fault, Settings};
use otp_test_support::{HttpClient, contracts as all_contracts};
use serde_json::{Value, json};

use crate::served::program;
use crate::suite::{contracts, sandbox};

/// A command that passes its input to a test and writes what the test answers.
struct Piped {
    folder: tempfile::TempDir,
    answering: std::thread::JoinHandle<usize>,
}

impl Piped {
    /// Answers every request with the control of a sandbox. The thread ends with the input of the command, and returns the
    /// number of requests.
    fn to(url: &str) -> Piped {
        let folder = tempfile::tempdir().unwrap();
        let [requests, answers] = ["requests", "answers"].map(|name| {
            let path = folder.path().join(name);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        });
        let (url, runtime) = (url.to_owned(), tokio::runtime::Handle::current());
        let answering = std::thread::spawn(move || {
            let control = HttpClient::new(url);
            let requests = BufReader::new(File::open(requests).unwrap());
            let mut answers = File::options().write(true).open(answers).unwrap();
            let mut count = 0;
            for line in requests.lines() {
                let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
                let answer = runtime.block_on(answer(&control, request));
                writeln!(answers, "{answer}").unwrap();
                count += 1;
            }
            count
        });
        Piped { folder, answering }
    }

    fn command(&self) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        // A job in the background has no input of its own.
        format!(
            "sh -c 'exec 3<&0; cat <&3 > {} & echo \"started \u{1b}[2J\" >&2; cat {}'",
            path("requests"),
            path("answers")
        )
    }
}

/// One request of the pipe as a call over HTTP, and its response as a line.
async fn answer(control: &HttpClient, mut request: Value) -> Value {
    let operation = request["op"].take();
    let (method, path) = match operation.as_str().unwrap() {
        "describe" => ("GET", "/_control/v1".to_owned()),
        operation => ("POST", format!("/_control/v1/{operation}")),
    };
    let headers = [("content-type", "application/json")];
    let response = control.send(method, &path, &headers, request.to_string().as_bytes()).await;
    match response.status {
        200 | 201 => json!({"ok": response.json()}),
        204 => json!({"ok": {}}),
        status => json!({"error": {"status": status, "message": response.json()["error"]}}),
    }
}

async fn check(options: &[&str]) -> Output {
    let mut command = program(&["check", "--seed", "1", "--cases", "2"]);
    command.args(options);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_judged_with_a_program_as_its_control() {
    let target = sandbox(Settings { contracts: all_contracts(), ..Settings::default() }).await;
    let piped = Piped::to(&target);
    let output = check(&["zeckta,exotel", "--target", &target, "--control-exec", &piped.command()]).await;
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.lines().last().unwrap().starts_with("conformant: "), "{out}");
    assert!(err.lines().any(|line| line == "control: started \\u{1b}[2J"), "{err}");
    // The program ends with the run, because its input does.
    assert!(piped.answering.join().unwrap() > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_is_found_with_a_program_as_the_control() {
    let faults = vec![Fault::named("no-expiry").unwrap()];
    let target = sandbox(Settings { contracts: contracts(&["d7"]), faults, ..Settings::default() }).await;
    let piped = Piped::to(&target);
    let output =
        check(&["--target", &target, "--control-exec", &piped.command(), "--only", "matrix/expired"]).await;
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("FAIL d7/matrix/expired"), "{out}");
}

/// A file with an executable shell script.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("control.sh");
    std::fs::write(&path, text).unwrap();
    path
}

const DESCRIPTION: &str =
    r#"{"ok": {"protocol": 1, "vendors": ["d7"], "operations": ["tenants", "sessions", "age"]}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_serve_as_a_control_is_one_message() {
    let target = sandbox(Settings { contracts: contracts(&["d7"]), ..Settings::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let dies_later = format!("read -r line\necho '{DESCRIPTION}'\nread -r line\nexit 5\n");
    let refuses =
        "while read -r line\ndo echo '{\"error\": {\"status\": 503, \"message\": \"no database\"}}'\ndone\n";
    let other_version = DESCRIPTION.replace("\"protocol\": 1", "\"protocol\": 2");
    for (text, problem) in [
        (
            "echo 'cannot find the database' >&2\nexit 4\n",
            "does not read and answer requests (request `describe`); it ended with exit status: 4",
        ),
        (
            "echo 'Listening on 8080'\n",
            "answered `Listening on 8080`, which is not JSON (request `describe`)",
        ),
        (refuses, "the control program refused: control description: http 503, no database"),
        (&format!("echo '{other_version}'\ncat > /dev/null\n"), "it speaks version 2 of the protocol"),
        (&dies_later, "does not read and answer requests (request `tenants`); it ended with exit status: 5"),
    ] {
        let path = script(folder.path(), text);
        let command = format!("sh '{}'", path.display());
        let output = check(&["d7", "--target", &target, "--control-exec", &command]).await;
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(3), "{out}{err}");
        assert_eq!(out, "", "{err}");
        assert!(err.contains(problem), "{err}");
        assert_eq!(err.matches("error: ").count(), 1, "{err}");
    }
    let dying = script(folder.path(), "echo 'cannot find the database' >&2\nexit 4\n");
    let command = format!("sh '{}'", dying.display());
    let (_, err) = texts(&check(&["d7", "--target", &target, "--control-exec", &command]).await);
    assert!(err.starts_with("control: cannot find the database\nerror: the control program `sh '"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_dies_during_the_run_is_one_trouble_of_all_later_checks() {
    let target = sandbox(Settings { contracts: contracts(&["d7"]), ..Settings::default() }).await;
    let piped = Piped::to(&target);
    // As many requests as the preflight and a few checks need.
    let some = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do read -r line <&3; printf \"%s\\n\" \"$line\"; done";
    let command = piped.command().replace("cat <&3", &format!("({some})"));
    let output = check(&["d7", "--target", &target, "--control-exec", &command, "--jobs", "1"]).await;
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.matches("does not read and answer requests").count(), 1, "{out}");
    assert!(out.lines().last().unwrap().starts_with("inconclusive: "), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_one_control_and_only_with_a_target() {
    let target = ["--target", "http://127.0.0.1:9"];
    for (options, problem) in [
        (
            &["--control-exec", "x", "--fixtures", "y"][..],
            "error: --control-exec: excludes --fixtures; look at ",
        ),
        (&["--control", "http://x", "--fixtures", "y"], "error: --control: excludes --fixtures; look at "),
        (
            &["--control", "http://x", "--control-exec", "y", "--fixtures", "z"],
            "error: --control: excludes --control-exec and --fixtures; ",
        ),
    ] {
        let options: Vec<_> = target.into_iter().chain(options.iter().copied()).collect();
        let output = check(&options).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(texts(&output).1.contains(problem), "{}", texts(&output).1);
    }
    for option in ["--control-exec", "--fixtures"] {
        let output = check(&[option, "x"]).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(texts(&output).1.contains(&format!("error: {option}: needs a --target")));
    }
}
