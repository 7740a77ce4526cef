//! Near misses: codes and ids that differ from the right ones in their spelling only. A code is right to the letter; an
//! id may have several spellings, and then they are one session.

use otp_contract::{Alphabet, Contract, Place, Situation};

use super::{Probe, always, standard};
use crate::call::Guess;
use crate::check::Area;
use crate::finding::last_answer;
use crate::flow::{Live, attempts};
use crate::model::{Allowed, Kind};
use crate::reading::approves;
use crate::subject::{Bench, Issued, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "code-spelling",
        statement: "a code that is nearly the right one, cut, padded, signed, with another digit or in other digits, verifies nothing",
        says: Some(Situation::WrongCode),
        standard: standard::CANONICAL,
        applies: always,
        run: |bench| Box::pin(code_spelling(bench)),
    },
    Probe {
        area: Area::Request,
        name: "session-spelling",
        statement: "another spelling of a session's id names no session, or the same one in every respect",
        says: Some(Situation::UnknownSession),
        standard: standard::CANONICAL,
        applies: always,
        run: |bench| Box::pin(session_spelling(bench)),
    },
];

/// A near miss, and the shell's words for it.
struct Near {
    text: String,
    shown: String,
}

async fn code_spelling(bench: &mut Bench<'_>) -> Result<(), Stop> {
    // The code begins and ends with a zero, so that whoever compares numbers sees no difference where there is one.
    let middle = bench.code();
    // In between, no two of its neighbours are alike, so that another order of its digits is another code.
    let code = format!("01{}0", &middle[..middle.len().saturating_sub(3)]);
    try_near(bench, &code, &near_digits).await?;
    if bench.contract.verify().code.alphabet == Alphabet::Alphanumeric {
        let letters: String =
            "aBcDeFgH".chars().cycle().skip(bench.random.usize(0..8)).take(code.len()).collect();
        try_near(bench, &letters, &near_letters).await?;
    }
    Ok(())
}

/// Tries each near miss of a code on a session that can bear it, and then the code itself.
async fn try_near(
    bench: &mut Bench<'_>,
    code: &str,
    near: &(dyn Fn(&Issued) -> Vec<Near> + Send + Sync),
) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    let wish = attempts(10);
    let issued = bench.issue_code(&tenant, code.to_owned(), &wish, None).await?;
    let mut live = bench.watch(issued);
    let mut left = live.spare();
    for number in 0..near(&live.issued).len() {
        if left == 0 {
            usable(bench, &mut live).await?;
            let issued = bench.issue_code(&tenant, code.to_owned(), &wish, None).await?;
            live = bench.watch(issued);
            left = live.spare().max(1);
        }
        let issued = live.issued.clone();
        let Some(miss) = near(&issued).into_iter().nth(number) else { continue };
        let guess = Guess { text: &miss.text, shown: &miss.shown };
        let retry = bench.retries();
        let answer = bench.send(&issued.call(bench.contract, guess, retry)).await?;
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error_or_refusal(&answer)?;
        left -= 1;
    }
    usable(bench, &mut live).await
}

/// The right code still verifies: a near miss costs one attempt at the most.
async fn usable(bench: &mut Bench<'_>, live: &mut Live) -> Result<(), Stop> {
    if live.rules.limit == Some(1) {
        return Ok(());
    }
    bench.right(live).await?;
    Ok(())
}

