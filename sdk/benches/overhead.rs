//! What a verify call costs beside the same call by hand: CPU time of the calling thread, and allocations of the process.
//! `cargo xtask bench sdk` runs it. It asserts nothing of its figures.
//!
//! The server answers from a buffer and allocates nothing, on a thread of its own, so what is counted is the clients'.
//! All of it runs on one core: to wake a server on another one costs the caller more than the call itself, and whether it
//! has to is up to where the system happens to have put the connections.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints what it measured, or stops"
)]

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
struct Answer {
    success: bool,
    #[expect(dead_code, reason = "whoever writes the type by hand writes down what the document has")]
    message: String,
    data: Verification,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    session_id: String,
    status: String,
    verified: bool,
    #[expect(dead_code, reason = "whoever writes the type by hand writes down what the document has")]
    message: String,
}

/// The call as it would be written by hand, with the same safety: it checks what it should.
async fn bare(http: &reqwest::Client, url: &str) -> bool {
    let request = Request { session_id: SESSION, code: CODE };
    let response = http.post(url).bearer_auth(KEY).json(&request).send().await.unwrap();
    let ok = response.status() == 200;
    let answer: Answer = response.json().await.unwrap();
    let data = answer.data;
    ok && answer.success && data.verified && data.status == "APPROVED" && data.session_id == SESSION
}

async fn sdk(client: &zeckta::Client) -> bool {
    client.verify(SESSION, Code::new(CODE)).await.is_ok()
}

/// The cost of a call: nanoseconds of CPU, and allocations, each as a mean over a round.
struct Cost {
    nanoseconds: f64,
    allocations: f64,
}

fn measured(calls: impl FnOnce()) -> Cost {
    let (region, start) = (Region::new(ALLOCATOR), ThreadTime::now());
    calls();
    let (time, stats) = (start.elapsed(), region.change());
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = |total: f64| total / CALLS as f64;
    #[expect(clippy::cast_precision_loss, reason = "less than the mantissa holds")]
    let allocations = (stats.allocations + stats.reallocations) as f64;
    Cost { nanoseconds: mean(time.as_secs_f64() * 1e9), allocations: mean(allocations) }
}

fn main() {
    stay();
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
        measured(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    assert!(bare(&http, &url).await);
                }
            });
        })
    };
    let by_sdk = || {
        measured(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    assert!(sdk(&client).await);
                }
            });
        })
    };
    // Once each, so that connections and tables are there.
    let _ = (by_hand(), by_sdk());
    let (mut ratios, mut bare, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // In turns, and each first as often as the other.
        let (hand, sdk) = if round % 2 == 0 {
            let hand = by_hand();
            (hand, by_sdk())
        } else {
            let sdk = by_sdk();
            (by_hand(), sdk)
        };
        ratios.push(sdk.nanoseconds / hand.nanoseconds);
        bare.push(hand);
        ours.push(sdk);
    }
    let median_of = |costs: &[Cost], property: fn(&Cost) -> f64| median(costs.iter().map(property).collect());
    println!(
        "cpu time     {:.1} µs by hand, {:.1} µs by the client: {:.3} times (median of {ROUNDS} rounds of {CALLS} calls)",
        median_of(&bare, |cost| cost.nanoseconds) / 1e3,
        median_of(&ours, |cost| cost.nanoseconds) / 1e3,
        median(ratios),
    );
    let (by_hand, by_client) =
        (median_of(&bare, |cost| cost.allocations), median_of(&ours, |cost| cost.allocations));
    println!(
        "allocations  {by_hand:.1} by hand, {by_client:.1} by the client: {:+.1} a call",
        by_client - by_hand
    );
}

/// Keeps this thread, and those that it starts, on the core on which it is.
#[cfg(target_os = "linux")]
fn stay() {
    let mut here = nix::sched::CpuSet::new();
    here.set(nix::sched::sched_getcpu().unwrap()).unwrap();
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &here).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn stay() {
    println!("not kept on one core: the figures depend on where the system puts the server");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Starts a server that approves whatever arrives.
fn serve() -> std::net::SocketAddr {
    let body = format!(
        r#"{{"success":true,"message":"OTP verification successful","data":{{"sessionId":"{SESSION}","status":"APPROVED","verified":true,"message":"OTP verified successfully"}}}}"#
    );
    let length = body.len();
    let answer: &'static str = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_boxed_str(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            std::thread::spawn(move || answer_all(connection.unwrap(), answer));
        }
    });
    address
}

/// Answers each request of a connection. A request is over with the brace that ends its body, which is small and comes
/// with the head or right after it.
fn answer_all(mut connection: TcpStream, answer: &str) {
    connection.set_nodelay(true).unwrap();
    let mut buffer = [0; 8192];
    while let Ok(read) = connection.read(&mut buffer) {
        if read == 0 {
            return;
        }
        if buffer[..read].ends_with(b"}") && connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
