//! What a check did, in a form that can be done again in part: the steps with their codes, but with numbers for the tenants
//! and sessions, whose ids are others each time.
//!
//! Beside the recording, which is masked and meant for reports. Nothing here may reach a report.

use std::sync::Arc;

use super::{Body, Credential, IssuedSession, RequestMutation, SessionOptions, VerifyCall};
use crate::http::RawResponse;
use crate::oracle::{CodeKind, Difference};

/// One thing that a check did.
#[derive(Debug, Clone)]
pub(crate) enum Planned {
    /// It issued a code.
    Session(PlannedSession),
    /// It moved the timers of a session ahead.
    Age {
        /// The session, counted from 0.
        session: usize,
        /// By how many seconds.
        seconds: u64,
    },
    /// It sent a call.
    Call(Box<PlannedCall>),
    /// It did something that cannot be done again on its own, such as a burst.
    Opaque,
}

/// A session to issue.
#[derive(Debug, Clone)]
pub(crate) struct PlannedSession {
    /// The number of its tenant.
    pub(crate) tenant: usize,
    /// The id that it had.
    pub(crate) id: String,
    /// Its code.
    pub(crate) code: String,
    /// The limits to ask for.
    pub(crate) options: SessionOptions,
    /// The id of the session to whose recipient the code went.
    pub(crate) recipient_of: Option<String>,
}

/// A call to send.
#[derive(Debug, Clone)]
pub(crate) struct PlannedCall {
    /// The number of the tenant whose account and credentials it uses.
    pub(crate) tenant: usize,
    /// The session.
    pub(crate) session: SessionReference,
    /// The code, and what reports show for it.
    pub(crate) code: Option<(String, String)>,
    /// The session whose code that is, counted from 0, if it is one that the check issued.
    pub(crate) code_of: Option<usize>,
    /// Whether it asks for further attempts.
    pub(crate) retry: bool,
    /// The lifetime in minutes that it states.
    pub(crate) lifetime_minutes: Option<u64>,
    /// The credentials.
    pub(crate) credential: OwnedCredential,
    /// How it differs from a well-formed call.
    pub(crate) mutation: OwnedMutation,
    /// How the check says that the code relates to the session, if it does.
    pub(crate) kind: Option<CodeKind>,
    /// Whether it had a connection of its own.
    pub(crate) unpooled: bool,
}

/// The session of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionReference {
    /// One that the check issued, counted from 0.
    Issued(usize),
    /// Another id.
    Literal(String),
    /// None.
    Missing,
}

/// [`Credential`], with its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnedCredential {
    /// One without a text.
    Plain(Credential<'static>),
    /// [`Credential::Raw`].
    Raw(String),
    /// [`Credential::Scheme`].
    Scheme(String),
}

/// [`RequestMutation`], with its own text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnedMutation {
    method: Option<String>,
    content_type: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    path: String,
    query: Option<String>,
    body: Option<OwnedBody>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum OwnedBody {
    Bytes(Vec<u8>),
    Text(String),
}

impl PlannedCall {
    /// The plan of a call; `sessions` are the sessions planned so far.
    pub(crate) fn new(call: &VerifyCall<'_>, sessions: &[&PlannedSession], unpooled: bool) -> PlannedCall {
        let session = match call.session {
            None => SessionReference::Missing,
            Some(id) => match sessions.iter().rposition(|session| session.id == id) {
                Some(number) => SessionReference::Issued(number),
                None => SessionReference::Literal(id.to_owned()),
            },
        };
        PlannedCall {
            tenant: call.tenant.number,
            session,
            code: call.code.map(|code| (code.text.to_owned(), code.shown.to_owned())),
            code_of: call.code.and_then(|code| session_of_code(code.shown)),
            retry: call.retry,
            lifetime_minutes: call.lifetime_minutes,
            credential: call.credential.into(),
            mutation: OwnedMutation::from(&call.mutation),
            kind: None,
            unpooled,
        }
    }
}

/// What the names of codes start with.
const CODE: &str = "CODE_";

/// The session, counted from 0, in a shell expression such as `$CODE_2` or `${CODE_2%?}`.
fn session_of_code(shown: &str) -> Option<usize> {
    let (_, rest) = shown.split_once(CODE)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse::<usize>().ok()?.checked_sub(1)
}

/// The shell expression for the code of another session, counted from 0.
pub(crate) fn renamed_code(shown: &str, session: usize) -> String {
    let Some((before, rest)) = shown.split_once(CODE) else { return shown.to_owned() };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    format!("{before}{CODE}{}{}", session + 1, &rest[digits..])
}

