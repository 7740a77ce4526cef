//! Calls that do not arrive like others: in pieces, broken off before their end, or with nobody left to hear the answer.
//! Each has a connection of its own, for what becomes of that is not another check's. What comes of a call that was not
//! waited for is not known, and nothing here may pretend that it is.

use std::time::Duration;

use crate::call::{Call, Masking};
use crate::journal::Entry;
use crate::pieces::Pieces;
use crate::subject::{Bench, Stop};
use crate::wire::{RawResponse, WireError};

/// How long is waited for what a server still does with a call that it lost.
const SETTLING: Duration = Duration::from_millis(30);

/// How long the caller waits before it hangs up, time after time: some of it while the call is decided, some before the
/// server has read it. The longest come first, for a call that was decided in peace after all would hide what those
/// before it undid.
pub(crate) const LINGERING: [Duration; 4] =
    [Duration::from_millis(12), Duration::from_millis(6), Duration::from_millis(3), Duration::from_millis(1)];

/// Between two pieces of a body: long enough for them to be read apart, far too short to be slow.
const PAUSE: Duration = Duration::from_millis(15);

impl Bench<'_> {
    /// Sends a call and hangs up after `linger`, answered or not.
    pub(crate) async fn hang_up(&mut self, call: &Call<'_>, linger: Duration) -> Result<(), Stop> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        self.requests += 1;
        // Dropping the exchange closes its connection.
        let _ = tokio::time::timeout(linger, self.subject.fresh.send(&request)).await;
        let request = call.request(target, self.subject.masking);
        self.journal.entries.push(Entry::HungUp { request, seconds: linger.as_secs_f64() });
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }

    /// Sends a call's body but for its last `missing` octets, having announced all of it, and closes the connection.
    pub(crate) async fn break_off(&mut self, call: &Call<'_>, missing: usize) -> Result<(), Stop> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        let body = request.body.clone().unwrap_or_default();
        let kept = body.len().saturating_sub(missing);
        self.requests += 1;
        let _ = self.subject.fresh.send_pieces(&request, Pieces::broken_off(&body, kept, PAUSE)).await;
        let mut shown = call.request(target, self.subject.masking);
        if let Some(shown) = &mut shown.body {
            // Where a code is shown by a name, its length is another; what is left out is the end in any case.
            shown.truncate(shown.len().saturating_sub(missing));
        }
        shown.headers.push(("content-length".to_owned(), body.len().to_string()));
        self.journal.entries.push(Entry::HungUp { request: shown, seconds: PAUSE.as_secs_f64() });
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }

    /// Sends a call with its body in `count` pieces, in the chunked coding or with the length announced; `None` where the
    /// server hung up on a chunked one, which is a way of refusing it.
    pub(crate) async fn send_pieces(
        &mut self,
        call: &Call<'_>,
        count: usize,
        chunked: bool,
    ) -> Result<Option<RawResponse>, Stop> {
        let target = self.target();
        let request = call.request(target, Masking::Nothing);
        let body = request.body.clone().unwrap_or_default();
        let pieces = match chunked {
            true => Pieces::chunked(&body, count, PAUSE),
            false => Pieces::announced(&body, count, PAUSE),
        };
        self.requests += 1;
        match self.subject.fresh.send_pieces(&request, pieces).await {
            Ok(response) => {
                let mut exchange = self.shown(call, target, &response);
                if chunked {
                    exchange.request.headers.push(("transfer-encoding".to_owned(), "chunked".to_owned()));
                }
                self.journal.entries.push(Entry::Exchange(exchange));
                Ok(Some(response))
            }
            Err(error @ WireError::Unreached(_)) => Err(Stop::Lost(format!("{target}: {error}"))),
            Err(error @ WireError::Broken(_)) => {
                let what = self.note_unanswered(call, target);
                match chunked {
                    true => Ok(None),
                    false => Err(Stop::Unanswered(format!("{error}, to {what} in pieces"))),
                }
            }
            Err(error) => Err(Stop::Error(format!("{target}: {error}"))),
        }
    }
}
