//! Calls with unusual delivery: fragmented, truncated, or from a client that disconnects before the response.
//!
//! Each uses a connection of its own, so that no other check inherits it. Whether the subject processed a call whose
//! response nobody waited for is unknown, and nothing here may assume either.

use std::time::Duration;

use super::{Abort, CheckContext, Masking, Planned, Step, VerifyCall};
use crate::http::{FragmentedBody, HttpError, RawResponse};
use crate::oracle::limited;

/// How long to wait for a subject to finish processing a call whose client is gone.
const SETTLING_TIME: Duration = Duration::from_millis(30);

/// How long the client waits before it disconnects, attempt by attempt: some of it while the subject decides, some before
/// it has read the call. The longest waits come first, because a call that the subject completes after all would hide
/// what the earlier ones undid.
pub(crate) const DISCONNECT_DELAYS: [Duration; 4] =
    [Duration::from_millis(12), Duration::from_millis(6), Duration::from_millis(3), Duration::from_millis(1)];

/// The pause between two fragments of a body: long enough for the subject to read them separately.
const FRAGMENT_PAUSE: Duration = Duration::from_millis(15);

impl CheckContext<'_> {
    /// Sends a call and disconnects after `delay`, whether or not a response arrived.
    pub(crate) async fn send_and_disconnect(
        &mut self,
        call: &VerifyCall<'_>,
        delay: Duration,
    ) -> Result<(), Abort> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        self.requests += 1;
        // Dropping the exchange closes its connection.
        let _ = tokio::time::timeout(delay, self.subject.unpooled.send(&request)).await;
        let request = call.request(target, self.subject.masking);
        self.plan.push(Planned::Opaque);
        self.recording.steps.push(Step::Disconnected { request, seconds: delay.as_secs_f64() });
        tokio::time::sleep(SETTLING_TIME).await;
        Ok(())
    }

    /// Announces a call's whole body, sends all but its last `missing` bytes, and closes the connection.
    pub(crate) async fn send_truncated(
        &mut self,
        call: &VerifyCall<'_>,
        missing: usize,
    ) -> Result<(), Abort> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        let body = request.body.clone().unwrap_or_default();
        let kept = body.len().saturating_sub(missing);
        self.requests += 1;
        let truncated = FragmentedBody::truncated(&body, kept, FRAGMENT_PAUSE);
        let _ = self.subject.unpooled.send_fragmented(&request, truncated).await;
        let mut shown = call.request(target, self.subject.masking);
        if let Some(shown) = &mut shown.body {
            // The name of a masked code has another length than the code; the missing part is the end either way.
            shown.truncate(shown.len().saturating_sub(missing));
        }
        shown.headers.push(("content-length".to_owned(), body.len().to_string()));
        self.plan.push(Planned::Opaque);
        self.recording
            .steps
            .push(Step::Disconnected { request: shown, seconds: FRAGMENT_PAUSE.as_secs_f64() });
        tokio::time::sleep(SETTLING_TIME).await;
        Ok(())
    }

    /// Sends a call with its body in `count` fragments, with the chunked coding or with an announced length. `None` if
    /// the subject refuses a chunked body by closing the connection.
    pub(crate) async fn send_fragmented(
        &mut self,
        call: &VerifyCall<'_>,
        count: usize,
        chunked: bool,
    ) -> Result<Option<RawResponse>, Abort> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        let body = request.body.clone().unwrap_or_default();
        let fragments = match chunked {
            true => FragmentedBody::chunked(&body, count, FRAGMENT_PAUSE),
            false => FragmentedBody::with_length(&body, count, FRAGMENT_PAUSE),
        };
        self.requests += 1;
        match self.subject.unpooled.send_fragmented(&request, fragments).await {
            Ok(response) => {
                let mut exchange = self.masked(call, target, &response);
                if chunked {
                    exchange.request.headers.push(("transfer-encoding".to_owned(), "chunked".to_owned()));
                }
                self.plan.push(Planned::Opaque);
                self.recording.steps.push(Step::Exchange(exchange));
                match limited(self.operation, &response) {
                    Some(reason) => Err(Abort::Error(format!("{target}: {}", HttpError::Limited(reason)))),
                    None => Ok(Some(response)),
                }
            }
            Err(error @ HttpError::NotConnected(_)) => {
                Err(Abort::ConnectionLost(format!("{target}: {error}")))
            }
            Err(error @ HttpError::Disconnected(_)) => {
                let description = self.record_unanswered(call, target);
                match chunked {
                    true => Ok(None),
                    false => Err(Abort::NoResponse(format!("{error} ({description}, in fragments)"))),
                }
            }
            Err(error) => Err(Abort::Error(format!("{target}: {error}"))),
        }
    }
}
