//! Authentication: without valid credentials for the account in the request, a caller learns and changes nothing.

use otp_contract::{Contract, Outcome, Scheme, SecurityScheme, Situation};

use super::probe::{Authority, Probe, always};
use super::{Area, standards};
use crate::harness::{Abort, CheckContext, Credential, IssuedSession, Tenant, VerifyCall, attempts};
use crate::http::RawResponse;
use crate::oracle::{Allowed, Basis, Observation};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Auth,
        name: "missing",
        statement: "a call without credentials is refused and changes nothing",
        authority: Authority::Safety(Situation::MissingCredentials),
        standard: standards::AUTHENTICATION,
        applies: always,
        run: |context| Box::pin(missing(context)),
    },
    Probe {
        area: Area::Auth,
        name: "wrong",
        statement: "a call with wrong, truncated, empty or malformed credentials is refused and changes nothing",
        authority: Authority::Safety(Situation::WrongCredentials),
        standard: standards::AUTHENTICATION,
        applies: always,
        run: |context| Box::pin(wrong(context)),
    },
    Probe {
        area: Area::Auth,
        name: "other-account",
        statement: "valid credentials give no access to another tenant's account",
        authority: Authority::Safety(Situation::ForeignSession),
        standard: standards::ISOLATION,
        applies: |contract| !contract.verify().accounts.is_empty(),
        run: |context| Box::pin(other_account(context)),
    },
    Probe {
        area: Area::Auth,
        name: "each-scheme",
        statement: "every documented scheme authenticates a tenant",
        authority: Authority::Page(Situation::Approved),
        standard: standards::AUTHENTICATION,
        applies: |contract| contract.verify().security.len() > 1,
        run: |context| Box::pin(each_scheme(context)),
    },
    Probe {
        area: Area::Auth,
        name: "challenge",
        statement: "a 401 has a challenge in WWW-Authenticate",
        authority: Authority::Standard,
        standard: standards::CHALLENGE,
        applies: always,
        run: |context| Box::pin(challenge(context)),
    },
    Probe {
        area: Area::Auth,
        name: "scheme-case",
        statement: "the name of the authentication scheme is case-insensitive",
        authority: Authority::Standard,
        standard: standards::SCHEME,
        applies: |contract| contract.verify().security.iter().any(|scheme| word_of(&scheme.scheme).is_some()),
        run: |context| Box::pin(scheme_case(context)),
    },
];

/// The word before the credentials, if the scheme has one.
fn word_of(scheme: &Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Bearer => Some("Bearer"),
        Scheme::Basic => Some("Basic"),
        Scheme::ApiKey { .. } => None,
    }
}

/// The word before the credentials in the calls of this tenant.
fn scheme_word(contract: &Contract, tenant: &Tenant) -> Option<&'static str> {
    let used = |scheme: &&SecurityScheme| tenant.credentials.contains_key(&scheme.name);
    contract.verify().security.iter().find(used).and_then(|scheme| word_of(&scheme.scheme))
}

async fn missing(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(2)).await?;
    let response = context.submit_with(&session, Credential::Missing).await?;
    expect_refusal(context, &response)?;
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn wrong(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(2)).await?;
    let word = scheme_word(context.contract, &session.issued.tenant);
    // Never another spelling of the same secret: lenient decoders of Base64 ignore characters that they do not know.
    let headers = match word {
        None => vec![String::new(), "x".to_owned(), "null".to_owned()],
        Some(word) => vec![
            word.to_owned(),
            format!("{word} "),
            format!("{word} x"),
            format!("{word} null"),
            "Digest {secret}".to_owned(),
        ],
    };
    for text in &headers {
        let response = context.submit_with(&session, Credential::Raw(text)).await?;
        expect_refusal(context, &response)?;
    }
    let has_letters = session
        .issued
        .tenant
        .credentials
        .values()
        .any(|credentials| credentials.secret().bytes().any(|byte| byte.is_ascii_alphabetic()));
    let other_case = has_letters.then_some(Credential::OtherCase);
    let altered = [
        Credential::Wrong,
        Credential::Extended,
        Credential::Truncated,
        Credential::EmptyPassword,
        Credential::OtherUser,
    ];
    for credential in altered.into_iter().chain(other_case) {
        let response = context.submit_with(&session, credential).await?;
        expect_refusal(context, &response)?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

/// A deviation unless the response is a 401 or a similar refusal; the matrix decides which one is right.
fn expect_refusal(context: &CheckContext<'_>, response: &RawResponse) -> Result<(), Abort> {
    context.expect_no_approval(response)?;
    if [400, 401, 403, 404].contains(&response.status) {
        return Ok(());
    }
    let deviation = context.deviation("HTTP 401, or a similar refusal", context.recording.last_response());
    Err(deviation.because_of(Basis::Inferred, None))
}

async fn other_account(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let [owner, stranger] = context.two_tenants().await?;
    let mut session = context.start_session_for(&owner, &attempts(2)).await?;
    // The stranger's credentials with the owner's account, and the other way round.
    let mut intruding = stranger.clone();
    intruding.parameters.clone_from(&owner.parameters);
    let mut misdirected = owner.clone();
    misdirected.parameters.clone_from(&stranger.parameters);
    for tenant in [intruding, misdirected] {
        let issued = IssuedSession { tenant, ..session.issued.clone() };
        let response = context.send(&context.call(&issued, issued.right())).await?;
        context.expect_outcome(&response, &Allowed::refusals())?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn each_scheme(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    for scheme in &context.operation.security {
        let session = context.start_session(&attempts(3)).await?;
        if !session.issued.tenant.credentials.contains_key(&scheme.name) {
            return Err(Abort::Skip(format!("the control returned no credentials for {}", scheme.name)));
        }
        let response = context.submit_with(&session, Credential::Scheme(&scheme.name)).await?;
        expect_approval(context, &response)?;
    }
    Ok(())
}

fn expect_approval(context: &CheckContext<'_>, response: &RawResponse) -> Result<(), Abort> {
    context.expect_outcome(response, &Allowed::only(Outcome::Approved))
}

async fn challenge(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let session = context.start_session(&attempts(3)).await?;
    for credential in [Credential::Missing, Credential::Wrong] {
        let response = context.submit_with(&session, credential).await?;
        if response.status == 401 && !response.headers.contains_key(http::header::WWW_AUTHENTICATE) {
            let deviation = context.deviation("HTTP 401 with WWW-Authenticate", "HTTP 401 without it");
            let missing = Observation::missing_header(Outcome::Unauthorized, "www-authenticate");
            return Err(deviation.observing(missing).shown_where(|response, _| {
                response.status == 401 && !response.headers.contains_key(http::header::WWW_AUTHENTICATE)
            }));
        }
    }
    Ok(())
}

async fn scheme_case(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    for change in [str::to_lowercase, str::to_uppercase] {
        let session = context.start_session(&attempts(3)).await?;
        let Some(word) = scheme_word(context.contract, &session.issued.tenant).map(change) else {
            return Ok(());
        };
        let issued = session.issued.clone();
        let text = format!("{word} {{secret}}");
        let call = VerifyCall { credential: Credential::Raw(&text), ..context.call(&issued, issued.right()) };
        let response = context.send(&call).await?;
        expect_approval(context, &response)?;
    }
    Ok(())
}
