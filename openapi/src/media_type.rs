//! Media types: which are JSON, and when two are the same.
//!
//! Uses nothing of this crate, and must not know which operation or response has a media type.

/// The type and subtype of a media type in lower case, without parameters.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a media type is JSON: `application/json`, or an application type with the suffix `+json` (RFC 6839 §3.1), with any
/// parameters.
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_any_application_type_with_its_suffix_and_any_parameters() {
        for media_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/vnd.a.v1+json;v=2",
        ] {
            assert!(is_json(media_type), "{media_type}");
        }
        for media_type in ["text/json", "application/xml", "application/jsonx", "json", ""] {
            assert!(!is_json(media_type), "{media_type}");
        }
    }
}
