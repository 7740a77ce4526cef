//! Why a check ends before it has passed. Plain facts: `report` turns a deviation into a finding.

use std::sync::Arc;

use otp_contract::Source;

use super::plan::{Planned, Witness};
use super::recording::Recording;
use super::{CheckContext, ControlError, IssuedSession};
use crate::http::RawResponse;
use crate::oracle::{Basis, Difference, Observation};

/// Why a check ends before it has passed.
#[derive(Debug, Clone)]
pub(crate) enum Abort {
    /// The subject does not conform.
    Deviation(Box<Deviation>),
    /// The check cannot run against this subject; the reason.
    Skip(String),
    /// A connection could not be made, or broke. A single case may mean nothing, so the runner tries again.
    ConnectionLost(String),
    /// The subject received a call and did not respond to it.
    NoResponse(String),
    /// The set-up or the suite failed.
    Error(String),
}

/// What a subject did that it must not do.
#[derive(Debug, Clone)]
pub(crate) struct Deviation {
    /// What the contract or the standard allows, one alternative per line.
    pub(crate) expected: String,
    /// What happened instead.
    pub(crate) actual: String,
    /// Where the response differs from the closest documented one.
    pub(crate) differences: Vec<Difference>,
    /// Everything that led to it.
    pub(crate) recording: Recording,
    /// The same in a form that can be done again.
    pub(crate) plan: Vec<Planned>,
    /// How the deviation shows in a response.
    pub(crate) witness: Witness,
    /// How many responses of a burst may have the meaning that was observed, if that is what is wrong.
    pub(crate) most: Option<usize>,
    /// What was observed, for findings of the same cause.
    pub(crate) observation: Observation,
    /// What it contradicts.
    pub(crate) basis: Basis,
    /// The place that states what it contradicts, if that is another one than the check's.
    pub(crate) source: Option<Source>,
}

impl Abort {
    /// The same deviation, which contradicts something else than what backs the check.
    #[must_use]
    pub(crate) fn because_of(mut self, basis: Basis, source: Option<Source>) -> Abort {
        if let Abort::Deviation(deviation) = &mut self {
            deviation.basis = basis;
            deviation.source = source;
        }
        self
    }
}

impl Abort {
    /// The same deviation, with what was observed.
    #[must_use]
    pub(crate) fn observing(mut self, observation: Observation) -> Abort {
        if let Abort::Deviation(deviation) = &mut self {
            deviation.observation = observation;
        }
        self
    }

    /// The same deviation: more than `most` responses of a burst mean what was observed.
    #[must_use]
    pub(crate) fn exceeding(mut self, most: usize) -> Abort {
        if let Abort::Deviation(deviation) = &mut self {
            deviation.most = Some(most);
        }
        self
    }

    /// The same deviation, with how it shows in a response.
    #[must_use]
    pub(crate) fn shown_by(mut self, witness: Witness) -> Abort {
        if let Abort::Deviation(deviation) = &mut self {
            deviation.witness = witness;
        }
        self
    }

    /// The same deviation, which shows in every response for which `test` holds.
    #[must_use]
    pub(crate) fn shown_where(
        self,
        test: impl Fn(&RawResponse, Option<&IssuedSession>) -> bool + Send + Sync + 'static,
    ) -> Abort {
        self.shown_by(Witness::Response(Arc::new(test)))
    }
}

impl CheckContext<'_> {
    /// A deviation in words. It contradicts what backs the check.
    pub(crate) fn deviation(&self, expected: impl Into<String>, actual: impl Into<String>) -> Abort {
        self.deviation_with(expected, actual, Vec::new())
    }

    /// A deviation with the differences from the closest documented response.
    pub(crate) fn deviation_with(
        &self,
        expected: impl Into<String>,
        actual: impl Into<String>,
        differences: Vec<Difference>,
    ) -> Abort {
        let last = self.recording.exchanges().last().map(|exchange| &exchange.response);
        let server_error = last.filter(|response| response.status >= 500);
        let (witness, observation) = match server_error {
            Some(response) => {
                let body = String::from_utf8_lossy(&response.body);
                (Witness::Status, Observation::server_error(response.status, &body))
            }
            None => (Witness::Check, Observation::Other),
        };
        Abort::Deviation(Box::new(Deviation {
            expected: expected.into(),
            actual: actual.into(),
            differences,
            recording: self.recording.clone(),
            plan: self.plan.clone(),
            witness,
            most: None,
            observation,
            basis: self.basis,
            source: None,
        }))
    }
}

impl From<ControlError> for Abort {
    fn from(error: ControlError) -> Abort {
        match error {
            ControlError::NotOffered(reason) => Abort::Skip(reason),
            ControlError::ConnectionLost { .. } => Abort::ConnectionLost(error.to_string()),
            ControlError::Failed { .. } | ControlError::ProgramEnded(_) => Abort::Error(error.to_string()),
        }
    }
}
