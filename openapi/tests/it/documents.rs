//! The built-in documents.

use otp_contract::{Backing, Certainty, Contract, DOCUMENTS, Matching, Outcome, Situation};

fn contracts() -> Vec<Contract> {
    Contract::all().unwrap()
}

#[test]
fn every_document_is_the_contract_of_the_vendor_in_its_file_name() {
    for (document, contract) in DOCUMENTS.iter().zip(contracts()) {
        assert_eq!(document.vendor, contract.vendor);
    }
}

#[test]
fn other_tools_can_parse_every_document_and_see_every_path_of_the_call() {
    for (document, contract) in DOCUMENTS.iter().zip(contracts()) {
        let value = otp_contract::parse_yaml(document.file, document.text).unwrap();
        let spec: openapiv3::OpenAPI = serde_json::from_value(value).unwrap();
        assert_eq!(spec.openapi, "3.0.3", "{}", document.file);
        let verify = contract.verify();
        let variants = verify.path_variants.iter().map(|variant| &variant.path);
        let paths: Vec<_> = [&verify.path].into_iter().chain(variants).map(ToString::to_string).collect();
        assert_eq!(
            spec.operations().map(|(path, _, _)| path).collect::<Vec<_>>(),
            paths,
            "{}",
            document.file
        );
    }
}

#[test]
fn the_cells_are_those_that_were_reviewed() {
    let mut table = String::new();
    for contract in contracts() {
        for cell in &contract.verify().cells {
            let mark = |backing: &Backing| if backing.is_documented() { "" } else { "?" };
            let situations: Vec<_> = cell
                .facts
                .situations
                .iter()
                .map(|(situation, backing)| format!("{situation}{}", mark(backing)))
                .collect();
            table.push_str(&format!(
                "{:<11}{:<28}{:<20}{:>4}{:<2}{:<6}{:<12}{}\n",
                contract.vendor,
                cell.name,
                cell.outcome,
                cell.status,
                mark(&cell.facts.status),
                format!("body{}", mark(&cell.facts.body)),
                if cell.alternative { "alternative" } else { "" },
                situations.join(" "),
            ));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn each_situation_has_one_main_response() {
    for contract in contracts() {
        for situation in Situation::ALL {
            let mut by_mode = std::collections::BTreeMap::<_, Vec<_>>::new();
            for cell in
                contract.verify().cells.iter().filter(|cell| cell.answers(situation) && !cell.alternative)
            {
                by_mode.entry((cell.mode, cell.outcome)).or_default().push(&cell.name);
            }
            for (key, names) in by_mode {
                assert_eq!(names.len(), 1, "{} {situation} {key:?}: {names:?}", contract.vendor);
            }
        }
    }
}

#[test]
fn every_documented_cell_has_a_value_that_a_check_compares() {
    for contract in contracts() {
        for cell in contract.verify().cells.iter().filter(|cell| cell.facts.body.is_documented()) {
            assert_eq!(cell.certainty, Certainty::Documented, "{}/{}", contract.vendor, cell.name);
            assert!(cell.body_specified, "{}/{}", contract.vendor, cell.name);
            let signals = cell.members.iter().filter(|member| member.rule.matching.is_signal()).count();
            let listed = cell.members.iter().any(|member| member.rule.matching == Matching::List);
            assert!(signals > 0 || listed, "{}/{} has no signal", contract.vendor, cell.name);
        }
    }
}

#[test]
fn an_approval_differs_from_every_other_response() {
    for contract in contracts() {
        for approval in contract.verify().approvals() {
            assert!(approval.status.is_success());
            let others = contract.verify().cells.iter().filter(|cell| cell.outcome != Outcome::Approved);
            for other in others.filter(|cell| cell.status.is_success()) {
                let differs = approval.members.iter().any(|member| {
                    member.rule.matching.is_signal()
                        && other.body.pointer(&member.pointer).is_some_and(|value| *value != member.example)
                });
                assert!(differs, "{}: {} and {}", contract.vendor, approval.name, other.name);
            }
        }
    }
}

#[test]
fn the_error_for_an_unknown_vendor_lists_the_known_ones() {
    let error = Contract::of_vendor("acme").unwrap_err().to_string();
    assert_eq!(
        error,
        "built-in contracts: no vendor `acme` is known; known are zeckta, kaleyra, dailystory, exotel, d7"
    );
}

#[test]
fn the_rules_for_sending_codes_are_read_with_their_sources() {
    let text = otp_contract::DOCUMENTS[0].text;
    let silent = otp_contract::Contract::from_yaml("zeckta.yaml", text).unwrap();
    assert!(silent.policy.sending.cooldown.is_none());
    let cited = "certainty: documented, source: { section: Sending }";
    let rules = format!(
        "policy:\n          cooldown: {{ seconds: 60, {cited} }}\n          \
         send_limit: {{ count: 5, window_seconds: 600, {cited} }}\n          \
         older_code: {{ value: ends, {cited} }}\n"
    );
    let contract =
        otp_contract::Contract::from_yaml("zeckta.yaml", &text.replacen("policy:\n", &rules, 1)).unwrap();
    let sending = contract.policy.sending;
    assert_eq!(sending.cooldown.as_ref().map(|fact| fact.value), Some(60));
    assert_eq!(sending.cooldown.map(|fact| fact.backing.source.section).as_deref(), Some("Sending"));
    let limit = otp_contract::SendLimit { count: 5, window_seconds: 600 };
    assert_eq!(sending.send_limit.map(|fact| fact.value), Some(limit));
    assert_eq!(sending.older_code.map(|fact| fact.value), Some(otp_contract::OlderCode::Ends));
}

#[test]
fn a_document_of_openapi_3_1_reads_like_one_of_3_0() {
    let dailystory = DOCUMENTS[2].text;
    let newer = dailystory
        .replace("openapi: 3.0.3", "openapi: 3.1.0")
        .replace("schema: { type: integer, minimum: 3", "schema: { type: [integer, \"null\"], minimum: 3");
    assert_ne!(newer, dailystory);
    let (old, new) =
        (Contract::of_vendor("dailystory").unwrap(), Contract::from_yaml("new.yaml", &newer).unwrap());
    assert_eq!(format!("{old:?}"), format!("{new:?}"));
}

#[test]
fn a_parameter_of_the_path_belongs_to_each_of_its_operations() {
    let dailystory = DOCUMENTS[2].text;
    let moved = dailystory
        .replace("    get:\n      operationId", "    parameters:\n      - { name: region, in: query, schema: { type: string } }\n    get:\n      operationId");
    let contract = Contract::from_yaml("moved.yaml", &moved).unwrap();
    assert!(contract.verify().parameter("region").is_some());
    assert_eq!(contract.verify().parameters.len(), 4);
}

#[test]
fn references_to_references_are_followed() {
    let exotel = DOCUMENTS[3].text;
    let chained = exotel.replace(
        "    VerifyRequest:\n      type: object",
        "    VerifyRequest: { $ref: \"#/components/schemas/Second\" }\n    Second: { $ref: \"#/components/schemas/Third\" }\n    Third:\n      type: object",
    );
    assert_ne!(chained, exotel);
    assert_eq!(Contract::from_yaml("chained.yaml", &chained).unwrap().verify().code.location.name, "OTP");
}
