//! Overhead of a verify call compared with a hand-written call: CPU time of the calling thread, and allocations of the
//! process. `cargo xtask bench sdk` runs it. It asserts nothing about the results.
//!
//! The server runs on a thread of its own and allocates nothing, so only the clients' allocations are counted. All
//! threads run on one core, because waking a server on another core costs more than the call itself and depends on the
//! scheduler.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results or panics")]

use std::alloc::System;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use cpu_time::ThreadTime;
use otp_verify::{Code, zeckta};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SESSION: &str = "feab6011-2469-4804-ace5-ee9dcb5b9ef2";
const CODE: &str = "123456";
const KEY: &str = "an-api-key-of-a-usual-length-0123456789";
const CALLS: usize = 200;
const ROUNDS: usize = 301;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    session_id: &'a str,
    code: &'a str,
}

#[derive(Deserialize)]
struct Response {
    success: bool,
    #[expect(dead_code, reason = "a hand-written type has all members in the document")]
    message: String,
    data: Verification,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    session_id: String,
    status: String,
    verified: bool,
    #[expect(dead_code, reason = "a hand-written type has all members in the document")]
    message: String,
}

/// A hand-written call that checks the same signals.
async fn hand_written(http: &reqwest::Client, url: &str) -> bool {
    let request = Request { session_id: SESSION, code: CODE };
    let response = http.post(url).bearer_auth(KEY).json(&request).send().await.unwrap();
    let ok = response.status() == 200;
    let body: Response = response.json().await.unwrap();
    let data = body.data;
    ok && body.success && data.verified && data.status == "APPROVED" && data.session_id == SESSION
}

async fn generated(client: &zeckta::Client) -> bool {
    client.verify(SESSION, Code::new(CODE)).await.is_ok()
}

/// The cost of a call as the mean of a round.
struct Cost {
    nanoseconds: f64,
    allocations: f64,
}

fn measure(calls: impl FnOnce()) -> Cost {
    let (region, start) = (Region::new(ALLOCATOR), ThreadTime::now());
    calls();
    let (time, stats) = (start.elapsed(), region.change());
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = |total: f64| total / CALLS as f64;
    #[expect(clippy::cast_precision_loss, reason = "fits into the mantissa")]
    let allocations = (stats.allocations + stats.reallocations) as f64;
    Cost { nanoseconds: mean(time.as_secs_f64() * 1e9), allocations: mean(allocations) }
}

fn main() {
    pin_to_core();
    let address = serve();
    let url = format!("http://{address}/v1/messaging/otp/verify");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = zeckta::Client::builder(KEY).base_url(format!("http://{address}")).build().unwrap();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();

    let by_hand = || {
        measure(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    assert!(hand_written(&http, &url).await);
                }
            });
        })
    };
    let by_client = || {
        measure(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    assert!(generated(&client).await);
                }
            });
        })
    };
    // Warms up connections and tables.
    let _ = (by_hand(), by_client());
    let (mut ratios, mut hand_written, mut generated) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Alternates the order, so that neither has an advantage.
        let (hand, client_cost) = if round % 2 == 0 {
            let hand = by_hand();
            (hand, by_client())
        } else {
            let client_cost = by_client();
            (by_hand(), client_cost)
        };
        ratios.push(client_cost.nanoseconds / hand.nanoseconds);
        hand_written.push(hand);
        generated.push(client_cost);
    }
    let median_of = |costs: &[Cost], property: fn(&Cost) -> f64| median(costs.iter().map(property).collect());
    println!(
        "cpu time     {:.1} µs by hand, {:.1} µs by the client: {:.3} times (median of {ROUNDS} rounds of {CALLS} calls)",
        median_of(&hand_written, |cost| cost.nanoseconds) / 1e3,
        median_of(&generated, |cost| cost.nanoseconds) / 1e3,
        median(ratios),
    );
    let (by_hand, by_client) =
        (median_of(&hand_written, |cost| cost.allocations), median_of(&generated, |cost| cost.allocations));
    println!(
        "allocations  {by_hand:.1} by hand, {by_client:.1} by the client: {:+.1} a call",
        by_client - by_hand
    );
}

/// Pins this thread, and the threads that it starts, to the current core.
#[cfg(target_os = "linux")]
fn pin_to_core() {
    let mut here = nix::sched::CpuSet::new();
    here.set(nix::sched::sched_getcpu().unwrap()).unwrap();
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &here).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn pin_to_core() {
    println!("not pinned to one core: the results depend on the scheduler");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Starts a server that approves every request.
fn serve() -> std::net::SocketAddr {
    let body = format!(
        r#"{{"success":true,"message":"OTP verification successful","data":{{"sessionId":"{SESSION}","status":"APPROVED","verified":true,"message":"OTP verified successfully"}}}}"#
    );
    let length = body.len();
    let response: &'static str = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_boxed_str(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            std::thread::spawn(move || serve_connection(connection.unwrap(), response));
        }
    });
    address
}

/// Responds to each request of a connection. A request ends with the brace at the end of its body, which is small and
/// arrives with the head or right after it.
fn serve_connection(mut connection: TcpStream, response: &str) {
    connection.set_nodelay(true).unwrap();
    let mut buffer = [0; 8192];
    while let Ok(read) = connection.read(&mut buffer) {
        if read == 0 {
            return;
        }
        if buffer[..read].ends_with(b"}") && connection.write_all(response.as_bytes()).is_err() {
            return;
        }
    }
}
