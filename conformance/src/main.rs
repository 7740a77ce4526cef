//! The program `otp-conformance`: the library's command line on the process's own streams.

use std::process::ExitCode;

use clap::Parser;
use otp_conformance::cli::{self, Cli};

/// A server of many small answers is a user of many small pieces of memory, from every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // clap prints its own errors and exits with 2, as ours do.
    let cli = Cli::parse();
    let mut out = anstream::stdout();
    let mut err = anstream::stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(err, "error: no threads to run on: {error}");
            return ExitCode::from(otp_conformance::Exit::Unjudged.code());
        }
    };
    ExitCode::from(runtime.block_on(cli::main(cli, &mut out, &mut err)).code())
}
