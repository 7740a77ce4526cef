//! A minimal axum server for verify calls: it parses the JSON and responds with a constant. `cargo xtask bench sandbox`
//! compares the sandbox's throughput with it.

#![expect(clippy::print_stdout, reason = "the address is the output")]

use std::error::Error;

use axum::Router;
use axum::body::Bytes;
use axum::response::IntoResponse;
use axum::routing::post;
use http::{StatusCode, header};
use serde::Deserialize;

#[derive(Deserialize)]
struct Verify {
    #[serde(rename = "OTP")]
    otp: String,
}

async fn verify(body: Bytes) -> impl IntoResponse {
    // The response is as long as the sandbox's response to a wrong code.
    let read = serde_json::from_slice::<Verify>(&body).is_ok_and(|verify| !verify.otp.is_empty());
    let status = if read { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, r#"{"code":1211,"message":"Invalid OTP — the code entered is incorrect"}"#)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = "/v2/accounts/{account_sid}/verifications/sms/{verification_id}";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route(path, post(verify))).await?;
    Ok(())
}
