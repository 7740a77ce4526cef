//! The control protocol over the pipe of a program: a line of JSON for each request, and one for each answer.
//!
//! The program runs as long as the suite is connected, and is never started again: what it knew of tenants and sessions would
//! be lost. Everything that it writes is escaped, and no message shows a line that may have a secret.

use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Answer, ControlError};

/// How long the program may take for one answer. It may have to start a container for the first one.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// How long the program may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// How long to read what the program wrote to its standard error before it ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The longest line that is read.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// How much of a line, or of the command, a message shows.
const MOST_SHOWN: usize = 160;

/// A program that answers requests of the control protocol.
pub(crate) struct ControlProgram {
    /// Empty once the program has been told to end.
    connection: Mutex<Option<Connection>>,
}

struct Connection {
    requests: mpsc::UnboundedSender<Request>,
    serving: JoinHandle<()>,
}

/// A request, and where its answer goes. A check that is stopped while it waits changes nothing: the answer is read in any
/// case, so that the next one belongs to the next request.
struct Request {
    operation: String,
    /// The code in it, which no message shows.
    code: Option<String>,
    line: String,
    reply: oneshot::Sender<Result<Value, String>>,
}

impl ControlProgram {
    /// Starts a program; `command` has its words as a shell has them. What it writes to its standard error goes to `log`, line
    /// by line.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub(crate) fn start(
        command: &str,
        log: Option<mpsc::UnboundedSender<String>>,
    ) -> Result<ControlProgram, String> {
        ControlProgram::start_with(command, log, ANSWER_TIME)
    }

    fn start_with(
        command: &str,
        log: Option<mpsc::UnboundedSender<String>>,
        answer_time: Duration,
    ) -> Result<ControlProgram, String> {
        let shown = shown(command);
        let words =
            shlex::split(command).ok_or_else(|| format!("`{shown}` has a quote that does not end"))?;
        let Some((program, arguments)) = words.split_first() else {
            return Err("it names no program".to_owned());
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`{shown}` cannot be started: {error}"))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(format!("`{shown}` has no pipe"));
        };
        let errors = tokio::spawn(pass_on(errors, log));
        let output = BufReader::new(output);
        let process = Process { command: shown, child, input, output, errors, answer_time };
        let (requests, received) = mpsc::unbounded_channel();
        let serving = tokio::spawn(process.serve(received));
        Ok(ControlProgram { connection: Mutex::new(Some(Connection { requests, serving })) })
    }

    /// Asks for an operation; the description has no path.
    pub(super) async fn call(&self, path: &str, body: Option<Value>) -> Result<Answer, ControlError> {
        let operation = if path.is_empty() { "describe" } else { path };
        let mut members = Map::from_iter([("op".to_owned(), operation.into())]);
        if let Some(Value::Object(body)) = body {
            members.extend(body);
        }
        let (reply, answer) = oneshot::channel();
        let code = members.get("code").and_then(Value::as_str).map(ToOwned::to_owned);
        let line = Value::Object(members).to_string();
        let request = Request { operation: operation.to_owned(), code, line, reply };
        let ended = || ControlError::ProgramEnded("the control program has been ended".to_owned());
        {
            let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let requests = connection.as_ref().map(|connection| &connection.requests).ok_or_else(ended)?;
            requests.send(request).map_err(|_| ended())?;
        }
        let answer = answer.await.map_err(|_| ended())?.map_err(ControlError::ProgramEnded)?;
        Ok(read(answer))
    }

    /// Ends the program.
    pub(super) async fn close(&self) {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Connection { requests, serving }) = connection {
            drop(requests);
            // It fails only if the task has panicked, and then the child has been killed.
            let _ = serving.await;
        }
    }
}

