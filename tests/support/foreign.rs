//! Clients of other people's making: npm's `openid-client` and `oauth4webapi`, PyPI's Authlib; and npm's
//! `@sd-jwt/jwt-status-list`, a resource server's half. One process of each serves all tests, by the commands of
//! `tests/foreign-clients/lines.mjs`.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::{Program, Reference, workspace};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Library {
    OpenidClient,
    Oauth4webapi,
    Authlib,
    /// No client: it reads lists of revoked tokens.
    JwtStatusList,
}

use Library::{Authlib, JwtStatusList, Oauth4webapi, OpenidClient};

/// They end with this process, which holds the pipes.
static RUNNING: [Mutex<Option<Program>>; 4] = [const { Mutex::new(None) }; 4];

impl Library {
    /// The clients.
    pub(crate) const ALL: [Self; 3] = [OpenidClient, Oauth4webapi, Authlib];

    /// Does the same with each library, at the same time.
    pub(crate) async fn each(act: impl AsyncFn(Self)) {
        join_all(Self::ALL.map(|library| act(library))).await;
    }

    /// A key pair that it has made: the private JWK and the public one.
    pub(crate) async fn key(self, algorithm: &str) -> (Value, Value) {
        let pair = self.ask(json!({ "do": "key", "alg": algorithm })).await.granted();
        (pair["private"].clone(), pair["public"].clone())
    }

    /// What comes of a command.
    pub(crate) async fn ask(self, command: Value) -> Outcome {
        let line = command.to_string();
        let answer = tokio::task::spawn_blocking(move || self.answer(&line)).await.unwrap();
        let mut answer: Map<String, Value> = serde_json::from_str(&answer).unwrap();
        let result = answer.remove("ok").ok_or_else(|| answer.remove("error").unwrap_or_default());
        Outcome { library: self, command, result }
    }

    fn answer(self, line: &str) -> String {
        // What a test that failed has left behind is a whole line.
        let mut running = RUNNING[self as usize].lock().unwrap_or_else(PoisonError::into_inner);
        running.get_or_insert_with(|| Program::listening(self.command())).asked(line)
    }

    fn command(self) -> Command {
        let folder = installed();
        let (runtime, script) = match self {
            OpenidClient => ("node", "openid-client.mjs"),
            Oauth4webapi => ("node", "oauth4webapi.mjs"),
            Authlib => ("python/bin/python", "authlib_client.py"),
            JwtStatusList => ("node", "status-list.mjs"),
        };
        let mut command = Command::new(folder.join(runtime));
        command.arg(workspace().join("tests/foreign-clients").join(script)).current_dir(folder);
        command
    }
}

/// Where `tests/foreign-clients/install` has put them.
fn installed() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace().join(target).join("tests/foreign-clients");
    let wanted = [
        ("installed", include_str!("../foreign-clients/package-lock.json")),
        ("python/installed", include_str!("../foreign-clients/requirements.txt")),
    ];
    let there = |(name, wanted)| fs::read_to_string(folder.join(name)).is_ok_and(|installed| installed == wanted);
    let all = wanted.into_iter().all(there);
    assert!(all, "the clients are not installed: run ./tests/run --install, or tests/foreign-clients/install");
    folder
}

/// A client at one server, driven by one library.
#[derive(Clone)]
pub(crate) struct Foreign {
    pub(crate) library: Library,
    /// Its metadata, as registered.
    pub(crate) client: Value,
    common: Value,
}

impl Foreign {
    /// One that nobody knows yet.
    pub(crate) fn new(library: Library, server: &Reference) -> Self {
        let common = json!({ "issuer": server.issuer, "ca": server.authority.file("ca.pem") });
        let client = json!({ "client_id": "nobody", "token_endpoint_auth_method": "none" });
        Self { library, client, common }
    }

    /// The same, registered as this.
    pub(crate) fn known_as(&self, client: &Value) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// The same, with another member in what it believes of itself.
    pub(crate) fn with(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut other = self.clone();
        other.client[name] = value.into();
        other
    }

