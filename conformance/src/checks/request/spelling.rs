//! Near misses: codes and ids that differ from the right ones only in their spelling. A code must match exactly. An id may
//! have several spellings, but then all of them identify one session in every respect.

use otp_contract::{Alphabet, Contract, Place, Situation};

use crate::checks::probe::{Authority, Probe, always};
use crate::checks::{Area, standards};
use crate::harness::{
    Abort, CheckContext, IssuedSession, RequestMutation, SubmittedCode, TrackedSession, Witness, attempts,
};
use crate::oracle::{Allowed, Basis, CodeKind, approves};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "code-spelling",
        statement: "a code that is nearly the right one, cut, padded, signed, with another digit or in other digits, verifies nothing",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::CANONICAL,
        applies: always,
        run: |context| Box::pin(code_spelling(context)),
    },
    Probe {
        area: Area::Request,
        name: "code-whitespace",
        statement: "the right code with white space before or after it verifies nothing",
        authority: Authority::Standard,
        standard: standards::CANONICAL,
        applies: always,
        run: |context| Box::pin(code_whitespace(context)),
    },
    Probe {
        area: Area::Request,
        name: "session-spelling",
        statement: "another spelling of a session's id names no session, or the same one in every respect",
        authority: Authority::Safety(Situation::UnknownSession),
        standard: standards::CANONICAL,
        applies: always,
        run: |context| Box::pin(session_spelling(context)),
    },
];

/// A near miss, and the shell expression that reports show for it.
struct NearMiss {
    text: String,
    shown: String,
}

async fn code_spelling(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    // The code starts and ends with a zero, to catch a server that compares numbers.
    let middle = context.code();
    let code = format!("01{}0", &middle[..middle.len().saturating_sub(3)]);
    submit_near_misses(context, &code, &near_digits).await?;
    if context.operation.code.alphabet == Alphabet::Alphanumeric {
        let letters: String =
            "aBcDeFgH".chars().cycle().skip(context.random.usize(0..8)).take(code.len()).collect();
        submit_near_misses(context, &letters, &near_letters).await?;
    }
    Ok(())
}

/// A page that is silent leaves a server free to trim what a person typed, so this check is one of its own.
async fn code_whitespace(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let code = context.code();
    submit_near_misses(context, &code, &surrounded_by_space).await
}

/// Submits each near miss of a code to a session with enough attempts, and then the code itself.
async fn submit_near_misses(
    context: &mut CheckContext<'_>,
    code: &str,
    near: &(dyn Fn(&IssuedSession) -> Vec<NearMiss> + Send + Sync),
) -> Result<(), Abort> {
    let tenant = context.tenant().await?;
    let options = attempts(10);
    let issued = context.issue_code(&tenant, code.to_owned(), &options, None).await?;
    let mut session = context.track(issued);
    let mut left = session.spare_attempts();
    for number in 0..near(&session.issued).len() {
        if left == 0 {
            expect_usable(context, &mut session).await?;
            let issued = context.issue_code(&tenant, code.to_owned(), &options, None).await?;
            session = context.track(issued);
            left = session.spare_attempts().max(1);
        }
        let issued = session.issued.clone();
        let Some(miss) = near(&issued).into_iter().nth(number) else { continue };
        let code = SubmittedCode { text: &miss.text, shown: &miss.shown };
        let response = context.send(&context.call(&issued, code)).await?;
        context.expect_no_approval(&response)?;
        context.expect_client_error_or_refusal(&response)?;
        left -= 1;
    }
    expect_usable(context, &mut session).await
}

/// The right code still verifies, because a near miss counts as one attempt at most.
async fn expect_usable(context: &mut CheckContext<'_>, session: &mut TrackedSession) -> Result<(), Abort> {
    if session.rules.limit == Some(1) {
        return Ok(());
    }
    context.submit_right(session).await?;
    Ok(())
}

