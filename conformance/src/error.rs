//! Why a run ends without a verdict, and the exit statuses. A failure is one line that says what happened and where.
//!
//! Every module may use this one, and it must not use any of them. Messages never contain a secret.

use otp_contract::ContractError;
use otp_sandbox::SandboxError;

/// The exit statuses of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// No check failed the run.
    Conformant,
    /// A check failed the run.
    Nonconformant,
    /// The command line, a configuration file or a document is wrong.
    Usage,
    /// The subject could not be judged.
    Unjudged,
    /// Ctrl-C stopped the run.
    Interrupted,
    /// SIGTERM stopped the run.
    Terminated,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Conformant => 0,
            Exit::Nonconformant => 1,
            Exit::Usage => 2,
            Exit::Unjudged => 3,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A contract is unknown or cannot be read.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// An option has an invalid value.
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
    /// A sandbox cannot start.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        reason: String,
    },
    /// A target, the control or the store cannot be reached.
    #[error("{what} {url} cannot be reached: {reason}")]
    Unreachable {
        /// `target`, `control` or `store`.
        what: &'static str,
        /// Where.
        url: String,
        /// The system's error.
        reason: String,
    },
    /// A target or the control can be reached, but there is no agreement on TLS.
    #[error("{what} {url} cannot be called: {reason}")]
    Tls {
        /// `target` or `control`.
        what: &'static str,
        /// Where.
        url: String,
        /// What is wrong, and which option helps.
        reason: String,
    },
    /// The control refuses an operation that the run needs.
    #[error("control {url} refused: {reason}")]
    Control {
        /// Where.
        url: String,
        /// Its response.
        reason: String,
    },
    /// The program behind `--control-exec` does not do what a control does.
    #[error("{0}")]
    ControlProgram(String),
    /// The control does not serve a requested vendor.
    #[error("the control serves {served}, not `{vendor}`")]
    NotServed {
        /// The requested vendor.
        vendor: String,
        /// The vendors that it serves.
        served: String,
    },
    /// The set-up is such that no check could judge the server.
    #[error("{vendor} cannot be judged: {problem}")]
    Preflight {
        /// The vendor.
        vendor: String,
        /// What is wrong, and what to do about it.
        problem: String,
    },
    /// The selection excludes every check.
    #[error("no check is selected: {0}")]
    NothingSelected(String),
    /// The response times of a vendor cannot be measured.
    #[error("the response times of {vendor} cannot be measured: {reason}")]
    Unmeasured {
        /// The vendor.
        vendor: String,
        /// Why.
        reason: String,
    },
    /// The suite itself failed; a bug worth reporting.
    #[error("internal error, no verdict: {0}")]
    Internal(String),
    /// A report cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// Where.
        path: String,
        /// The system's error.
        reason: String,
    },
}

impl Failure {
    /// The exit status for this failure.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Contract(_)
            | Failure::Option { .. }
            | Failure::Config { .. }
            | Failure::Listen { .. }
            | Failure::Sandbox(SandboxError::UnknownCell(_) | SandboxError::Path { .. }) => Exit::Usage,
            Failure::Sandbox(_)
            | Failure::Unreachable { .. }
            | Failure::Tls { .. }
            | Failure::Control { .. }
            | Failure::ControlProgram(_)
            | Failure::NotServed { .. }
            | Failure::Preflight { .. }
            | Failure::NothingSelected(_)
            | Failure::Unmeasured { .. }
            | Failure::Internal(_)
            | Failure::Write { .. } => Exit::Unjudged,
        }
    }
}
