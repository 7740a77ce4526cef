//! A vendor that is not built in: its document alone is enough for a sandbox, a matrix and checks.

use otp_conformance::{Verdict, faults};
use otp_contract::{Contract, Situation};
use otp_sandbox::{Effect, FAULTS, Fault};

use crate::suite::{check, check_served, failed, options};

fn acme() -> Contract {
    Contract::from_yaml("acme.yaml", include_str!("../contracts/acme.yaml")).unwrap()
}

#[tokio::test]
async fn a_new_document_is_served_and_checked_without_a_change_of_code() {
    let contract = acme();
    let report = check(vec![contract], Vec::new(), Vec::new(), &options(1)).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report.verdict, Verdict::Conformant);
    // A lifetime of three seconds is too short to let time pass within it.
    let skipped: Vec<_> = report.vendors[0]
        .checks
        .iter()
        .filter(|check| check.reason.is_some())
        .map(|check| check.id.as_str())
        .collect();
    assert_eq!(skipped, ["acme/limit/not-forgotten", "acme/expiry/not-extended"]);
    assert_eq!(report.summary.passed, (report.available - skipped.len()) as u64);
    assert!(report.available >= 40, "{}", report.available);
    for cell in report.vendors[0].cells.iter().filter(|cell| !cell.alternative) {
        assert!(cell.seen > 0, "{}", cell.cell);
    }
}

#[tokio::test]
async fn wrong_responses_of_a_new_vendor_are_found_too() {
    let acme_documents = |situations: &[Situation]| {
        situations.iter().any(|situation| acme().verify().cells.iter().any(|cell| cell.answers(*situation)))
    };
    let spoiled = |fault: &&Fault| match fault.effect {
        Effect::Response(situations, _) => acme_documents(situations) && faults::applies(fault, &acme()),
        _ => false,
    };
    let mut tried = 0;
    for fault in FAULTS.iter().filter(spoiled) {
        let report = check(vec![acme()], vec![fault], Vec::new(), &options(1)).await;
        let found = failed(&report);
        assert!(found.iter().any(|id| faults::can_find(id, fault)), "{}: {found:?}", fault.name);
        tried += 1;
    }
    assert!(tried >= 30, "{tried} faults apply");
}

#[tokio::test]
async fn the_alternatives_of_a_new_vendor_conform_too() {
    for cell in acme().verify().cells.iter().filter(|cell| cell.alternative) {
        let report = check(vec![acme()], Vec::new(), vec![format!("acme/{}", cell.name)], &options(1)).await;
        assert_eq!(report.verdict, Verdict::Conformant, "{}: {:?}", cell.name, failed(&report));
    }
}

const RELAY: &str = include_str!("../contracts/relay.yaml");

/// Contracts that use what none of the built-in ones needs.
fn unusual() -> [Contract; 3] {
    [
        Contract::from_yaml("relay.yaml", RELAY).unwrap(),
        Contract::from_yaml("twilio.yaml", include_str!("../contracts/twilio.yaml")).unwrap(),
        Contract::from_yaml("vonage.yaml", include_str!("../contracts/vonage.yaml")).unwrap(),
    ]
}

#[tokio::test]
async fn unusual_requests_and_responses_need_no_change_of_code() {
    for contract in unusual() {
        let vendor = contract.vendor.clone();
        let strict = otp_conformance::Options { strict: true, ..options(1) };
        let report = check(vec![contract], Vec::new(), Vec::new(), &strict).await;
        assert_eq!(failed(&report), Vec::<&str>::new(), "{vendor}");
        assert_eq!(report.verdict, Verdict::Conformant, "{vendor}");
        assert_eq!(report.summary.skipped + report.summary.error, 0, "{vendor}");
        assert!(report.available >= 35, "{vendor}: {}", report.available);
        for cell in report.vendors[0].cells.iter().filter(|cell| !cell.alternative) {
            let can_be_provoked = !["rate_limited", "conflict"].contains(&cell.outcome);
            assert_eq!(cell.seen > 0, can_be_provoked, "{vendor}/{}", cell.cell);
        }
    }
}

#[tokio::test]
async fn the_alternatives_of_unusual_contracts_conform_too() {
    for contract in unusual() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.alternative) {
            let prefer = format!("{}/{}", contract.vendor, cell.name);
            let report = check(vec![contract.clone()], Vec::new(), vec![prefer.clone()], &options(1)).await;
            assert_eq!(report.verdict, Verdict::Conformant, "{prefer}: {:?}", failed(&report));
        }
    }
}