    /// The same, with the certificate and the key in a file.
    pub(crate) fn showing(&self, certificate: &Path) -> Self {
        self.adding("certificate", json!(certificate))
    }

    /// The same, whose assertions are made with this: `key`, `aud`, `jti`.
    pub(crate) fn proving(&self, member: &str, value: impl Into<Value>) -> Self {
        let mut proof = self.common["proof"].as_object().cloned().unwrap_or_default();
        proof.insert(member.to_owned(), value.into());
        self.adding("proof", proof.into())
    }

    /// The same, which holds the key pair of this name, and proves it with every request.
    pub(crate) fn holding(&self, pair: &str) -> Self {
        self.adding("dpop", pair.into())
    }

    fn adding(&self, name: &str, value: Value) -> Self {
        let mut other = self.clone();
        other.common[name] = value;
        other
    }

    /// What comes of a command, with its own members.
    pub(crate) async fn ask(&self, command: &str, members: Value) -> Outcome {
        let mut all = self.common.clone();
        all["do"] = command.into();
        all["client"] = self.client.clone();
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.library.ask(all).await
    }

    /// What comes of it if it sends a token to be introspected, revoked or exchanged.
    pub(crate) async fn send(&self, command: &str, token: &Value) -> Outcome {
        self.ask(command, json!({ "token": token })).await
    }

    /// Registers, without an initial access token.
    pub(crate) async fn registered(&self, metadata: &Value) -> Self {
        self.known_as(&self.ask("register", json!({ "metadata": metadata })).await.granted())
    }

    /// Reads, replaces or deletes its registration.
    pub(crate) async fn manage(&self, method: &str, body: &Value) -> (u64, String) {
        let (url, token) = (&self.client["registration_client_uri"], &self.client["registration_access_token"]);
        let answer = self.ask("call", json!({ "url": url, "token": token, "method": method, "body": body })).await;
        match &answer.result {
            // openid-client and oauth4webapi read the challenge.
            Err(error) => (error["status"].as_u64().unwrap_or_else(|| panic!("{answer}")), String::new()),
            Ok(said) => (said["status"].as_u64().unwrap(), said["body"].as_str().unwrap().to_owned()),
        }
    }
}

/// What a library says of a call.
pub(crate) struct Outcome {
    library: Library,
    command: Value,
    result: Result<Value, Value>,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn granted(self) -> Value {
        assert!(self.result.is_ok(), "{self}");
        self.result.unwrap()
    }

    /// The server has refused it with this status, whatever it said.
    #[track_caller]
    pub(crate) fn refused_with(&self, status: u16) {
        assert!(self.result.as_ref().is_err_and(|error| error["status"] == status), "{self}");
    }

    /// The library itself does not believe the answer, whatever its status.
    #[track_caller]
    pub(crate) fn fails(&self) {
        assert!(self.result.is_err(), "{self}");
    }

    /// It has failed with this code.
    #[track_caller]
    pub(crate) fn is_error(&self, code: &str) {
        assert!(self.result.as_ref().is_err_and(|error| error["error"] == code), "{self}");
    }

    /// The server has refused it with this code; Authlib does not tell the status of every answer.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let error = self.result.as_ref().expect_err("refused");
        assert_eq!(error["error"], code, "{self}");
        assert!(error["status"].is_null() && self.library == Authlib || error["status"] == status, "{self}");
    }

    /// The library has read in the authorization response, and says by an error of its own for that, that the server
    /// has refused with this code.
    #[track_caller]
    pub(crate) fn refused_in_front(&self, code: &str) {
        let error = self.result.as_ref().expect_err("refused");
        let kind = if self.library == Authlib { "OAuthError" } else { "AuthorizationResponseError" };
        assert_eq!((&error["kind"], &error["error"]), (&json!(kind), &json!(code)), "{self}");
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {:?}", self.library, self.command, self.result)
    }
}
