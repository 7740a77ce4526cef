//! The standards that checks cite: document and section, each defined once.

pub(crate) const SINGLE_USE: (&str, &str) = ("NIST SP 800-63B-4", "§3.1.3.2, accepted only once");
pub(crate) const RACES: (&str, &str) = ("OWASP ASVS 5.0", "15.4.2, check and use are one atomic operation");
pub(crate) const LIMIT: (&str, &str) = ("NIST SP 800-63B-4", "§3.2.2, rate limiting");
pub(crate) const PARALLEL: (&str, &str) = ("RFC 4226", "§7.3, lockout across login sessions");
pub(crate) const RESEND: (&str, &str) =
    ("NIST SP 800-63B-4", "§3.1.3.2, a new secret does not reset the failed count");
pub(crate) const LIFETIME: (&str, &str) = ("OWASP ASVS 5.0", "6.5.5, a defined lifetime");
pub(crate) const ISOLATION: (&str, &str) =
    ("OWASP API Security Top 10 2023", "API1, object level authorization");
pub(crate) const BOUND: (&str, &str) = ("OWASP ASVS 5.0", "6.6.2, a code is bound to its request");
pub(crate) const ENUMERATION: (&str, &str) = ("OWASP WSTG", "IDNT-04, account enumeration");
pub(crate) const STATE: (&str, &str) =
    ("OWASP Business Logic Cheat Sheet", "Enforce Workflows as State Machines");
pub(crate) const TYPES: (&str, &str) = ("OWASP ASVS 5.0", "15.3.5, strict types");
pub(crate) const INJECTION: (&str, &str) = ("OWASP WSTG", "INPV-05.6, NoSQL injection");
pub(crate) const POLLUTION: (&str, &str) = ("OWASP ASVS 5.0", "15.3.7, parameter pollution");
pub(crate) const ASSIGNMENT: (&str, &str) = ("OWASP ASVS 5.0", "15.3.3, mass assignment");
pub(crate) const SIZE: (&str, &str) = ("OWASP API Security Top 10 2023", "API4, limits on input size");
pub(crate) const FRAMING: (&str, &str) = ("RFC 9112", "§6.3, message body length");
pub(crate) const INCOMPLETE: (&str, &str) = ("RFC 9112", "§8, handling incomplete messages");
pub(crate) const FAIL_CLOSED: (&str, &str) = ("OWASP ASVS 5.0", "16.5.3, fail securely");
pub(crate) const CANONICAL: (&str, &str) = ("OWASP ASVS 5.0", "1.1.1, canonicalise once");
pub(crate) const METHOD: (&str, &str) = ("RFC 9110", "§15.5.6, 405 carries Allow");
pub(crate) const CONTENT_TYPE: (&str, &str) = ("RFC 9110", "§8.3, Content-Type");
pub(crate) const CHALLENGE: (&str, &str) = ("RFC 9110", "§15.5.2, 401 carries WWW-Authenticate");
pub(crate) const SCHEME: (&str, &str) = ("RFC 9110", "§11.1, scheme names are case-insensitive");
pub(crate) const AUTHENTICATION: (&str, &str) = ("OWASP ASVS 5.0", "8.3.1, authorization at a trusted layer");
pub(crate) const LEAK: (&str, &str) = ("OWASP ASVS 5.0", "14.2.1, no secrets in responses");
pub(crate) const INTERNALS: (&str, &str) = ("OWASP ASVS 5.0", "16.5.1, generic error messages");
pub(crate) const CACHING: (&str, &str) = ("OWASP ASVS 5.0", "14.3.2, no caching of sensitive responses");
pub(crate) const PROXIES: (&str, &str) = ("OWASP ASVS 5.0", "4.1.3, forwarding headers are not trusted");
pub(crate) const POLICY: (&str, &str) = ("OWASP ASVS 5.0", "2.3.2, limits are the server's");
pub(crate) const CONSISTENT: (&str, &str) = ("RFC 9457", "§3.1, body and status agree");
