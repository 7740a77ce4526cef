//! Servers that are not just a host and a port: behind TLS, a gateway, a Unix socket, or another name.

mod tls_server;

use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use otp_sandbox::{Fault, Settings};
use otp_test_support::{HttpClient, serve_router};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use self::tls_server::{Authority, Issued, NOW, serve_tls};
use crate::served::program;
use crate::suite::{contracts, sandbox};

async fn sandbox_of_d7() -> String {
    sandbox(Settings { contracts: contracts(&["d7"]), ..Settings::default() }).await
}

/// A run of the matrix with these options.
async fn check(options: &[&str]) -> Output {
    check_in(&[], options).await
}

/// The same with variables of the environment.
async fn check_in(variables: &'static [(&str, &str)], options: &[&str]) -> Output {
    let mut command = program(&["check", "d7", "--only", "matrix/*", "--seed", "1"]);
    command.args(options).envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The only message of a run that no server could be judged by.
fn message(output: &Output) -> String {
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(output.stdout.is_empty(), "{err}");
    let lines: Vec<_> = err.lines().filter(|line| !line.starts_with("warning: ")).collect();
    assert_eq!(lines.len(), 1, "{err}");
    lines[0].to_owned()
}

#[track_caller]
fn assert_conformant(output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.lines().last().unwrap().starts_with("conformant: "), "{out}");
}

/// The request headers that a server has received.
type Received = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that forwards every call to `upstream`, keeps the headers, and repeats the gateway's key in every response.
async fn gateway(upstream: &str) -> (String, Received) {
    async fn forward(
        State((upstream, received)): State<(HttpClient, Received)>,
        request: Request,
    ) -> Response {
        let headers = request.headers().clone();
        received.lock().unwrap().push(headers.clone());
        let (mut response, _) = match upstream.hand_on(request).await {
            Ok(handed_on) => handed_on,
            Err(refusal) => return refusal,
        };
        if let Some(key) = headers.get("x-gateway-key") {
            response.headers.insert("x-seen-key", key.clone());
        }
        response.into_response()
    }
    let received = Received::default();
    let state = (HttpClient::new(upstream), Arc::clone(&received));
    (serve_router(Router::new().fallback(forward).with_state(state)).await, received)
}

