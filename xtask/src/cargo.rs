//! The cargo that runs this program, so that every command uses the toolchain that the user chose. It knows no command
//! of this program.

use std::path::Path;
use std::process::Command;

/// A cargo command in `folder`.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    command
}