#[tokio::test]
async fn faults_of_unusual_contracts_are_found() {
    let names = [
        "used-status",
        "expired-status",
        "wrong-code-literal",
        "reuse",
        "no-limit",
        "no-expiry",
        "code-trimmed",
    ];
    for contract in unusual() {
        let mut tried = 0;
        for fault in names.map(|name| Fault::named(name).unwrap()) {
            if !faults::applies(fault, &contract) {
                continue;
            }
            let report = check(vec![contract.clone()], vec![fault], Vec::new(), &options(1)).await;
            let found = failed(&report);
            let is_found = found.iter().any(|id| faults::can_find(id, fault));
            assert!(is_found, "{} of {}: {found:?}", fault.name, contract.vendor);
            tried += 1;
        }
        assert!(tried >= 5, "{}: {tried}", contract.vendor);
    }
}

#[tokio::test]
async fn an_api_key_may_stand_in_a_header_a_parameter_or_a_cookie_and_have_a_prefix() {
    let acme = include_str!("../contracts/acme.yaml");
    let scheme = acme.lines().find(|line| line.contains("headerKey:") && line.contains("apiKey")).unwrap();
    let schemes = [
        "headerKey: { type: apiKey, in: query, name: api_key }",
        "headerKey: { type: apiKey, in: cookie, name: session_key }",
        "headerKey: { type: apiKey, in: header, name: Authorization, x-otp: { prefix: App } }",
    ];
    for changed in schemes {
        let contract = Contract::from_yaml("acme.yaml", &acme.replace(scheme.trim(), changed)).unwrap();
        let strict = otp_conformance::Options { strict: true, ..options(1) };
        let report = check(vec![contract], Vec::new(), Vec::new(), &strict).await;
        assert_eq!(failed(&report), Vec::<&str>::new(), "{changed}");
        assert_eq!(report.verdict, Verdict::Conformant, "{changed}");
    }
}

#[tokio::test]
async fn a_header_field_that_the_page_states_gates_and_an_inferred_one_does_not() {
    let documented = "headers: { Retry-After: { value: \"120\", rule: { state: lockout_seconds } } }";
    assert!(RELAY.contains(documented));
    let inferred = documented.replace("value: \"120\"", "certainty: inferred, value: \"120\"");
    for (stated, sent, is_conformant) in [
        (documented, "headers: { Retry-After: { value: \"120\", rule: { state: lockout_seconds } } }", true),
        (documented, "headers: {}", false),
        (documented, "headers: { Retry-After: { value: soon } }", false),
        (inferred.as_str(), "headers: {}", true),
    ] {
        let contract = Contract::from_yaml("relay.yaml", &RELAY.replace(documented, stated)).unwrap();
        let report = check_served(contract, &RELAY.replace(documented, sent), &options(1)).await;
        assert_eq!(report.verdict == Verdict::Conformant, is_conformant, "{sent}: {:?}", failed(&report));
        if sent != documented {
            assert!(failed(&report).contains(&"relay/matrix/attempts_exhausted"), "{:?}", failed(&report));
        }
    }
}

#[tokio::test]
async fn a_body_where_the_page_has_none_is_found() {
    // A 204 has no body on the wire, whatever a server does.
    let relay = RELAY.replacen(
        "\"204\":\n          description: The code is right.",
        "\"200\":\n          description: The code is right.",
        1,
    );
    let served = relay.replacen(
        "          description: The code is right.\n          x-otp: { name: approved, outcome: approved, certainty: documented, source: *checking }\n",
        "          description: The code is right.\n          content: { application/json: { schema: { type: object }, examples: { approved: { summary: x, value: { ok: true }, x-otp: { outcome: approved, certainty: documented, source: *checking } } } } }\n",
        1,
    );
    assert!(relay != RELAY && served != relay);
    let contract = Contract::from_yaml("relay.yaml", &relay).unwrap();
    let report = check_served(contract, &served, &options(1)).await;
    assert_eq!(report.verdict, Verdict::Nonconformant);
    assert!(failed(&report).contains(&"relay/matrix/approved"), "{:?}", failed(&report));
}
