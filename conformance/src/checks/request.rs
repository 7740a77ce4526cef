//! The area `request`: requests that are not well formed, unusual, or delivered in an unusual way.

pub(super) mod delivery;
pub(super) mod encoding;
pub(super) mod shape;
pub(super) mod spelling;