impl From<Credential<'_>> for OwnedCredential {
    fn from(credential: Credential<'_>) -> OwnedCredential {
        OwnedCredential::Plain(match credential {
            Credential::Raw(text) => return OwnedCredential::Raw(text.to_owned()),
            Credential::Scheme(name) => return OwnedCredential::Scheme(name.to_owned()),
            Credential::Own => Credential::Own,
            Credential::Wrong => Credential::Wrong,
            Credential::OtherCase => Credential::OtherCase,
            Credential::Extended => Credential::Extended,
            Credential::Truncated => Credential::Truncated,
            Credential::EmptyPassword => Credential::EmptyPassword,
            Credential::OtherUser => Credential::OtherUser,
            Credential::Missing => Credential::Missing,
        })
    }
}

impl OwnedCredential {
    /// The tenant's own.
    pub(crate) const OWN: OwnedCredential = OwnedCredential::Plain(Credential::Own);

    /// The credential of a call.
    pub(crate) fn borrowed(&self) -> Credential<'_> {
        match self {
            OwnedCredential::Plain(credential) => *credential,
            OwnedCredential::Raw(text) => Credential::Raw(text),
            OwnedCredential::Scheme(name) => Credential::Scheme(name),
        }
    }

    /// Whether these may be the right credentials of the tenant. A text of a check's own may contain them.
    pub(crate) fn is_own(&self) -> bool {
        matches!(
            self,
            OwnedCredential::Plain(Credential::Own) | OwnedCredential::Scheme(_) | OwnedCredential::Raw(_)
        )
    }
}

impl From<&RequestMutation<'_>> for OwnedMutation {
    fn from(mutation: &RequestMutation<'_>) -> OwnedMutation {
        let headers = mutation.headers.iter();
        OwnedMutation {
            method: mutation.method.map(str::to_owned),
            content_type: mutation.content_type.map(str::to_owned),
            headers: headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            path: mutation.path.to_owned(),
            query: mutation.query.map(str::to_owned),
            body: mutation.body.map(|body| match body {
                Body::Bytes(bytes) => OwnedBody::Bytes(bytes.to_vec()),
                Body::Text(text) => OwnedBody::Text(text.to_owned()),
            }),
        }
    }
}

impl OwnedMutation {
    /// The mutation of a call.
    pub(crate) fn borrowed(&self) -> RequestMutation<'_> {
        let headers = self.headers.iter();
        RequestMutation {
            method: self.method.as_deref(),
            content_type: self.content_type.as_deref(),
            headers: headers.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            path: &self.path,
            query: self.query.as_deref(),
            body: self.body.as_ref().map(|body| match body {
                OwnedBody::Bytes(bytes) => Body::Bytes(bytes),
                OwnedBody::Text(text) => Body::Text(text),
            }),
        }
    }

    /// Whether the request is well formed apart from additional header fields.
    pub(crate) fn is_well_formed(&self) -> bool {
        *self == OwnedMutation { headers: self.headers.clone(), ..OwnedMutation::default() }
    }

    /// Replaces an id in a body of raw bytes. Texts have a placeholder for it.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if let Some(OwnedBody::Bytes(bytes)) = &mut self.body {
            let (from, to) = (from.as_bytes(), to.as_bytes());
            let mut start = 0;
            while !from.is_empty()
                && let Some(at) = bytes[start..].windows(from.len()).position(|window| window == from)
            {
                bytes.splice(start + at..start + at + from.len(), to.iter().copied());
                start += at + to.len();
            }
        }
    }
}

/// How a deviation shows in a response, so that a shorter sequence of steps can be recognised as showing it too.
#[derive(Clone, Default)]
pub(crate) enum Witness {
    /// The model: the last call's response means what the last one meant, and the session does not allow it.
    Model,
    /// The last call's response has the same status and meaning as the last one had.
    Status,
    /// The last call's response has the same status and meaning as the last one had, in the same situation, and differs from
    /// the documented response in the same places.
    Places(Vec<Difference>),
    /// A response for which this holds, given the session of its call.
    Response(Arc<ResponseTest>),
    /// Only the check itself can recognise it.
    #[default]
    Check,
}

/// Whether a response shows a deviation, given the session of its call.
pub(crate) type ResponseTest = dyn Fn(&RawResponse, Option<&IssuedSession>) -> bool + Send + Sync;

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Witness::Model => "Model",
            Witness::Status => "Status",
            Witness::Places(_) => "Places",
            Witness::Response(_) => "Response",
            Witness::Check => "Check",
        })
    }
}
