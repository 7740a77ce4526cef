//! Error responses: whatever is wrong with a request, the response has the vendor's JSON format and the header fields
//! that HTTP requires.

use otp_contract::{Contract, Scheme};
use otp_test_support::{Response, Tenant, TestServer, contracts};
use serde_json::{Value, json};

/// Asserts that the response is JSON in the vendor's format: with top-level members of documented responses only.
fn assert_vendor_format(contract: &Contract, what: &str, response: &Response) {
    let vendor = &contract.vendor;
    assert_eq!(response.headers["content-type"], "application/json", "{vendor} {what}");
    assert_eq!(response.headers["cache-control"], "no-store", "{vendor} {what}");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let body = response.json();
    let shape = names(&body);
    assert!(!shape.is_empty());
    let known: Vec<_> = contract.verify().cells.iter().flat_map(|cell| names(&cell.body)).collect();
    assert!(shape.iter().all(|name| known.contains(name)), "{vendor} {what}: {body}");
}

/// A tenant, and the path and headers of a well-formed call.
async fn well_formed_call(
    server: &TestServer,
    contract: &Contract,
) -> (Tenant, String, Vec<(String, String)>) {
    let tenant = server.tenant(&contract.vendor).await;
    let session = server.session(&tenant, "123456", json!({})).await;
    let path = tenant.path(contract, &session);
    let headers =
        vec![tenant.credential(contract), ("content-type".to_owned(), "application/json".to_owned())];
    (tenant, path, headers)
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn a_caller_without_valid_credentials_gets_401_with_a_challenge() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        let (tenant, path, _) = well_formed_call(&server, &contract).await;
        let method = &contract.verify().method;
        let (header, value) = tenant.credential(&contract);
        let invalid = format!("{value}x");
        let other_scheme = value.replace("Bearer ", "Digest ").replace("Basic ", "Digest ");
        let mut wrong = vec![vec![], vec![(header.as_str(), invalid.as_str())], vec![(header.as_str(), "")]];
        if other_scheme != value {
            wrong.push(vec![(header.as_str(), other_scheme.as_str())]);
        }
        // The valid credential twice, which two readers could interpret differently.
        wrong.push(vec![(header.as_str(), value.as_str()), (header.as_str(), value.as_str())]);
        for headers in wrong {
            let response = server.send(method, &path, &headers, b"{}").await;
            assert_eq!(response.status, 401, "{} {headers:?}", contract.vendor);
            assert_vendor_format(&contract, "401", &response);
            let challenges = response.headers.get_all("www-authenticate").iter().count();
            assert_eq!(challenges, contract.verify().security.len(), "{}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn scheme_names_are_case_insensitive() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        if contract.verify().security.iter().any(|scheme| matches!(scheme.scheme, Scheme::ApiKey { .. })) {
            continue;
        }
        let (tenant, path, _) = well_formed_call(&server, &contract).await;
        let (header, value) = tenant.credential(&contract);
        let (scheme, secret) = value.split_once(' ').unwrap();
        for scheme in [scheme.to_lowercase(), scheme.to_uppercase()] {
            let value = format!("{scheme} {secret}");
            let response = server.send(&contract.verify().method, &path, &[(&header, &value)], b"").await;
            assert_ne!(response.status, 401, "{} {scheme}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn each_security_scheme_authenticates_a_tenant() {
    use base64::Engine;
    let server = TestServer::start_default().await;
    let contract = Contract::of_vendor("dailystory").unwrap();
    let (tenant, path, _) = well_formed_call(&server, &contract).await;
    let basic = &tenant.json()["credentials"]["basicAuth"];
    let pair = format!("{}:{}", basic["username"].as_str().unwrap(), basic["password"].as_str().unwrap());
    let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let response = server.send("GET", &format!("{path}?otp=123456"), &[("authorization", &value)], b"").await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn the_path_of_another_account_is_refused_like_an_unknown_one() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| !contract.verify().accounts.is_empty()) {
        let (_, foreign, _) = well_formed_call(&server, &contract).await;
        let (_, own, headers) = well_formed_call(&server, &contract).await;
        let name = &contract.verify().accounts[0].name;
        let unknown = contract
            .verify()
            .path
            .fill(|parameter| if parameter == name { "nobody".to_owned() } else { "x".to_owned() });
        let method = &contract.verify().method;
        let foreign = server.send(method, &foreign, &borrowed(&headers), b"{}").await;
        let unknown = server.send(method, &unknown, &borrowed(&headers), b"{}").await;
        assert_eq!((foreign.status, unknown.status), (401, 401), "{}", contract.vendor);
        assert_eq!(foreign.body, unknown.body);
        assert_ne!(server.send(method, &own, &borrowed(&headers), b"{}").await.status, 401);
    }
}

#[tokio::test]
async fn another_method_gets_405_with_the_allowed_one() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        let (_, path, headers) = well_formed_call(&server, &contract).await;
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            if method == contract.verify().method {
                continue;
            }
            let response = server.send(method, &path, &borrowed(&headers), b"{}").await;
            assert_eq!(response.status, 405, "{} {method}", contract.vendor);
            assert_eq!(response.headers["allow"], contract.verify().method.as_str());
            assert_vendor_format(&contract, method, &response);
        }
    }
}

