//! Deliberate defects, to prove that a suite finds them. They are layers around the store, in front of the adapter and
//! behind it, so that none of those contains a line of them; what a fault needs to know it remembers itself. Nothing
//! here may run in a sandbox that was started without a fault.

mod access;
mod answer;
mod call;
mod catalogue;
mod decision;
mod layer;
mod leak;
mod life;
mod observable;
mod reading;
mod spelling;

pub use access::Access;
pub use answer::Distortion;
pub use leak::Leak;
pub use life::Defect;
pub use reading::{Reading, Trigger};
pub use spelling::Spelling;

pub(crate) use layer::FaultLayer;

use otp_contract::{Contract, Situation};

/// A deliberate defect.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The name on the command line.
    pub name: &'static str,
    /// One sentence: what the server does wrong.
    pub summary: &'static str,
    /// What is done wrong.
    pub effect: Effect,
    /// The checks that may find it, as `area/name` without the vendor; `*` stands for any characters. One of them at
    /// least must, and a suite that reports any other accuses wrongly.
    pub found_by: &'static [&'static str],
}

/// What a fault does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The answer in one of these situations is spoiled.
    Answer(&'static [Situation], Distortion),
    /// The same, and only every third time.
    Sometimes(&'static [Situation], Distortion),
    /// What is decided is wrong.
    Decision(Defect),
    /// The request is read as nobody should.
    Reading(Reading),
    /// The caller is taken for whom it is not, or the operation for what it is not.
    Access(Access),
    /// The answer tells what nobody should learn, or lacks a header field that it owes.
    Leak(Leak),
}

impl Effect {
    /// Whether less than the whole body is read.
    pub(crate) fn reads_in_part(self) -> bool {
        matches!(self, Effect::Reading(Reading::FirstPiece | Reading::CutOff))
    }
}

/// Every fault that a sandbox can be started with.
pub static FAULTS: &[Fault] = &catalogue::ALL;

impl Fault {
    /// The fault of that name.
    pub fn named(name: &str) -> Option<&'static Fault> {
        FAULTS.iter().find(|fault| fault.name == name)
    }

    /// Over how many replicas the defect has to be served for it to show.
    pub fn replicas(&self) -> u32 {
        match self.effect {
            Effect::Decision(Defect::UsePerReplica | Defect::CountPerReplica) => 2,
            _ => 1,
        }
    }

    /// Whether the defect can show in a server of this contract: whether a client that sees nothing but answers could
    /// tell it from a server that keeps to the document.
    pub fn applies(&self, contract: &Contract) -> bool {
        match self.effect {
            Effect::Answer(situations, distortion) | Effect::Sometimes(situations, distortion) => {
                observable::distortion_shows(contract, situations, distortion)
            }
            Effect::Decision(defect) => defect.shows(contract),
            Effect::Reading(reading) => reading.shows(contract),
            Effect::Access(access) => access.shows(contract),
            Effect::Leak(leak) => leak.shows(contract),
        }
    }
}
