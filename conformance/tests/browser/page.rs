//! What a reader sees and can do, on a phone and on a wide screen, and what a server's text cannot do.

use std::sync::OnceLock;

use otp_conformance::Report;
use serde_json::json;

use crate::reports::{faulty, page, with_text};
use crate::server::PageServer;
use crate::webdriver::Browser;

/// The widths of a phone and of a wide screen, in CSS pixels.
const WIDTHS: [u32; 2] = [360, 1_280];

/// How many of the elements that a selector finds have a place on the screen.
fn visible(browser: &Browser, selector: &str) -> u64 {
    let find = format!("document.querySelectorAll({})", json!(selector));
    browser.number(&format!("[...{find}].filter((element) => element.checkVisibility()).length"))
}

fn assert_no_wider_than_the_screen(browser: &Browser, width: u32) {
    let widths =
        browser.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    let (content, room) = (widths[0].as_u64().unwrap(), widths[1].as_u64().unwrap());
    assert!(content <= room && room <= u64::from(width), "{widths} of {width}");
    // Nothing is cut off either: what is wider than its box can be scrolled there.
    let cut_off = "[...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() \
                   && element.getBoundingClientRect().right > document.documentElement.clientWidth + 1 \
                   && !element.closest('pre') && !element.closest('thead') && !element.closest('caption')) \
                   .map((element) => element.outerHTML.slice(0, 200))";
    assert_eq!(browser.value(cut_off), json!([]));
}

fn number_of_checks(report: &Report) -> u64 {
    report.vendors.iter().map(|vendor| vendor.checks.len() as u64).sum()
}

fn number_of_findings(report: &Report) -> u64 {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter(|check| check.finding.is_some()).count() as u64
}

/// A faulty run, the same for all tests that do not change it.
fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(faulty)
}

#[test]
fn a_page_shows_everything_at_every_width_and_requests_nothing() {
    for width in WIDTHS {
        let (server, browser) = (PageServer::start(page(report())), Browser::start(width));
        browser.open(&server.url);
        assert_no_wider_than_the_screen(&browser, width);
        assert_eq!(visible(&browser, "article h3"), number_of_findings(report()));
        assert_eq!(visible(&browser, "h1"), 1);
        assert_eq!(visible(&browser, "#filter"), 1);
        browser.click("#open");
        assert_eq!(browser.number("document.querySelectorAll('details:not([open])').length"), 0);
        assert_eq!(visible(&browser, "tr[data-result]"), number_of_checks(report()));
        assert_eq!(
            visible(&browser, ".exchanges > li"),
            browser.number("document.querySelectorAll('.exchanges > li').length")
        );
        assert_no_wider_than_the_screen(&browser, width);
        browser.click("#open");
        assert_eq!(browser.number("document.querySelectorAll('details[open]').length"), 0);
        // The policy allows style sheet and script, or the browser would complain.
        assert_eq!(browser.complaints(), Vec::<String>::new());
        let only: Vec<_> = browser.requested().into_iter().filter(|url| url != "data:,").collect();
        assert_eq!(only, [server.url.as_str()]);
        assert_eq!(server.requested(), ["GET /report.html HTTP/1.1"]);
    }
}