fn near_digits(issued: &IssuedSession) -> Vec<NearMiss> {
    let code = &issued.code;
    let full = issued.shown.clone();
    let near = |text: String, shown: String| NearMiss { text, shown };
    let but_last = code[..code.len() - 1].to_owned();
    let but_first = code[1..].to_owned();
    let other_digits = |zero: u32| -> String {
        code.chars().filter_map(|digit| char::from_u32(zero + digit.to_digit(10)?)).collect()
    };
    let full_width = other_digits(0xff10);
    let indic = other_digits(0x0660);
    let spaced: String = code.chars().flat_map(|digit| [digit, ' ']).collect();
    let reversed: String = code.chars().rev().collect();
    let turned = format!("{but_first}{}", &code[..1]);
    let name = issued.shown.trim_start_matches('$');
    let any = |count: usize| "?".repeat(count);
    // One other digit in each place, to catch a server that compares only a part.
    let mut all: Vec<NearMiss> = code
        .char_indices()
        .filter_map(|(place, digit)| {
            let other = (digit.to_digit(10)? + 1) % 10;
            let (before, after) = (&code[..place], &code[place + 1..]);
            let shown =
                format!("${{{name}%{}}}{other}${{{name}#{}}}", any(code.len() - place), any(place + 1));
            Some(near(format!("{before}{other}{after}"), shown))
        })
        .collect();
    let joined = format!("{}_{}", &code[..2], &code[2..]);
    all.push(near(joined, format!("{}_${{{name}#??}}", issued.shown_first_two())));
    // Wildcards of databases and patterns.
    for wildcard in ["%".to_owned(), "_".repeat(code.len()), ".*".to_owned(), "*".to_owned()] {
        all.push(near(wildcard.clone(), wildcard));
    }
    all.extend([
        near(reversed, format!("{full}_REVERSED")),
        near(turned.clone(), format!("{}0", issued.shown_but_first())),
        near(but_first.clone(), issued.shown_but_first()),
        near(but_last.clone(), issued.shown_but_last()),
        near(code[..2].to_owned(), issued.shown_first_two()),
        near(format!("{code}0"), format!("{full}0")),
        near(format!("0{code}"), format!("0{full}")),
        near(format!("+{code}"), format!("+{full}")),
        near(format!("{code}\u{0}x"), format!("{full}\u{0}x")),
        near(format!("-{code}"), format!("-{full}")),
        near(format!("{code}.0"), format!("{full}.0")),
        near(format!("{code}\u{200b}"), format!("{full}\u{200b}")),
        near(format!("{but_last} {}", &code[code.len() - 1..]), format!("{} 0", issued.shown_but_last())),
        near(format!("{but_last}-{}", &code[code.len() - 1..]), format!("{}-0", issued.shown_but_last())),
        near(spaced.trim().to_owned(), format!("{full}_SPACED")),
        near(full_width, format!("{full}_WIDE")),
        near(indic, format!("{full}_INDIC")),
        near("0".repeat(code.len()), "0".repeat(code.len())),
    ]);
    all.retain(|near| near.text != *code);
    all
}

fn surrounded_by_space(issued: &IssuedSession) -> Vec<NearMiss> {
    let space = |before: &str, after: &str| NearMiss {
        text: format!("{before}{}{after}", issued.code),
        shown: format!("{before}{}{after}", issued.shown),
    };
    vec![space(" ", ""), space("", " "), space("", "\n"), space("\t", ""), space("\u{a0}", "")]
}

fn near_letters(issued: &IssuedSession) -> Vec<NearMiss> {
    let code = &issued.code;
    [(code.to_ascii_lowercase(), "LOWER"), (code.to_ascii_uppercase(), "UPPER")]
        .into_iter()
        .filter(|(text, _)| text != code)
        .map(|(text, name)| NearMiss { text, shown: format!("{}_{name}", issued.shown) })
        .collect()
}

async fn session_spelling(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let count = spellings("x-1", context.contract).len();
    for number in 0..count {
        let mut session = context.start_session(&attempts(2)).await?;
        let known = session.issued.session.session.clone();
        let Some(other) = spellings(&known, context.contract).into_iter().nth(number) else { continue };
        if other == known {
            continue;
        }
        let mut respelt = session.issued.clone();
        respelt.session.session.clone_from(&other);
        let response = context.send(&context.call(&respelt, respelt.right())).await?;
        if response.status >= 500 {
            return Err(context
                .deviation("a refusal", context.recording.last_response())
                .because_of(Basis::Standard, None));
        }
        if !approves(context.operation, &response) {
            context.submit_right(&mut session).await?;
            continue;
        }
        if ["*", "%", ".."].contains(&other.as_str()) {
            let deviation = context.deviation("no session of that name", context.recording.last_response());
            return Err(deviation.shown_by(Witness::Status));
        }
        // The server accepts this spelling for the session, so the code must be used under every spelling,
        let response = context.send(&context.call(&session.issued, session.issued.right())).await?;
        context.expect_outcome(&response, &Allowed::refusals())?;
        // and wrong codes must count under every spelling.
        let mut session = context.start_session(&attempts(2)).await?;
        let known = session.issued.session.session.clone();
        let Some(other) = spellings(&known, context.contract).into_iter().nth(number) else { continue };
        let Ok(limit) = session.limit() else { continue };
        let proper = session.issued.clone();
        for _ in 0..limit {
            session.issued.session.session.clone_from(&other);
            let wrong = context.wrong_code(&session.issued.code);
            context
                .submit(
                    &mut session,
                    CodeKind::Wrong,
                    SubmittedCode::plain(&wrong),
                    RequestMutation::default(),
                )
                .await?;
        }
        session.issued = proper;
        context.submit_right(&mut session).await?;
    }
    Ok(())
}

/// Other spellings of an id.
fn spellings(id: &str, contract: &Contract) -> Vec<String> {
    let swapped: String = id
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let mut all = vec![
        swapped,
        format!("{{{id}}}"),
        id.replace('-', ""),
        format!(" {id}"),
        format!("{id} "),
        format!("urn:uuid:{id}"),
        format!("{id}0"),
        id[..id.len() - 1].to_owned(),
    ];
    all.push(format!("{id}\u{0}"));
    all.push("*".to_owned());
    all.push("%".to_owned());
    // Clients resolve dot segments in a path, so they would never reach the server.
    if contract.verify().session.location.place == Place::Body {
        all.push("..".to_owned());
    }
    all
}
