//! No text that a server or a document chose gets out of its place, whatever it is and whatever the format.

use std::sync::OnceLock;

use otp_conformance::{CheckResult, Report};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::report_formats::{faulty_run, written};
use crate::{html, junit};

/// The report of a faulty run, one for all cases of the property below.
fn faulty() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let mut report = runtime.block_on(faulty_run(false));
        report.vendors[0].checks[0].result = CheckResult::Skipped;
        report.vendors[0].checks[1].result = CheckResult::Error;
        report
    })
}

/// Puts `text` wherever a server or a document has a say.
fn with_text(text: &str) -> Report {
    let mut report = faulty().clone();
    let put = |place: &mut String| text.clone_into(place);
    for vendor in &mut report.vendors {
        put(&mut vendor.name);
        vendor.operations.iter_mut().for_each(|operation| put(&mut operation.path));
        vendor.cells.iter_mut().for_each(|cell| put(&mut cell.status));
        for check in &mut vendor.checks {
            put(&mut check.statement);
            put(&mut check.citation.document);
            put(&mut check.citation.section);
            check.reason = Some(text.to_owned());
            check.note = Some(text.to_owned());
            check.id = format!("{}/{}/{text}", vendor.vendor, check.area.as_str());
            check.cause = check.cause.take().map(|_| format!("{}/matrix/{text}", vendor.vendor));
            check.also = vec![text.to_owned()];
            let Some(finding) = &mut check.finding else { continue };
            put(&mut finding.expected);
            put(&mut finding.actual);
            put(&mut finding.script);
            finding.curl.iter_mut().for_each(put);
            for difference in &mut finding.differences {
                put(&mut difference.place);
                put(&mut difference.expected);
                put(&mut difference.actual);
            }
            for exchange in &mut finding.exchanges {
                put(&mut exchange.request.url);
                exchange.request.body = Some(text.to_owned());
                exchange.request.headers = vec![[text.to_owned(), text.to_owned()]];
                let Some(response) = &mut exchange.response else { continue };
                put(&mut response.body);
                response.headers = vec![[text.to_owned(), text.to_owned()]];
            }
        }
    }
    report
}

/// What Markdown makes of a text: its elements in order, without their text.
fn markdown_structure(text: &str) -> Vec<String> {
    // Everything that some renderer knows, but for the attributes of headings, which are harmless.
    let parser = Parser::new_ext(text, Options::all() - Options::ENABLE_HEADING_ATTRIBUTES);
    let events = parser.filter_map(|event| match event {
        Event::Text(_) => None,
        Event::Start(Tag::CodeBlock(kind)) => Some(format!("{kind:?}")),
        other => Some(format!("{other:?}")),
    });
    events.collect()
}

/// Text that tries to be something else.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "]]>",
        "<![CDATA[",
        "<!--",
        "&lt;",
        "&#0;",
        "\"",
        "'",
        "<script>alert(1)</script>",
        "</code>",
        "</pre></details>",
        "</title>",
        "<style>*{display:none}</style>",
        "<img src=http://127.0.0.1:1/x onerror=alert(1)>",
        "\" onclick=\"alert(1)",
        "&nbsp",
        "::error::x",
        "##[error]",
        "%0A",
        "%",
        ":",
        ",",
        "`",
        "```",
        "``````\n",
        "~~~\n",
        "|",
        "\\|",
        "\\",
        "# x",
        "> ",
        "- x\n",
        "1. ",
        "    x",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\u{1b}[31m",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{fffe}",
        "\u{ffff}",
        "*x*",
        "_",
        "__x__",
        "~~x~~",
        "[x](http://x)",
        "![x](y)",
        "$x$",
        "@x",
        "[^1]",
        "[x]: y\n",
        "www.example.org",
        "http://x",
        "---\n",
        "===\n",
        "|---|\n",
        ":x:",
        "😀",
        "é",
        "{{x}}",
        "<a href=x>",
        "a",
    ]);
    let any = any::<char>().prop_map(String::from);
    prop::collection::vec(prop_oneof![5 => known.prop_map(str::to_owned), 1 => any], 1..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_gets_out_of_its_place(text in hostile()) {
        let (report, plain) = (with_text(&text), with_text("x"));
        let root = junit::parse(&written(&report, "junit"));
        junit::assert_valid(&root);
        prop_assert_eq!(junit::outline(&root), junit::outline(&junit::parse(&written(&plain, "junit"))));

        let github = written(&report, "github");
        prop_assert_eq!(github.lines().count(), written(&plain, "github").lines().count());
        for line in github.split_terminator('\n') {
            let command = ["::error title=", "::warning title=", "::notice title="];
            prop_assert!(command.iter().any(|start| line.starts_with(start)), "{line:?}");
            prop_assert!(!line.contains(char::is_control), "{line:?}");
        }

        let markdown = written(&report, "markdown");
        prop_assert_eq!(markdown_structure(&markdown), markdown_structure(&written(&plain, "markdown")));
        prop_assert!(!markdown.contains(|character: char| character.is_control() && !"\n\t".contains(character)));

        let page = html::parse(&written(&report, "html"));
        html::assert_valid(&page);
        prop_assert_eq!(html::outline(&page), html::outline(&html::parse(&written(&plain, "html"))));
        let is_readable = |character: char| !character.is_control() || "\n\t".contains(character);
        prop_assert!(written(&report, "html").chars().all(is_readable));

        let json: serde_json::Value = serde_json::from_str(&written(&report, "json")).unwrap();
        prop_assert_eq!(&json["schema"], "otp-conformance/report/2");
    }
}

#[test]
fn a_summary_has_every_finding_and_stays_below_the_limit_of_a_summary_page() {
    let mut report = with_text(&"`<|".repeat(1_000));
    let checks = &mut report.vendors[0].checks;
    let found = checks.iter().find(|check| check.result == CheckResult::Failed).unwrap().clone();
    checks.clear();
    for number in 0..400 {
        let mut check = found.clone();
        // The server chooses the rest.
        check.citation = faulty().vendors[0].checks[0].citation.clone();
        (check.id, check.cause) = (format!("zeckta/matrix/number-{number}"), None);
        checks.push(check);
    }
    let markdown = written(&report, "markdown");
    assert!(markdown.len() < 1_024 * 1_024, "{}", markdown.len());
    for number in 0..400 {
        assert!(markdown.contains(&format!("number-{number}</code>: ")), "{number}");
    }
    assert!(markdown.contains("### <code>zeckta/matrix/number-0</code>") && markdown.contains("\n- <code>"));
}
