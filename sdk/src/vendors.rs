//! One module for each vendor. A module names the vendor's credentials and turns the arguments of a call into a
//! request; the rest is generated.
//!
//! This is the only hand-written list of the vendors. Modules may use everything else in this crate except each other.

#[cfg(feature = "d7")]
pub mod d7;
#[cfg(feature = "dailystory")]
pub mod dailystory;
#[cfg(feature = "exotel")]
pub mod exotel;
#[cfg(feature = "kaleyra")]
pub mod kaleyra;
#[cfg(feature = "zeckta")]
pub mod zeckta;