#[tokio::test]
async fn another_media_type_gets_415() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_json_body()) {
        let (_, path, headers) = well_formed_call(&server, &contract).await;
        let method = &contract.verify().method;
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "json",
            "",
        ] {
            let headers = [(headers[0].0.as_str(), headers[0].1.as_str()), ("content-type", kind)];
            let response = server.send(method, &path, &headers, b"{}").await;
            assert_eq!(response.status, 415, "{} {kind}", contract.vendor);
            assert_vendor_format(&contract, kind, &response);
        }
        let packed = [
            (headers[0].0.as_str(), headers[0].1.as_str()),
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        assert_eq!(server.send(method, &path, &packed, b"{}").await.status, 415);
        for kind in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            let headers = [(headers[0].0.as_str(), headers[0].1.as_str()), ("content-type", kind)];
            assert_ne!(server.send(method, &path, &headers, b"{}").await.status, 415, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_body_of_more_than_16_kib_gets_413() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_json_body()) {
        let (_, path, headers) = well_formed_call(&server, &contract).await;
        let body = json!({"padding": "x".repeat(17 * 1024)}).to_string();
        let response = server.send("POST", &path, &borrowed(&headers), body.as_bytes()).await;
        assert_eq!(response.status, 413, "{}", contract.vendor);
        assert_vendor_format(&contract, "413", &response);
    }
}

#[tokio::test]
async fn an_unknown_path_gets_404_in_the_format_of_the_nearest_vendor() {
    let server = TestServer::start_default().await;
    for contract in contracts() {
        let (_, path, headers) = well_formed_call(&server, &contract).await;
        for path in [format!("{path}/"), format!("{path}/more"), format!("{path}x/y/z")] {
            let response = server.send(&contract.verify().method, &path, &borrowed(&headers), b"{}").await;
            assert_eq!(response.status, 404, "{path}");
            assert_vendor_format(&contract, &path, &response);
        }
    }
    assert_eq!(server.send("GET", "/", &[], b"").await.status, 404);
}

#[tokio::test]
async fn a_malformed_request_is_refused_and_spends_no_attempt() {
    let server = TestServer::start_default().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_json_body()) {
        let tenant = server.tenant(&contract.vendor).await;
        let options = json!({"max_attempts": 1});
        let session = server.session(&tenant, "123456", options).await;
        let path = tenant.path(&contract, &session);
        let (header, value) = tenant.credential(&contract);
        let headers = [(header.as_str(), value.as_str()), ("content-type", "application/json")];
        let code = &contract.verify().code.location.name;
        let id = &contract.verify().session.location.name;
        let bodies = [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            format!("[\"{session}\", \"654321\"]"),
            "{".to_owned(),
            format!("{{\"{id}\": \"{session}\", \"{code}\": 654321}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": null}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": [\"654321\"]}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": {{\"$ne\": \"\"}}}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \"\"}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \" 123456\"}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \"１２３４５６\"}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \"12\\u00003456\"}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \"654321\", \"{code}\": \"123456\"}}"),
            format!("{{\"{id}\": \"{session}\", \"{code}\": \"123456\"}} trailing"),
        ];
        for body in &bodies {
            let response = server.send("POST", &path, &headers, body.as_bytes()).await;
            assert!(
                (400..=422).contains(&response.status),
                "{} {body}: {}",
                contract.vendor,
                response.status
            );
            assert_vendor_format(&contract, body, &response);
        }
        let response = server.verify(&contract, &tenant, &session, "123456").await;
        assert_eq!(response.status, 200, "{} after malformed requests", contract.vendor);
    }
}

#[tokio::test]
async fn query_parameters_that_are_repeated_or_out_of_bounds_are_refused_and_spend_no_attempt() {
    let server = TestServer::start_default().await;
    let contract = Contract::of_vendor("dailystory").unwrap();
    let (_, path, headers) = well_formed_call(&server, &contract).await;
    for query in [
        "",
        "otp=",
        "otp=12345a",
        "otp=123",
        "otp=654321&otp=123456",
        "otp=654321&retry_attempts=0",
        "otp=654321&retry_attempts=11",
        "otp=654321&minutes_valid=2",
        "otp=654321&minutes_valid=21",
        "otp=654321&minutes_valid=5.0",
        "otp=654321&allow_retry=yes",
        "otp=654321&allow_retry=true&allow_retry=false",
        "otp=%ff",
    ] {
        let response = server.send("GET", &format!("{path}?{query}"), &borrowed(&headers), b"").await;
        assert_eq!(response.status, 400, "{query}");
        assert_vendor_format(&contract, query, &response);
    }
    // Without allow_retry, a single wrong code would have ended the session.
    let response = server.send("GET", &format!("{path}?otp=123456"), &borrowed(&headers), b"").await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn a_documented_variant_of_the_path_is_served_as_well() {
    let server = TestServer::start_default().await;
    let contract = Contract::of_vendor("d7").unwrap();
    let tenant = server.tenant("d7").await;
    let session = server.session(&tenant, "123456", json!({})).await;
    let (header, value) = tenant.credential(&contract);
    let headers = [(header.as_str(), value.as_str()), ("content-type", "application/json")];
    let body = json!({"otp_id": session, "otp_code": "123456"}).to_string();
    assert_eq!(contract.verify().path_variants.len(), 1);
    let path = contract.verify().path_variants[0].path.to_string();
    let response = server.send("POST", &path, &headers, body.as_bytes()).await;
    assert_eq!((response.status, response.json()), (200, json!({"status": "APPROVED"})));
}
