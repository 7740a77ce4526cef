//! The report as `JUnit` XML, as Jenkins (`junit-10.xsd` of its xUnit plugin) and GitLab read it: a test suite for each
//! vendor, and a test case for each check.
//!
//! A finding that fails the run is a `failure`. An advisory finding must not fail a CI job, and every reader fails the job
//! for a `failure`. So an advisory finding is a passed test case that shows the finding in `system-out`; with `--strict`,
//! it is a `failure`, because the verdict counts it as one.
//!
//! May use `facts` and `text`. It must never write a character that XML 1.0 forbids, whatever a server sent.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::facts::{difference, in_words, seconds, short_name, shown, stale, steps, waived};
use super::{CheckReport, CheckResult, Finding, Report, Reporter, VendorReport};

type Xml<'a> = Writer<&'a mut dyn Write>;

/// The format for test results.
pub(super) struct Junit;

impl Reporter for Junit {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut xml = Writer::new_with_indent(out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut counts = Counts::over(report.vendors.iter().flat_map(|vendor| &vendor.checks));
        counts.tests += report.stale_waivers.len();
        counts.failures += report.stale_waivers.len();
        counts.tests += usize::from(report.preflight.problem.is_some());
        counts.errors += usize::from(report.preflight.problem.is_some());
        xml.create_element("testsuites")
            .with_attributes([
                ("name", "otp-conformance"),
                ("tests", &counts.tests.to_string()),
                ("failures", &counts.failures.to_string()),
                ("errors", &counts.errors.to_string()),
                ("time", &seconds(report.duration_ms)),
            ])
            .write_inner_content(|xml| {
                report.vendors.iter().try_for_each(|vendor| write_suite(report, vendor, xml))?;
                if let Some(problem) = &report.preflight.problem {
                    write_preflight(problem, xml)?;
                }
                if report.stale_waivers.is_empty() { Ok(()) } else { write_waivers(report, xml) }
            })?;
        writeln!(xml.get_mut())
    }
}

/// What a reader expects to add up.
#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    millis: u64,
}

impl Counts {
    fn over<'a>(checks: impl IntoIterator<Item = &'a CheckReport>) -> Counts {
        let mut counts = Counts::default();
        for check in checks {
            counts.tests += 1;
            counts.millis += check.duration_ms;
            match check.result {
                CheckResult::Failed if check.gates => counts.failures += 1,
                CheckResult::Passed | CheckResult::Failed | CheckResult::Known => {}
                CheckResult::Skipped => counts.skipped += 1,
                CheckResult::Error => counts.errors += 1,
            }
        }
        counts
    }
}

fn write_suite(report: &Report, vendor: &VendorReport, xml: &mut Xml<'_>) -> io::Result<()> {
    let counts = Counts::over(&vendor.checks);
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", shown(&vendor.vendor).as_str()),
        ("tests", &counts.tests.to_string()),
        ("failures", &counts.failures.to_string()),
        ("errors", &counts.errors.to_string()),
        ("skipped", &counts.skipped.to_string()),
        ("time", &seconds(counts.millis)),
    ]);
    suite.write_inner_content(|xml| {
        write_properties(report, vendor, xml)?;
        vendor.checks.iter().try_for_each(|check| write_case(vendor, check, xml))
    })?;
    Ok(())
}

/// A run without checks is a test in error: without any, a reader would take it for a success.
fn write_preflight(problem: &str, xml: &mut Xml<'_>) -> io::Result<()> {
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", "preflight"),
        ("tests", "1"),
        ("failures", "0"),
        ("errors", "1"),
        ("skipped", "0"),
        ("time", "0.000"),
    ]);
    suite.write_inner_content(|xml| {
        let case = xml.create_element("testcase").with_attributes([
            ("name", "preflight"),
            ("classname", "preflight"),
            ("time", "0.000"),
        ]);
        case.write_inner_content(|xml| {
            let attributes = [("type", "error"), ("message", &shown(problem))];
            xml.create_element("error").with_attributes(attributes).write_empty().map(|_| ())
        })?;
        Ok(())
    })?;
    Ok(())
}

