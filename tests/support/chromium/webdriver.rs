//! As much of [WebDriver](https://www.w3.org/TR/webdriver2/) as is needed: JSON over HTTP.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::support::{Remote, plain_client};

/// What elements are called by (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session of one browser at a driver.
pub(super) struct Session {
    remote: Remote,
    port: u16,
    path: String,
}

impl Session {
    /// Starts a browser with these capabilities.
    pub(super) async fn begin(port: u16, capabilities: &Value) -> Self {
        let remote = Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
        let mut session = Self { remote, port, path: String::new() };
        let begun = session.post("/session", json!({ "capabilities": { "alwaysMatch": capabilities } })).await;
        session.path = format!("/session/{}", begun["sessionId"].as_str().unwrap());
        session
    }

    /// Ends the browser, and waits until it has. It may be called where nothing can be awaited.
    pub(super) fn end(&self) {
        let ended = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            write!(stream, "DELETE {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n", self.path)?;
            stream.read(&mut [0; 64])
        });
        if let Err(error) = ended {
            println!("the browser may still be there: {error}");
        }
    }

    pub(super) async fn post(&self, command: &str, body: Value) -> Value {
        self.try_post(command, body).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Its value, or what it says is wrong.
    pub(super) async fn try_post(&self, command: &str, body: Value) -> Result<Value, String> {
        self.send(Method::POST, command, body.to_string().into()).await
    }

    pub(super) async fn get(&self, command: &str) -> Value {
        self.try_get(command).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(super) async fn try_get(&self, command: &str) -> Result<Value, String> {
        self.send(Method::GET, command, Bytes::new()).await
    }

    async fn send(&self, method: Method, command: &str, body: Bytes) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(format!("{}{command}", self.path));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
        let answer = self.remote.send(request).await;
        let mut body: Value = serde_json::from_str(&answer.body).unwrap();
        let value = body["value"].take();
        match value["error"].as_str().filter(|_| !answer.status.is_success()) {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }

    /// The path of the command on the element that a CSS selector finds first.
    pub(super) async fn try_find(&self, selector: &str) -> Option<String> {
        let found = self.try_post("/element", json!({ "using": "css selector", "value": selector })).await;
        match found {
            Ok(element) => Some(path_of(&element)),
            Err(error) if error.starts_with("no such element") => None,
            Err(error) => panic!("{selector}: {error}"),
        }
    }

    /// What the function body `script` returns.
    pub(super) async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// A command of the [DevTools protocol](https://chromedevtools.github.io/devtools-protocol/).
    pub(super) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// What has come into a log since it was last read.
    pub(super) async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", json!({ "type": kind })).await;
        entries.as_array().unwrap().clone()
    }
}

fn path_of(element: &Value) -> String {
    format!("/element/{}", element[ELEMENT].as_str().unwrap())
}
