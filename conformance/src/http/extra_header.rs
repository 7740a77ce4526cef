//! Header fields that every request to a target carries besides those of the checks. Their values may be secrets.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::RawResponse;

/// Header fields that the checks or the client set themselves.
const RESERVED: [&str; 9] = [
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A value that is shorter appears in responses by chance, and protects nothing.
const SHORTEST_SECRET: usize = 8;

/// A header field.
#[derive(Clone)]
pub(crate) struct ExtraHeader {
    /// Its name.
    pub(super) name: HeaderName,
    /// Its value.
    pub(super) value: HeaderValue,
    /// The variable that has the value in scripts.
    pub(super) variable: String,
}

impl std::fmt::Debug for ExtraHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExtraHeader({}: ${})", self.name, self.variable)
    }
}

impl ExtraHeader {
    /// Reads fields of the form `NAME: VALUE`. Messages repeat the name and never the value.
    pub(super) fn parse_all(texts: &[String]) -> Result<Vec<ExtraHeader>, String> {
        let mut headers: Vec<ExtraHeader> = Vec::new();
        for text in texts {
            let mut header = ExtraHeader::parse(text)?;
            let same = headers.iter().filter(|other| other.name == header.name).count();
            if same > 0 {
                header.variable.push_str(&format!("_{}", same + 1));
            }
            headers.push(header);
        }
        Ok(headers)
    }

    fn parse(text: &str) -> Result<ExtraHeader, String> {
        let Some((name, value)) = text.split_once(':') else {
            return Err("a value has no colon; the form is NAME: VALUE".to_owned());
        };
        let shown = name.trim().escape_debug().to_string();
        let name: HeaderName =
            name.trim().parse().map_err(|_| format!("`{shown}` is no name of a header"))?;
        if name == http::header::HOST {
            return Err("the header `host` has an option of its own, --host".to_owned());
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("the checks set the header `{name}` themselves"));
        }
        let mut value = HeaderValue::from_str(value.trim())
            .map_err(|_| format!("the value of `{name}` has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        let variable = name.as_str().to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        Ok(ExtraHeader { name, value, variable: format!("HEADER_{variable}") })
    }

    /// The value, and its last word without a scheme such as `Bearer`, if they are long enough to be secrets.
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let value = self.value.to_str().unwrap_or_default();
        let word = value.rsplit(' ').next().filter(|word| *word != value);
        [Some(value), word].into_iter().flatten().filter(|secret| secret.len() >= SHORTEST_SECRET)
    }
}

/// Replaces the values in a response that repeats them. This happens before anything judges or records the response, so
/// that no message can contain a value.
pub(super) fn hide(headers: &[ExtraHeader], response: &mut RawResponse) {
    for header in headers {
        for secret in header.secrets() {
            let name = format!("${}", header.variable);
            if let Ok(text) = std::str::from_utf8(&response.body)
                && text.contains(secret)
            {
                response.body = text.replace(secret, &name).into();
            }
            hide_in_fields(&mut response.headers, secret, &name);
        }
    }
}

fn hide_in_fields(fields: &mut HeaderMap, secret: &str, name: &str) {
    for value in fields.values_mut() {
        if let Ok(text) = value.to_str()
            && text.contains(secret)
            && let Ok(hidden) = text.replace(secret, name).parse()
        {
            *value = hidden;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Vec<ExtraHeader>, String> {
        ExtraHeader::parse_all(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_message_about_a_header_never_repeats_its_value() {
        for text in ["s3cret", "x y: s3cret", "x: s3cret\u{7f}", "host: s3cret", "Content-Type: s3cret"] {
            assert!(!parse(&[text]).unwrap_err().contains("s3cret"), "{text}");
        }
        assert!(!format!("{:?}", parse(&["x: s3cret"]).unwrap()).contains("s3cret"));
    }

    #[test]
    fn every_value_has_a_variable_of_its_own() {
        let headers = parse(&["x-key: a", "X-Key:b", "cf.id: c:d"]).unwrap();
        let variables: Vec<_> = headers.iter().map(|header| header.variable.as_str()).collect();
        assert_eq!(variables, ["HEADER_X_KEY", "HEADER_X_KEY_2", "HEADER_CF_ID"]);
        assert_eq!(headers[2].value, "c:d");
    }

    #[test]
    fn a_value_that_a_server_repeats_is_hidden() {
        let headers = parse(&["x-key: Token 0123456789"]).unwrap();
        let mut fields = HeaderMap::new();
        fields.insert("x-seen", "Token 0123456789".parse().unwrap());
        let body = "{\"you sent\": \"0123456789\"}".into();
        let mut response = RawResponse { status: 400, headers: fields, body };
        hide(&headers, &mut response);
        assert_eq!(response.headers["x-seen"], "$HEADER_X_KEY");
        assert_eq!(response.body, "{\"you sent\": \"$HEADER_X_KEY\"}");
    }
}
