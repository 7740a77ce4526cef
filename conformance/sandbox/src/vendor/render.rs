//! Renders the body and the header fields of a cell: its example, with echoed, stateful and volatile members filled in.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderName;
use otp_contract::{Cell, Matching, StateValue, VolatileValue};
use serde_json::Value;

use super::{Tenant, ids};
use crate::engine::{Decision, Millis};
use crate::store;

/// The facts of a call that a response may contain.
#[derive(Default, Clone, Copy)]
pub(crate) struct RenderContext<'a> {
    pub(crate) tenant: Option<&'a Tenant>,
    pub(crate) session: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) decision: Option<&'a Decision>,
}

/// Whether [`render`] yields the same body for every call.
pub(super) fn is_constant(cell: &Cell) -> bool {
    !cell.members.iter().any(|member| {
        matches!(member.rule.matching, Matching::Echo(_) | Matching::State(_) | Matching::Volatile(_))
    })
}

pub(super) fn render(cell: &Cell, context: RenderContext<'_>) -> Value {
    let mut body = cell.body.clone();
    for member in &cell.members {
        let value: Option<Value> = match &member.rule.matching {
            Matching::Echo(name) => match name.as_str() {
                "session" => context.session.map(Into::into),
                "code" => context.code.map(Into::into),
                account => context
                    .tenant
                    .and_then(|tenant| tenant.accounts.get(account))
                    .map(|text| text.as_str().into()),
            },
            Matching::State(StateValue::RemainingAttempts) => {
                context.decision.and_then(|decision| decision.remaining_attempts).map(Into::into)
            }
            Matching::State(StateValue::LockoutSeconds) => {
                context.decision.and_then(|decision| decision.lockout_seconds).map(Into::into)
            }
            Matching::Volatile(VolatileValue::IssuedAt) => {
                context.decision.and_then(|decision| decision.issued_at).map(timestamp)
            }
            Matching::Volatile(VolatileValue::Now) => Some(timestamp(store::now())),
            Matching::Volatile(VolatileValue::RequestId) => ids::generate("{hex:32}").map(Into::into),
            Matching::Volatile(VolatileValue::Username) => {
                context.tenant.and_then(Tenant::username).map(Into::into)
            }
            _ => None,
        };
        let Some(value) = value else { continue };
        if let Some(place) = body.pointer_mut(&member.pointer) {
            *place = value;
        }
    }
    body
}

/// The header fields that the contract mentions, with the state of the session filled in.
pub(super) fn header_fields(cell: &Cell, context: RenderContext<'_>) -> Vec<(HeaderName, String)> {
    let fields = cell.headers.iter().filter_map(|field| {
        let seconds = match field.rule.matching {
            Matching::State(StateValue::LockoutSeconds) => {
                context.decision.and_then(|decision| decision.lockout_seconds)
            }
            _ => None,
        };
        let value = seconds.map_or_else(|| field.example.clone(), |seconds| seconds.to_string());
        Some((field.name.parse().ok()?, value))
    });
    fields.collect()
}

fn timestamp(millis: Millis) -> Value {
    let at = UNIX_EPOCH + Duration::from_millis(millis);
    humantime::format_rfc3339_seconds(at).to_string().into()
}
