//! The stubs of `init control` are valid for every vendor, and start as they are. The examples are completed stubs.

use std::path::Path;
use std::process::Command;

use otp_contract::Contract;
use otp_test_support::{HttpClient, serve_router};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, examples, expect_success, go, node_folder, python};

/// The template itself, of which only the limits of a code are to be filled in before it compiles.
#[expect(clippy::unused_async, unused_variables, dead_code, reason = "its functions are to be completed")]
mod axum_stub {
    const __MIN__: usize = 1;
    const __MAX__: usize = 1;

    include!("../../src/cli/init/templates/axum.rs");
}

/// What the program prints.
fn stub(framework: &str, vendor: &str) -> String {
    let arguments = ["init", "control", "--framework", framework, vendor];
    let output = Command::new(env!("CARGO_BIN_EXE_otp-conformance")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with the stub of every vendor, each in a file of its own.
fn stubs(framework: &str, ending: &str) -> (TempDir, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let contracts = Contract::all().unwrap();
    let files = contracts.iter().map(|contract| {
        let file = format!("{}.{ending}", contract.vendor);
        std::fs::write(folder.path().join(&file), stub(framework, &contract.vendor)).unwrap();
        file
    });
    let files = files.collect();
    (folder, files)
}

#[test]
fn a_stub_has_the_names_of_a_contract_of_ones_own() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts/acme.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_otp-conformance"));
    let arguments = ["init", "control", "--framework", "express", "--contract"];
    let stub = String::from_utf8(command.args(arguments).arg(file).output().unwrap().stdout).unwrap();
    for part in [
        r#"parameters: { "tenant": "…" },"#,
        r#"credentials: { "headerKey": {"value": "…"}, "bearerAuth": {"token": "…"} },"#,
        "const VENDOR = 'acme';",
        "'a code has 8 letters and digits'",
    ] {
        assert!(stub.contains(part), "{part} is not in\n{stub}");
    }
}

#[test]
fn without_a_vendor_the_program_names_them() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otp-conformance"));
    let output = command.args(["init", "control", "--framework", "axum"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let expected =
        "error: VENDOR: name one of zeckta, kaleyra, dailystory, exotel, d7, or pass --contract FILE.yaml\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn every_fastapi_stub_compiles() {
    let (folder, files) = stubs("fastapi", "py");
    expect_success(python().args(["-m", "py_compile"]).args(files).current_dir(folder.path()));
}

#[test]
fn every_express_stub_is_valid() {
    let (folder, files) = stubs("express", "mjs");
    for file in files {
        expect_success(Command::new("node").arg("--check").arg(folder.path().join(file)));
    }
}

#[test]
fn every_nethttp_stub_compiles_and_is_formatted() {
    for contract in Contract::all().unwrap() {
        let folder = TempDir::new().unwrap();
        let stub = stub("nethttp", &contract.vendor);
        write(folder.path(), &[("control.go", &stub), ("main.go", GO_MAIN), ("go.mod", GO_MOD)]);
        expect_success(go(folder.path()).args(["vet", "."]));
        let mut gofmt = Command::new("gofmt");
        let output = gofmt.args(["-l", "."]).current_dir(folder.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{}", contract.vendor);
    }
}

#[test]
fn every_axum_stub_is_formatted() {
    let (folder, files) = stubs("axum", "rs");
    for file in files {
        let arguments = ["--edition", "2024", "--check"];
        expect_success(Command::new("rustfmt").args(arguments).arg(folder.path().join(file)));
    }
}

#[test]
fn the_protocol_of_each_example_is_that_of_the_stub() {
    for (framework, vendor, file) in [
        ("fastapi", "zeckta", "control.py"),
        ("express", "kaleyra", "control.mjs"),
        ("nethttp", "d7", "control.go"),
        ("axum", "exotel", "control.rs"),
    ] {
        let protocol = |text: &str| {
            let start = text.find(" The protocol. Nothing below needs a change.\n").unwrap();
            text[start..].to_owned()
        };
        let example = std::fs::read_to_string(examples().join(framework).join(file)).unwrap();
        assert_eq!(protocol(&example), protocol(&stub(framework, vendor)), "{framework}");
    }
}

const PYTHON_MAIN: &str = r#"
import os
import control
import uvicorn
from fastapi import FastAPI
app = FastAPI()
app.mount("/_control", control.app(None))
uvicorn.run(app, port=int(os.environ["LISTEN"].rsplit(":", 1)[1]))
"#;

const NODE_MAIN: &str = r"
import express from 'express';
import { control } from './control.mjs';
const app = express().use('/_control/v1', control(null));
const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
";

const GO_MOD: &str = "module stub\n\ngo 1.19\n";

const GO_MAIN: &str = r#"package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	http.Handle("/_control/", control(nil))
	log.Fatal(http.Serve(listener, nil))
}
"#;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// The stub describes itself, refuses what the protocol refuses, and says what is not implemented.
async fn expect_stub(url: &str, vendor: &str) {
    let http = HttpClient::new(url.to_owned());
    let description = http.send("GET", "/_control/v1", &[], b"").await;
    assert_eq!(description.status, 200);
    let description = description.json();
    assert_eq!(description["protocol"], 1);
    assert_eq!(description["vendors"], json!([vendor]));
    assert_eq!(description["operations"], json!(["tenants", "sessions", "age"]));
    let session = |code: &str| json!({ "vendor": vendor, "tenant": "t1", "code": code });
    let age = |seconds: i32| json!({ "vendor": vendor, "tenant": "t1", "session": "s1", "seconds": seconds });
    let resend = json!({ "vendor": vendor, "tenant": "t1", "code": "1234", "recipient_of": "s1" });
    let calls: [(&str, Value, u16); 10] = [
        ("tenants", json!({ "vendor": vendor }), 501),
        ("tenants", json!({ "vendor": "another" }), 404),
        ("sessions", session("1234"), 501),
        ("sessions", session("?"), 422),
        ("sessions", session("12345678901"), 422),
        ("sessions", resend, 501),
        ("sessions", json!({ "vendor": vendor, "tenant": "t1", "code": 1234 }), 400),
        ("sessions/age", age(1), 501),
        ("sessions/age", age(-1), 400),
        ("sessions/age", json!([]), 400),
    ];
    for (operation, body, expected) in calls {
        let path = format!("/_control/v1/{operation}");
        let headers = [("content-type", "application/json")];
        let response = http.send("POST", &path, &headers, body.to_string().as_bytes()).await;
        assert_eq!(
            response.status,
            expected,
            "{operation} {body}: {}",
            String::from_utf8_lossy(&response.body)
        );
        assert!(
            response.json()["error"].is_string(),
            "{operation} {body}: {}",
            String::from_utf8_lossy(&response.body)
        );
    }
}

#[tokio::test]
async fn the_fastapi_stub_starts_as_it_is() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("control.py", &stub("fastapi", "exotel")), ("main.py", PYTHON_MAIN)]);
    let server = Server::start(python().arg(folder.path().join("main.py")));
    expect_stub(&server.url, "exotel").await;
}