/// Serves a Unix socket in front of the server at `upstream`.
fn serve_socket(path: &std::path::Path, upstream: &str) {
    let listener = UnixListener::bind(path).unwrap();
    let upstream = upstream.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_an_unknown_authority_is_explained_and_cacert_accepts_it() {
    let authority = Authority::new();
    let sandbox = sandbox_of_d7().await;
    let port = serve_tls(&authority.issue(&["127.0.0.1"], NOW), None, &sandbox).await;
    let url = format!("https://127.0.0.1:{port}");
    let message = message(&check(&["--target", &url]).await);
    assert!(
        message.starts_with(&format!("error: target {url} cannot be called: its certificate ")),
        "{message}"
    );
    assert!(
        message.contains("does not trust") && message.contains("--cacert") && message.contains("--insecure"),
        "{message}"
    );

    let other = Authority::new();
    let message = self::message(&check(&["--target", &url, "--cacert", &other.file()]).await);
    assert!(message.contains("not of an authority in the file of --cacert"), "{message}");

    assert_conformant(&check(&["--target", &url, "--cacert", &authority.file()]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_signs_itself_is_accepted_when_it_is_named() {
    let issued = Issued::by_itself(&["127.0.0.1"]);
    let port = serve_tls(&issued, None, &sandbox_of_d7().await).await;
    let url = format!("https://127.0.0.1:{port}");
    let message = message(&check(&["--target", &url]).await);
    assert!(message.contains("probably signed by itself; name that certificate with --cacert"), "{message}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    std::fs::write(&file, issued.pem()).unwrap();
    assert_conformant(&check(&["--target", &url, "--cacert", file.to_str().unwrap()]).await);
    // Only for the names that it has.
    let named = format!("https://localhost:{port}");
    let message = self::message(&check(&["--target", &named, "--cacert", file.to_str().unwrap()]).await);
    assert!(message.contains("its certificate is not for `localhost` but for 127.0.0.1"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_explained_with_the_date() {
    let authority = Authority::new();
    let sandbox = sandbox_of_d7().await;
    for (years, explanation) in [
        (2019..2021, "its certificate expired on 2021-01-02T00:00:00Z, and now it is 2"),
        (2998..2999, "its certificate is not valid before 2998-01-02T00:00:00Z, and now it is 2"),
    ] {
        let port = serve_tls(&authority.issue(&["127.0.0.1"], years), None, &sandbox).await;
        let url = format!("https://127.0.0.1:{port}");
        let message = message(&check(&["--target", &url, "--cacert", &authority.file()]).await);
        assert!(message.contains(explanation) && message.contains("--insecure"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_name_is_explained_and_resolve_or_host_calls_it_by_its_name() {
    let authority = Authority::new();
    let (gateway, received) = gateway(&sandbox_of_d7().await).await;
    let issued = authority.issue(&["api.example", "*.api.example"], NOW);
    let port = serve_tls(&issued, None, &gateway).await;
    let (file, url) = (authority.file(), format!("https://127.0.0.1:{port}"));
    let message = message(&check(&["--target", &url, "--cacert", &file]).await);
    assert!(
        message.contains("its certificate is not for `127.0.0.1` but for api.example, *.api.example; "),
        "{message}"
    );
    assert!(message.contains("--host") && message.contains("--resolve"), "{message}");
    assert!(received.lock().unwrap().is_empty());

    let named = format!("https://api.example:{port}");
    let resolve = format!("api.example:{port}:127.0.0.1");
    assert_conformant(&check(&["--target", &named, "--resolve", &resolve, "--cacert", &file]).await);
    let hosts = |received: &Received| -> Vec<String> {
        let mut headers = std::mem::take(&mut *received.lock().unwrap());
        headers.drain(..).map(|headers| headers["host"].to_str().unwrap().to_owned()).collect()
    };
    assert!(hosts(&received).iter().all(|host| *host == format!("api.example:{port}")));

    assert_conformant(&check(&["--target", &url, "--host", "v1.api.example", "--cacert", &file]).await);
    let hosts = hosts(&received);
    assert!(hosts.len() > 10 && hosts.iter().all(|host| host == "v1.api.example"), "{hosts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_that_the_server_requires_is_named_in_the_message() {
    let authority = Authority::new();
    let issued = authority.issue(&["127.0.0.1"], NOW);
    let port = serve_tls(&issued, Some(&authority), &sandbox_of_d7().await).await;
    let (file, url) = (authority.file(), format!("https://127.0.0.1:{port}"));
    let options = ["--target", &url, "--cacert", &file];
    let message = message(&check(&options).await);
    assert!(
        message.contains("it requires a client certificate") && message.contains("--cert and --key"),
        "{message}"
    );

    let own = authority.client();
    let own: Vec<_> = options.into_iter().chain(own.iter().map(String::as_str)).collect();
    assert_conformant(&check(&own).await);

    let other = Authority::new();
    let foreign = other.client();
    let foreign: Vec<_> = options.into_iter().chain(foreign.iter().map(String::as_str)).collect();
    let message = self::message(&check(&foreign).await);
    assert!(message.contains("it does not accept the client certificate of --cert"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn insecure_accepts_any_certificate_and_says_so() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue(&["other"], 2001..2002), None, &sandbox_of_d7().await).await;
    let output = check(&["--target", &format!("https://127.0.0.1:{port}"), "--insecure"]).await;
    assert_conformant(&output);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.starts_with("warning: with --insecure, any server can answer in the target's place\n"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_scheme_is_explained() {
    let authority = Authority::new();
    let sandbox = sandbox_of_d7().await;
    let port = serve_tls(&authority.issue(&["127.0.0.1"], NOW), None, &sandbox).await;
    let (plain, encrypted) = (sandbox.replace("http:", "https:"), format!("http://127.0.0.1:{port}"));
    let message = message(&check(&["--target", &plain]).await);
    assert!(
        message.contains("it does not speak TLS; if it speaks plain HTTP, write http:// instead"),
        "{message}"
    );

    let speaks_tls = |message: String, what: &str| {
        let expected = format!(
            "error: {what} {encrypted} cannot be called: it speaks TLS; write https:// instead of http://"
        );
        assert_eq!(message, expected);
    };
    speaks_tls(self::message(&check(&["--target", &encrypted]).await), "control");
    speaks_tls(self::message(&check(&["--target", &encrypted, "--control", &sandbox]).await), "target");
    speaks_tls(self::message(&check(&["--target", &sandbox, "--control", &encrypted]).await), "control");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_the_handshake_is_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let message = message(&check(&["--target", &url]).await);
    assert!(message.contains("it closed the connection during the TLS handshake; "), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_serves_targets_and_the_control() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, received) = gateway(&sandbox_of_d7().await).await;
    let (target, control) = (folder.path().join("app.sock"), folder.path().join("control.sock"));
    serve_socket(&target, &gateway);
    serve_socket(&control, &gateway);
    let target = format!("unix:{}", target.display());
    assert_conformant(&check(&["--target", &target]).await);
    assert_conformant(
        &check(&["--target", &target, "--control", &format!("unix:{}", control.display())]).await,
    );
    assert!(received.lock().unwrap().iter().all(|headers| headers["host"] == "localhost"));

    let missing = format!("unix:{}", folder.path().join("none.sock").display());
    let message = message(&check(&["--target", &missing]).await);
    assert!(message.contains(&format!("target {missing} cannot be reached: No such file")), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_arrives_on_every_request_and_in_no_report() {
    const SECRET: &str = "gateway-s3cret-0123";
    let faults = vec![Fault::named("no-expiry").unwrap()];
    let upstream = sandbox(Settings { contracts: contracts(&["d7"]), faults, ..Settings::default() }).await;
    let (gateway, received) = gateway(&upstream).await;
    let folder = tempfile::tempdir().unwrap();
    let reports = ["json", "junit", "markdown"].map(|format| {
        let path = folder.path().join(format);
        (path.clone(), format!("{format}={}", path.display()))
    });
    let header = format!("X-Gateway-Key: {SECRET}");
    let mut options = vec!["--target", &gateway, "--header", &header];
    for (_, report) in &reports {
        options.extend(["--report", report]);
    }
    let output = check(&options).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let headers = received.lock().unwrap();
    assert!(headers.len() > 10 && headers.iter().all(|headers| headers["x-gateway-key"] == SECRET));
    let mut texts = vec![output.stdout, output.stderr];
    texts.extend(reports.iter().map(|(path, _)| std::fs::read(path).unwrap()));
    let texts: Vec<_> = texts.into_iter().map(|text| String::from_utf8(text).unwrap()).collect();
    assert!(texts.iter().all(|text| !text.contains(SECRET)));
    // The server repeats it in a header of its response, of which the finding shows the name.
    assert!(texts[2].contains("$HEADER_X_GATEWAY_KEY"), "{}", texts[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_and_the_host_go_to_the_targets_and_not_to_a_control_elsewhere() {
    let upstream = sandbox_of_d7().await;
    let (target, at_target) = gateway(&upstream).await;
    let (control, at_control) = gateway(&upstream).await;
    let options =
        ["--target", &target, "--control", &control, "--host", "api.example", "--header", "x-gateway-key: 1"];
    assert_conformant(&check(&options).await);
    let is_called = |headers: &HeaderMap| headers["host"] == "api.example" && headers["x-gateway-key"] == "1";
    assert!(at_target.lock().unwrap().iter().all(is_called));
    let at_control = at_control.lock().unwrap();
    assert!(!at_control.is_empty());
    let own = control.trim_start_matches("http://");
    assert!(
        at_control.iter().all(|headers| headers["host"] == own && !headers.contains_key("x-gateway-key"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_is_used() {
    const PROXIES: &[(&str, &str)] = &[
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("http_proxy", "http://127.0.0.1:9"),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("ALL_PROXY", "http://127.0.0.1:9"),
    ];
    assert_conformant(&check_in(PROXIES, &["--target", &sandbox_of_d7().await]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_option_stands_in_the_environment_and_in_a_file() {
    let authority = Authority::new();
    let (gateway, received) = gateway(&sandbox_of_d7().await).await;
    let port = serve_tls(&authority.issue(&["api.example"], NOW), None, &gateway).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("check.toml");
    let text = format!(
        "target = \"https://127.0.0.1:{port}\"\nheader = [\"x-one: 1\", \"x-two: 2\"]\nhost = \"api.example\"\ncacert = {:?}\n",
        authority.file()
    );
    std::fs::write(&file, text).unwrap();
    assert_conformant(&check(&["--config", file.to_str().unwrap()]).await);
    let both = |headers: &HeaderMap| headers["x-one"] == "1" && headers["x-two"] == "2";
    assert!(std::mem::take(&mut *received.lock().unwrap()).iter().all(both));

    let variables: &[(&str, &str)] =
        &[("OTP_CONFORMANCE_HEADER", "x-one: 3\nx-two: 4"), ("OTP_CONFORMANCE_INSECURE", "yes")];
    assert_conformant(&check_in(variables, &["--target", &format!("https://127.0.0.1:{port}")]).await);
    let both = |headers: &HeaderMap| headers["x-one"] == "3" && headers["x-two"] == "4";
    assert!(received.lock().unwrap().iter().all(both));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_option_that_cannot_be_used_is_one_message_without_its_secrets() {
    let authority = Authority::new();
    let (file, key) = (authority.file(), authority.path("client.key").display().to_string());
    let client = authority.client();
    let other = Authority::new();
    other.client();
    let other_key = other.path("client.key").display().to_string();
    let sandbox = sandbox_of_d7().await;
    let cases: &[(&[&str], &str)] = &[
        (&["--header", "s3cret"], "--header: a value has no colon; the form is NAME: VALUE"),
        (&["--header", "host: s3cret"], "--header: the header `host` has an option of its own, --host"),
        (&["--header", "authorization: s3cret"], "--header: `authorization` carries the credentials of d7"),
        (&["--host", "a b"], "--host: `a b` is not a host name"),
        (&["--resolve", "a:1"], "--resolve: `a:1` does not have the form HOST:PORT:ADDRESS"),
        (&["--cacert", "/no/such/file"], "--cacert: cannot read /no/such/file: No such file"),
        (&["--cacert", &key], "client.key has no certificate in PEM"),
        (
            &["--cacert", &file, "--insecure"],
            "--insecure: it accepts any certificate, so that --cacert has no effect",
        ),
        (&["--cert", &client[1]], "client.pem has no private key in PEM"),
        (&["--cert", &client[1], "--key", &other_key], "client.key belongs to another certificate"),
        (&["--key", &key], "--key: needs the certificate to which the key belongs, --cert"),
    ];
    for (options, problem) in cases {
        let options: Vec<_> = options.iter().copied().chain(["--target", &sandbox]).collect();
        let output = check(&options).await;
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}: {err}");
        assert!(err.contains(problem) && !err.contains("s3cret"), "{options:?}: {err}");
    }
    let embedded = check(&["--header", "x: y"]).await;
    assert!(String::from_utf8(embedded.stderr).unwrap().contains("--header: needs a --target"));
}
