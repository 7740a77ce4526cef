//! A server on a slow network, for `cargo xtask bench suite`: hands every connection on to another server, and every response
//! back after a delay.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Listens on a free port until the program ends.
pub(crate) fn listen(server: SocketAddr, delay: Duration) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || connect(client, server, delay));
        }
    });
    Ok(address)
}

/// Hands on one connection. What goes wrong ends it, and both sides notice.
fn connect(client: TcpStream, server: SocketAddr, delay: Duration) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (requests, responses) = ((client.try_clone()?, server.try_clone()?), (server, client));
    std::thread::spawn(move || hand_on(requests.0, requests.1, Duration::ZERO));
    hand_on(responses.0, responses.1, delay)
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, delay: Duration) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.shutdown(Shutdown::Write);
        }
        // A response of the sandbox arrives in one piece, so this delays each of them once.
        std::thread::sleep(delay);
        to.write_all(&buffer[..read])?;
    }
}
