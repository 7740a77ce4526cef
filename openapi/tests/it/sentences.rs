//! What the five vendors' pages say in sentences and table cells, each by the words that only it has, and the statement of
//! the contract for each.
//!
//! The words stand here a second time, taken from the pages and not from the contracts, so that a contract that loses a
//! sentence, or has one that no page says, fails a test.

use otp_contract::{Contract, Coverage, Situation};

const ZECKTA: &[&str] = &[
    "validate an OTP that was previously generated",
    "marks the OTP session as used",
    "session identifier returned during OTP creation",
    "code received by the user",
    "OTP verified successfully",
    "Incorrect OTP code supplied",
    "validity period has expired",
    "attempt limit exceeded",
    "has already been successfully verified",
    "could not be found",
    "Always use HTTPS",
    "single-use",
    "verified OTPs cannot be reused",
    "attempts are limited",
    "must be re-requested",
    "credentials securely",
    "isolated by workspace",
    "Cross-workspace",
    "Generate and deliver",
];

const KALEYRA: &[&str] = &[
    "HTTPS POST method",
    "include the Verify ID parameter",
    "create your API key",
    "The Verify ID which was sent",
    "One Time Password which was sent",
    "already validated the OTP",
    "include the appropriate OTP",
    "invalid Configuration ID",
    "maximum number of attempts",
    "expired OTP",
    "not included the OTP",
    "not included the Verify ID",
    "only alphanumeric",
];

const DAILYSTORY: &[&str] = &[
    "4–6 digit",
    "15 minutes after it is generated",
    "immediately invalidates the cached code",
    "allow_retry=true to permit",
    "includes remaining_attempts",
    "default 5, configurable",
    "until the contact may request or validate a new OTP",
    "dsid is returned when",
    "mobile phone or email",
    "between 3 and 20",
    "does not immediately invalidate",
    "between 1 and 10",
    "failed validation when allow_retry=true",
    "temporarily locked out",
    "remaining lockout duration",
    "HTTP 200 code",
];

const EXOTEL: &[&str] = &[
    "against the verification that was started",
    "The OTP code entered by the user",
    "60-second window",
    "the code entered is incorrect",
    "more than 10 times",
    "Verification already completed",
    "User receives OTP",
    "wrong OTP, try again",
    "expired, start new verification",
    "cannot be used again",
    "re-verify, call Start Verification",
];

const D7: &[&str] = &[
    "Verification Token sent to the recipient",
    "Bearer Token",
    "returned as a response parameter from send OTP",
    "received on the recipient's number",
    "the status will be returned",
    "400 - Invalid OTP code",
    "or OTP code expired",
    "422 - Validation Error",
    "User has entered correct OTP",
    "ALREADY_VERIFIED",
];

fn pages() -> [(&'static str, &'static [&'static str]); 5] {
    [("zeckta", ZECKTA), ("kaleyra", KALEYRA), ("dailystory", DAILYSTORY), ("exotel", EXOTEL), ("d7", D7)]
}

#[test]
fn every_sentence_of_a_page_has_a_statement_and_every_statement_a_sentence() {
    for (vendor, sentences) in pages() {
        let statements = Contract::of_vendor(vendor).unwrap().statements;
        let says = |words: &str| {
            let words = words.to_lowercase();
            move |text: &str| text.to_lowercase().contains(&words)
        };
        let missing: Vec<_> = sentences
            .iter()
            .filter(|words| !statements.iter().any(|statement| says(words)(&statement.text)))
            .collect();
        assert!(missing.is_empty(), "{vendor} has no statement of {missing:#?}");
        let invented: Vec<_> = statements
            .iter()
            .filter(|statement| !sentences.iter().any(|words| says(words)(&statement.text)))
            .map(|statement| &statement.text)
            .collect();
        assert!(invented.is_empty(), "no page of {vendor} says {invented:#?}");
    }
}

#[test]
fn a_statement_is_observed_where_the_contract_has_a_response() {
    for (vendor, _) in pages() {
        let contract = Contract::of_vendor(vendor).unwrap();
        for statement in &contract.statements {
            let Coverage::Situations(situations) = &statement.coverage else { continue };
            let has_cell =
                |situation: &Situation| contract.verify().cells.iter().any(|cell| cell.answers(*situation));
            assert!(situations.iter().any(has_cell), "{vendor}: {}", statement.text);
        }
    }
}
