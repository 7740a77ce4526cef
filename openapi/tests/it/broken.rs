//! The error for a broken document names the file, the place in it, and what was expected.

use otp_contract::{Contract, DOCUMENTS};
use proptest::prelude::*;

fn zeckta() -> &'static str {
    DOCUMENTS[0].text
}

fn error_of(text: &str) -> String {
    match Contract::from_yaml("broken.yaml", text) {
        Ok(_) => "no error".to_owned(),
        Err(error) => {
            let problems: Vec<_> =
                error.problems.iter().map(|problem| problem.in_file(&error.file).to_string()).collect();
            assert!(error.to_string().starts_with(&problems[0]), "{error}");
            problems.join("\n")
        }
    }
}

#[test]
fn each_error_names_the_place_and_what_was_expected() {
    let exotel = DOCUMENTS[3].text;
    let dailystory = DOCUMENTS[2].text;
    let cases = [
        ("an unknown outcome", zeckta().replace("outcome: expired", "outcome: stale")),
        (
            "a misspelt annotation",
            zeckta().replace(
                "                    certainty: documented",
                "                    certainly: documented",
            ),
        ),
        (
            "a rule for a place that does not exist",
            zeckta().replace("/data/sessionId: {", "/data/session: {"),
        ),
        ("an unknown rule", zeckta().replace("/data/message: text", "/data/message: words")),
        ("an echo of an unknown value", zeckta().replace("{ echo: session }", "{ echo: sid }")),
        ("an approval under an error status", zeckta().replace("outcome: wrong_code", "outcome: approved")),
        ("a cell without a source", zeckta().replace("source: { section: Expired OTP }", "")),
        (
            "a session id in a member that does not exist",
            zeckta().replace("name: sessionId, id_pattern", "name: id, id_pattern"),
        ),
        ("an id pattern with an unknown placeholder", zeckta().replace("{uuid}", "{guid}")),
        ("a key that is no status", zeckta().replace("\"410\":", "\"41\":")),
        (
            "no main response for an expired code",
            zeckta().replace(
                "x-otp:\n                    outcome: expired",
                "x-other:\n                    outcome: expired",
            ),
        ),
        (
            "a body of another media type",
            zeckta().replace("content:\n          application/json:\n            schema: { $ref: \"#/components/schemas/VerifyRequest\" }", "content:\n          text/plain:\n            schema: { $ref: \"#/components/schemas/VerifyRequest\" }"),
        ),
        (
            "no annotated operation",
            zeckta().replace("      x-otp:\n        session", "      x-other:\n        session"),
        ),
        ("no vendor", zeckta().replace("x-otp-vendor", "x-vendor")),
        ("another version of OpenAPI", zeckta().replace("openapi: 3.0.3", "openapi: 2.0.0")),
        ("two examples with the same name", zeckta().replace("invalid_request_422:", "wrong_code:")),
        (
            "no main response for a wrong code",
            zeckta().replace("outcome: wrong_code", "outcome: malformed_code"),
        ),
        ("a range without the sandbox's status", exotel.replace("                    status: 404\n", "")),
        (
            "an override of a parameter that does not exist",
            dailystory.replace("retry: allow_retry", "retry: try_again"),
        ),
        (
            "a path parameter without an annotation",
            exotel.replace("          account_sid: { id_pattern", "          sid: { id_pattern"),
        ),
        (
            "a reference to nowhere",
            exotel.replace(
                "schema: { $ref: \"#/components/schemas/VerifyRequest\" }",
                "schema: { $ref: \"#/nowhere\" }",
            ),
        ),
        (
            "a reference to another file",
            exotel.replace(
                "schema: { $ref: \"#/components/schemas/VerifyRequest\" }",
                "schema: { $ref: \"other.yaml#/components/schemas/VerifyRequest\" }",
            ),
        ),
        (
            "references in a cycle",
            exotel
                .replace("    VerifyRequest:\n      type: object", "    VerifyRequest: { $ref: \"#/components/schemas/Again\" }\n    Again: { $ref: \"#/components/schemas/VerifyRequest\" }\n    Former:\n      type: object"),
        ),
        (
            "an unknown fact",
            zeckta().replace("          alphabet: { certainty", "          letters: { certainty"),
        ),
        (
            "a certainty of a situation that the response does not have",
            zeckta().replace("                        foreign_session:\n", "                        wrong_code:\n"),
        ),
        ("a duplicate key", zeckta().replace("  title: Zeckta", "  title: Again\n  title: Zeckta")),
        ("not YAML", "openapi: [".to_owned()),
        ("not an object", "42".to_owned()),
        ("an empty document", String::new()),
    ];
    let mut report = String::new();
    for (what, text) in cases {
        assert!(
            text != zeckta() && text != exotel && text != dailystory,
            "{what}: the document is unchanged"
        );
        report.push_str(&format!("{what}\n  {}\n", error_of(&text).replace('\n', "\n  ")));
    }
    assert!(!report.contains("no error"), "{report}");
    // Without lines, so that the snapshot outlives an edit of the documents.
    insta::with_settings!({ filters => [(r"yaml:\d+:\d+: ", "yaml: "), (r"first in line \d+", "first in line N")] }, {
        insta::assert_snapshot!(report);
    });
}

