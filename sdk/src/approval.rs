//! Approvals: the successful result of a verify call.
//!
//! Only `call.rs` creates one, after the classification of a response. Only an [`Approved`] knows its vendor's types.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::response::{Operation, RawResponse};
use crate::vendor::VerifyResponses;

/// A vendor approved the code: the response has every signal that the vendor's document requires, and none of a
/// refusal.
///
/// [`Verifier::verify`](crate::Verifier::verify) returns it for any vendor.
#[must_use]
pub struct Approval {
    operation: &'static Operation,
    raw: RawResponse,
}

impl Approval {
    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.operation.vendor
    }

    /// The vendor's or a gateway's id of the call, which its support needs: from the body if the vendor documents one
    /// there, otherwise from a header such as `x-request-id`.
    pub fn request_id(&self) -> Option<String> {
        self.raw.request_id(&self.operation.responses)
    }

    /// The response as received.
    pub fn raw(&self) -> &RawResponse {
        &self.raw
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval")
            .field("vendor", &self.vendor())
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

/// The vendor `V` approved the code. It is an [`Approval`] that can decode its body as the vendor's type.
#[must_use]
pub struct Approved<V> {
    approval: Approval,
    vendor: PhantomData<fn() -> V>,
}

impl<V: VerifyResponses> Approved<V> {
    pub(crate) fn new(raw: RawResponse) -> Approved<V> {
        Approved { approval: Approval { operation: V::operation(), raw }, vendor: PhantomData }
    }

    /// The body as its documented type. `None` if a member that is no signal is missing or has another type than
    /// documented; the approval is valid all the same, and the code is used.
    pub fn body(&self) -> Option<V::Body> {
        V::decode(self.raw.status(), self.raw.body())
    }
}

impl<V> Deref for Approved<V> {
    type Target = Approval;

    fn deref(&self) -> &Approval {
        &self.approval
    }
}

impl<V> From<Approved<V>> for Approval {
    fn from(approved: Approved<V>) -> Approval {
        approved.approval
    }
}

impl<V> fmt::Debug for Approved<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.approval, f)
    }
}
