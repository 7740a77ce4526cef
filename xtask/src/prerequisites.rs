//! Installs what a command needs: programs that it starts, packages that those import, and components of the toolchain.
//!
//! The decision is a function of the machine's state, apart from the commands it leads to. Nothing is installed without
//! being announced first, and nothing is installed with more rights than the caller has.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::cargo::cargo;

mod packages;

pub(crate) use packages::install_once;

/// A program that a command starts.
#[derive(Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) command: &'static str,
    pub(crate) debian_package: &'static str,
    pub(crate) brew_formula: &'static str,
}

impl Program {
    /// The arguments with which the program ends successfully where everything that we use of it is installed.
    fn proof(&self) -> &'static [&'static str] {
        match self.command {
            "go" => &["version"],
            // Debian has what `python3 -m venv` imports in a package of its own.
            "python3" => &["-c", "import ensurepip"],
            _ => &["--version"],
        }
    }
}

/// What is needed, and by whom.
#[derive(Clone, Copy)]
struct Needs {
    /// Such as `the tests`.
    user: &'static str,
    programs: &'static [Program],
    components: &'static [(&'static str, &'static str)],
}

/// Findings carry scripts that call curl, and the tests run them. Replicas of the sandbox share a real Redis. The example
/// servers are in other languages, and a real browser shows the pages of reports.
const PROGRAMS: [Program; 9] = [
    Program { command: "curl", debian_package: "curl", brew_formula: "curl" },
    Program { command: "redis-server", debian_package: "redis-server", brew_formula: "redis" },
    Program { command: "redis-cli", debian_package: "redis-tools", brew_formula: "redis" },
    Program { command: "python3", debian_package: "python3-venv", brew_formula: "python" },
    Program { command: "node", debian_package: "nodejs", brew_formula: "node" },
    Program { command: "npm", debian_package: "npm", brew_formula: "node" },
    Program { command: "go", debian_package: "golang-go", brew_formula: "go" },
    Program { command: "chromium", debian_package: "chromium", brew_formula: "chromium" },
    Program { command: "chromedriver", debian_package: "chromium-driver", brew_formula: "chromedriver" },
];

/// Cargo's subcommands, and the component of the toolchain that each belongs to.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// What the decision depends on.
struct Machine {
    /// Who needs what is missing.
    user: &'static str,
    /// The text of `/etc/os-release`, empty if there is none.
    os_release: String,
    is_root: bool,
    has_rustup: bool,
    missing_programs: Vec<&'static Program>,
    missing_components: Vec<&'static str>,
}

