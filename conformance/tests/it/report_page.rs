//! The page of an `html` report: what it shows, in which words, and that it is valid HTML.

use otp_conformance::{CheckResult, Report, Stopped, Untried, Verdict};
use scraper::Html;

use crate::html::{self, select, text};
use crate::report_formats::{VOLATILE, faulty_run, run, written};

fn page(report: &Report) -> Html {
    let page = html::parse(&written(report, "html"));
    html::assert_valid(&page);
    page
}

/// The text of the only element that a selector finds.
fn text_of(page: &Html, selector: &str) -> String {
    let found = select(page, selector);
    assert_eq!(found.len(), 1, "{selector}");
    text(found[0])
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    select(page, selector).into_iter().map(text).collect()
}

/// A report with every result: passed, failed, advisory, skipped and error.
async fn mixed_run() -> Report {
    let mut report = faulty_run(false).await;
    let vendor = &mut report.vendors[0];
    let passed: Vec<_> = (0..vendor.checks.len())
        .filter(|index| vendor.checks[*index].result == CheckResult::Passed)
        .collect();
    for (index, result, reason) in
        [(0, CheckResult::Skipped, "no second tenant"), (1, CheckResult::Error, "no <control>")]
    {
        let check = &mut vendor.checks[passed[index]];
        (check.result, check.reason, check.given) = (result, Some(reason.to_owned()), Vec::new());
    }
    report
}

#[tokio::test]
async fn a_page_is_valid_and_has_every_check_and_every_finding() {
    for report in [run("d7", &[], false).await, mixed_run().await, faulty_run(true).await] {
        let page = page(&report);
        let checks: Vec<_> = report.vendors.iter().flat_map(|vendor| &vendor.checks).collect();
        assert_eq!(select(&page, "tr[data-result]").len(), checks.len());
        let found: Vec<_> = checks.iter().filter(|check| check.finding.is_some()).collect();
        assert_eq!(select(&page, "article").len(), found.len());
        for check in found {
            let word = if check.gates { "failed" } else { "advisory" };
            let headings = texts(&page, &format!("article[data-result={word}] h3"));
            assert!(headings.contains(&format!("{word} {}", check.id)), "{headings:?}");
        }
        for (operation, shown) in report.vendors[0].operations.iter().zip(texts(&page, ".operations li")) {
            assert_eq!(shown, format!("{} {}", operation.method, operation.path));
        }
        assert_eq!(select(&page, ".cells li").len(), report.vendors[0].cells.len());
    }
}

#[tokio::test]
async fn a_finding_has_everything_that_the_json_report_has() {
    let report = faulty_run(false).await;
    let page = page(&report);
    for check in report.vendors.iter().flat_map(|vendor| &vendor.checks) {
        let Some(finding) = &check.finding else { continue };
        let articles = select(&page, "article");
        let is_its = |article: &&scraper::ElementRef<'_>| {
            article.child_elements().next().is_some_and(|heading| text(heading).ends_with(&check.id))
        };
        let shown = text(**articles.iter().filter(is_its).collect::<Vec<_>>().first().unwrap());
        let source = format!("{}: {}", check.citation.document, check.citation.section);
        for fact in [&check.statement, &source, &finding.actual, finding.script.trim_end()] {
            assert!(shown.contains(fact), "{fact} in {shown}");
        }
        let exchanges = finding.exchanges.iter().flat_map(|exchange| {
            let response = exchange.response.as_ref().unwrap();
            let headers = exchange.request.headers.iter().chain(&response.headers);
            let fields = headers.map(|[name, value]| format!("{name}: {value}"));
            let body = exchange.request.body.clone();
            fields.chain(body).chain([exchange.request.url.clone(), response.body.clone()])
        });
        let differences = finding.differences.iter().flat_map(|difference| {
            [difference.place.clone(), difference.expected.clone(), difference.actual.clone()]
        });
        let expected = finding.expected.lines().map(str::to_owned);
        for fact in exchanges.chain(differences).chain(expected).chain(finding.curl.clone()) {
            assert!(shown.contains(&fact), "{fact} in {shown}");
        }
        assert!(check.also.iter().all(|also| shown.contains(also)));
        assert!(
            check.cause.iter().all(|cause| shown.contains(&format!("Probably the same cause as {cause}")))
        );
    }
}

#[tokio::test]
async fn every_result_has_a_word_and_a_class_of_its_own() {
    let page = page(&mixed_run().await);
    for word in ["failed", "error", "advisory", "skipped", "passed"] {
        let badges = texts(&page, &format!("tr[data-result={word}] .badge"));
        assert!(!badges.is_empty() && badges.iter().all(|badge| badge == word), "{word}: {badges:?}");
        assert_eq!(select(&page, &format!("tr[data-result={word}] .badge:not(.{word})")).len(), 0);
        assert_eq!(select(&page, &format!("#filter input[value={word}]")).len(), 1);
    }
    assert_eq!(text_of(&page, "#errors .reason"), "no <control>");
    assert_eq!(text_of(&page, "#skipped .reason"), "no second tenant");
    assert_eq!(select(&page, "#errors li").len() + select(&page, "#skipped li").len(), 2);
}