#[test]
fn a_filter_leaves_what_was_chosen() {
    let (server, browser) = (PageServer::start(page(report())), Browser::start(360));
    browser.open(&server.url);
    browser.click("#open");
    let all = number_of_checks(report());
    let with_result =
        |word: &str| browser.number(&format!("document.querySelectorAll('tr[data-result={word}]').length"));
    let (passed, failed) = (with_result("passed"), with_result("failed"));
    assert!(passed > 10 && failed > 10, "{passed} {failed}");
    let status = || browser.value("document.getElementById('shown').textContent");
    assert_eq!(status(), json!(format!("{all} of {all} checks shown")));

    browser.click("input[value=passed]");
    assert_eq!(visible(&browser, "tr[data-result=passed]"), 0);
    assert_eq!(visible(&browser, "tr[data-result]"), all - passed);
    assert_eq!(status(), json!(format!("{} of {all} checks shown", all - passed)));

    // With the keyboard alone: the space bar on a box, a letter in the list.
    browser.type_into("input[value=failed]", " ");
    assert_eq!(visible(&browser, "tr[data-result=failed]") + visible(&browser, "#failing"), 0);
    assert_eq!(visible(&browser, "#advisory article"), visible(&browser, "article"));
    browser.type_into("input[value=failed]", " ");
    browser.type_into("#area", "mat");
    assert_eq!(browser.value("document.getElementById('area').value"), json!("matrix"));
    assert_eq!(visible(&browser, "article:not([data-area=matrix])"), 0);
    assert_eq!(visible(&browser, "article[data-area=matrix]"), 4);
    assert_eq!(visible(&browser, "tr[data-area=matrix]"), visible(&browser, "tr[data-result]"));

    // A link leads to its finding, although it was filtered.
    browser.value("(location.hash = document.querySelector('#advisory article').id, null)");
    assert_eq!(visible(&browser, "#advisory article:target"), 1);

    browser.click("input[value=passed]");
    browser.click("button[type=reset]");
    let settled = "new Promise((resolve) => setTimeout(() => resolve(document.getElementById('shown').textContent), 50))";
    assert_eq!(browser.value(settled), json!(format!("{all} of {all} checks shown")));
    assert_eq!(visible(&browser, "tr[data-result]"), all);
}

