//! Whether output has colours, and a writer that removes them where it has none.
//!
//! It must not write anything of its own.

use std::io::{self, Write};

use anstream::adapter::StripBytes;
use anstream::{AutoStream, ColorChoice};
use serde::Deserialize;

/// When output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also in a file or a pipe.
    Always,
    /// Nowhere.
    Never,
}

/// A writer with or without colours.
pub(super) struct Colored<'w> {
    out: &'w mut dyn Write,
    /// What removes them.
    strip: Option<StripBytes>,
}

impl<'w> Colored<'w> {
    /// `out` with colours where they are wanted.
    pub(super) fn new(out: &'w mut dyn Write, when: Color) -> Colored<'w> {
        let has_colors = match when {
            Color::Always => true,
            Color::Never => false,
            // What the standard output can show, and the usual variables of the environment ask for.
            Color::Auto => AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        };
        Colored { out, strip: (!has_colors).then(StripBytes::new) }
    }
}

impl Write for Colored<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.strip {
            None => self.out.write_all(bytes)?,
            Some(strip) => {
                for printable in strip.strip_next(bytes) {
                    self.out.write_all(printable)?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
