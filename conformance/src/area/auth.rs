//! Who calls: nobody without good credentials of the account that the request names is told or given anything.

use otp_contract::{Contract, Scheme, SecurityScheme, Situation};

use super::{Probe, always, standard};
use crate::call::{Call, Credential};
use crate::check::Area;
use crate::control::Tenant;
use crate::flow::attempts;
use crate::model::Allowed;
use crate::subject::{Bench, Issued, Stop};
use crate::wire::RawResponse;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Auth,
        name: "missing",
        statement: "a call without credentials is refused and changes nothing",
        says: Some(Situation::MissingCredentials),
        standard: standard::AUTHENTICATION,
        applies: always,
        run: |bench| Box::pin(missing(bench)),
    },
    Probe {
        area: Area::Auth,
        name: "wrong",
        statement: "a call with wrong, cut, empty or malformed credentials is refused and changes nothing",
        says: Some(Situation::WrongCredentials),
        standard: standard::AUTHENTICATION,
        applies: always,
        run: |bench| Box::pin(wrong(bench)),
    },
    Probe {
        area: Area::Auth,
        name: "other-account",
        statement: "good credentials do not open another tenant's account",
        says: Some(Situation::ForeignSession),
        standard: standard::ISOLATION,
        applies: |contract| !contract.verify().accounts.is_empty(),
        run: |bench| Box::pin(other_account(bench)),
    },
    Probe {
        area: Area::Auth,
        name: "each-scheme",
        statement: "each of the documented schemes authenticates a tenant",
        says: Some(Situation::Approved),
        standard: standard::AUTHENTICATION,
        applies: |contract| contract.verify().security.len() > 1,
        run: |bench| Box::pin(each_scheme(bench)),
    },
    Probe {
        area: Area::Auth,
        name: "challenge",
        statement: "a 401 carries a challenge in WWW-Authenticate",
        says: None,
        standard: standard::CHALLENGE,
        applies: always,
        run: |bench| Box::pin(challenge(bench)),
    },
    Probe {
        area: Area::Auth,
        name: "scheme-case",
        statement: "the name of the authentication scheme is read in any case",
        says: None,
        standard: standard::SCHEME,
        applies: |contract| contract.verify().security.iter().any(|scheme| word_of(&scheme.scheme).is_some()),
        run: |bench| Box::pin(scheme_case(bench)),
    },
];

/// The word before the credentials of a scheme, where it has one.
fn word_of(scheme: &Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Bearer => Some("Bearer"),
        Scheme::Basic => Some("Basic"),
        Scheme::ApiKey { .. } => None,
    }
}

/// The word before the credentials that calls of this tenant carry.
fn scheme_word(contract: &Contract, tenant: &Tenant) -> Option<&'static str> {
    let used = |scheme: &&SecurityScheme| tenant.credentials.contains_key(&scheme.name);
    contract.verify().security.iter().find(used).and_then(|scheme| word_of(&scheme.scheme))
}

async fn missing(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(2)).await?;
    let answer = bench.as_whom(&live, Credential::Missing).await?;
    demand_refused(bench, &answer)?;
    bench.right(&mut live).await?;
    Ok(())
}

async fn wrong(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(2)).await?;
    let word = scheme_word(bench.contract, &live.issued.tenant);
    let mut shown = vec![String::new(), "x".to_owned(), "{secret}x".to_owned(), "null".to_owned()];
    if let Some(word) = word {
        shown = vec![
            word.to_owned(),
            format!("{word} "),
            format!("{word} x"),
            format!("{word} {{secret}}x"),
            format!("{word} null"),
            "Digest {secret}".to_owned(),
        ];
    }
    for text in &shown {
        let answer = bench.as_whom(&live, Credential::Raw(text)).await?;
        demand_refused(bench, &answer)?;
    }
    let has_letters = live
        .issued
        .tenant
        .credentials
        .values()
        .any(|credentials| credentials.secret().bytes().any(|byte| byte.is_ascii_alphabetic()));
    let respelt = has_letters.then_some(Credential::OtherCase);
    let spoilt = [Credential::Wrong, Credential::Cut, Credential::Emptied, Credential::OtherUser];
    for credential in spoilt.into_iter().chain(respelt) {
        let answer = bench.as_whom(&live, credential).await?;
        demand_refused(bench, &answer)?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

/// 401, or another refusal: which of them is the matrix's question.
fn demand_refused(bench: &Bench<'_>, answer: &RawResponse) -> Result<(), Stop> {
    match [400, 401, 403, 404].contains(&answer.status) {
        true => bench.demand_no_approval(answer),
        false => Err(bench.found("HTTP 401, or a refusal like it", crate::finding::last_answer(bench))),
    }
}

async fn other_account(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let [owner, stranger] = bench.two_tenants().await?;
    let mut live = bench.open_for(&owner, &attempts(2)).await?;
    // The stranger's credentials in the owner's account, and the other way round.
    let mut climbing = stranger.clone();
    climbing.parameters.clone_from(&owner.parameters);
    let mut straying = owner.clone();
    straying.parameters.clone_from(&stranger.parameters);
    for tenant in [climbing, straying] {
        let issued = Issued { tenant, ..live.issued.clone() };
        let answer = bench.send(&issued.call(bench.contract, issued.right(), bench.retries())).await?;
        bench.demand(&answer, &Allowed::refusals())?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn each_scheme(bench: &mut Bench<'_>) -> Result<(), Stop> {
    for scheme in &bench.contract.verify().security {
        let live = bench.open(&attempts(3)).await?;
        if !live.issued.tenant.credentials.contains_key(&scheme.name) {
            return Err(Stop::Skip(format!("the control gave no credentials for {}", scheme.name)));
        }
        let answer = bench.as_whom(&live, Credential::Scheme(&scheme.name)).await?;
        demand_approval(bench, &answer)?;
    }
    Ok(())
}

fn demand_approval(bench: &Bench<'_>, answer: &RawResponse) -> Result<(), Stop> {
    let allowed = Allowed { outcomes: [otp_contract::Outcome::Approved].into(), any_refusal: false };
    bench.demand(answer, &allowed)
}

async fn challenge(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let live = bench.open(&attempts(3)).await?;
    for credential in [Credential::Missing, Credential::Wrong] {
        let answer = bench.as_whom(&live, credential).await?;
        if answer.status == 401 && !answer.headers.contains_key(http::header::WWW_AUTHENTICATE) {
            return Err(bench.found("HTTP 401 with WWW-Authenticate", "HTTP 401 without it"));
        }
    }
    Ok(())
}

async fn scheme_case(bench: &mut Bench<'_>) -> Result<(), Stop> {
    for change in [str::to_lowercase, str::to_uppercase] {
        let live = bench.open(&attempts(3)).await?;
        let Some(word) = scheme_word(bench.contract, &live.issued.tenant).map(change) else { return Ok(()) };
        let issued = live.issued.clone();
        let text = format!("{word} {{secret}}");
        let call = Call {
            credential: Credential::Raw(&text),
            ..issued.call(bench.contract, issued.right(), bench.retries())
        };
        let answer = bench.send(&call).await?;
        demand_approval(bench, &answer)?;
    }
    Ok(())
}
