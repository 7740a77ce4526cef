use super::*;

#[test]
fn a_code_keeps_its_spelling_when_its_session_gets_another_number() {
    assert_eq!(renamed_code("$CODE_12_WIDE", 0), "$CODE_1_WIDE");
    assert_eq!(renamed_code("${CODE_3%?}!", 1), "${CODE_2%?}!");
    assert_eq!(renamed_code("123456", 1), "123456");
}

#[test]
fn what_needs_a_removed_session_is_removed_with_it() {
    let plan = [
        session(),
        Planned::Age { session: 0, seconds: 1 },
        session(),
        Planned::Age { session: 1, seconds: 2 },
    ];
    let without = without_session(&plan, 0);
    assert_eq!(without.len(), 2);
    assert!(matches!(without[1], Planned::Age { session: 0, seconds: 2 }));
    assert_eq!(without_session(&plan, 1).len(), 4, "the last step needs this one");
}

#[test]
fn times_in_a_row_become_one() {
    let age = |session, seconds| Planned::Age { session, seconds };
    let merged = with_merged_ages(vec![age(0, 18), age(0, 19), age(1, 2), age(0, 1)]);
    assert_eq!(merged.len(), 3);
    assert!(matches!(merged[0], Planned::Age { session: 0, seconds: 37 }));
}

fn session() -> Planned {
    Planned::Session(PlannedSession {
        tenant: 1,
        id: String::new(),
        code: String::new(),
        options: SessionOptions::default(),
        recipient_of: None,
    })
}
