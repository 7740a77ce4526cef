//! Checks the headers that a program adds to a call.

use http::header::{self, HeaderName, HeaderValue};

use super::InvalidInput;

/// Headers that the client sets, that frame the message or authenticate, or that request another kind of response. The
/// HTTP client sets `Proxy-Authorization`.
const RESERVED: [HeaderName; 18] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::IF_NONE_MATCH,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Parses a header; `authorization` is the one that authenticates the client's calls, if a header does.
pub(crate) fn parse(
    name: &str,
    value: &str,
    authorization: Option<&HeaderName>,
) -> Result<(HeaderName, HeaderValue), InvalidInput> {
    let invalid = |problem| InvalidInput::new("header", problem);
    let name = HeaderName::try_from(name).map_err(|_| invalid("has an invalid name"))?;
    if RESERVED.contains(&name) || Some(&name) == authorization {
        return Err(invalid("is reserved for the client"));
    }
    let mut value = HeaderValue::from_str(value).map_err(|_| invalid("has an invalid value"))?;
    // The value may be a secret of the program.
    value.set_sensitive(true);
    Ok((name, value))
}
