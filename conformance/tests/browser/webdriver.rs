//! A browser without a window, driven through the W3C `WebDriver` protocol and the commands that `ChromeDriver` adds to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a browser needs to run anywhere and to call nobody.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How long a browser may take for an answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the driver may look for a free port.
const STARTS: usize = 5;

/// A browser with one page; it ends when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser whose screen is this wide, in CSS pixels.
    pub(crate) fn start(width: u32) -> Browser {
        let (driver, port) =
            (0..STARTS).find_map(|_| start_driver()).expect("chromedriver finds a free port");
        let address = format!("127.0.0.1:{port}");
        let profile = TempDir::new().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<_> = ARGUMENTS.into_iter().chain([folder.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            // An unexpected dialog stays, so that a test sees it.
            "unhandledPromptBehavior": "ignore",
        }}});
        let mut browser = Browser { driver, address, session: String::new(), _profile: profile };
        let created = browser.call("POST", "/session", &wanted);
        let Some(session) = created["sessionId"].as_str() else {
            panic!("chromium is needed: apt-get install chromium: {created}")
        };
        session.clone_into(&mut browser.session);
        let (height, scale, mobile) = (800, 1, width < 500);
        browser.command(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}),
        );
        // The browser begins with a page of its own, which requests a lot.
        browser.open("about:blank");
        browser.requested();
        browser
    }

    /// Opens an address, and waits until the page is loaded.
    pub(crate) fn open(&self, url: &str) {
        let opened = self.ask("POST", "/url", &json!({"url": url}));
        assert!(opened.is_null(), "{opened}");
    }

    /// The value of a script, which runs in the page even if the page must not run any.
    pub(crate) fn value(&self, script: &str) -> Value {
        let value =
            self.ask("POST", "/execute/sync", &json!({"script": format!("return {script}"), "args": []}));
        assert!(value.get("error").is_none(), "{script}: {value}");
        value
    }

    /// A number that a script returns.
    pub(crate) fn number(&self, script: &str) -> u64 {
        let value = self.value(script);
        value.as_u64().unwrap_or_else(|| panic!("{script}: {value}"))
    }

    /// Clicks on the first element that a selector finds. The driver refuses if a user could not.
    pub(crate) fn click(&self, selector: &str) {
        let clicked = self.ask("POST", &format!("/element/{}/click", self.element(selector)), &json!({}));
        assert!(clicked.is_null(), "{selector}: {clicked}");
    }

    /// Types into the first element that a selector finds.
    pub(crate) fn type_into(&self, selector: &str, keys: &str) {
        let typed =
            self.ask("POST", &format!("/element/{}/value", self.element(selector)), &json!({"text": keys}));
        assert!(typed.is_null(), "{selector}: {typed}");
    }

    fn element(&self, selector: &str) -> String {
        let found = self.ask("POST", "/element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|found| found.values().next()?.as_str());
        id.filter(|_| found.get("error").is_none())
            .unwrap_or_else(|| panic!("{selector}: {found}"))
            .to_owned()
    }

    /// The text of the dialog that is open, if one is.
    pub(crate) fn dialog(&self) -> Option<String> {
        let text = self.ask("GET", "/alert/text", &Value::Null);
        text.as_str().map(str::to_owned)
    }

    /// What the browser reports of the page, such as a violation of its policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser");
        entries.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses that the page has requested since the last call.
    pub(crate) fn requested(&self) -> Vec<String> {
        let messages = self.log("performance");
        let messages = messages.iter().map(|entry| {
            serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap()["message"].take()
        });
        let requests = messages.filter(|message| message["method"] == "Network.requestWillBeSent");
        requests.map(|message| message["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.ask("POST", "/se/log", &json!({"type": kind}));
        entries.as_array().unwrap_or_else(|| panic!("{kind}: {entries}")).clone()
    }

    /// A command of the browser's debugging protocol.
    pub(crate) fn command(&self, name: &str, parameters: &Value) -> Value {
        let result = self.ask("POST", "/goog/cdp/execute", &json!({"cmd": name, "params": parameters}));
        assert!(result.get("error").is_none(), "{name}: {result}");
        result
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let fields = format!("host: {}\r\nconnection: close\r\ncontent-length: {}", self.address, body.len());
        write!(connection, "{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n{body}").unwrap();
        // The driver keeps the connection open.
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut response = BufReader::new(connection);
        let head = response.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        let lengths = head.map(|line| line.to_ascii_lowercase()).filter_map(|line| {
            line.strip_prefix("content-length:").map(|length| length.trim().parse().unwrap())
        });
        let mut body = vec![0; lengths.last().unwrap()];
        response.read_exact(&mut body).unwrap();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        answer["value"].take()
    }
}

/// A driver and its port; `None` if another program took the port first.
fn start_driver() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("chromedriver is needed: apt-get install chromium chromium-driver");
    let mut lines = BufReader::new(driver.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
    let ready = " was started successfully on port ";
    let port = lines.find_map(|line| Some(line.split_once(ready)?.1.trim_end_matches('.').to_owned()));
    if port.is_none() {
        driver.wait().unwrap();
    }
    Some((driver, port?))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser; killed, it would leave it running.
        if !self.session.is_empty() {
            self.ask("DELETE", "", &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
