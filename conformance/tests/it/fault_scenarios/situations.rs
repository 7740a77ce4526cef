//! Calls in each documented situation, and what the scenarios share. This module sends calls; it must not know a
//! fault.

use otp_contract::{Mode, Situation};
use serde_json::{Value, json};

use super::client::{Call, ScenarioClient};

/// The leading zero matters to servers that compare numbers.
pub(super) const RIGHT: &str = "012345";
pub(super) const WRONG: &str = "998877";

/// The attempt limit of most scenarios.
pub(super) const LIMIT: u32 = 3;

/// An id that no session has.
pub(super) const UNKNOWN_SESSION: &str = "nobody";

/// The options of a session with [`LIMIT`].
pub(super) fn low_limit() -> Value {
    json!({"max_attempts": LIMIT})
}

/// Sends a call in `situation`, in each mode. Returns the status and the body of each response.
pub(super) async fn bring_about(client: &mut ScenarioClient<'_>, situation: Situation) -> Vec<String> {
    // Some faults need a previous call.
    let earlier = client.issue(RIGHT, json!({})).await;
    client.send(&earlier.code(WRONG)).await;
    let modes: &[Option<Mode>] = match client.contract.policy.overrides.retry {
        Some(_) => &[None, Some(Mode::Retry)],
        None => &[None],
    };
    let mut responses = Vec::new();
    for mode in modes {
        let call = client.issue(RIGHT, low_limit()).await;
        let call = Call { retry: mode.is_some(), ..call };
        let call = match situation {
            Situation::WrongCode => call.code(WRONG),
            Situation::Expired => {
                client.age(&call, client.contract.policy.lifetime.seconds).await;
                call
            }
            Situation::AttemptsExhausted => {
                lock(client, &call).await;
                call
            }
            Situation::AlreadyUsed => {
                client.send(&call).await;
                call
            }
            Situation::UnknownSession => call.session(UNKNOWN_SESSION),
            Situation::MissingSession => call.session(json!(null)),
            Situation::MissingCode => Call { code: None, ..call },
            Situation::MalformedCode => call.code("0123!5"),
            Situation::MalformedBody => Call { body: Some(b"{\"cut short".to_vec()), ..call },
            Situation::MissingCredentials => Call { credentials: Some(Vec::new()), ..call },
            Situation::WrongCredentials => {
                let credentials = Some(vec![spoiled(client.credential(0))]);
                Call { credentials, ..call }
            }
            Situation::ForeignSession => Call { tenant: 1, account: 1, ..call },
            Situation::Approved => call,
        };
        client.send(&call).await;
        responses.push(client.last_status_and_body());
    }
    responses
}

/// Sends as many wrong codes as lock the session.
pub(super) async fn lock(client: &mut ScenarioClient<'_>, call: &Call) {
    for attempt in 0..LIMIT {
        client.send(&call.code(format!("{:06}", 990_000 + attempt))).await;
    }
}

pub(super) fn spoiled((name, value): (String, String)) -> (String, String) {
    (name, format!("{value}x"))
}
