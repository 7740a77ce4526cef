//! Says in words why there is no TLS connection, and which option helps.
//!
//! What a certificate says is data of the server: it is escaped.

use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use super::tls::{Tls, is_authority_as_server};

/// How many names of a certificate a message has.
const MOST_NAMES: usize = 8;

/// Explains an error of a handshake with a server that was called by `name`.
pub(super) fn explain(error: &Error, tls: &Tls, name: &str) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error, tls, name),
        Error::AlertReceived(alert) => refused(*alert, tls, name),
        Error::InvalidMessage(_) => {
            "it does not speak TLS; if it speaks plain HTTP, write http:// instead of https://".to_owned()
        }
        Error::PeerIncompatible(reason) => {
            format!("it has no version or algorithm of TLS 1.2 and 1.3 in common with the suite ({reason:?})")
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

/// The same for a server that ends the connection during the handshake.
pub(super) fn ended(tls: &Tls) -> String {
    match tls.client.is_requested() {
        true => client_certificate(tls, ""),
        false => "it closed the connection during the TLS handshake; if it speaks plain HTTP, write http:// instead of \
                  https://"
            .to_owned(),
    }
}

fn certificate(error: &CertificateError, tls: &Tls, name: &str) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match tls.has_own_authorities {
            true => "its certificate is not of an authority in the file of --cacert; name the file of the right \
                     authority, or accept any certificate with --insecure"
                .to_owned(),
            false => "its certificate is of an authority that this system does not trust; name the authority's \
                      certificate with --cacert, or accept any certificate with --insecure"
                .to_owned(),
        },
        error if is_authority_as_server(error) => {
            "its certificate is that of an authority, probably signed by itself; name that certificate with --cacert, \
             or accept any certificate with --insecure"
                .to_owned()
        }
        CertificateError::ExpiredContext { time, not_after } => dates("expired on", *not_after, *time),
        CertificateError::NotValidYetContext { time, not_before } => {
            dates("is not valid before", *not_before, *time)
        }
        CertificateError::Expired => {
            "its certificate has expired; renew it, or accept any certificate with --insecure".to_owned()
        }
        CertificateError::NotValidYet => {
            "its certificate is not valid yet; wait, or accept any certificate with --insecure".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => wrong_name(&names(presented), name),
        CertificateError::NotValidForName => wrong_name("", name),
        other => format!(
            "its certificate cannot be accepted: {other}; any certificate is accepted with --insecure"
        ),
    }
}

fn dates(what: &str, limit: UnixTime, now: UnixTime) -> String {
    format!(
        "its certificate {what} {}, and now it is {}; renew it, or accept any certificate with --insecure",
        date(limit),
        date(now)
    )
}

fn date(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    // humantime has no years after 9999, and writing one fails.
    let year_10000 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    match time.filter(|time| *time < year_10000) {
        Some(time) => humantime::format_rfc3339_seconds(time).to_string(),
        None => "a date after the year 9999".to_owned(),
    }
}

/// The names in a certificate, which the verifier shows as `DnsName("a.example")`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        inner.trim_matches('"').escape_debug().to_string()
    };
    let mut names: Vec<_> = presented.iter().take(MOST_NAMES).map(plain).collect();
    if presented.len() > MOST_NAMES {
        names.push(format!("{} more", presented.len() - MOST_NAMES));
    }
    names.join(", ")
}

fn wrong_name(names: &str, name: &str) -> String {
    let own = if names.is_empty() { String::new() } else { format!(" but for {names}") };
    format!(
        "its certificate is not for `{}`{own}; give the right name with --host, or use it in the URL and say where it is \
         with --resolve NAME:PORT:ADDRESS",
        name.escape_debug()
    )
}

/// The server has ended the handshake.
fn refused(alert: AlertDescription, tls: &Tls, name: &str) -> String {
    match alert {
        AlertDescription::UnrecognisedName => format!(
            "it does not know the name `{}`; give the right one with --host, or use it in the URL and say where it is \
             with --resolve NAME:PORT:ADDRESS",
            name.escape_debug()
        ),
        AlertDescription::ProtocolVersion => {
            "it supports neither TLS 1.2 nor TLS 1.3, and the suite supports no older version".to_owned()
        }
        alert if tls.client.is_requested() || alert == AlertDescription::CertificateRequired => {
            client_certificate(tls, &format!(" (alert {alert:?})"))
        }
        alert => format!("it ended the TLS handshake with the alert {alert:?}"),
    }
}

fn client_certificate(tls: &Tls, detail: &str) -> String {
    match tls.client.is_given() {
        true => format!(
            "it does not accept the client certificate of --cert{detail}; use one of an authority that the server \
             trusts"
        ),
        false => format!("it requires a client certificate{detail}; give one with --cert and --key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_certificate_are_plain_escaped_and_few() {
        let presented =
            ["DnsName(\"a.example\")", "IpAddress(127.0.0.1)", "x\u{1b}[2J"].map(ToOwned::to_owned);
        assert_eq!(names(&presented), "a.example, 127.0.0.1, x\\u{1b}[2J");
        let many: Vec<_> = (0..10).map(|number| format!("DnsName(\"{number}\")")).collect();
        assert!(names(&many).ends_with("7, 2 more"), "{}", names(&many));
    }

    #[test]
    fn dates_of_any_size_can_be_shown() {
        assert_eq!(date(UnixTime::since_unix_epoch(Duration::from_secs(1))), "1970-01-01T00:00:01Z");
        assert!(date(UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX))).contains("9999"));
    }
}
