//! npm's `oidc-provider`, an authorization server of other people's making, as a process of its own; and an API that
//! takes its tokens.

use std::{env, fs, path::PathBuf, process::Command, time::Duration};

use axum::{Json, Router, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use oauth_axum_rs::Token;
use oauth_core::{
    clock::{Clock, ManualClock, SystemClock, SystemRandom},
    dpop::DpopKey,
};
use oauth_tower::{
    outgoing::HttpClient,
    resource::{IntrospectionIssuer, Issuer, ResourceServer},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    API, Answer, Ask, CALLBACK, Caller, Program, RESOURCE_SERVER, Remote, Tokens, Visitor, WEB, free_port,
    plain_client, post, redemption, workspace,
};

/// The form of the tokens that is not a signature algorithm.
pub(crate) const OPAQUE: &str = "opaque";

/// A client whose tokens are all bound to its key.
const BOUND: Caller = Caller::Basic("bound", "bound-secret-3Vn6");

/// One on a port of its own. It stops with the test.
pub(crate) struct OidcProvider {
    pub(crate) issuer: String,
    pub(crate) remote: Remote,
    arguments: Vec<String>,
    program: Option<Program>,
}

impl OidcProvider {
    pub(crate) fn start() -> Self {
        Self::with("", &[])
    }

    /// One whose issuer identifier has this path.
    pub(crate) fn at(path: &str) -> Self {
        Self::with(path, &[])
    }

    /// One that wants a nonce of its own in every DPoP proof.
    pub(crate) fn with_nonces() -> Self {
        Self::with("", &["--require-nonce"])
    }

    fn with(path: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let issuer = format!("http://127.0.0.1:{port}{path}");
        let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.extend([format!("--port={port}"), format!("--path={path}")]);
        let remote = Remote::new(plain_client(), &*issuer);
        let mut provider = Self { issuer, remote, arguments, program: None };
        provider.resume();
        provider
    }

    /// Ends the process, at once.
    pub(crate) fn stop(&mut self) {
        self.program.take().unwrap().kill();
    }

    /// Starts another process at the same place. It has keys of its own and knows no token of the first.
    pub(crate) fn resume(&mut self) {
        let folder = installed();
        let mut command = Command::new(folder.join("node"));
        command.arg(workspace().join("tests/oidc-provider/server.mjs")).args(&self.arguments).current_dir(folder);
        let program = Program::start(command);
        assert_eq!(program.says("listening on "), self.issuer);
        self.program = Some(program);
    }

    /// Takes connections from now on, and answers nobody.
    pub(crate) fn hang(&self) {
        self.program.as_ref().unwrap().signal("STOP");
    }

    /// A token of the client's own for [`API`]: opaque, or signed by an algorithm.
    pub(crate) async fn token(&self, form: &str) -> String {
        self.token_for(&format!("{API}/{form}")).await
    }

    /// The same, for a resource as `server.mjs` names it.
    pub(crate) async fn token_for(&self, resource: &str) -> String {
        self.tokens(WEB, &own(resource)).await.access
    }

    /// A token like [`OidcProvider::token`], bound to `key` by DPoP (RFC 9449 section 5).
    pub(crate) async fn token_bound_to(&self, key: &DpopKey, form: &str) -> String {
        let first = self.token_request(key, form, None).await;
        let nonce = first.header("dpop-nonce");
        let answer = match first.status {
            StatusCode::OK => first,
            _ => self.token_request(key, form, Some(nonce)).await,
        };
        assert_eq!(member(&answer, "token_type"), "DPoP");
        granted(&answer).access
    }

    async fn token_request(&self, key: &DpopKey, form: &str, nonce: Option<&str>) -> Answer {
        let url = format!("{}/token", self.issuer);
        let proof = key.proof("POST", &url, None, nonce, SystemClock.now(), &SystemRandom).unwrap();
        let mut request = post("/token", BOUND, &own(&format!("{API}/{form}")));
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        self.remote.send(request).await
    }

    /// What alice allows the client to do for her.
    pub(crate) async fn tokens_of_alice(&self, form: &str) -> Tokens {
        let ask = Ask::of(WEB).with("resource", &format!("{API}/{form}")).with("scope", "albums:read");
        let page = Visitor::new(plain_client()).go(&format!("{}/auth?{}", self.issuer, ask.form())).await;
        self.tokens(WEB, &redemption(page.response(CALLBACK).get("code").unwrap())).await
    }

    pub(crate) async fn tokens(&self, client: Caller, grant: &[(&str, &str)]) -> Tokens {
        granted(&self.remote.post("/token", client, grant).await)
    }

    pub(crate) async fn revoke(&self, token: &str) {
        let answer = self.remote.post("/token/revocation", WEB, &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
    }

    /// From now on these keys are published, and those of one name sign. They are made when they are first named;
    /// a provider starts with "1".
    pub(crate) async fn change_keys(&self, published: &[&str], signing: &str) {
        let body = json!({ "published": published, "signing": signing }).to_string();
        let request = Request::put(format!("{}/control/keys", self.origin())).body(body.into()).unwrap();
        let answer = self.remote.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
    }

    /// What it was asked so far, by whomever: `GET /jwks` and so on.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let answer = self.remote.get(&format!("{}/control/asked", self.origin())).await;
        serde_json::from_str(&answer.body).unwrap()
    }

    /// How often it was asked this.
    pub(crate) async fn times_asked(&self, request: &str) -> usize {
        self.asked().await.iter().filter(|asked| *asked == request).count()
    }

    /// The issuer of its JWTs, whose keys are to be discovered.
    pub(crate) fn of_jwts(&self) -> Issuer {
        Issuer::jwt(&*self.issuer).into()
    }

    /// The issuer of its opaque tokens. oidc-provider names no subject for a token of the client's own.
    pub(crate) fn of_opaque_tokens(&self) -> IntrospectionIssuer {
        let Caller::Basic(id, secret) = RESOURCE_SERVER else { unreachable!() };
        Issuer::introspection_discovered(&*self.issuer).client_basic(id, secret).client_as_subject()
    }

    fn origin(&self) -> String {
        url::Url::parse(&self.issuer).unwrap().origin().ascii_serialization()
    }
}

/// The grant of a client that asks for itself.
fn own(resource: &str) -> [(&'static str, &str); 3] {
    [("grant_type", "client_credentials"), ("resource", resource), ("scope", "albums:read")]
}

fn granted(answer: &Answer) -> Tokens {
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let text = |name| member(answer, name).as_str().map(str::to_owned);
    Tokens { access: text("access_token").unwrap(), refresh: text("refresh_token") }
}

fn member(answer: &Answer, name: &str) -> Value {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body[name].clone()
}

/// Where `tests/oidc-provider/install` has put it.
fn installed() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace().join(target).join("tests/oidc-provider");
    let wanted = include_str!("../oidc-provider/package-lock.json");
    let there = fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == wanted);
    assert!(there, "oidc-provider is not installed: run ./tests/run --install, or tests/oidc-provider/install");
    folder
}