/// What has to happen before the tests can run.
#[derive(Debug, PartialEq)]
enum Plan {
    /// Run these commands; none if nothing is missing.
    Run(Vec<Vec<&'static str>>),
    /// Stop, and tell the user what to install.
    Stop(String),
}

/// Installs what the tests need and the machine lacks, or fails with instructions.
pub(crate) fn install(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    install_all(root, Needs { user: "the tests", programs: &PROGRAMS, components: &COMPONENTS }, out)?;
    packages::install_for_examples(root, out)
}

/// Installs those of `programs` that the machine lacks, or fails with instructions. `user` needs them.
pub(crate) fn install_programs(
    root: &Path,
    user: &'static str,
    programs: &'static [Program],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    install_all(root, Needs { user, programs, components: &[] }, out)
}

fn install_all(root: &Path, needs: Needs, out: &mut dyn Write) -> anyhow::Result<()> {
    let commands = match plan(&inspect(root, needs)) {
        Plan::Run(commands) => commands,
        Plan::Stop(instructions) => bail!(instructions),
    };
    for command in &commands {
        let line = command.join(" ");
        writeln!(out, "{:>12} what {} need: {line}", "Installing", needs.user)?;
        let (program, arguments) = command.split_first().context("a command has a program")?;
        let status = Command::new(program)
            .args(arguments)
            .current_dir(root)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .with_context(|| format!("cannot run {line}"))?;
        if !status.success() {
            bail!("{line} failed");
        }
    }
    let machine = inspect(root, needs);
    if machine.missing_programs.is_empty() && machine.missing_components.is_empty() {
        Ok(())
    } else {
        bail!(instructions(&machine))
    }
}

fn inspect(root: &Path, needs: Needs) -> Machine {
    let works = |command: &mut Command| {
        let status = command.current_dir(root).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    Machine {
        user: needs.user,
        os_release: std::fs::read_to_string("/etc/os-release").unwrap_or_default(),
        is_root: is_root(),
        has_rustup: works(Command::new("rustup").arg("--version")),
        missing_programs: needs
            .programs
            .iter()
            .filter(|program| !works(Command::new(program.command).args(program.proof())))
            .collect(),
        missing_components: needs
            .components
            .iter()
            .filter(|(subcommand, _)| !works(cargo(root).args([subcommand, "--version"])))
            .map(|(_, component)| *component)
            .collect(),
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn plan(machine: &Machine) -> Plan {
    let can_install_programs = machine.is_root && is_debian(&machine.os_release);
    if (!machine.missing_programs.is_empty() && !can_install_programs)
        || (!machine.missing_components.is_empty() && !machine.has_rustup)
    {
        return Plan::Stop(instructions(machine));
    }
    let mut commands = Vec::new();
    if !machine.missing_components.is_empty() {
        commands.push([&["rustup", "component", "add"], &machine.missing_components[..]].concat());
    }
    if !machine.missing_programs.is_empty() {
        let install = ["apt-get", "install", "--yes", "--no-install-recommends"];
        commands.push(vec!["apt-get", "update"]);
        commands.push([&install, &debian_packages(machine)[..]].concat());
    }
    Plan::Run(commands)
}

/// Whether the system is Debian, Ubuntu or derived from them: `ID` or `ID_LIKE` says so.
fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim().trim_matches(['"', '\'']).split_whitespace())
        .any(|id| id == "debian" || id == "ubuntu")
}

fn debian_packages(machine: &Machine) -> Vec<&'static str> {
    machine.missing_programs.iter().map(|program| program.debian_package).collect()
}

fn instructions(machine: &Machine) -> String {
    let mut text = format!("{} need what this machine lacks", machine.user);
    if !machine.missing_programs.is_empty() {
        let commands: Vec<_> = machine.missing_programs.iter().map(|program| program.command).collect();
        let mut formulas: Vec<_> =
            machine.missing_programs.iter().map(|program| program.brew_formula).collect();
        formulas.dedup();
        text.push_str(&format!(
            "\n  commands: {}\n    Debian, Ubuntu (as root): apt-get update && apt-get install {}\n    macOS: brew \
             install {}",
            commands.join(", "),
            debian_packages(machine).join(" "),
            formulas.join(" "),
        ));
    }
    if !machine.missing_components.is_empty() {
        let components = machine.missing_components.join(" ");
        text.push_str(&format!(
            "\n  toolchain components: {}\n    with rustup: rustup component add {components}",
            machine.missing_components.join(", "),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
    const MINT: &str = "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
    const FEDORA: &str = "NAME=\"Fedora Linux\"\nID=fedora\n";

    fn machine(os_release: &str, is_root: bool, missing_programs: &[&str]) -> Machine {
        Machine {
            user: "the tests",
            os_release: os_release.to_owned(),
            is_root,
            has_rustup: true,
            missing_programs: PROGRAMS
                .iter()
                .filter(|program| missing_programs.contains(&program.command))
                .collect(),
            missing_components: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_run_where_nothing_is_missing() {
        for os_release in [BOOKWORM, FEDORA, ""] {
            assert_eq!(plan(&machine(os_release, false, &[])), Plan::Run(Vec::new()));
        }
    }

    #[test]
    fn root_on_debian_installs_only_what_is_missing() {
        for os_release in [BOOKWORM, MINT, "ID='ubuntu'"] {
            let install =
                vec!["apt-get", "install", "--yes", "--no-install-recommends", "redis-server", "redis-tools"];
            assert_eq!(
                plan(&machine(os_release, true, &["redis-server", "redis-cli"])),
                Plan::Run(vec![vec!["apt-get", "update"], install]),
                "{os_release}"
            );
        }
    }

    #[test]
    fn another_user_or_another_system_gets_instructions_instead() {
        for machine in [
            machine(BOOKWORM, false, &["redis-cli"]),
            machine(FEDORA, true, &["redis-cli"]),
            machine("", true, &["redis-cli"]),
        ] {
            let expected = "the tests need what this machine lacks\n  commands: redis-cli\n    Debian, Ubuntu (as root): \
                            apt-get update && apt-get install redis-tools\n    macOS: brew install redis";
            assert_eq!(plan(&machine), Plan::Stop(expected.to_owned()));
        }
    }

    #[test]
    fn two_commands_of_one_formula_name_it_once() {
        let Plan::Stop(text) = plan(&machine("", false, &["curl", "redis-server", "redis-cli"])) else {
            panic!("nothing can be installed here")
        };
        assert!(text.ends_with("brew install curl redis"), "{text}");
    }

    #[test]
    fn components_are_added_where_rustup_exists() {
        let mut machine = machine(FEDORA, false, &[]);
        machine.missing_components = vec!["rustfmt", "clippy"];
        let add = vec!["rustup", "component", "add", "rustfmt", "clippy"];
        assert_eq!(plan(&machine), Plan::Run(vec![add]));
        machine.has_rustup = false;
        let Plan::Stop(text) = plan(&machine) else { panic!("there is no rustup") };
        assert!(text.contains("rustfmt, clippy") && text.contains("rustup component add"), "{text}");
    }

    #[test]
    fn nothing_is_installed_where_something_else_must_be_installed_by_hand() {
        let mut machine = machine(BOOKWORM, true, &["curl"]);
        machine.missing_components = vec!["clippy"];
        machine.has_rustup = false;
        let Plan::Stop(text) = plan(&machine) else { panic!("there is no rustup") };
        assert!(text.contains("curl") && text.contains("clippy"), "{text}");
    }
}
