//! A server in a process of its own on a free port, and the commands that start the examples.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tempfile::TempDir;

/// How long a server may take to print its address.
const START: Duration = Duration::from_secs(60);

/// What to do if something that a server needs is not there.
const ADVICE: &str = "`cargo xtask test` installs what the examples need";

/// The folder of the examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Where `cargo xtask test` installs the packages of this language.
fn installed(language: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/conformance-examples").join(language);
    assert!(folder.join("installed.txt").is_file(), "{} is incomplete: {ADVICE}", folder.display());
    folder.canonicalize().unwrap()
}

/// Python, with the packages of the `FastAPI` example.
pub(crate) fn python() -> Command {
    let mut command = Command::new(installed("python").join("bin").join("python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A new folder with these files, whose JavaScript can import the packages of the Express example.
pub(crate) fn node_folder(files: &[PathBuf]) -> TempDir {
    let folder = TempDir::new_in(installed("node")).unwrap();
    for file in files {
        std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    folder
}

/// A Go command in `folder`, which may neither download anything nor write anything outside the build.
pub(crate) fn go(folder: &Path) -> Command {
    let folder_of_go = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/conformance-examples/go");
    let folder_of_go = std::path::absolute(folder_of_go).unwrap();
    let mut command = Command::new("go");
    command
        .current_dir(folder)
        .envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod -buildvcs=false")])
        .env("GOCACHE", folder_of_go.join("cache"))
        .env("GOPATH", folder_of_go.join("path"));
    command
}

/// Runs a command to its end and expects it to succeed.
pub(crate) fn expect_success(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: {ADVICE}"));
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?} failed:\n{printed}");
}

/// A server that ends with this value, however the test ends.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server that listens on the address in `LISTEN` and prints it.
    pub(crate) fn start(command: &mut Command) -> Server {
        let child = command
            .env("LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: {ADVICE}"));
        let mut server = Server { child, url: String::new() };
        let (sender, lines) = channel();
        read_lines(server.child.stdout.take().unwrap(), sender.clone());
        read_lines(server.child.stderr.take().unwrap(), sender);
        server.url = address(&lines);
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the server ends, so that it can always write.
fn read_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = to.send(line);
        }
    });
}

/// The first address that the server prints.
fn address(lines: &Receiver<String>) -> String {
    let mut printed = String::new();
    loop {
        match lines.recv_timeout(START) {
            Ok(line) => {
                if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                    return url.to_owned();
                }
                printed.push_str(&line);
                printed.push('\n');
            }
            Err(RecvTimeoutError::Timeout) => panic!("the server prints no address, but\n{printed}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended:\n{printed}"),
        }
    }
}
