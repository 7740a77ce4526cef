//! As many connections as a machine has room for. In a program of its own: no other test has to share its files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use otp_contract::{Contract, DOCUMENTS};
use otp_sandbox::{Sandbox, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn is_well(connection: &mut TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_are_held_and_let_go() {
    // Both ends of each are in this process.
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let wanted = rustix::process::Rlimit { current: files.maximum, maximum: files.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, wanted).unwrap();
    let most = files.maximum.map_or(u64::MAX, |most| most) / 2 - 200;
    let count = usize::try_from(most).unwrap().min(10_000);
    assert!(count >= 400, "the limit of open files leaves room for {count} connections only");
    let contracts = DOCUMENTS.iter().map(|document| Contract::of_vendor(document.vendor).unwrap()).collect();
    let sandbox = Sandbox::new(Settings { contracts, ..Settings::default() }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(sandbox.serve(listener, std::future::pending()));
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    is_well(&mut TcpStream::connect(address).await.unwrap()).await;
    // Each of them is served, too.
    for connection in held.iter_mut().step_by(count / 100) {
        is_well(connection).await;
    }
    drop(held);
    is_well(&mut TcpStream::connect(address).await.unwrap()).await;
}
