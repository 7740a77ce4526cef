//! The program `otp-conformance`: the library's command line on the process's own streams.

use std::process::ExitCode;

use otp_conformance::Exit;

/// A server that sends many small responses allocates many small blocks, on every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut out = anstream::stdout();
    let mut err = anstream::stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(err, "error: cannot start the threads: {error}");
            return ExitCode::from(Exit::Unjudged.code());
        }
    };
    let arguments = std::env::args_os();
    ExitCode::from(runtime.block_on(otp_conformance::cli::run(arguments, &mut out, &mut err)).code())
}
