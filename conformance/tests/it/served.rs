//! The program, and its `serve` command in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// The program, in an environment without options.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otp-conformance"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTP_CONFORMANCE_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// A `serve` process on a free port; it ends with the test.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// The lines that it printed first: its addresses, and then a command for each vendor.
    pub(crate) printed: Vec<String>,
    /// Its log, once it has ended.
    pub(crate) log: std::sync::mpsc::Receiver<String>,
}

impl Served {
    /// Starts it with this number of vendors.
    pub(crate) fn start(arguments: &[&str], vendors: usize) -> Served {
        Served::start_as(program(&["serve", "--listen", "127.0.0.1:0"]).args(arguments), vendors)
    }

    pub(crate) fn start_as(command: &mut Command, vendors: usize) -> Served {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let printed = (0..=vendors).map(|_| lines.next().unwrap().unwrap()).collect();
        let (sender, log) = std::sync::mpsc::channel();
        let mut errors = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            let _ = sender.send(text);
        });
        Served { child, printed, log }
    }

    pub(crate) fn url(&self) -> String {
        let url = self.printed[0].split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        url.trim_end_matches(',').to_owned()
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
