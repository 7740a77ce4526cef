//! `cargo xtask …`: the maintenance commands of this repository. One module a command; this file only chooses.
#![expect(clippy::print_stderr, reason = "a command line tool says on stderr why it failed")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
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
        /// Write nothing; show what would change, and fail if anything would.
        #[arg(long)]
        check: bool,
    },
    /// Check that vendor documents are valid, and agree with their own annotations and examples.
    Lint {
        /// The documents to check, instead of those in `openapi/`.
        files: Vec<PathBuf>,
    },
    /// Print which module uses which, and fail if a cycle crosses modules or a package uses one that it may not.
    Layers,
    /// Measure, and print the medians beside a baseline.
    Bench {
        /// What is measured.
        #[arg(value_enum)]
        what: Bench,
    },
    /// Run everything that has to pass before a change is merged.
    Test,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bench {
    /// The suite's main job, against a client that does nothing but send.
    Suite,
    /// The sandbox, against the least that an axum server can do, with a million sessions, in Redis, and against Prism.
    Sandbox,
    /// The client's verify call, and a clean build with it, against the same by hand.
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
            bench::sdk(&root, &mut out)?;
            true
        }
        Command::Test => test::run(&root, &mut std::io::stderr().lock())?,
    };
    out.flush()?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
