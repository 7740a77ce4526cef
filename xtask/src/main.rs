//! `cargo xtask …`: the maintenance commands of this repository. Each command is a module; this file only dispatches.
#![expect(clippy::print_stderr, reason = "a command line tool reports errors on stderr")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod cargo;
mod codegen;
mod document;
mod layers;
mod lint;
mod prerequisites;
mod repository;
mod test;

/// Maintenance commands of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generate the typed clients from the vendor documents.
    Codegen {
        /// Write nothing; print what would change, and fail if anything would.
        #[arg(long)]
        check: bool,
    },
    /// Check that the vendor documents are valid and agree with their annotations and examples.
    Lint {
        /// The documents to check [default: those in `openapi/`].
        files: Vec<PathBuf>,
    },
    /// Print which module uses which; fail if a cycle crosses modules or a package depends on one that it must not use.
    Layers,
    /// Measure performance and print the medians, compared with a baseline.
    Bench {
        /// What to measure.
        #[arg(value_enum)]
        what: Bench,
    },
    /// Run every check that must pass before a change is merged, after installing what the tests need.
    Test,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bench {
    /// The suite's check of all vendors, compared with a client that only sends requests.
    Suite,
    /// The sandbox, compared with a minimal axum server and with Prism, with a million sessions, and with Redis.
    Sandbox,
    /// The client's verify call and a clean build with it, compared with hand-written code.
    Sdk,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let root = repository::root();
    let mut out = std::io::stdout().lock();
    let clean = match command {
        Command::Codegen { check } => {
            let mode = if check { codegen::Mode::Check } else { codegen::Mode::Write };
            codegen::run(&root, mode, &mut out)?
        }
        Command::Lint { files } => lint::run(&root, &files, &mut out)?,
        Command::Layers => layers::run(&root, layers::Detail::Graphs, &mut out)?,
        Command::Bench { what: Bench::Suite } => {
            bench::suite(&root, &mut out)?;
            true
        }
        Command::Bench { what: Bench::Sandbox } => {
            bench::sandbox::run(&root, &mut out)?;
            true
        }
        Command::Bench { what: Bench::Sdk } => {
            bench::sdk::run(&root, &mut out)?;
            true
        }
        Command::Test => test::run(&root, &mut std::io::stderr().lock())?,
    };
    out.flush()?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
