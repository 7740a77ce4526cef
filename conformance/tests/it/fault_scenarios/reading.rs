//! Scenarios for misread requests.

use otp_contract::Place;
use otp_sandbox::{Reading as R, Trigger};
use serde_json::json;

use super::client::{Call, Delivery, ScenarioClient};
use super::expected::Expected;
use super::situations::{RIGHT, WRONG, lock, low_limit};

pub(super) async fn play(client: &mut ScenarioClient<'_>, reading: R) -> Option<Expected> {
    let call = client.issue(RIGHT, low_limit()).await;
    let call = match reading {
        R::AsInteger => {
            let signed = client.issue("412345", json!({})).await;
            client.send(&signed.code("+412345")).await;
            call.code("12345")
        }
        R::LeadingZeros => call.code("12345"),
        R::Prefix => call.code("01234"),
        R::TrailingText => call.code("0123456"),
        R::LetterCase => client.issue("aBc123", json!({})).await.code("AbC123"),
        R::Trimmed => call.code(format!("\t {RIGHT}\n")),
        R::TrimmedEnd => call.code(format!("{RIGHT} ")),
        R::Separators => call.code("012-345"),
        R::FullWidth => call.code("０１２３４５"),
        R::UpToNul => call.code("012345\0"),
        R::Number => client.issue("412345", json!({})).await.code(412_345),
        R::List => call.code(json!([WRONG, RIGHT])),
        R::Operator => call.code(json!({"$ne": ""})),
        R::Empty => call.code(""),
        R::Null => call.code(json!(null)),
        R::Missing => Call { code: None, ..call },
        R::EitherOfTwo => twice(client, &call, WRONG, RIGHT),
        R::VerifiedMember => Call { members: vec![("verified", true.into())], ..call.code(WRONG) },
        R::AttemptsMember => {
            lock(client, &call).await;
            Call { members: vec![("attempts", 0.into())], ..call }
        }
        R::Positional => {
            let operation = &client.contract.verify();
            let body = match operation.session.location.place {
                Place::Body => json!([call.session, RIGHT]),
                _ => json!([RIGHT]),
            };
            Call { body: Some(body.to_string().into_bytes()), ..call }
        }
        R::FirstChunk => {
            client.send(&Call { delivery: Delivery::Chunked, ..call }).await;
            return Some(Expected::Refused);
        }
        R::Truncated => {
            client.send(&Call { delivery: Delivery::Truncated, ..call.clone() }).await;
            client.send(&call).await;
            return Some(Expected::Refused);
        }
        R::SessionList => call.session(json!([call.session])),
        R::DropsInvalidUtf8 => {
            let body = with_invalid_byte(&client.body(&call).to_string());
            Call { body: Some(body), ..call }
        }
        R::Crash(trigger) => {
            crash(client, call, trigger).await?;
            return Some(Expected::ServerError);
        }
        _ => return None,
    };
    client.send(&call).await;
    Some(Expected::Approved)
}

fn with_invalid_byte(body: &str) -> Vec<u8> {
    let (before, after) = body.split_at(body.find(RIGHT).unwrap() + 3);
    [before.as_bytes(), b"\xff", after.as_bytes()].concat()
}

/// A call with two codes.
fn twice(client: &ScenarioClient<'_>, call: &Call, first: &str, last: &str) -> Call {
    let name = &client.contract.verify().code.location.name;
    if !client.contract.verify().has_json_body() {
        return Call { query: vec![("otp", last.to_owned())], ..call.code(first) };
    }
    let body = client.body(&call.code(first)).to_string();
    let body = format!("{}, \"{name}\": \"{last}\"}}", body.strip_suffix('}').unwrap());
    Call { body: Some(body.into_bytes()), ..call.clone() }
}

async fn crash(client: &mut ScenarioClient<'_>, call: Call, trigger: Trigger) -> Option<()> {
    let call = match trigger {
        Trigger::Nul => call.code("0123\0x"),
        Trigger::InvalidUtf8 if client.contract.verify().has_json_body() => {
            let body = with_invalid_byte(&client.body(&call).to_string());
            Call { body: Some(body), ..call }
        }
        Trigger::InvalidUtf8 => Call { query: vec![("minutes_valid", "%ff".to_owned())], ..call },
        Trigger::NotAnObject => Call { body: Some(b"[]".to_vec()), ..call },
        Trigger::LongCode => call.code("1".repeat(100)),
        Trigger::OutOfBounds => Call { query: vec![("retry_attempts", "99".to_owned())], ..call },
        Trigger::Compressed => Call { headers: vec![("content-encoding", "gzip".to_owned())], ..call },
        Trigger::NotText => call.code(json!([RIGHT])),
        _ => return None,
    };
    client.send(&call).await;
    Some(())
}
