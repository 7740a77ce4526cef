//! Whatever is wrong with a request, the answer is the vendor's JSON, and what HTTP asks for besides.

use otp_contract::{Contract, Scheme};
use serde_json::{Value, json};

use crate::house::{Answer, House, Tenant, contracts};

/// Every answer is JSON of the vendor's own shape: it has the top-level members of a documented refusal.
fn assert_vendor_shape(contract: &Contract, what: &str, answer: &Answer) {
    let vendor = &contract.vendor;
    assert_eq!(answer.headers["content-type"], "application/json", "{vendor} {what}");
    assert_eq!(answer.headers["cache-control"], "no-store", "{vendor} {what}");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let body = answer.json();
    let shape = names(&body);
    assert!(!shape.is_empty());
    let known: Vec<_> = contract.verify().cells.iter().flat_map(|cell| names(&cell.body)).collect();
    assert!(shape.iter().all(|name| known.contains(name)), "{vendor} {what}: {body}");
}

async fn proper(house: &House, contract: &Contract) -> (Tenant, String, Vec<(String, String)>) {
    let tenant = house.tenant(&contract.vendor).await;
    let session = house.issue(&tenant, "123456", json!({})).await["session"].as_str().unwrap().to_owned();
    let path = tenant.path(contract, &session);
    let headers = vec![tenant.credential(), ("content-type".to_owned(), "application/json".to_owned())];
    (tenant, path, headers)
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn a_caller_without_good_credentials_gets_401_with_a_challenge() {
    let house = House::clean().await;
    for contract in contracts() {
        let (tenant, path, _) = proper(&house, &contract).await;
        let method = &contract.verify().method;
        let (header, value) = tenant.credential();
        let spoiled = format!("{value}x");
        let other_scheme = value.replace("Bearer ", "Digest ").replace("Basic ", "Digest ");
        let mut wrong = vec![vec![], vec![(header.as_str(), spoiled.as_str())], vec![(header.as_str(), "")]];
        if other_scheme != value {
            wrong.push(vec![(header.as_str(), other_scheme.as_str())]);
        }
        // Twice the right one: who reads the first and who reads the last would disagree.
        wrong.push(vec![(header.as_str(), value.as_str()), (header.as_str(), value.as_str())]);
        for headers in wrong {
            let answer = house.send(method, &path, &headers, b"{}").await;
            assert_eq!(answer.status, 401, "{} {headers:?}", contract.vendor);
            assert_vendor_shape(&contract, "401", &answer);
            let challenges = answer.headers.get_all("www-authenticate").iter().count();
            assert_eq!(challenges, contract.verify().security.len(), "{}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn scheme_names_are_read_in_any_case() {
    let house = House::clean().await;
    for contract in contracts() {
        if contract.verify().security.iter().any(|scheme| matches!(scheme.scheme, Scheme::ApiKey { .. })) {
            continue;
        }
        let (tenant, path, _) = proper(&house, &contract).await;
        let (header, value) = tenant.credential();
        let (scheme, secret) = value.split_once(' ').unwrap();
        for scheme in [scheme.to_lowercase(), scheme.to_uppercase()] {
            let value = format!("{scheme} {secret}");
            let answer = house.send(&contract.verify().method, &path, &[(&header, &value)], b"").await;
            assert_ne!(answer.status, 401, "{} {scheme}", contract.vendor);
        }
    }
}

#[tokio::test]
async fn each_of_a_tenants_schemes_authenticates_it() {
    use base64::Engine;
    let house = House::clean().await;
    let contract = Contract::of_vendor("dailystory").unwrap();
    let (tenant, path, _) = proper(&house, &contract).await;
    let basic = &tenant.made["credentials"]["basicAuth"];
    let pair = format!("{}:{}", basic["username"].as_str().unwrap(), basic["password"].as_str().unwrap());
    let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let answer = house.send("GET", &format!("{path}?otp=123456"), &[("authorization", &value)], b"").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn another_accounts_path_is_refused_like_one_that_is_not_there() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| !contract.verify().accounts.is_empty()) {
        let (_, foreign, _) = proper(&house, &contract).await;
        let (_, own, headers) = proper(&house, &contract).await;
        let name = &contract.verify().accounts[0].name;
        let unknown = contract
            .verify()
            .path
            .fill(|parameter| if parameter == name { "nobody".to_owned() } else { "x".to_owned() });
        let method = &contract.verify().method;
        let foreign = house.send(method, &foreign, &borrowed(&headers), b"{}").await;
        let unknown = house.send(method, &unknown, &borrowed(&headers), b"{}").await;
        assert_eq!((foreign.status, unknown.status), (401, 401), "{}", contract.vendor);
        assert_eq!(foreign.body, unknown.body);
        assert_ne!(house.send(method, &own, &borrowed(&headers), b"{}").await.status, 401);
    }
}

#[tokio::test]
async fn another_method_gets_405_and_is_told_the_right_one() {
    let house = House::clean().await;
    for contract in contracts() {
        let (_, path, headers) = proper(&house, &contract).await;
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            if method == contract.verify().method {
                continue;
            }
            let answer = house.send(method, &path, &borrowed(&headers), b"{}").await;
            assert_eq!(answer.status, 405, "{} {method}", contract.vendor);
            assert_eq!(answer.headers["allow"], contract.verify().method.as_str());
            assert_vendor_shape(&contract, method, &answer);
        }
    }
}

#[tokio::test]
async fn another_media_type_gets_415() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_body) {
        let (_, path, headers) = proper(&house, &contract).await;
        let method = &contract.verify().method;
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-16",
            "json",
            "",
        ] {
            let headers = [(headers[0].0.as_str(), headers[0].1.as_str()), ("content-type", kind)];
            let answer = house.send(method, &path, &headers, b"{}").await;
            assert_eq!(answer.status, 415, "{} {kind}", contract.vendor);
            assert_vendor_shape(&contract, kind, &answer);
        }
        let packed = [
            (headers[0].0.as_str(), headers[0].1.as_str()),
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        assert_eq!(house.send(method, &path, &packed, b"{}").await.status, 415);
        for kind in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            let headers = [(headers[0].0.as_str(), headers[0].1.as_str()), ("content-type", kind)];
            assert_ne!(house.send(method, &path, &headers, b"{}").await.status, 415, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_body_of_more_than_16_kib_gets_413() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_body) {
        let (_, path, headers) = proper(&house, &contract).await;
        let body = json!({"padding": "x".repeat(17 * 1024)}).to_string();
        let answer = house.send("POST", &path, &borrowed(&headers), body.as_bytes()).await;
        assert_eq!(answer.status, 413, "{}", contract.vendor);
        assert_vendor_shape(&contract, "413", &answer);
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_gets_404_in_the_nearest_vendors_shape() {
    let house = House::clean().await;
    for contract in contracts() {
        let (_, path, headers) = proper(&house, &contract).await;
        for path in [format!("{path}/"), format!("{path}/more"), format!("{path}x/y/z")] {
            let answer = house.send(&contract.verify().method, &path, &borrowed(&headers), b"{}").await;
            assert_eq!(answer.status, 404, "{path}");
            assert_vendor_shape(&contract, &path, &answer);
        }
    }
    assert_eq!(house.send("GET", "/", &[], b"").await.status, 404);
}

#[tokio::test]
async fn a_malformed_request_is_refused_and_spends_no_attempt() {
    let house = House::clean().await;
    for contract in contracts().into_iter().filter(|contract| contract.verify().has_body) {
        let tenant = house.tenant(&contract.vendor).await;
        let wishes = json!({"max_attempts": 1});
        let session = house.issue(&tenant, "123456", wishes).await["session"].as_str().unwrap().to_owned();
        let path = tenant.path(&contract, &session);
        let (header, value) = tenant.credential();
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
            let answer = house.send("POST", &path, &headers, body.as_bytes()).await;
            assert!((400..=422).contains(&answer.status), "{} {body}: {}", contract.vendor, answer.status);
            assert_vendor_shape(&contract, body, &answer);
        }
        let answer = house.verify(&contract, &tenant, &session, "123456").await;
        assert_eq!(answer.status, 200, "{} after malformed requests", contract.vendor);
    }
}

#[tokio::test]
async fn query_parameters_out_of_bounds_or_twice_are_refused_and_spend_no_attempt() {
    let house = House::clean().await;
    let contract = Contract::of_vendor("dailystory").unwrap();
    let (_, path, headers) = proper(&house, &contract).await;
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
        let answer = house.send("GET", &format!("{path}?{query}"), &borrowed(&headers), b"").await;
        assert_eq!(answer.status, 400, "{query}");
        assert_vendor_shape(&contract, query, &answer);
    }
    // Without allow_retry a single wrong code would have ended it.
    let answer = house.send("GET", &format!("{path}?otp=123456"), &borrowed(&headers), b"").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_documented_variant_of_the_path_is_served_as_well() {
    let house = House::clean().await;
    let contract = Contract::of_vendor("d7").unwrap();
    let tenant = house.tenant("d7").await;
    let session = house.issue(&tenant, "123456", json!({})).await["session"].as_str().unwrap().to_owned();
    let (header, value) = tenant.credential();
    let headers = [(header.as_str(), value.as_str()), ("content-type", "application/json")];
    let body = json!({"otp_id": session, "otp_code": "123456"}).to_string();
    assert_eq!(contract.verify().path_variants.len(), 1);
    let path = contract.verify().path_variants[0].path.to_string();
    let answer = house.send("POST", &path, &headers, body.as_bytes()).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "APPROVED"})));
}
