//! The reports that the browser shows.

use otp_conformance::{CheckResult, Options, Report, SubjectOptions, Suite};
use otp_contract::Contract;
use otp_sandbox::{Fault, Sandbox, Settings};
use otp_test_support::serve_replica;

/// A run with findings of both weights, a skipped check and one in error.
pub(crate) fn faulty() -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut report = runtime.block_on(async {
        let contracts = ["zeckta", "exotel"].map(|vendor| Contract::of_vendor(vendor).unwrap()).to_vec();
        let faults = ["reuse", "wrong-code-claims-success"].map(|name| Fault::named(name).unwrap()).to_vec();
        let settings = Settings { contracts: contracts.clone(), faults, ..Settings::default() };
        let url = serve_replica(&Sandbox::new(settings).unwrap(), 0).await;
        let subject =
            SubjectOptions { targets: vec![url.clone()], control: Some(url), ..SubjectOptions::default() };
        let options = Options { cases: 4, bursts: 8, ..Options::with_seed(5) };
        Suite::connect(contracts, subject).await.unwrap().run(&options).await.unwrap()
    });
    let checks = &mut report.vendors[0].checks;
    let mut passed = checks.iter_mut().filter(|check| check.result == CheckResult::Passed);
    for (result, reason) in [(CheckResult::Skipped, "no second tenant"), (CheckResult::Error, "no control")] {
        let check = passed.next().unwrap();
        (check.result, check.reason) = (result, Some(reason.to_owned()));
    }
    report
}

/// The same run, with `text` wherever a server or a document has a say.
pub(crate) fn with_text(text: &str) -> Report {
    let mut report = faulty();
    let put = |place: &mut String| text.clone_into(place);
    report.targets.iter_mut().for_each(put);
    for vendor in &mut report.vendors {
        put(&mut vendor.name);
        vendor.operations.iter_mut().for_each(|operation| put(&mut operation.path));
        for cell in &mut vendor.cells {
            put(&mut cell.summary);
            put(&mut cell.status);
            cell.body = Some(text.into());
        }
        for check in &mut vendor.checks {
            put(&mut check.statement);
            put(&mut check.citation.document);
            put(&mut check.citation.section);
            check.reason = check.reason.take().map(|_| text.to_owned());
            check.id = format!("{}/{text}", check.id);
            check.also = check.also.iter().map(|id| format!("{id}/{text}")).collect();
            check.cause = check.cause.take().map(|id| format!("{id}/{text}"));
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
                exchange.request.url = format!("http://127.0.0.1:1/{text}");
                exchange.request.body = Some(text.to_owned());
                exchange.request.headers.push([text.to_owned(), text.to_owned()]);
                let Some(response) = &mut exchange.response else { continue };
                put(&mut response.body);
                response.headers.push([text.to_owned(), text.to_owned()]);
            }
        }
    }
    report
}

/// The page of a report.
pub(crate) fn page(report: &Report) -> String {
    let mut page = Vec::new();
    report.write_as("html", &mut page).unwrap();
    String::from_utf8(page).unwrap()
}
