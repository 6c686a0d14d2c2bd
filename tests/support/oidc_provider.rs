//! npm's `oidc-provider`, an authorization server of other people's making, as a process of its own.

use std::{env, fs, path::PathBuf, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use oauth_core::{
    clock::{Clock, SystemClock, SystemRandom},
    dpop::DpopKey,
    keys::SigningKey,
};
use oauth_tower::resource::{IntrospectionEndpoint, IntrospectionIssuer, Issuer};
use serde_json::{Value, json};

use super::{
    API, Answer, Ask, CALLBACK, Caller, Program, RESOURCE_SERVER, Remote, Tokens, Visitor, WEB, free_port,
    plain_client, post, redemption, workspace,
};

/// The form of the tokens that is not a signature algorithm.
pub(crate) const OPAQUE: &str = "opaque";

/// A client whose tokens are all bound to its key.
const BOUND: Caller = Caller::Basic("bound", "bound-secret-3Vn6");

/// A client that authenticates with `private_key_jwt`. It may introspect.
pub(crate) const BY_KEY: &str = "by-key";

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

    /// One whose introspection responses are never signed.
    pub(crate) fn with_plain_answers() -> Self {
        Self::with("", &["--plain-answers"])
    }

    /// One that knows the client [`BY_KEY`], and its public key.
    pub(crate) fn knowing(key: &SigningKey) -> Self {
        let jwk = serde_json::to_string(key.public_jwk()).unwrap();
        Self::with("", &[&format!("--client-key={jwk}")])
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

    /// A nonce that it gives out; some text if it gives out none.
    pub(crate) async fn nonce(&self, key: &DpopKey) -> String {
        let answer = self.token_request(key, OPAQUE, Some("stale")).await;
        Some(answer.header("dpop-nonce")).filter(|nonce| !nonce.is_empty()).unwrap_or("none").to_owned()
    }

    pub(crate) async fn revoke(&self, token: &str) {
        self.revoke_as(WEB, token).await;
    }

    /// Revokes a token that was made by [`OidcProvider::token_bound_to`].
    pub(crate) async fn revoke_bound(&self, token: &str) {
        self.revoke_as(BOUND, token).await;
    }

    async fn revoke_as(&self, client: Caller, token: &str) {
        let answer = self.remote.post("/token/revocation", client, &[("token", token)]).await;
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
        self.introspection().client_basic(id, secret).client_as_subject()
    }

    /// The same, where the resource server is yet to say who it is.
    pub(crate) fn introspection(&self) -> IntrospectionEndpoint {
        Issuer::introspection_discovered(&*self.issuer)
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