#[test]
fn without_scripts_everything_is_there_and_opens() {
    for width in WIDTHS {
        let (server, browser) = (PageServer::start(page(report())), Browser::start(width));
        browser.command("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
        browser.open(&server.url);
        assert_eq!(visible(&browser, "#filter"), 0);
        assert_eq!(visible(&browser, "article h3"), number_of_findings(report()));
        assert_eq!(
            browser.number("document.querySelectorAll('[data-result][hidden], .group[hidden]').length"),
            0
        );
        assert_eq!(visible(&browser, "#vendor-1 details tr[data-result]"), 0);
        browser.click("#vendor-1 details.folded summary");
        assert!(visible(&browser, "#vendor-1 details tr[data-result]") > 10);
        assert_no_wider_than_the_screen(&browser, width);
    }
}

#[test]
fn what_a_server_sent_is_text_in_a_page_from_a_file() {
    let long = "a".repeat(5_000);
    let hostile = format!(
        "</code></pre></script></style></title><script>alert('script')</script><img src=\"http://127.0.0.1:1/image\" \
         onerror=\"alert('image')\"><svg onload=alert('svg')></svg><iframe srcdoc=\"<script>alert('frame')</script>\"></iframe>\
         <base href=http://127.0.0.1:1/><meta http-equiv=refresh content=\"0;url=http://127.0.0.1:1/\"><style>*{{display:none}}\
         </style><link rel=stylesheet href=http://127.0.0.1:1/style><form action=http://127.0.0.1:1/><a href=javascript:alert(1)>\
         \" onclick=\"alert(2)\" ' x='&lt;&#0;\u{0}\u{1b}[31m\u{202e}abc\u{2066}\r\n\u{85}\u{2028}\u{feff}<!--{long}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let address = format!("file://{}", file.display());
    for width in WIDTHS {
        let report = with_text(&hostile);
        std::fs::write(&file, page(&report)).unwrap();
        let browser = Browser::start(width);
        browser.open(&address);
        browser.click("#open");
        assert_eq!(browser.dialog(), None);
        assert_eq!(browser.value("document.URL"), json!(address));
        let foreign = "[...document.querySelectorAll('img, svg, iframe, base, object, embed, meta[http-equiv=refresh], \
                       form[action], a:not([href^=\"#\"]), script + *, [onclick], [onerror], [onload]')] \
                       .map((element) => element.outerHTML)";
        assert_eq!(browser.value(foreign), json!([]));
        assert_eq!(
            browser.value(
                "['script', 'style', 'link', 'title'].map((name) => document.querySelectorAll(name).length)"
            ),
            json!([1, 1, 1, 1])
        );
        assert_eq!(visible(&browser, "article h3"), number_of_findings(&report));
        assert_eq!(visible(&browser, "tr[data-result]"), number_of_checks(&report));
        let shown = "document.querySelector('.exchanges pre').textContent";
        let shown = browser.value(shown).as_str().unwrap().to_owned();
        assert!(
            shown.contains("<script>alert('script')</script><img src=\"http://127.0.0.1:1/image\""),
            "{shown}"
        );
        assert!(
            shown.contains("&lt;&#0;\\u0000\\u001b[31m\\u202eabc\\u2066\\r\n\\u0085\\u2028\\ufeff<!--aaa"),
            "{shown}"
        );
        assert_no_wider_than_the_screen(&browser, width);
        assert_eq!(browser.complaints(), Vec::<String>::new());
        let only: Vec<_> = browser.requested().into_iter().filter(|url| url != "data:,").collect();
        assert_eq!(only, [address.as_str()]);
    }
}

/// The texts whose contrast to what is behind them is less than the 4.5 to 1 of WCAG 2.2, level AA.
const FAINT: &str = "(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (value) => value <= 0.04045 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const behind = (element) => {
    for (let outer = element; outer; outer = outer.parentElement) {
      const color = channels(getComputedStyle(outer).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
  const faint = new Set();
  for (const element of document.querySelectorAll('body *')) {
    if (!hasText(element) || !element.checkVisibility()) continue;
    const one = luminance(channels(getComputedStyle(element).color));
    const other = luminance(behind(element));
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faint.add(`${element.localName}.${element.className} ${contrast.toFixed(2)}`);
  }
  return [...faint];
})()";

#[test]
fn light_dark_and_paper_are_legible() {
    let (server, browser) = (PageServer::start(page(report())), Browser::start(1_280));
    browser.open(&server.url);
    browser.click("#open");
    let mut backgrounds = Vec::new();
    for (scheme, media) in [("light", ""), ("dark", ""), ("light", "print"), ("dark", "print")] {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.command("Emulation.setEmulatedMedia", &json!({"media": media, "features": features}));
        assert_eq!(browser.value(FAINT), json!([]), "{scheme} {media}");
        backgrounds.push(browser.value("getComputedStyle(document.body).backgroundColor"));
    }
    let [light, dark, paper, dark_paper] = [0, 1, 2, 3].map(|index: usize| backgrounds[index].clone());
    assert_ne!(light, dark);
    // Nobody wants to print a dark page.
    assert_eq!([paper, dark_paper], [light.clone(), light]);
}

#[test]
fn paper_shows_what_was_folded_and_no_filter() {
    let (server, browser) = (PageServer::start(page(report())), Browser::start(1_280));
    // Without scripts, so that the style sheet alone has to do it.
    browser.command("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(&server.url);
    assert_eq!(visible(&browser, ".exchanges pre"), 0);
    browser.command("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    assert_eq!(visible(&browser, "#filter, nav"), 0);
    assert_eq!(
        visible(&browser, ".exchanges pre"),
        browser.number("document.querySelectorAll('.exchanges pre').length")
    );
    let pages = browser.command("Page.printToPDF", &json!({}));
    assert!(pages["data"].as_str().is_some_and(|pages| pages.len() > 100_000));
}

#[test]
fn everything_that_opens_or_leads_somewhere_can_have_the_focus() {
    let (server, browser) = (PageServer::start(page(report())), Browser::start(360));
    browser.open(&server.url);
    browser.click("#open");
    let unreachable = "[...document.querySelectorAll('a, summary, input, select, button')].filter((element) => \
                       (element.focus(), document.activeElement !== element)).map((element) => element.outerHTML)";
    assert_eq!(browser.value(unreachable), json!([]));
    // The focus is visible.
    browser.type_into("#area", "\u{e004}");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.value(outline), json!("solid"));
}
