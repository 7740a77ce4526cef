//! Thousands of connections to one server. A test program of its own, because it needs most of the file descriptors that a
//! process may have.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A process that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ten_thousand_connections_use_bounded_memory_and_are_released() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    const COUNT: usize = 10_000;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_otp-conformance"))
        .args(["serve", "d7", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let served = Served(child);
    let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let expect_healthy = |connection: &mut TcpStream| {
        connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut response = [0; 15];
        connection.read_exact(&mut response).unwrap();
        assert_eq!(&response, b"HTTP/1.1 200 OK");
    };
    let mut held = Vec::with_capacity(COUNT);
    for number in 1..=COUNT {
        held.push(TcpStream::connect(&address).unwrap());
        // A response shows that the server has accepted this connection and all earlier ones, so that the backlog of the
        // system never overflows.
        if number % 500 == 0 {
            expect_healthy(&mut held[number - 1]);
        }
    }
    held.iter_mut().step_by(100).for_each(expect_healthy);
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.0.id())).unwrap();
    let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kibibytes: usize = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kibibytes < 40 * COUNT, "{kibibytes} KiB for {COUNT} connections");
    drop(held);
    expect_healthy(&mut TcpStream::connect(&address).unwrap());
}
