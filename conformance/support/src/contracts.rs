//! The built-in contracts.

use otp_contract::Contract;

/// The contracts of all vendors.
pub fn contracts() -> Vec<Contract> {
    Contract::all().unwrap()
}