/// [`API`] in this process, on a port of its own.
pub(crate) struct Protected {
    pub(crate) server: ResourceServer,
    pub(crate) clock: ManualClock,
    remote: Remote,
}

impl Protected {
    /// One that takes tokens of `issuers`.
    pub(crate) async fn by(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        Self::with(HttpClient::DEFAULT_TIMEOUT, issuers).await
    }

    /// The same, waiting this long for an answer of theirs.
    pub(crate) async fn with(timeout: Duration, issuers: impl IntoIterator<Item = Issuer>) -> Self {
        // It is fast, so that no token is from the future, however long a test takes.
        let clock = ManualClock::new(SystemClock.now().saturating_add(600));
        let http = HttpClient::builder().timeout(timeout).build().unwrap();
        let server = ResourceServer::builder(API).issuers(issuers).insecure_http().http(http).clock(clock.clone());
        let server = server.build().unwrap();
        let app = Router::new().route("/whoami", get(whoami)).layer(server.layer().require_scope("albums:read"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { server, clock, remote: Remote::new(plain_client(), url) }
    }

    pub(crate) async fn call(&self, token: &str) -> Answer {
        self.remote.call("/whoami", token).await
    }

    /// That it accepts `token`: what its handler learns.
    pub(crate) async fn accepts(&self, token: &str) -> Value {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer} {token}");
        answer.json()
    }

    /// RFC 6750 section 3.1.
    pub(crate) async fn refuses(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer} {token}");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
    }

    /// RFC 7662 section 2.3 and RFC 9110 section 10.2.3: nothing is said about the token.
    pub(crate) async fn cannot_tell(&self, token: &str) {
        let answer = self.call(token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer} {token}");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

async fn whoami(token: Token) -> Json<Value> {
    Json(json!({
        "iss": token.issuer(),
        "sub": token.subject(),
        "client_id": token.client_id(),
        "aud": token.audience(),
        "scope": token.scope(),
    }))
}

/// A part of a JWT, by its place.
pub(crate) fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The same token with `name` in the part at `place` replaced, and the signature left as it was.
pub(crate) fn with_member(token: &str, place: usize, name: &str, value: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut changed = part(token, place);
    changed[name] = value.into();
    parts[place] = URL_SAFE_NO_PAD.encode(changed.to_string());
    parts.join(".")
}
