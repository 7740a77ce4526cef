//! Any octets as a request, to any dialect and to the control: an answer below 500 in JSON, no approval, and no panic. The
//! first octet chooses where it goes, the method and the media type, a line feed ends what is put behind the path, and the
//! rest is the body. The fuzzer makes octets up; a test plays those that it found worth keeping.

use std::sync::LazyLock;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http_body_util::BodyExt;
use otp_contract::{Contract, Scheme};
use otp_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_service::Service;

struct House {
    runtime: Runtime,
    router: axum::Router,
    doors: Vec<Door>,
}

/// Where a vendor's session is, and what lets a caller in.
struct Door {
    method: String,
    path: String,
    header: String,
    credential: String,
}

/// What the control does, of its own.
const CONTROL: [&str; 3] = ["/_control/v1/tenants", "/_control/v1/sessions", "/_control/v1/sessions/age"];

/// No fuzzer guesses it, for no answer tells how near a guess was.
const CODE: &str = "907163";

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let contracts: Vec<Contract> = Contract::all().unwrap();
    let settings = Settings { contracts: contracts.clone(), ..Settings::default() };
    let sandbox = Sandbox::new(settings).unwrap();
    let mut router = sandbox.router();
    let doors = contracts.iter().map(|contract| door(&runtime, &mut router, &sandbox, contract)).collect();
    House { runtime, router, doors }
});

fn door(runtime: &Runtime, router: &mut axum::Router, sandbox: &Sandbox, contract: &Contract) -> Door {
    let tenant = sandbox.tenant(&contract.vendor).unwrap();
    let wish =
        json!({"vendor": contract.vendor, "tenant": tenant["tenant"], "code": CODE, "ttl_seconds": 86_400});
    let request = Request::post("/_control/v1/sessions")
        .header("content-type", "application/json")
        .body(Body::from(wish.to_string()))
        .unwrap();
    let issued = runtime.block_on(async {
        let answer = router.call(request).await.unwrap();
        serde_json::from_slice::<Value>(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
    });
    let path = contract.verify().path.fill(|name| match tenant["parameters"][name].as_str() {
        Some(account) => account.to_owned(),
        None => issued["session"].as_str().unwrap().to_owned(),
    });
    let scheme = &contract.verify().security[0];
    let credentials = &tenant["credentials"][&scheme.name];
    let (header, credential) = match &scheme.scheme {
        Scheme::Bearer => ("authorization", format!("Bearer {}", credentials["token"].as_str().unwrap())),
        Scheme::Basic => ("authorization", basic(credentials)),
        Scheme::ApiKey { header } => (header.as_str(), credentials["value"].as_str().unwrap().to_owned()),
    };
    Door { method: contract.verify().method.clone(), path, header: header.to_owned(), credential }
}

fn basic(credentials: &Value) -> String {
    let word = |name: &str| credentials[name].as_str().unwrap();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", word("username"), word("password"))))
}

/// Sends `data`, and looks at the answer.
pub(crate) fn play(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let (vendors, control) = (HOUSE.doors.len(), CONTROL.len());
    let place = usize::from(*choice & 0x3f) % (vendors + control);
    let at = rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
    let (suffix, body) = rest.split_at(at);
    let Ok(suffix) = std::str::from_utf8(suffix) else { return };
    let body = body.get(1..).unwrap_or_default();
    let (path, method, credential) = match HOUSE.doors.get(place) {
        Some(door) => (door.path.as_str(), door.method.as_str(), Some((&door.header, &door.credential))),
        None => (CONTROL[place - vendors], "POST", None),
    };
    // What the HTTP layer refuses as a target never comes here.
    let Ok(uri) = format!("{path}{suffix}").parse::<http::Uri>() else { return };
    let mut request = Request::builder()
        .method(if choice & 0x80 == 0 { method } else { "PUT" })
        .uri(uri)
        .header("content-type", if choice & 0x40 == 0 { "application/json" } else { "text/plain" });
    if let Some((header, value)) = credential {
        request = request.header(header, value);
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let mut router = HOUSE.router.clone();
    let (status, text) = HOUSE.runtime.block_on(async {
        let answer = router.call(request).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    });
    if credential.is_none() {
        assert!((200..500).contains(&status), "{status} of the control");
        return;
    }
    let answer: Value = serde_json::from_slice(&text).expect("an answer in JSON");
    assert!(answer.is_object(), "{answer}");
    let guessed = data.windows(CODE.len()).any(|window| window == CODE.as_bytes());
    assert!((400..500).contains(&status) || guessed, "{status} {answer}");
}
