//! The embedded sandbox, its faults, and listening sockets.

use std::net::SocketAddr;

use otp_contract::Contract;
use otp_sandbox::{Fault, Sandbox, Settings};
use tokio::net::{TcpListener, TcpSocket};

use crate::error::Failure;

/// Starts the embedded sandbox and returns its addresses. There are several replicas only for a fault that one replica
/// cannot show.
pub(super) async fn start(
    contracts: Vec<Contract>,
    faults: Vec<&'static Fault>,
    prefer: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let replicas = faults.iter().map(|fault| fault.replicas()).max().unwrap_or(1);
    let sandbox = Sandbox::new(Settings { contracts, prefer, faults, ..Settings::default() })?;
    let mut urls = Vec::new();
    for number in 0..replicas {
        let (listener, address) = listen("127.0.0.1:0").await?;
        tokio::spawn(sandbox.replica(number).serve(listener, std::future::pending()));
        urls.push(format!("http://{address}"));
    }
    Ok(urls)
}

/// The faults with these names.
pub(super) fn faults(names: &[String]) -> Result<Vec<&'static Fault>, Failure> {
    names
        .iter()
        .map(|name| {
            Fault::named(name).ok_or_else(|| Failure::Option {
                option: "--fault",
                problem: format!("there is no fault `{name}`; `otp-conformance faults` lists them"),
            })
        })
        .collect()
}

/// How many connections may wait to be accepted: as many as Linux allows by default. A client that finds the queue full
/// tries again after a second, which would distort bursts.
const BACKLOG: u32 = 4_096;

/// Listens on an address; returns the listener and the address that it is bound to.
pub(super) async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed =
        |error: std::io::Error| Failure::Listen { address: address.to_owned(), reason: error.to_string() };
    let resolved = tokio::net::lookup_host(address).await.map_err(failed)?.next();
    let Some(resolved) = resolved else {
        return Err(failed(std::io::Error::other("the name has no address")));
    };
    let socket =
        if resolved.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.map_err(failed)?;
    // A restarted server can bind its port again immediately.
    #[cfg(unix)]
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(resolved).map_err(failed)?;
    let listener = socket.listen(BACKLOG).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
