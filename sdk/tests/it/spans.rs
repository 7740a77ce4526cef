//! Spans have the attribute names of OpenTelemetry, and no library logs a secret at any level.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use otp_verify::__private::http::credentials::KeyPlace;
use otp_verify::Code;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::secrets::assert_no_canary;
use crate::vendor_call::{self, ACCOUNT, CODE, SECRET, SESSION, USER, builder_with_key};

/// The logs of all crates at all levels since the first test of this module started.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        // A time may have the digits of the code.
        .without_time()
        .with_writer(log.clone())
        .init();
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines, without those of the mock server, which logs the requests.
    fn lines(&self) -> Vec<String> {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        log.lines().filter(|line| !line.contains(" wiremock")).map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn a_call_is_a_span_with_opentelemetrys_names_and_no_secret() {
    let log = &*LOG;
    // Without a response, the mock server would log the request in lines without its name.
    let server = wiremock::MockServer::start().await;
    let response = wiremock::ResponseTemplate::new(500);
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
    let everything = format!("{SESSION} {CODE} {ACCOUNT} {USER} {SECRET}");
    for contract in vendor_call::contracts() {
        for cell in &contract.verify().cells {
            let mut body = vendor_call::rendered(cell);
            body["leak"] = json!(everything);
            let _ = vendor_call::exchange_json(&contract.vendor, cell.sandbox_status, &body).await;
        }
        let _ = vendor_call::exchange(&contract.vendor, 502, everything.as_bytes(), "text/html").await;
        let timeout = Duration::from_millis(200);
        for (url, session) in
            [("http://127.0.0.1:1", SESSION), ("https://127.0.0.1:1", SESSION), ("http://127.0.0.1:1", "..")]
        {
            let _ = vendor_call::verify_as(&contract.vendor, url, session, CODE, timeout).await;
        }

        let lines = log.lines();
        let spans: Vec<_> = lines.iter().filter(|line| line.contains(" otp_verify: close")).collect();
        let operation = &contract.verify();
        let (method, path) = (&operation.method, operation.path.to_string());
        for part in [
            format!("otel.name={method} {path}"),
            "otel.kind=\"client\"".to_owned(),
            format!("http.request.method=\"{method}\""),
            format!("url.template=\"{path}\""),
            "server.address=\"127.0.0.1\"".to_owned(),
            "server.port=".to_owned(),
            "http.response.status_code=502".to_owned(),
            "error.type=\"undocumented_answer\"".to_owned(),
            "error.type=\"transport\"".to_owned(),
            "otp.outcome=\"approved\"".to_owned(),
            format!("otp.vendor=\"{}\"", contract.vendor),
        ] {
            assert!(spans.iter().any(|span| span.contains(&part)), "{part} is in none of {spans:#?}");
        }
    }
    for (place, url) in [
        (KeyPlace::Query, "http://127.0.0.1:1"),
        (KeyPlace::Query, server.uri().as_str()),
        (KeyPlace::Cookie, server.uri().as_str()),
    ] {
        let builder = builder_with_key(place, "key", Some("App"), SECRET).base_url(url);
        let client = builder.timeout(Duration::from_secs(1)).build().unwrap();
        let _ = client.verify(SESSION, Code::new(CODE)).await;
    }

    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("reqwest") || line.contains("hyper")),
        "the log has no lines of other crates"
    );
    for line in lines {
        assert_no_canary(&line);
    }
}