/// An answer, which has been checked to have one of the two forms.
fn read(mut answer: Value) -> Answer {
    if let Some(done) = answer.get_mut("ok") {
        return Answer::Done(done.take());
    }
    let error = &answer["error"];
    Answer::Refused {
        status: error["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500),
        message: error["message"].as_str().map(escaped),
    }
}

struct Process {
    command: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Passes on what it writes to its standard error.
    errors: JoinHandle<()>,
    answer_time: Duration,
}

impl Process {
    /// Answers requests one after the other until there are no more; from the first failure on, always with that failure.
    async fn serve(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(Request { operation, code, line, reply }) = requests.recv().await {
            let problem = match tokio::time::timeout(self.answer_time, self.exchange(&line)).await {
                Ok(Ok(answer)) => {
                    let _ = reply.send(Ok(answer));
                    continue;
                }
                Ok(Err(problem)) => problem,
                Err(_) => format!("did not answer within {:?}", self.answer_time),
            };
            let command = self.command.clone();
            let ending = match self.end().await {
                Some(status) => format!("it ended with {status}"),
                None => "it has been ended".to_owned(),
            };
            let problem = code.map_or(problem.clone(), |code| problem.replace(&code, "$CODE"));
            let failure =
                format!("the control program `{command}` {problem} (request `{operation}`); {ending}");
            let _ = reply.send(Err(failure.clone()));
            while let Some(Request { reply, .. }) = requests.recv().await {
                let _ = reply.send(Err(failure.clone()));
            }
            return;
        }
        self.end().await;
    }

    /// Sends a line and reads the answer to it.
    async fn exchange(&mut self, line: &str) -> Result<Value, String> {
        // If it does not read any more, its last line says why.
        let _ = self.input.write_all(format!("{line}\n").as_bytes()).await;
        let _ = self.input.flush().await;
        let answer = read_line(&mut self.output).await.map_err(|error| format!("cannot be read: {error}"))?;
        answer.map_or_else(|| Err("does not read and answer requests".to_owned()), |answer| parse(&answer))
    }

    /// Closes the program's input and waits for its end, or kills it; the status if it ended by itself.
    async fn end(mut self) -> Option<ExitStatus> {
        drop(self.input);
        let ended = tokio::time::timeout(GRACE, self.child.wait()).await;
        if ended.is_err() {
            let _ = self.child.kill().await;
        }
        let status = ended.ok().and_then(Result::ok);
        // What it wrote last explains most. Somebody else may hold the pipe open.
        let _ = tokio::time::timeout(LAST_WORDS, self.errors).await;
        status
    }
}

/// Checks that a line has one of the two forms of an answer.
fn parse(line: &str) -> Result<Value, String> {
    let Ok(answer) = serde_json::from_str::<Value>(line) else {
        // Python prints a dictionary like this, with whatever is in it.
        let harmless = line.find("credentials").map_or(line, |at| &line[..at]);
        return Err(format!("answered `{}`, which is not JSON", shown(harmless)));
    };
    // An answer that is JSON may contain credentials.
    match answer.as_object() {
        Some(members) if members.contains_key("ok") => Ok(answer),
        Some(members) if members.get("error").is_some_and(Value::is_object) => Ok(answer),
        Some(members) => {
            let names: Vec<_> = members.keys().map(|name| shown(name)).collect();
            Err(format!("answered an object with {}, and not with `ok` or `error`", names.join(", ")))
        }
        None => Err("answered JSON that is no object with `ok` or `error`".to_owned()),
    }
}

/// The next line; `None` at the end.
async fn read_line(
    output: &mut (impl AsyncRead + AsyncBufReadExt + Unpin),
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let length = output.take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await?;
    Ok((length > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned()))
}

/// Passes on what a program writes to its standard error, each line with its origin.
async fn pass_on(errors: impl AsyncRead + Unpin, log: Option<mpsc::UnboundedSender<String>>) {
    let mut errors = BufReader::new(errors);
    // Reads on without a log, because a program whose pipe is full would wait for ever.
    while let Ok(Some(line)) = read_line(&mut errors).await {
        if let Some(log) = &log {
            let _ = log.send(format!("control: {}", escaped(&line)));
        }
    }
}

/// The beginning of a text, on one line.
fn shown(text: &str) -> String {
    let beginning: String = text.chars().take(MOST_SHOWN).collect();
    let rest = if text.chars().count() > MOST_SHOWN { "…" } else { "" };
    format!("{}{rest}", escaped(&beginning))
}

/// The text without characters that a terminal would act on.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => escaped.push(character),
            other => escaped.extend(other.escape_debug()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failure(command: &str) -> String {
        let program = ControlProgram::start_with(command, None, Duration::from_millis(300)).unwrap();
        let body = serde_json::json!({"code": "123456"});
        let error = program.call("sessions", Some(body.clone())).await.err().unwrap().to_string();
        // The program is never started again.
        assert_eq!(program.call("tenants", Some(body)).await.err().unwrap().to_string(), error);
        error
    }

    #[tokio::test]
    async fn an_answer_belongs_to_its_request_even_if_nobody_waits_for_the_one_before() {
        let command = "sh -c 'while read -r line; do sleep 0.05; echo \"{\\\"ok\\\": $line}\"; done'";
        let program = ControlProgram::start(command, None).unwrap();
        for path in ["first", "second"] {
            let call = program.call(path, None);
            let waited = if path == "first" { Duration::from_millis(10) } else { Duration::from_secs(10) };
            if let Ok(answer) = tokio::time::timeout(waited, call).await {
                let Answer::Done(answer) = answer.unwrap() else { panic!("{path}") };
                assert_eq!(answer["op"], "second");
            }
        }
        program.close().await;
        assert!(program.call("third", None).await.is_err());
    }

    #[tokio::test]
    async fn a_program_that_dies_says_so_with_its_status() {
        let error = failure("sh -c 'read -r line; exit 7'").await;
        assert_eq!(
            error,
            "the control program `sh -c 'read -r line; exit 7'` does not read and answer requests (request `sessions`); it \
             ended with exit status: 7"
        );
    }

    #[tokio::test]
    async fn an_answer_that_is_none_is_shown_without_secrets() {
        let error = failure("sh -c 'printf \"ready for 123456 \\033[2J\\n\"; cat > /dev/null'").await;
        assert!(
            error.contains("answered `ready for $CODE \\u{1b}[2J`, which is not JSON (request `sessions`)"),
            "{error}"
        );
        let error = failure("sh -c 'x=s3; echo \"{x: 1, credentials: ${x}cret}\"'").await;
        assert!(
            error.contains("answered `{x: 1, `, which is not JSON") && !error.contains("s3cret"),
            "{error}"
        );
        let error = failure("sh -c 'echo \"{\\\"token\\\": 1}\"'").await;
        assert!(error.contains("answered an object with token, and not with `ok` or `error`"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_answer_or_end_is_killed() {
        let error = failure("sleep 600").await;
        assert!(
            error.ends_with("did not answer within 300ms (request `sessions`); it has been ended"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_command_that_cannot_be_started_is_explained() {
        let error = |command| ControlProgram::start(command, None).err().unwrap();
        assert_eq!(error(""), "it names no program");
        assert_eq!(error("'x"), "`'x` has a quote that does not end");
        assert!(
            error("/no/such/program x").starts_with("`/no/such/program x` cannot be started: No such file")
        );
    }
}