fn near_digits(issued: &Issued) -> Vec<Near> {
    let code = &issued.code;
    let full = issued.shown.clone();
    let near = |text: String, shown: String| Near { text, shown };
    let but_last = code[..code.len() - 1].to_owned();
    let but_first = code[1..].to_owned();
    let other_digits = |zero: u32| -> String {
        code.chars().filter_map(|digit| char::from_u32(zero + digit.to_digit(10)?)).collect()
    };
    let wide = other_digits(0xff10);
    let indic = other_digits(0x0660);
    let spaced: String = code.chars().flat_map(|digit| [digit, ' ']).collect();
    let reversed: String = code.chars().rev().collect();
    let turned = format!("{but_first}{}", &code[..1]);
    let name = issued.shown.trim_start_matches('$');
    let any = |count: usize| "?".repeat(count);
    // One digit is another, at each place: whoever compares a part only takes one of these for the code.
    let mut all: Vec<Near> = code
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
    // What a database or a pattern takes for any code.
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
        near(format!(" {code}"), format!(" {full}")),
        near(format!("{code} "), format!("{full} ")),
        near(format!("{code}\\n").replace("\\n", "\n"), format!("{full}\n")),
        near(format!("\t{code}"), format!("\t{full}")),
        near(format!("+{code}"), format!("+{full}")),
        near(format!("{code}\u{0}x"), format!("{full}\u{0}x")),
        near(format!("-{code}"), format!("-{full}")),
        near(format!("{code}.0"), format!("{full}.0")),
        near(format!("\u{a0}{code}"), format!("\u{a0}{full}")),
        near(format!("{code}\u{200b}"), format!("{full}\u{200b}")),
        near(format!("{but_last} {}", &code[code.len() - 1..]), format!("{} 0", issued.shown_but_last())),
        near(format!("{but_last}-{}", &code[code.len() - 1..]), format!("{}-0", issued.shown_but_last())),
        near(spaced.trim().to_owned(), format!("{full}_SPACED")),
        near(wide, format!("{full}_WIDE")),
        near(indic, format!("{full}_INDIC")),
        near("0".repeat(code.len()), "0".repeat(code.len())),
    ]);
    all.retain(|near| near.text != *code);
    all
}

fn near_letters(issued: &Issued) -> Vec<Near> {
    let code = &issued.code;
    [(code.to_ascii_lowercase(), "LOWER"), (code.to_ascii_uppercase(), "UPPER")]
        .into_iter()
        .filter(|(text, _)| text != code)
        .map(|(text, name)| Near { text, shown: format!("{}_{name}", issued.shown) })
        .collect()
}

async fn session_spelling(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let count = spellings("x-1", bench.contract).len();
    for number in 0..count {
        let mut live = bench.open(&attempts(2)).await?;
        let known = live.issued.session.session.clone();
        let Some(other) = spellings(&known, bench.contract).into_iter().nth(number) else { continue };
        if other == known {
            continue;
        }
        let mut respelt = live.issued.clone();
        respelt.session.session.clone_from(&other);
        let retry = bench.retries();
        let answer = bench.send(&respelt.call(bench.contract, respelt.right(), retry)).await?;
        if answer.status >= 500 {
            return Err(bench.found("a refusal", last_answer(bench)));
        }
        if !approves(bench.contract, &answer) {
            bench.right(&mut live).await?;
            continue;
        }
        if ["*", "%", ".."].contains(&other.as_str()) {
            return Err(bench.found("no session of that name", last_answer(bench)));
        }
        // The server reads this spelling as the same session: then its code is used under every spelling,
        let answer = bench.send(&live.issued.call(bench.contract, live.issued.right(), retry)).await?;
        bench.demand(&answer, &Allowed::refusals())?;
        // and wrong codes count for it under every spelling.
        let mut live = bench.open(&attempts(2)).await?;
        let known = live.issued.session.session.clone();
        let Some(other) = spellings(&known, bench.contract).into_iter().nth(number) else { continue };
        let Ok(limit) = live.limit() else { continue };
        let proper = live.issued.clone();
        for _ in 0..limit {
            live.issued.session.session.clone_from(&other);
            let wrong = bench.wrong_code(&live.issued.code);
            bench
                .attempt(&mut live, Kind::Wrong, Guess::plain(&wrong), crate::call::Twist::default())
                .await?;
        }
        live.issued = proper;
        bench.right(&mut live).await?;
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
    // Dots in a path are a client's way of naming another one.
    if contract.verify().session.location.place == Place::Body {
        all.push("..".to_owned());
    }
    all
}