#[test]
fn a_text_that_is_too_long_too_deep_or_full_of_aliases_is_refused() {
    let long = format!("openapi: 3.0.3\nx: \"{}\"\n", "x".repeat(10 << 20));
    assert_eq!(error_of(&long), format!("broken.yaml: expected at most 4194304 bytes, found {}", long.len()));
    let levels = 10_000;
    let deep = [
        "[".repeat(levels),
        format!("{}{}", "[".repeat(levels), "]".repeat(levels)),
        (0..levels).map(|level| format!("{}- \n", " ".repeat(level % 200))).collect::<String>(),
        format!("{}1", "{a: ".repeat(levels)),
        format!("{}1", "- ".repeat(levels)),
    ];
    for text in deep {
        assert!(error_of(&text).starts_with("broken.yaml:"), "{}", error_of(&text));
        assert!(error_of(&text).lines().count() < 5, "{}", error_of(&text));
    }
    // One `[` and four million commas would be a token each.
    for text in [format!("[{}", ",".repeat(4_000_000)), format!("a: {}", "[?,".repeat(1_300_000))] {
        assert!(error_of(&text).contains("more punctuation than any contract has"), "{}", error_of(&text));
    }
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", ")));
    }
    assert!(error_of(&bomb).contains("not valid YAML"), "{}", error_of(&bomb));
}

proptest! {
    #[test]
    fn the_reader_never_panics(text in "[ -~\n]{0,200}") {
        let _ = error_of(&text);
    }

    #[test]
    fn a_document_cut_or_spliced_anywhere_is_read_or_refused(cut in 0usize..9_000, splice in "[a-z:{}\\[\\] \n-]{0,12}") {
        let text = zeckta();
        let cut = cut.min(text.len());
        prop_assume!(text.is_char_boundary(cut));
        let _ = error_of(&text[..cut]);
        let _ = error_of(&format!("{}{splice}{}", &text[..cut], &text[cut..]));
    }
}

#[test]
fn schemas_that_contain_each_other_are_searched_once() {
    let exotel = DOCUMENTS[3].text;
    for composition in ["allOf", "anyOf", "oneOf"] {
        let itself = "{ $ref: \"#/components/schemas/VerifyRequest\" }";
        let endless = format!(
            "    VerifyRequest: {{ {composition}: [{itself}, {itself}] }}\n    Former:\n      type: object"
        );
        let text = exotel.replace("    VerifyRequest:\n      type: object", &endless);
        assert_ne!(text, exotel);
        assert!(
            error_of(&text).contains("expected the name of a member of the request body"),
            "{}",
            error_of(&text)
        );
    }
}
