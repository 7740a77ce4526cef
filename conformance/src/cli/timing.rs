//! `timing`: measures response times, and prints them without a verdict.

use std::io::Write;
use std::path::PathBuf;

use super::format::{ListFormat, pretty};
use super::options::{CheckArguments, Options, SubjectArguments};
use super::subject;
use crate::error::Failure;
use crate::timing::{self, Timing};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// A file with options and secrets
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// How many responses to measure for each kind of call
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    samples: u32,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

pub(super) async fn run(arguments: Arguments, err: &mut dyn Write) -> Result<String, Failure> {
    let check = CheckArguments::default();
    let mut options = Options::merge(arguments.config.as_deref(), arguments.subject, check)?;
    // A file may have options that only `check` uses.
    options.check = CheckArguments::default();
    if options.subject.target.len() > 1 {
        let problem = "timing measures one server; name only one".to_owned();
        return Err(Failure::Option { option: "--target", problem });
    }
    let seed = options.subject.seed.unwrap_or_else(subject::random_seed);
    let (suite, mut log) = subject::connect(options, Vec::new(), err).await?;
    let mut timings = Vec::new();
    for contract in &suite.contracts {
        timings.push(timing::measure(contract, &suite.subject, arguments.samples as usize, seed).await);
    }
    suite.close().await;
    log.write_all(err);
    let timings = timings.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(match arguments.format {
        ListFormat::Text => as_text(&timings),
        ListFormat::Json => as_json(&timings),
    })
}

fn as_text(timings: &[Timing]) -> String {
    let micros = |nanos: f64| nanos / 1e3;
    let mut text = String::new();
    for timing in timings {
        text.push_str(&format!("{}\n", timing.vendor));
        for class in &timing.classes {
            text.push_str(&format!("  {:<28}{:>10.1} µs", class.name, micros(class.median_ns)));
            if class.difference_ns != 0.0 || class.interval_ns != (0.0, 0.0) {
                text.push_str(&format!(
                    "  {:+.1} µs ({:+.1} to {:+.1})",
                    micros(class.difference_ns),
                    micros(class.interval_ns.0),
                    micros(class.interval_ns.1)
                ));
            }
            text.push_str(&format!("  {} samples\n", class.samples));
        }
    }
    text.push_str(
        "Medians, the difference from the first kind of call, and its 95 % confidence interval (bootstrap).\n\
         This is no verdict: what a remote caller can distinguish depends on the network in between.\n",
    );
    text
}

/// Times are in nanoseconds.
fn as_json(timings: &[Timing]) -> String {
    let rows = timings.iter().map(|timing| {
        let classes = timing.classes.iter().map(|class| {
            serde_json::json!({
                "class": class.name,
                "samples": class.samples,
                "median_ns": class.median_ns,
                "difference_ns": class.difference_ns,
                "interval_95_ns": [class.interval_ns.0, class.interval_ns.1],
            })
        });
        serde_json::json!({"vendor": timing.vendor, "classes": classes.collect::<Vec<_>>()})
    });
    pretty(rows.collect())
}
