//! What a document says about sending codes, and about checks that follow one another.
//!
//! Plain data that `reader` fills in. The sandbox and the suite do not use it yet. It never reads a document.

use serde::Deserialize;

use crate::Backing;

/// A value, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cited<T> {
    /// The value.
    pub value: T,
    /// What stands behind the value.
    pub backing: Backing,
}

/// The rules for sending codes; each is `None` if the document does not mention it.
#[derive(Debug, Clone, Default)]
pub struct SendPolicy {
    /// The seconds that must pass between two sends.
    pub cooldown: Option<Cited<u64>>,
    /// How many sends are allowed in a window of time.
    pub send_limit: Option<Cited<SendLimit>>,
    /// How many resends one session allows.
    pub resend_limit: Option<Cited<u32>>,
    /// Which code a resend delivers.
    pub code_on_resend: Option<Cited<CodeOnResend>>,
    /// What a resend does to the lifetime.
    pub lifetime_on_resend: Option<Cited<LifetimeOnResend>>,
    /// What a new code does to the one before it.
    pub older_code: Option<Cited<OlderCode>>,
    /// The seconds that must pass between two checks.
    pub check_interval: Option<Cited<u64>>,
    /// Whether a send to a recipient whose session is open hands out that session again.
    pub reuse: Option<Cited<bool>>,
}

/// How many sends are allowed in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimit {
    /// The number of sends.
    pub count: u32,
    /// The length of the window in seconds.
    pub window_seconds: u64,
}

/// Which code a resend delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeOnResend {
    /// The one that was issued first.
    Same,
    /// A new one.
    New,
}

impl CodeOnResend {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            CodeOnResend::Same => "same",
            CodeOnResend::New => "new",
        }
    }
}

/// What a resend does to the lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifetimeOnResend {
    /// It runs on from the first send.
    Continues,
    /// It starts anew.
    Restarts,
}

impl LifetimeOnResend {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            LifetimeOnResend::Continues => "continues",
            LifetimeOnResend::Restarts => "restarts",
        }
    }
}

/// What a new code does to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OlderCode {
    /// The older code is still approved.
    Works,
    /// The older code is refused from then on.
    Ends,
    /// A server may do either.
    Either,
}

impl OlderCode {
    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            OlderCode::Works => "works",
            OlderCode::Ends => "ends",
            OlderCode::Either => "either",
        }
    }
}