#[tokio::test]
async fn a_row_of_the_matrix_shows_the_status_that_came_beside_the_one_that_is_allowed() {
    let page = page(&faulty_run(false).await);
    let rows: Vec<_> = select(&page, "tr[data-area=matrix]").into_iter().map(text).collect();
    let row = |name: &str| rows.iter().find(|row| row.contains(name)).unwrap();
    assert!(row("already_used").ends_with("200 not 409"), "{rows:?}");
    assert!(row("wrong_code").ends_with("400 differs at /success"), "{rows:?}");
    assert!(row("expired").ends_with("documented410"), "{rows:?}");
}

#[tokio::test]
async fn the_first_and_the_last_line_say_what_decides() {
    let (clean, faulty) = (run("d7", &[], false).await, faulty_run(false).await);
    let mut inconclusive = clean.clone();
    (inconclusive.verdict, inconclusive.vendors[0].checks[0].result) =
        (Verdict::Inconclusive, CheckResult::Error);
    let mut empty = clean.clone();
    (empty.verdict, empty.vendors[0].checks) = (Verdict::Inconclusive, Vec::new());
    let mut partial = clean.clone();
    partial.verdict = Verdict::Partial;
    partial.stopped = Some(Stopped::FailFast);
    let untried = Untried { check: "d7/matrix/expired".to_owned(), reason: "no `age`".to_owned() };
    partial.vendors[0].untried = vec![untried];
    for (report, lead) in [
        (&clean, "Every check that can fail the run passed."),
        (&faulty, "3 failed checks fail the run."),
        (&inconclusive, "No check failed the run, but 1 check that can fail it ended in an error."),
        (&empty, "No check that can fail the run has a result."),
        (&partial, "No check failed the run, but 1 documented response could not be tried."),
    ] {
        let page = page(report);
        let verdict = report.verdict.as_str();
        assert_eq!(text_of(&page, ".lead"), lead);
        assert_eq!(text_of(&page, "h1"), format!("OTP conformance: {verdict}"));
        let last = text_of(&page, "footer");
        assert!(last.starts_with(&format!("{verdict}: {lead}")), "{last}");
    }
    let advisory = "1 advisory finding does not fail the run.";
    assert!(text_of(&page(&faulty), ".decision").contains(advisory));
    assert!(text_of(&page(&faulty), "footer").contains(advisory));
    let partial = page(&partial);
    assert_eq!(texts(&partial, ".untried li"), ["d7/matrix/expired: no `age`"]);
    assert!(text_of(&partial, ".decision").contains("stopped by --fail-fast"));
    assert!(text_of(&partial, "footer").contains("stopped by --fail-fast"));
}

#[tokio::test]
async fn a_page_says_how_much_of_the_suite_ran() {
    let mut report = run("d7", &[], false).await;
    let ran = report.vendors[0].checks.len();
    report.available = ran + 7;
    assert!(text_of(&page(&report), ".decision").contains(&format!("{ran} of {} checks ran.", ran + 7)));
    report.available = ran;
    assert!(!text_of(&page(&report), ".decision").contains("checks ran"));
}

#[tokio::test]
async fn one_report_gives_one_page() {
    let report = mixed_run().await;
    assert_eq!(written(&report, "html"), written(&report.clone(), "html"));
}

#[tokio::test]
async fn a_page_with_endless_exchanges_is_still_one_that_a_browser_can_show() {
    let mut report = faulty_run(false).await;
    for finding in report.vendors[0].checks.iter_mut().filter_map(|check| check.finding.as_mut()) {
        finding.exchanges[0].response.as_mut().unwrap().body = "<".repeat(30_000);
        finding.exchanges = vec![finding.exchanges[0].clone(); 1_000];
    }
    let text = written(&report, "html");
    assert!(text.len() < 40 * 1_024 * 1_024, "{}", text.len());
    assert!(text.contains("800 exchanges in the middle left out; the JSON report has all"));
    assert!(text.contains("(10000 more characters)"));
}

#[tokio::test]
async fn a_page_shows_what_was_reviewed() {
    let mut report = faulty_run(false).await;
    let vendor = &mut report.vendors[0];
    let kept = ["approved", "already_used", "uniform-refusal"];
    vendor.checks.retain(|check| kept.iter().any(|name| check.id.ends_with(name)));
    vendor.cells.truncate(2);
    // An element a line, without style sheet and script, which no test but a browser's can judge.
    let text = written(&report, "html").replace("><", ">\n<");
    let mut filters = VOLATILE.to_vec();
    filters.push((r"(?s)<style>.*</style>", "<style>[style]</style>"));
    filters.push((r"(?s)<script>.*</script>", "<script>[script]</script>"));
    filters.push((r"sha256-[^']*", "sha256-[hash]"));
    filters.push((r"date: [^<]*GMT", "date: [date]"));
    filters.push((r"<dd>\d+\.\d+\.\d+</dd>", "<dd>[version]</dd>"));
    insta::with_settings!({ filters => filters, omit_expression => true }, {
        insta::assert_snapshot!("html_small", text);
    });
}
