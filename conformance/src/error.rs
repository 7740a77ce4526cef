//! Why a run ends without a verdict, and the exit statuses. Every failure is one line that says what and where.

use otp_contract::ContractError;
use otp_sandbox::SandboxError;

/// The statuses with which the program exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every gating check that was made passed.
    Conformant,
    /// A gating check failed.
    Nonconformant,
    /// The command line or a configuration is wrong.
    Usage,
    /// The subject could not be judged.
    Unjudged,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Conformant => 0,
            Exit::Nonconformant => 1,
            Exit::Usage => 2,
            Exit::Unjudged => 3,
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A contract is unknown or cannot be read.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// An option has a value that it cannot have.
    #[error("{option}: {problem}")]
    Option {
        /// The option, as it is written on the command line.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The configuration file cannot be used.
    #[error("{file}: {problem}")]
    Config {
        /// The file.
        file: String,
        /// What is wrong, with line and column where the parser gives them.
        problem: String,
    },
    /// A sandbox cannot be started.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// The system's word.
        reason: String,
    },
    /// A target or the control does not answer.
    #[error("{what} {url} cannot be reached: {reason}")]
    Unreachable {
        /// `target` or `control`.
        what: &'static str,
        /// Where.
        url: String,
        /// Why, as far as is known.
        reason: String,
    },
    /// The control refuses an operation that the run needs.
    #[error("control {url} refused: {reason}")]
    Control {
        /// Where.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// The control does not serve a vendor that was asked for.
    #[error("the control serves {served}, not `{vendor}`")]
    NotServed {
        /// The vendor asked for.
        vendor: String,
        /// Those that are there.
        served: String,
    },
    /// The selection leaves no check.
    #[error("no check is selected: {0}")]
    NothingSelected(String),
    /// The answers of a vendor could not be timed.
    #[error("the answers of {vendor} cannot be timed: {reason}")]
    Unmeasured {
        /// The vendor.
        vendor: String,
        /// Why.
        reason: String,
    },
    /// The suite itself broke down; a bug worth reporting.
    #[error("the suite broke down and gives no verdict: {0}")]
    Broken(String),
    /// A report cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// Where.
        path: String,
        /// The system's word.
        reason: String,
    },
}

impl Failure {
    /// The exit status that stands for it.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Contract(_)
            | Failure::Option { .. }
            | Failure::Config { .. }
            | Failure::Listen { .. }
            | Failure::Sandbox(SandboxError::UnknownCell(_) | SandboxError::Path { .. }) => Exit::Usage,
            Failure::Sandbox(_)
            | Failure::Unreachable { .. }
            | Failure::Control { .. }
            | Failure::NotServed { .. }
            | Failure::NothingSelected(_)
            | Failure::Unmeasured { .. }
            | Failure::Broken(_)
            | Failure::Write { .. } => Exit::Unjudged,
        }
    }
}
