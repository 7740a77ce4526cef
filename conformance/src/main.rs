//! The program `otp-conformance`: the library's command line on the process's own streams.

use std::process::ExitCode;

/// A server that sends many small responses allocates many small blocks, on every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = std::env::args_os();
    let exit = otp_conformance::cli::main(arguments, &mut std::io::stdout(), &mut std::io::stderr());
    ExitCode::from(exit.code())
}
