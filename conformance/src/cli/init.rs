//! `init`: skeletons of the files that users write.
//!
//! Uses the skeleton of the contract crate, and the options for the configuration. It never overwrites a file.

use std::io::Write;
use std::path::PathBuf;

use super::options;
use crate::error::{Exit, Failure};
use crate::harness::FIXTURES_TEMPLATE;

pub(super) mod control;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print a contract to be completed, made from a plain OpenAPI document
    Contract(Contract),
    /// Print the control operations of a server, to be completed
    Control(control::Arguments),
    /// Print a configuration file with every option of `check`, each as a comment
    Config,
    /// Print an example of a file with prepared accounts and sessions, for --fixtures
    Fixtures,
}

#[derive(Debug, clap::Args)]
struct Contract {
    /// The OpenAPI document
    #[arg(value_name = "FILE.yaml")]
    file: PathBuf,
    /// The operation that verifies a code, such as 'POST /verify/{id}'
    #[arg(long, value_name = "METHOD PATH")]
    verify: String,
}

/// Prints the skeleton; what the user has to do with it goes to `err`.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match &arguments.what {
        What::Contract(Contract { file, verify }) => contract(file, verify, out, err),
        What::Control(arguments) => {
            let (stub, remarks) = control::run(arguments)?;
            let exit = super::print(out, &stub);
            for remark in remarks {
                let _ = writeln!(err, "note: {remark}");
            }
            Ok(exit)
        }
        What::Config => Ok(super::print(out, &options::template())),
        What::Fixtures => Ok(super::print(out, FIXTURES_TEMPLATE)),
    }
}

fn contract(
    file: &std::path::Path,
    verify: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Option {
        option: "FILE.yaml",
        problem: format!("cannot read {name}: {error}"),
    })?;
    let skeleton = otp_contract::skeleton(&name, &text, verify)?;
    let exit = super::print(out, &skeleton.text);
    for remark in &skeleton.remarks {
        let _ = writeln!(err, "note: {remark}");
    }
    let _ = writeln!(err, "note: replace each TODO; `otp-conformance lint` lists what is left to do");
    let _ = writeln!(err, "note: `otp-conformance lint --schema > x-otp.schema.json` helps your editor");
    Ok(exit)
}
