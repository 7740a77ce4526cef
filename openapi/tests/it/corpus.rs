//! The corpus that the fuzzer found (`openapi/fuzz`): no text of it may panic, whoever reads it.

use otp_contract::{Contract, lint, skeleton};

#[test]
fn no_text_of_the_corpus_panics_or_is_accepted_by_one_reader_only() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/contracts");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        let problems = lint::contract(text);
        let contract = Contract::from_yaml("corpus.yaml", text);
        assert!(contract.is_ok() || !problems.is_empty(), "{text}");
        let _ = skeleton("corpus.yaml", text, "POST /v");
        read += 1;
    }
    assert!(read > 500, "{read}");
}
