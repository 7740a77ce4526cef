//! The samples in the README: its console blocks, in which `…` stands for anything.

pub(crate) const README: &str = include_str!("../../../README.md");

/// The lines of each console block that starts with this command, without the command.
pub(crate) fn blocks(command: &str) -> Vec<Vec<&'static str>> {
    let start = format!("```console\n$ {command}\n");
    let rest = README.split(&start).skip(1);
    rest.map(|rest| rest.lines().take_while(|line| *line != "```").collect()).collect()
}

/// Whether `line` is `shown`, in which `…` stands for anything.
fn matches(shown: &str, line: &str) -> bool {
    let mut rest = line;
    let parts: Vec<_> = shown.split('…').collect();
    for (index, part) in parts.iter().enumerate() {
        let found = if index == 0 { rest.starts_with(part).then_some(0) } else { rest.find(part) };
        let Some(at) = found else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || shown.ends_with('…')
}

/// Each line of the block occurs in the output, in order.
pub(crate) fn expect_shown(block: &[&str], printed: &str) {
    let mut lines = printed.lines();
    for shown in block.iter().filter(|line| line.trim() != "…") {
        assert!(
            lines.any(|line| matches(shown, line)),
            "the README shows `{shown}`, but the program prints\n{printed}"
        );
    }
}