#[tokio::test]
async fn the_express_stub_starts_as_it_is() {
    let folder = node_folder(&[]);
    write(folder.path(), &[("control.mjs", &stub("express", "exotel")), ("main.mjs", NODE_MAIN)]);
    let server = Server::start(Command::new("node").arg(folder.path().join("main.mjs")));
    expect_stub(&server.url, "exotel").await;
}

#[tokio::test]
async fn the_nethttp_stub_starts_as_it_is() {
    let folder = TempDir::new().unwrap();
    let stub = stub("nethttp", "exotel");
    write(folder.path(), &[("control.go", &stub), ("main.go", GO_MAIN), ("go.mod", GO_MOD)]);
    expect_success(go(folder.path()).args(["build", "-o", "server", "."]));
    let server = Server::start(&mut Command::new(folder.path().join("server")));
    expect_stub(&server.url, "exotel").await;
}

#[tokio::test]
async fn the_axum_stub_starts_as_it_is() {
    let url = serve_router(axum_stub::router(())).await;
    let http = HttpClient::new(url);
    let description = http.send("GET", "/_control/v1", &[], b"").await;
    assert_eq!(description.json()["operations"], json!(["tenants", "sessions", "age"]));
    for (operation, body) in [
        ("tenants", json!({ "vendor": "__VENDOR__" })),
        ("sessions", json!({ "vendor": "__VENDOR__", "tenant": "t1", "code": "_" })),
        ("sessions/age", json!({ "vendor": "__VENDOR__", "tenant": "t1", "session": "s1", "seconds": 1 })),
    ] {
        let headers = [("content-type", "application/json")];
        let path = format!("/_control/v1/{operation}");
        let response = http.send("POST", &path, &headers, body.to_string().as_bytes()).await;
        assert_eq!(response.status, 501, "{operation}: {}", String::from_utf8_lossy(&response.body));
    }
}
