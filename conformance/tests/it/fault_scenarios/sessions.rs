//! Scenarios for wrong decisions about one session.

use otp_contract::Outcome;
use otp_sandbox::SessionDefect as D;
use serde_json::json;

use super::client::{Call, ScenarioClient};
use super::expected::Expected;
use super::situations::{LIMIT, RIGHT, UNKNOWN_SESSION, WRONG, lock, low_limit};

pub(super) async fn play(client: &mut ScenarioClient<'_>, defect: D) -> Option<Expected> {
    let lifetime = client.contract.policy.lifetime.seconds;
    let call = client.issue(RIGHT, low_limit()).await;
    let expected = match defect {
        D::Reuse | D::ReuseAtOnce => {
            client.send(&call).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::ReuseBySpelling => {
            client.send(&call).await;
            client.send(&call.code(format!("{RIGHT} "))).await;
            Expected::Approved
        }
        D::UseForgotten => {
            client.send(&call).await;
            client.age(&call, lifetime + 1).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::UsePerConnection => {
            let call = Call { on_new_connection: true, ..call };
            client.send(&call).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::UsePerReplica => {
            client.send(&call).await;
            client.send(&Call { to_other_replica: true, ..call }).await;
            Expected::Approved
        }
        D::NoLimit | D::LimitHigh | D::CountLost | D::CountHalf | D::LockOpens => {
            lock(client, &call).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::LimitLow => {
            client.send(&call.code(WRONG)).await;
            client.send(&call.code(WRONG)).await;
            client.send(&call).await;
            Expected::Refused
        }
        D::CountDistinct => {
            for _ in 0..LIMIT {
                client.send(&call.code(WRONG)).await;
            }
            client.send(&call).await;
            Expected::Approved
        }
        D::ComparedFirst(outcome) | D::Misreported(outcome, _) => {
            reach(client, &call, outcome).await;
            let call = match outcome {
                Outcome::UnknownSession => call.session(UNKNOWN_SESSION),
                _ => call,
            };
            client.send(&call).await;
            client.send(&call.code(WRONG)).await;
            Expected::Different
        }
        _ => return play_on_policy(client, defect, call).await,
    };
    Some(expected)
}

/// Scenarios about lifetimes, overrides and lockout.
async fn play_on_policy(client: &mut ScenarioClient<'_>, defect: D, call: Call) -> Option<Expected> {
    let lifetime = client.contract.policy.lifetime.seconds;
    let expected = match defect {
        D::NoExpiry | D::ExpiryLate | D::ExpiryForWrongOnly => {
            client.age(&call, lifetime).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::ExpiryEarly => {
            client.age(&call, lifetime * 95 / 100).await;
            client.send(&call).await;
            Expected::Refused
        }
        D::ExpiryExtended => {
            client.age(&call, lifetime - 5).await;
            client.send(&call.code(WRONG)).await;
            client.age(&call, 10).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::LimitRevives => {
            lock(client, &call).await;
            client.send(&Call { query: vec![("retry_attempts", "10".to_owned())], ..call }).await;
            Expected::Approved
        }
        D::LifetimeRevives => {
            let call = client.issue(RIGHT, json!({"ttl_seconds": 180})).await;
            client.age(&call, 200).await;
            client.send(&Call { query: vec![("minutes_valid", "20".to_owned())], ..call }).await;
            Expected::Approved
        }
        D::RetryRevives => {
            client.send(&Call { retry: false, ..call.code(WRONG) }).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::LockExtended => {
            lock(client, &call).await;
            client.age(&call, 3_600).await;
            client.send(&call).await;
            Expected::Different
        }
        D::RemainingHigh | D::RemainingStuck => {
            client.send(&call.code(WRONG)).await;
            client.send(&call.code(WRONG)).await;
            Expected::Different
        }
        _ => return None,
    };
    Some(expected)
}

/// Brings the session into the state with this outcome.
async fn reach(client: &mut ScenarioClient<'_>, call: &Call, outcome: Outcome) {
    match outcome {
        Outcome::AttemptsExhausted => lock(client, call).await,
        Outcome::AlreadyUsed => client.send(call).await,
        Outcome::Expired => client.age(call, client.contract.policy.lifetime.seconds).await,
        _ => {}
    }
}
