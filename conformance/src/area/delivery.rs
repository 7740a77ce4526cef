//! Calls that arrive in pieces, break off, are compressed, or are no longer waited for. What became of a call that
//! nobody waited for is open; what was known before it is not.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use otp_contract::{Outcome, Situation};

use super::{Probe, SESSION, always, body_with, code_in_body, has_limit, standard};
use crate::call::{Body, Call, Guess, Twist};
use crate::check::Area;
use crate::delivery::LINGERING;
use crate::flow::attempts;
use crate::model::{Allowed, Input, Kind};
use crate::reading::approves;
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "pieces",
        statement: "a body that arrives in pieces is read whole, and one in the chunked coding makes no server fail",
        says: Some(Situation::Approved),
        standard: standard::FRAMING,
        applies: code_in_body,
        run: |bench| Box::pin(pieces(bench)),
    },
    Probe {
        area: Area::Request,
        name: "broken-off",
        statement: "a request that breaks off before its end approves nothing and costs nothing",
        says: Some(Situation::MalformedBody),
        standard: standard::INCOMPLETE,
        applies: code_in_body,
        run: |bench| Box::pin(broken_off(bench)),
    },
    Probe {
        area: Area::Request,
        name: "compressed",
        statement: "a compressed body that unpacks to many times its size is refused and costs nothing",
        says: None,
        standard: standard::SIZE,
        applies: code_in_body,
        run: |bench| Box::pin(compressed(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "hang-up",
        statement: "a caller that hangs up before the answer gets no attempt back",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::LIMIT,
        applies: has_limit,
        run: |bench| Box::pin(hang_up_before_limit(bench)),
    },
    Probe {
        area: Area::SingleUse,
        name: "hang-up",
        statement: "a caller that hangs up before the answer does not make a code usable twice",
        says: Some(Situation::AlreadyUsed),
        standard: standard::SINGLE_USE,
        applies: always,
        run: |bench| Box::pin(hang_up_after_use(bench)),
    },
];

async fn pieces(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let live = bench.open(&attempts(3)).await?;
    let proper = live.issued.call(bench.contract, live.issued.right(), bench.retries());
    if let Some(answer) = bench.send_pieces(&proper, 3, false).await? {
        bench.demand(&answer, &Allowed::only(Outcome::Approved))?;
    }
    // A server may ask for a length (RFC 9110 §15.5.12); what it may not do is to fail, or to take half of a code.
    let mut live = bench.open(&attempts(3)).await?;
    let issued = live.issued.clone();
    let proper = issued.call(bench.contract, issued.right(), bench.retries());
    match bench.send_pieces(&proper, 2, true).await? {
        None => {}
        Some(answer) if approves(bench.contract, &answer) => return Ok(()),
        Some(answer) => bench.demand_client_error_or_refusal(&answer)?,
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn broken_off(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(2)).await?;
    let issued = live.issued.clone();
    let wrong = bench.wrong_code(&issued.code);
    for guess in [Guess::plain(&wrong), issued.right(), Guess::plain(&wrong)] {
        let call = issued.call(bench.contract, guess, bench.retries());
        // All but the last two octets, quotation mark and brace: the code is there in full, and yet the request is not.
        bench.break_off(&call, 2).await?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

/// What the compressed body unpacks to, in bytes: far more than a verify call has, and little enough for any test.
const UNPACKED: usize = 8 << 20;

async fn compressed(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(2)).await?;
    let issued = live.issued.clone();
    let long = format!("\"{}\"", "1".repeat(UNPACKED));
    let text = body_with(bench.contract, SESSION, &long).replace("{session}", &issued.session.session);
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    let packed = packed.map_err(|error| Stop::Error(format!("the body cannot be compressed: {error}")))?;
    let twist = Twist {
        headers: vec![("content-encoding", "gzip")],
        body: Some(Body::Bytes(&packed)),
        ..Twist::default()
    };
    let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
    if let Some(answer) = bench.try_send(&call).await? {
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error_or_refusal(&answer)?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn hang_up_before_limit(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(3)).await?;
    for _ in 1..live.limit()? {
        bench.wrong(&mut live).await?;
    }
    let issued = live.issued.clone();
    for linger in LINGERING {
        let wrong = bench.wrong_code(&issued.code);
        bench.hang_up(&issued.call(bench.contract, Guess::plain(&wrong), bench.retries()), linger).await?;
    }
    // Whether one of those was counted is open. With this one the limit is reached in any case.
    let wrong = bench.wrong_code(&issued.code);
    let answer = bench.send(&issued.call(bench.contract, Guess::plain(&wrong), bench.retries())).await?;
    let told = [Outcome::WrongCode, Outcome::AttemptsExhausted].into();
    bench.demand(&answer, &Allowed { outcomes: told, any_refusal: !live.rules.lock_is_told })?;
    let answer = bench.send(&issued.call(bench.contract, issued.right(), bench.retries())).await?;
    bench.demand(&answer, &Allowed::refusals())
}

async fn hang_up_after_use(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(3)).await?;
    bench.right(&mut live).await?;
    let issued = live.issued.clone();
    for linger in LINGERING {
        bench.hang_up(&issued.call(bench.contract, issued.right(), bench.retries()), linger).await?;
    }
    bench.right(&mut live).await?;

    let mut live = bench.open(&attempts(3)).await?;
    let issued = live.issued.clone();
    bench.hang_up(&issued.call(bench.contract, issued.right(), bench.retries()), LINGERING[2]).await?;
    let answer = bench.send(&issued.call(bench.contract, issued.right(), bench.retries())).await?;
    let told = [Outcome::Approved, Outcome::AlreadyUsed].into();
    bench.demand(&answer, &Allowed { outcomes: told, any_refusal: false })?;
    // Approved unheard or just now: from here on it is used.
    let right = Input { guess: Kind::Right, foreign: false, retry: bench.retries() };
    live.state = live.rules.step(&live.state, right).0;
    bench.right(&mut live).await?;
    Ok(())
}
