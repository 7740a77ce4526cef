//! One module for each vendor. A module names the vendor's credentials and turns the arguments of a call into a
//! request; the rest is generated.
//!
//! Apart from the features in `Cargo.toml`, this is the only list of the vendors that is not generated. A module may use
//! the generated code and everything below it, but no other vendor.

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