/// The stale waivers fail the run, so they are failed tests.
fn write_waivers(report: &Report, xml: &mut Xml<'_>) -> io::Result<()> {
    let count = report.stale_waivers.len().to_string();
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", "waivers"),
        ("tests", count.as_str()),
        ("failures", &count),
        ("errors", "0"),
        ("skipped", "0"),
        ("time", "0.000"),
    ]);
    suite.write_inner_content(|xml| {
        report.stale_waivers.iter().try_for_each(|waiver| {
            let case = xml.create_element("testcase").with_attributes([
                ("name", shown(&waiver.check).as_str()),
                ("classname", "waivers"),
                ("time", "0.000"),
            ]);
            case.write_inner_content(|xml| {
                let failure = xml.create_element("failure");
                let attributes = [("type", "stale"), ("message", &stale(waiver))];
                failure.with_attributes(attributes).write_empty().map(|_| ())
            })?;
            Ok(())
        })
    })?;
    Ok(())
}

fn write_properties(report: &Report, vendor: &VendorReport, xml: &mut Xml<'_>) -> io::Result<()> {
    let properties = [
        ("suite", report.suite.to_owned()),
        ("seed", report.seed.to_string()),
        ("strict", report.strict.to_string()),
        ("targets", shown(&report.targets.join(" "))),
        ("verdict", vendor.verdict.as_str().to_owned()),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        properties.iter().try_for_each(|(name, value)| {
            let property = xml.create_element("property");
            property.with_attributes([("name", *name), ("value", value)]).write_empty().map(|_| ())
        })
    })?;
    Ok(())
}

fn write_case(vendor: &VendorReport, check: &CheckReport, xml: &mut Xml<'_>) -> io::Result<()> {
    let class = format!("{}.{}", vendor.vendor, check.area.as_str());
    let case = xml.create_element("testcase").with_attributes([
        ("name", shown(short_name(check, vendor)).as_str()),
        ("classname", &shown(&class)),
        ("time", &seconds(check.duration_ms)),
    ]);
    let reason = shown(check.reason.as_deref().unwrap_or_default());
    let result = match (check.result, &check.finding) {
        (CheckResult::Failed, Some(finding)) if check.gates => {
            case.write_inner_content(|xml| write_failure(check, finding, xml))
        }
        (CheckResult::Failed, Some(finding)) => {
            let text = format!("advisory finding: {}\n{}", difference(finding), details(check, finding));
            case.write_inner_content(|xml| write_output(&text, xml))
        }
        (CheckResult::Known, Some(finding)) => {
            let reason = waived(check).unwrap_or_default();
            let text = format!("known finding: {reason}\n{}", details(check, finding));
            case.write_inner_content(|xml| write_output(&text, xml))
        }
        // A failed check has a finding. If it ever had none, the counts must still agree.
        (CheckResult::Failed, None) if check.gates => case.write_inner_content(|xml| {
            xml.create_element("failure").with_attribute(("type", check.basis.as_str())).write_empty()?;
            Ok(())
        }),
        (CheckResult::Skipped, _) => case.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", reason.as_str())).write_empty()?;
            Ok(())
        }),
        (CheckResult::Error, _) => case.write_inner_content(|xml| {
            let attributes = [("type", "error"), ("message", reason.as_str())];
            xml.create_element("error").with_attributes(attributes).write_empty()?;
            Ok(())
        }),
        (CheckResult::Passed | CheckResult::Failed | CheckResult::Known, _) => match &check.note {
            Some(note) => case.write_inner_content(|xml| write_output(&shown(note), xml)),
            None => case.write_empty(),
        },
    };
    result.map(|_| ())
}

fn write_failure(check: &CheckReport, finding: &Finding, xml: &mut Xml<'_>) -> io::Result<()> {
    let message = format!("{}: {}", shown(&check.statement), difference(finding));
    let attributes = [("type", check.basis.as_str()), ("message", message.as_str())];
    let failure = xml.create_element("failure").with_attributes(attributes);
    failure.write_text_content(BytesText::new(&details(check, finding)))?;
    Ok(())
}

fn write_output(text: &str, xml: &mut Xml<'_>) -> io::Result<()> {
    xml.create_element("system-out").write_text_content(BytesText::new(text))?;
    Ok(())
}

fn details(check: &CheckReport, finding: &Finding) -> String {
    format!("\n{}\n{}", in_words(check, finding), steps(finding))
}
