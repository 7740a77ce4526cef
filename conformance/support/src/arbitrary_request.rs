//! Sends arbitrary bytes as a request, for the fuzzer and for the tests that replay its corpus.

use std::sync::LazyLock;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use otp_contract::Contract;
use otp_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_service::Service;

use crate::{Tenant, contracts};

/// A sandbox with one session of each vendor, called without a connection.
struct Fixture {
    runtime: Runtime,
    router: axum::Router,
    verify_calls: Vec<VerifyCall>,
}

/// A verify call for the session of one vendor, without a body.
struct VerifyCall {
    method: String,
    path: String,
    header: String,
    credential: String,
}

const CONTROL_PATHS: [&str; 3] =
    ["/_control/v1/tenants", "/_control/v1/sessions", "/_control/v1/sessions/age"];

/// The code of each session. A fuzzer cannot find it by coverage, because no response reveals how close a guess was.
const CODE: &str = "907163";

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let contracts = contracts();
    let settings = Settings { contracts: contracts.clone(), ..Settings::default() };
    let sandbox = Sandbox::new(settings).unwrap();
    let mut router = sandbox.router();
    let verify_calls =
        contracts.iter().map(|contract| prepare(&runtime, &mut router, &sandbox, contract)).collect();
    Fixture { runtime, router, verify_calls }
});

fn prepare(
    runtime: &Runtime,
    router: &mut axum::Router,
    sandbox: &Sandbox,
    contract: &Contract,
) -> VerifyCall {
    let tenant = Tenant::new(&contract.vendor, sandbox.tenant(&contract.vendor).unwrap());
    let body = json!({"vendor": contract.vendor, "tenant": tenant.id(), "code": CODE, "ttl_seconds": 86_400});
    let request = Request::post("/_control/v1/sessions")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let issued = runtime.block_on(async {
        let response = router.call(request).await.unwrap();
        serde_json::from_slice::<Value>(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    });
    let path = tenant.path(contract, issued["session"].as_str().unwrap());
    let (header, credential) = tenant.credential(contract);
    VerifyCall { method: contract.verify().method.clone(), path, header, credential }
}

/// Sends `data` as a request to a vendor or to the control protocol, and asserts that the response is JSON with a
/// status below 500 and no approval. The first byte selects the path, the method and the media type; what follows up to
/// a line feed is appended to the path; the rest is the body.
pub fn check_arbitrary_request(data: &[u8]) {
    let Some((selector, rest)) = data.split_first() else { return };
    let (vendors, control) = (FIXTURE.verify_calls.len(), CONTROL_PATHS.len());
    let target = usize::from(*selector & 0x3f) % (vendors + control);
    let line_feed = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (suffix, body) = rest.split_at(line_feed);
    let Ok(suffix) = std::str::from_utf8(suffix) else { return };
    let body = body.get(1..).unwrap_or_default();
    let (path, method, credential) = match FIXTURE.verify_calls.get(target) {
        Some(call) => (call.path.as_str(), call.method.as_str(), Some((&call.header, &call.credential))),
        None => (CONTROL_PATHS[target - vendors], "POST", None),
    };
    // The HTTP layer refuses other targets before they reach the router.
    let Ok(uri) = format!("{path}{suffix}").parse::<http::Uri>() else { return };
    let mut request = Request::builder()
        .method(if selector & 0x80 == 0 { method } else { "PUT" })
        .uri(uri)
        .header("content-type", if selector & 0x40 == 0 { "application/json" } else { "text/plain" });
    if let Some((header, value)) = credential {
        request = request.header(header, value);
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let mut router = FIXTURE.router.clone();
    let (status, text) = FIXTURE.runtime.block_on(async {
        let response = router.call(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    });
    if credential.is_none() {
        assert!((200..500).contains(&status), "{status} from the control protocol");
        return;
    }
    let response: Value = serde_json::from_slice(&text).expect("a response in JSON");
    assert!(response.is_object(), "{response}");
    let contains_code = data.windows(CODE.len()).any(|window| window == CODE.as_bytes());
    assert!((400..500).contains(&status) || contains_code, "{status} {response}");
}
