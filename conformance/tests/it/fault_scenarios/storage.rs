//! Scenarios for wrong handling of sessions as a whole: races, shared counters, tenants, resends.

use otp_sandbox::{Spelling, StoreDefect as D};
use serde_json::json;

use super::client::{Call, Delivery, ScenarioClient};
use super::expected::Expected;
use super::situations::{LIMIT, RIGHT, WRONG, lock, low_limit};

/// The number of calls in a burst.
const BURST_SIZE: usize = 12;

/// A race has this many bursts to show in, because on a busy machine the calls of one burst may run one after
/// another.
const BURSTS: usize = 8;

pub(super) async fn play(client: &mut ScenarioClient<'_>, defect: D) -> Option<Expected> {
    let call = client.issue(RIGHT, low_limit()).await;
    let expected = match defect {
        D::DisconnectUndoes => {
            client.send(&call).await;
            client.send(&Call { delivery: Delivery::Disconnected, ..call.clone() }).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::UseRace | D::UseRaceWhenBusy => bursts(client, |call| vec![call.clone(); BURST_SIZE]).await,
        D::CountLate | D::CountLateWhenBusy | D::CountOverwritten => {
            let wrong_codes = |call: &Call| {
                (0..BURST_SIZE).map(|attempt| call.code(format!("{:06}", 990_000 + attempt))).collect()
            };
            bursts(client, wrong_codes).await
        }
        D::CountPerConnection => {
            let call = Call { on_new_connection: true, ..call };
            lock(client, &call).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::CountPerReplica => {
            lock(client, &call).await;
            client.send(&Call { to_other_replica: true, ..call }).await;
            Expected::Approved
        }
        D::CountPerForwarded => {
            for attempt in 0..=LIMIT {
                let headers = vec![("x-forwarded-for", format!("192.0.2.{attempt}"))];
                let code = if attempt == LIMIT { RIGHT } else { WRONG };
                client.send(&Call { headers, ..call.code(code) }).await;
            }
            Expected::Approved
        }
        D::CountPerTenant | D::CountPerVendor => {
            let tenant = usize::from(defect == D::CountPerVendor);
            let other = client.issue_for(tenant, RIGHT, low_limit()).await;
            lock(client, &call).await;
            client.send(&other).await;
            Expected::Refused
        }
        D::SuccessResets => {
            let other = client.issue(RIGHT, low_limit()).await;
            for _ in 1..LIMIT {
                client.send(&call.code(WRONG)).await;
            }
            client.send(&other).await;
            client.send(&call.code(WRONG)).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::MalformedResets => {
            for _ in 1..LIMIT {
                client.send(&call.code(WRONG)).await;
            }
            client.send(&call.code("0123!5")).await;
            client.send(&call.code(WRONG)).await;
            client.send(&call).await;
            Expected::Approved
        }
        D::MalformedCounts => {
            for _ in 0..LIMIT {
                client.send(&call.code("0123!5")).await;
            }
            client.send(&call).await;
            Expected::Refused
        }
        D::ResendResets => {
            client.send(&call.code(WRONG)).await;
            client.send(&call.code(WRONG)).await;
            let options = json!({"max_attempts": LIMIT, "recipient_of": call.id()});
            let resent = client.issue("543210", options).await;
            client.send(&resent.code(WRONG)).await;
            client.send(&resent).await;
            Expected::Approved
        }
        D::ResendKeepsOld => {
            client.issue("543210", json!({"recipient_of": call.id()})).await;
            client.send(&call).await;
            Expected::Approved
        }
        _ => return play_on_lookup(client, defect, call).await,
    };
    Some(expected)
}

/// Scenarios about tenants and session ids.
async fn play_on_lookup(client: &mut ScenarioClient<'_>, defect: D, call: Call) -> Option<Expected> {
    let expected = match defect {
        D::ForeignTenant | D::ForeignRevealed | D::ForeignStatus => {
            let stranger = Call { tenant: 1, account: 1, ..call };
            client.send(&stranger.code(WRONG)).await;
            client.send(&stranger).await;
            if defect == D::ForeignTenant { Expected::Approved } else { Expected::Different }
        }
        D::ForeignCounts => {
            lock(client, &Call { tenant: 1, account: 1, ..call.clone() }).await;
            client.send(&call).await;
            Expected::Refused
        }
        D::ForeignConsumes => {
            client.send(&Call { tenant: 1, account: 1, ..call.clone() }).await;
            client.send(&call).await;
            Expected::Refused
        }
        D::SessionSpelling(spelling) => {
            let id = call.id().to_owned();
            let spelled = match spelling {
                Spelling::Space => format!(" {id}"),
                Spelling::Case => id.to_uppercase(),
                Spelling::Hyphens => id.replace('-', ""),
                Spelling::AfterNul => format!("{id}\0x"),
                Spelling::Wildcard => "*".to_owned(),
                _ => return None,
            };
            // Each spelling has its own count, so another spelling is approved although the session is locked.
            if client.contract.policy.attempts.is_some() {
                lock(client, &call).await;
            }
            client.send(&call.session(spelled)).await;
            Expected::Approved
        }
        _ => return None,
    };
    Some(expected)
}

/// Sends several bursts of calls, and counts the responses that differ from that of a session in its final state.
async fn bursts(client: &mut ScenarioClient<'_>, calls: impl Fn(&Call) -> Vec<Call>) -> Expected {
    let mut alive = 0;
    for _ in 0..BURSTS {
        let call = client.issue(RIGHT, low_limit()).await;
        let lines = client.burst(&calls(&call)).await;
        for _ in 0..LIMIT {
            client.send(&call.code(WRONG)).await;
        }
        let dead = client.transcript.last().unwrap();
        alive += lines.iter().filter(|line| *line != dead).count();
    }
    client.transcript.push(format!("{alive} of {}", BURSTS * BURST_SIZE));
    Expected::MoreAlive
}
