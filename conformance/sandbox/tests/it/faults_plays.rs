//! For each fault an exchange in which it must show, and what the last answer of a server with it is.

use otp_contract::{Mode, Outcome, Place, Situation};
use otp_sandbox::{Access, Defect as D, Effect, Fault, Leak, Reading as R, Spelling, Trigger};
use serde_json::json;

use crate::faults_stage::{Ask, Delivery, Stage};

/// Starts with a zero, for those who compare numbers.
pub(crate) const RIGHT: &str = "012345";
const WRONG: &str = "998877";

/// How many wrong codes are compared where a limit is wished for.
const LIMIT: u32 = 3;

/// No session's id.
const NOBODY: &str = "nobody";

/// How many calls a burst has, and how many bursts a race is given to show in.
const CROWD: usize = 12;
const BURSTS: usize = 8;

/// What the last answer of a play is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An approval that nobody should have got.
    Approved,
    /// A refusal of what should have been approved.
    Refused,
    /// A failure of the server.
    Failed,
    /// One that has these words, which the proper one has not.
    Tells(&'static str),
    /// One that has not these words, which the proper one has.
    Lacks(&'static str),
    /// A count of answers to a burst, and more than there should be.
    More,
    /// Another one than it should be.
    Different,
}

pub(crate) async fn play(stage: &mut Stage<'_>, fault: &Fault) -> Ending {
    match fault.effect {
        Effect::Answer(situations, _) => {
            for situation in situations {
                bring_about(stage, *situation).await;
            }
            Ending::Different
        }
        Effect::Sometimes(situations, _) => {
            for _ in 0..3 {
                bring_about(stage, situations[0]).await;
            }
            Ending::Different
        }
        Effect::Decision(defect) => decision(stage, defect).await,
        Effect::Reading(reading) => self::reading(stage, reading).await,
        Effect::Access(access) => self::access(stage, access).await,
        Effect::Leak(leak) => self::leak(stage, leak).await,
    }
}

fn few() -> serde_json::Value {
    json!({"max_attempts": LIMIT})
}

/// Makes a call in `situation`, in each way of calling; gives what the matrix judges of the answers.
pub(crate) async fn bring_about(stage: &mut Stage<'_>, situation: Situation) -> Vec<String> {
    // So that there is a call before it.
    let earlier = stage.issue(RIGHT, json!({})).await;
    stage.send(&earlier.code(WRONG)).await;
    let modes: &[Option<Mode>] = match stage.contract.policy.overrides.retry {
        Some(_) => &[None, Some(Mode::Retry)],
        None => &[None],
    };
    let mut judged = Vec::new();
    for mode in modes {
        let proper = stage.issue(RIGHT, few()).await;
        let proper = Ask { retry: mode.is_some(), ..proper };
        let ask = match situation {
            Situation::WrongCode => proper.code(WRONG),
            Situation::Expired => {
                stage.age(&proper, stage.contract.policy.lifetime.seconds).await;
                proper
            }
            Situation::AttemptsExhausted => {
                lock(stage, &proper).await;
                proper
            }
            Situation::AlreadyUsed => {
                stage.send(&proper).await;
                proper
            }
            Situation::UnknownSession => proper.session(NOBODY),
            Situation::MissingSession => proper.session(json!(null)),
            Situation::MissingCode => Ask { code: None, ..proper },
            Situation::MalformedCode => proper.code("0123!5"),
            Situation::MalformedBody => Ask { body: Some(b"{\"cut short".to_vec()), ..proper },
            Situation::MissingCredentials => Ask { credentials: Some(Vec::new()), ..proper },
            Situation::WrongCredentials => {
                let credentials = Some(vec![spoiled(stage.credential(0))]);
                Ask { credentials, ..proper }
            }
            Situation::ForeignSession => Ask { tenant: 1, account: 1, ..proper },
            Situation::Approved => proper,
        };
        stage.send(&ask).await;
        judged.push(stage.judged());
    }
    judged
}

/// Sends as many wrong codes as are compared.
async fn lock(stage: &mut Stage<'_>, ask: &Ask) {
    for guess in 0..LIMIT {
        stage.send(&ask.code(format!("{:06}", 990_000 + guess))).await;
    }
}

fn spoiled((name, value): (String, String)) -> (String, String) {
    (name, format!("{value}x"))
}

async fn decision(stage: &mut Stage<'_>, defect: D) -> Ending {
    let lifetime = stage.contract.policy.lifetime.seconds;
    let ask = stage.issue(RIGHT, few()).await;
    match defect {
        D::Reuse | D::ReuseAtOnce => {
            stage.send(&ask).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::ReuseBySpelling => {
            stage.send(&ask).await;
            stage.send(&ask.code(format!("{RIGHT} "))).await;
            Ending::Approved
        }
        D::UseForgotten => {
            stage.send(&ask).await;
            stage.age(&ask, lifetime + 1).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::UsePerConnection => {
            let ask = Ask { anew: true, ..ask };
            stage.send(&ask).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::UsePerReplica => {
            stage.send(&ask).await;
            stage.send(&Ask { elsewhere: true, ..ask }).await;
            Ending::Approved
        }
        D::HangUpUndoes => {
            stage.send(&ask).await;
            stage.send(&Ask { delivery: Delivery::HungUp, ..ask.clone() }).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::UseRace | D::UseRaceWhenBusy => bursts(stage, |ask| vec![ask.clone(); CROWD]).await,
        D::CountLate | D::CountLateWhenBusy | D::CountOverwritten => {
            let guesses =
                |ask: &Ask| (0..CROWD).map(|guess| ask.code(format!("{:06}", 990_000 + guess))).collect();
            bursts(stage, guesses).await
        }
        D::NoLimit | D::LimitHigh | D::CountLost | D::CountHalf | D::LockOpens => {
            lock(stage, &ask).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::LimitLow => {
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask).await;
            Ending::Refused
        }
        D::CountDistinct => {
            for _ in 0..LIMIT {
                stage.send(&ask.code(WRONG)).await;
            }
            stage.send(&ask).await;
            Ending::Approved
        }
        D::CountPerConnection => {
            let ask = Ask { anew: true, ..ask };
            lock(stage, &ask).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::CountPerReplica => {
            lock(stage, &ask).await;
            stage.send(&Ask { elsewhere: true, ..ask }).await;
            Ending::Approved
        }
        D::CountPerForwarded => {
            for guess in 0..=LIMIT {
                let headers = vec![("x-forwarded-for", format!("192.0.2.{guess}"))];
                let code = if guess == LIMIT { RIGHT } else { WRONG };
                stage.send(&Ask { headers, ..ask.code(code) }).await;
            }
            Ending::Approved
        }
        D::CountPerTenant | D::CountPerVendor => {
            let tenant = usize::from(defect == D::CountPerVendor);
            let other = stage.issue_for(tenant, RIGHT, few()).await;
            lock(stage, &ask).await;
            stage.send(&other).await;
            Ending::Refused
        }
        _ => decision_on_counts(stage, defect, ask, lifetime).await,
    }
}

async fn decision_on_counts(stage: &mut Stage<'_>, defect: D, ask: Ask, lifetime: u64) -> Ending {
    match defect {
        D::SuccessResets => {
            let other = stage.issue(RIGHT, few()).await;
            for _ in 1..LIMIT {
                stage.send(&ask.code(WRONG)).await;
            }
            stage.send(&other).await;
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::MalformedResets => {
            for _ in 1..LIMIT {
                stage.send(&ask.code(WRONG)).await;
            }
            stage.send(&ask.code("0123!5")).await;
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::MalformedCounts => {
            for _ in 0..LIMIT {
                stage.send(&ask.code("0123!5")).await;
            }
            stage.send(&ask).await;
            Ending::Refused
        }
        D::ResendResets => {
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask.code(WRONG)).await;
            let again = json!({"max_attempts": LIMIT, "recipient_of": ask.id()});
            let anew = stage.issue("543210", again).await;
            stage.send(&anew.code(WRONG)).await;
            stage.send(&anew).await;
            Ending::Approved
        }
        D::ResendKeepsOld => {
            stage.issue("543210", json!({"recipient_of": ask.id()})).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::ComparedFirst(outcome) | D::Told(outcome, _) => {
            reach(stage, &ask, outcome).await;
            let ask = match outcome {
                Outcome::UnknownSession => ask.session(NOBODY),
                _ => ask,
            };
            stage.send(&ask).await;
            stage.send(&ask.code(WRONG)).await;
            Ending::Different
        }
        _ => decision_on_lifetimes_and_tenants(stage, defect, ask, lifetime).await,
    }
}

async fn decision_on_lifetimes_and_tenants(
    stage: &mut Stage<'_>,
    defect: D,
    ask: Ask,
    lifetime: u64,
) -> Ending {
    match defect {
        D::NoExpiry | D::ExpiryLate | D::ExpiryForWrong => {
            stage.age(&ask, lifetime).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::ExpiryEarly => {
            stage.age(&ask, lifetime * 95 / 100).await;
            stage.send(&ask).await;
            Ending::Refused
        }
        D::ExpiryExtended => {
            stage.age(&ask, lifetime - 5).await;
            stage.send(&ask.code(WRONG)).await;
            stage.age(&ask, 10).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::ForeignTenant | D::ForeignTold | D::ForeignStatus => {
            let stranger = Ask { tenant: 1, account: 1, ..ask };
            stage.send(&stranger.code(WRONG)).await;
            stage.send(&stranger).await;
            if defect == D::ForeignTenant { Ending::Approved } else { Ending::Different }
        }
        D::ForeignCounts => {
            lock(stage, &Ask { tenant: 1, account: 1, ..ask.clone() }).await;
            stage.send(&ask).await;
            Ending::Refused
        }
        D::ForeignConsumes => {
            stage.send(&Ask { tenant: 1, account: 1, ..ask.clone() }).await;
            stage.send(&ask).await;
            Ending::Refused
        }
        D::SessionSpelling(spelling) => {
            let id = ask.id().to_owned();
            let spelled = match spelling {
                Spelling::Space => format!(" {id}"),
                Spelling::Case => id.to_uppercase(),
                Spelling::Hyphens => id.replace('-', ""),
                Spelling::AfterNul => format!("{id}\0x"),
                Spelling::Wildcard => "*".to_owned(),
            };
            // Counted apart: the limit is reached, and another spelling goes on.
            if stage.contract.policy.attempts.is_some() {
                lock(stage, &ask).await;
            }
            stage.send(&ask.session(spelled)).await;
            Ending::Approved
        }
        D::LimitRevives => {
            lock(stage, &ask).await;
            stage.send(&Ask { query: vec![("retry_attempts", "10".to_owned())], ..ask }).await;
            Ending::Approved
        }
        D::LifetimeRevives => {
            let ask = stage.issue(RIGHT, json!({"ttl_seconds": 180})).await;
            stage.age(&ask, 200).await;
            stage.send(&Ask { query: vec![("minutes_valid", "20".to_owned())], ..ask }).await;
            Ending::Approved
        }
        D::RetryRevives => {
            stage.send(&Ask { retry: false, ..ask.code(WRONG) }).await;
            stage.send(&ask).await;
            Ending::Approved
        }
        D::LockExtended => {
            lock(stage, &ask).await;
            stage.age(&ask, 3_600).await;
            stage.send(&ask).await;
            Ending::Different
        }
        _ => {
            stage.send(&ask.code(WRONG)).await;
            stage.send(&ask.code(WRONG)).await;
            Ending::Different
        }
    }
}

async fn reach(stage: &mut Stage<'_>, ask: &Ask, outcome: Outcome) {
    match outcome {
        Outcome::AttemptsExhausted => lock(stage, ask).await,
        Outcome::AlreadyUsed => stage.send(ask).await,
        Outcome::Expired => stage.age(ask, stage.contract.policy.lifetime.seconds).await,
        _ => {}
    }
}

/// Plays a race several times, and notes how many answers were not what a dead session says. A busy machine lets the
/// calls of one burst come one by one.
async fn bursts(stage: &mut Stage<'_>, calls: impl Fn(&Ask) -> Vec<Ask>) -> Ending {
    let mut alive = 0;
    for _ in 0..BURSTS {
        let ask = stage.issue(RIGHT, few()).await;
        let lines = stage.burst(&calls(&ask)).await;
        for _ in 0..LIMIT {
            stage.send(&ask.code(WRONG)).await;
        }
        let dead = stage.transcript.last().unwrap();
        alive += lines.iter().filter(|line| *line != dead).count();
    }
    stage.transcript.push(format!("{alive} of {}", BURSTS * CROWD));
    Ending::More
}

async fn reading(stage: &mut Stage<'_>, reading: R) -> Ending {
    let ask = stage.issue(RIGHT, few()).await;
    let ask = match reading {
        R::AsInteger => {
            let signed = stage.issue("412345", json!({})).await;
            stage.send(&signed.code("+412345")).await;
            ask.code("12345")
        }
        R::LeadingZeros => ask.code("12345"),
        R::Beginning => ask.code("01234"),
        R::Ending => ask.code("0123456"),
        R::LetterCase => stage.issue("aBc123", json!({})).await.code("AbC123"),
        R::Trimmed => ask.code(format!("\t {RIGHT}\n")),
        R::TrimmedEnd => ask.code(format!("{RIGHT} ")),
        R::Separators => ask.code("012-345"),
        R::FullWidth => ask.code("０１２３４５"),
        R::UpToNul => ask.code("012345\0"),
        R::Number => stage.issue("412345", json!({})).await.code(412_345),
        R::List => ask.code(json!([WRONG, RIGHT])),
        R::Operator => ask.code(json!({"$ne": ""})),
        R::Empty => ask.code(""),
        R::Null => ask.code(json!(null)),
        R::Missing => Ask { code: None, ..ask },
        R::EitherOfTwo => twice(stage, &ask, WRONG, RIGHT),
        R::VerifiedMember => Ask { members: vec![("verified", true.into())], ..ask.code(WRONG) },
        R::AttemptsMember => {
            lock(stage, &ask).await;
            Ask { members: vec![("attempts", 0.into())], ..ask }
        }
        R::Positional => {
            let operation = &stage.contract.verify();
            let body = match operation.session.location.place {
                Place::Body => json!([ask.session, RIGHT]),
                _ => json!([RIGHT]),
            };
            Ask { body: Some(body.to_string().into_bytes()), ..ask }
        }
        R::FirstPiece => {
            stage.send(&Ask { delivery: Delivery::Pieces, ..ask }).await;
            return Ending::Refused;
        }
        R::CutOff => {
            stage.send(&Ask { delivery: Delivery::BrokenOff, ..ask.clone() }).await;
            stage.send(&ask).await;
            return Ending::Refused;
        }
        R::SessionList => ask.session(json!([ask.session])),
        R::DropsInvalid => {
            let body = with_invalid_byte(&stage.body(&ask).to_string());
            Ask { body: Some(body), ..ask }
        }
        R::Crash(trigger) => {
            crash(stage, ask, trigger).await;
            return Ending::Failed;
        }
    };
    stage.send(&ask).await;
    Ending::Approved
}

fn with_invalid_byte(body: &str) -> Vec<u8> {
    let (before, after) = body.split_at(body.find(RIGHT).unwrap() + 3);
    [before.as_bytes(), b"\xff", after.as_bytes()].concat()
}

/// A call with two codes.
fn twice(stage: &Stage<'_>, ask: &Ask, first: &str, last: &str) -> Ask {
    let name = &stage.contract.verify().code.location.name;
    if !stage.contract.verify().has_body {
        return Ask { query: vec![("otp", last.to_owned())], ..ask.code(first) };
    }
    let body = stage.body(&ask.code(first)).to_string();
    let body = format!("{}, \"{name}\": \"{last}\"}}", body.strip_suffix('}').unwrap());
    Ask { body: Some(body.into_bytes()), ..ask.clone() }
}

async fn crash(stage: &mut Stage<'_>, ask: Ask, trigger: Trigger) {
    let ask = match trigger {
        Trigger::Nul => ask.code("0123\0x"),
        Trigger::InvalidUtf8 if stage.contract.verify().has_body => {
            let body = with_invalid_byte(&stage.body(&ask).to_string());
            Ask { body: Some(body), ..ask }
        }
        Trigger::InvalidUtf8 => Ask { query: vec![("minutes_valid", "%ff".to_owned())], ..ask },
        Trigger::NoObject => Ask { body: Some(b"[]".to_vec()), ..ask },
        Trigger::LongCode => ask.code("1".repeat(100)),
        Trigger::OutOfBounds => Ask { query: vec![("retry_attempts", "99".to_owned())], ..ask },
        Trigger::Compressed => Ask { headers: vec![("content-encoding", "gzip".to_owned())], ..ask },
        Trigger::NoText => ask.code(json!([RIGHT])),
    };
    stage.send(&ask).await;
}

async fn access(stage: &mut Stage<'_>, access: Access) -> Ending {
    let ask = stage.issue(RIGHT, json!({})).await;
    let (name, value) = stage.credential(0);
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme.to_owned());
    let ask = match access {
        Access::NoCredentials => Ask { credentials: Some(Vec::new()), ..ask },
        Access::AnyCredentials => Ask { credentials: Some(vec![spoiled((name, value))]), ..ask },
        Access::EmptyCredentials => {
            let empty = scheme.map(|scheme| format!("{scheme} ")).unwrap_or_default();
            Ask { credentials: Some(vec![(name, empty)]), ..ask }
        }
        Access::OtherAccount => Ask { tenant: 1, ..ask },
        Access::SchemeCase => {
            let (scheme, secret) = value.split_once(' ').unwrap();
            let spelled = format!("{} {secret}", scheme.to_lowercase());
            stage.send(&Ask { credentials: Some(vec![(name, spelled)]), ..ask }).await;
            return Ending::Refused;
        }
        Access::OtherMethod => {
            let other = if stage.contract.verify().method == "GET" { "POST" } else { "GET" };
            Ask { method: Some(other), ..ask }
        }
        Access::MethodOverride => {
            let headers = vec![("x-http-method-override", stage.contract.verify().method.clone())];
            Ask { method: Some("PUT"), headers, ..ask }
        }
    };
    stage.send(&ask).await;
    Ending::Approved
}

async fn leak(stage: &mut Stage<'_>, leak: Leak) -> Ending {
    let ask = stage.issue(RIGHT, json!({})).await;
    let (ask, ending) = match leak {
        Leak::NoChallenge => {
            (Ask { credentials: Some(Vec::new()), ..ask }, Ending::Lacks("www-authenticate"))
        }
        Leak::NoAllow => (Ask { method: Some("PUT"), ..ask }, Ending::Lacks("allow: ")),
        Leak::ParserMessage => (ask.code("0123!5"), Ending::Tells("serde_json::Error")),
        Leak::Trace => (ask.code("0123!5"), Ending::Tells("stack backtrace")),
        Leak::CodeInBody | Leak::CodeInHeader => (ask.code(WRONG), Ending::Tells(RIGHT)),
        Leak::Length => (ask.code(WRONG), Ending::Tells("expected_length")),
        Leak::Cookie => (ask, Ending::Tells("set-cookie: ")),
        Leak::Cacheable => (ask, Ending::Tells("max-age")),
    };
    stage.send(&ask).await;
    ending
}
