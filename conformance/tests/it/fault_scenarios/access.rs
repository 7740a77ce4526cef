//! Scenarios for faults in authentication and methods, and for what responses disclose or lack.

use otp_sandbox::{Access, Leak};
use serde_json::json;

use super::client::{Call, ScenarioClient};
use super::expected::Expected;
use super::situations::{RIGHT, WRONG, spoiled};

pub(super) async fn access(client: &mut ScenarioClient<'_>, access: Access) -> Option<Expected> {
    let call = client.issue(RIGHT, json!({})).await;
    let (name, value) = client.credential(0);
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme.to_owned());
    let call = match access {
        Access::NoCredentials => Call { credentials: Some(Vec::new()), ..call },
        Access::AnyCredentials => Call { credentials: Some(vec![spoiled((name, value))]), ..call },
        Access::EmptyCredentials => {
            let empty = scheme.map(|scheme| format!("{scheme} ")).unwrap_or_default();
            Call { credentials: Some(vec![(name, empty)]), ..call }
        }
        Access::OtherAccount => Call { tenant: 1, ..call },
        Access::SchemeCase => {
            let (scheme, secret) = value.split_once(' ').unwrap();
            let spelled = format!("{} {secret}", scheme.to_lowercase());
            client.send(&Call { credentials: Some(vec![(name, spelled)]), ..call }).await;
            return Some(Expected::Refused);
        }
        Access::OtherMethod => {
            let other = if client.contract.verify().method == "GET" { "POST" } else { "GET" };
            Call { method: Some(other), ..call }
        }
        Access::MethodOverride => {
            let headers = vec![("x-http-method-override", client.contract.verify().method.clone())];
            Call { method: Some("PUT"), headers, ..call }
        }
        _ => return None,
    };
    client.send(&call).await;
    Some(Expected::Approved)
}

pub(super) async fn leak(client: &mut ScenarioClient<'_>, leak: Leak) -> Option<Expected> {
    let call = client.issue(RIGHT, json!({})).await;
    let (call, expected) = match leak {
        Leak::NoChallenge => {
            (Call { credentials: Some(Vec::new()), ..call }, Expected::Lacks("www-authenticate"))
        }
        Leak::NoAllow => (Call { method: Some("PUT"), ..call }, Expected::Lacks("allow: ")),
        Leak::ParserMessage => (call.code("0123!5"), Expected::Contains("serde_json::Error")),
        Leak::Trace => (call.code("0123!5"), Expected::Contains("stack backtrace")),
        Leak::CodeInBody | Leak::CodeInHeader => (call.code(WRONG), Expected::Contains(RIGHT)),
        Leak::Length => (call.code(WRONG), Expected::Contains("expected_length")),
        Leak::Cookie => (call, Expected::Contains("set-cookie: ")),
        Leak::Cacheable => (call, Expected::Contains("max-age")),
        _ => return None,
    };
    client.send(&call).await;
    Some(expected)
}
