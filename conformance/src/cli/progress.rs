//! What a user sees during a run: on a terminal one line that changes, elsewhere a line every ten seconds, and with `--verbose`
//! a line for each check that ends.
//!
//! Writes only to the writer for progress, never to the result.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::runner::Event;

/// How often a line on a terminal changes.
const REDRAW: Duration = Duration::from_millis(100);

/// How often a line is written elsewhere.
const LINE: Duration = Duration::from_secs(10);

/// The progress of one run.
pub(super) struct Progress {
    mode: Mode,
    started: Instant,
    total: usize,
    done: usize,
    failed: usize,
    is_drawn: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not at all.
    Silent,
    /// As one line that changes.
    Terminal,
    /// As a line from time to time.
    Lines,
    /// As a line for each check.
    EachCheck,
}

impl Progress {
    /// The progress of a run that starts now.
    pub(super) fn new(mode: Mode) -> Progress {
        Progress { mode, started: Instant::now(), total: 0, done: 0, failed: 0, is_drawn: false }
    }

    /// How often [`tick`](Self::tick) wants to be called.
    pub(super) fn interval(&self) -> Duration {
        if self.mode == Mode::Terminal { REDRAW } else { LINE }
    }

    /// Takes note of an event.
    pub(super) fn note(&mut self, event: &Event, err: &mut dyn Write) {
        match event {
            Event::Started { checks } => self.total = *checks,
            Event::Finished { id, result, fails, requests, duration_ms } => {
                self.done += 1;
                self.failed += usize::from(*fails);
                if self.mode == Mode::EachCheck {
                    let word = result.short(*fails);
                    let noun = if *requests == 1 { "request" } else { "requests" };
                    let _ = writeln!(err, "{word:<6}{id} ({requests} {noun}, {duration_ms} ms)");
                }
            }
        }
    }

    /// Shows how far the run is, after this many requests.
    pub(super) fn tick(&mut self, requests: u64, err: &mut dyn Write) {
        let line = self.line(requests);
        let _ = match self.mode {
            Mode::Terminal => {
                self.is_drawn = true;
                write!(err, "\r\x1b[K{line}").and_then(|()| err.flush())
            }
            Mode::Lines => writeln!(err, "{line}"),
            Mode::Silent | Mode::EachCheck => Ok(()),
        };
    }

    /// Removes the line that changes.
    pub(super) fn end(&mut self, err: &mut dyn Write) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(err, "\r\x1b[K").and_then(|()| err.flush());
        }
    }

    fn line(&self, requests: u64) -> String {
        let Progress { total, done, failed, .. } = self;
        let seconds = self.started.elapsed().as_secs();
        let failed = if *failed == 0 { String::new() } else { format!(", {failed} failed") };
        format!("{done} of {total} checks{failed}, {requests} requests, {seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CheckResult;

    fn finished(id: &str, result: CheckResult) -> Event {
        Event::Finished {
            id: id.to_owned(),
            result,
            fails: result == CheckResult::Failed,
            requests: 3,
            duration_ms: 12,
        }
    }

    fn shown(mode: Mode) -> String {
        let mut out = Vec::new();
        let mut progress = Progress::new(mode);
        progress.note(&Event::Started { checks: 5 }, &mut out);
        progress.note(&finished("acme/matrix/approved", CheckResult::Passed), &mut out);
        progress.note(&finished("acme/matrix/expired", CheckResult::Failed), &mut out);
        progress.tick(40, &mut out);
        progress.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_has_one_line_that_goes_away() {
        assert_eq!(shown(Mode::Terminal), "\r\u{1b}[K2 of 5 checks, 1 failed, 40 requests, 0 s\r\u{1b}[K");
    }

    #[test]
    fn a_log_has_lines_without_control_characters() {
        assert_eq!(shown(Mode::Lines), "2 of 5 checks, 1 failed, 40 requests, 0 s\n");
        assert_eq!(shown(Mode::Silent), "");
    }

    #[test]
    fn a_verbose_run_names_each_check_that_has_ended() {
        assert_eq!(
            shown(Mode::EachCheck),
            "pass  acme/matrix/approved (3 requests, 12 ms)\nFAIL  acme/matrix/expired (3 requests, 12 ms)\n"
        );
    }
}
