//! Check ids that were renamed. The former ids keep working in `--only`, `--skip` and `explain`.

/// Former and current names, each as `area/name`.
const RENAMED: &[(&str, &str)] = &[
    ("request/pieces", "request/fragmented-body"),
    ("request/broken-off", "request/truncated-body"),
    ("limit/alike", "limit/uniform-refusal"),
    ("limit/hang-up", "limit/client-disconnect"),
    ("expiry/alike", "expiry/uniform-refusal"),
    ("single-use/alike", "single-use/uniform-refusal"),
    ("single-use/hang-up", "single-use/client-disconnect"),
    ("isolation/alike", "isolation/uniform-refusal"),
];

/// The current id for a former one.
pub(crate) fn current_id(id: &str) -> Option<String> {
    let (vendor, name) = id.split_once('/')?;
    let (_, current) = RENAMED.iter().find(|(former, _)| *former == name)?;
    Some(format!("{vendor}/{current}"))
}

/// The former ids of a check.
fn former_ids(id: &str) -> impl Iterator<Item = String> + '_ {
    let (vendor, name) = id.split_once('/').unwrap_or_default();
    let former = RENAMED.iter().filter(move |(_, current)| *current == name);
    former.map(move |(former, _)| format!("{vendor}/{former}"))
}

/// Whether a pattern names the check with this id: by the id, by a former one, or without the vendor, as reports print ids.
pub(crate) fn names(pattern: &glob::Pattern, id: &str) -> bool {
    let matches =
        |id: &str| pattern.matches(id) || id.split_once('/').is_some_and(|(_, name)| pattern.matches(name));
    matches(id) || former_ids(id).any(|former| matches(&former))
}

#[cfg(test)]
mod tests {
    use otp_contract::Contract;

    use super::*;
    use crate::checks::checks;

    #[test]
    fn every_former_id_leads_to_a_check_that_exists_and_is_no_check_itself() {
        let contracts = Contract::all().unwrap();
        let ids: Vec<_> = contracts.iter().flat_map(checks).map(|check| check.id).collect();
        for (former, current) in RENAMED {
            assert!(ids.iter().any(|id| id.ends_with(&format!("/{current}"))), "{current}");
            assert!(!ids.iter().any(|id| id.ends_with(&format!("/{former}"))), "{former}");
        }
    }

    #[test]
    fn former_and_current_ids_lead_to_each_other() {
        assert_eq!(current_id("d7/request/pieces").as_deref(), Some("d7/request/fragmented-body"));
        assert_eq!(former_ids("d7/request/fragmented-body").collect::<Vec<_>>(), ["d7/request/pieces"]);
        assert_eq!(current_id("d7/request/fragmented-body"), None);
    }
}
