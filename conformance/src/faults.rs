//! What the suite knows about the faults of the sandbox: which checks must find a fault, and with which contracts a
//! client can observe it. This module uses the contract, and the rules and effects that the sandbox names. It must
//! never run a check or send a request.
//!
//! Both answers follow from the rule that a fault breaks, so a new fault that breaks a known rule needs no change
//! here.

mod applicability;
mod detection;
mod observation;

use glob::Pattern;
use otp_contract::Contract;
use otp_sandbox::Fault;

/// The checks that can find `fault`, as patterns of `area/name` without the vendor. At least one of them must find
/// it, and a failure of any other check is a false alarm.
pub fn found_by(fault: &Fault) -> Vec<&'static str> {
    detection::checks(fault)
}

/// Whether the check with this id, such as `exotel/matrix/expired`, can find `fault`.
pub fn can_find(id: &str, fault: &Fault) -> bool {
    let name = id.split_once('/').map_or(id, |(_, name)| name);
    found_by(fault)
        .into_iter()
        .any(|pattern| Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(name)))
}

/// Whether `fault` is observable in a server of this contract: whether a client that sees only responses can
/// distinguish the faulty server from a correct one.
pub fn applies(fault: &Fault, contract: &Contract) -> bool {
    applicability::applies(fault, contract)
}
