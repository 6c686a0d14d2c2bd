//! `POST /register`: who may register, as what, and what becomes of it (RFC 7591, RFC 7592).

mod access;
mod client_documents;
mod credentials;
mod developers_page;
mod guesses;
mod limits;
mod metadata;
mod policies;
mod programs;
mod redirect_uris;
mod remove;
mod replace;
mod scopes;
mod show;
mod statements;

use bytes::Bytes;
use http::{Method, Request, header};
use oauth_core::{engine::registration::RegistrationSettings, server::AuthorizationServerBuilder};
use serde_json::{Map, Value, json};

use crate::support::*;

/// Takes registrations from everybody, as fast as tests make them.
fn open(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder.registration(|registration| registration.open().manageable().per_minute(0))
}

/// A server that takes registrations, set up by `set`.
async fn that(set: impl Fn(RegistrationSettings) -> RegistrationSettings) -> World {
    on_memory_with(|builder| builder.registration(&set)).await
}

/// A server that takes registrations from everybody.
async fn open_world() -> World {
    on_memory_with(open).await
}

/// What a client sends that wants a code and nothing else.
fn app() -> Value {
    json!({ "redirect_uris": [CALLBACK] })
}

/// The same, with another member.
fn app_with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = app();
    body[name] = value.into();
    body
}

/// A request with a body of JSON, and a bearer token if there is one.
fn request(method: Method, uri: &str, token: Option<&str>, body: &str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(uri);
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(body.to_owned().into()).unwrap()
}

async fn post_json(w: &World, body: &Value) -> Answer {
    w.send(request(Method::POST, "/register", None, &body.to_string())).await
}

/// A client that registered with `body`.
async fn registered(w: &World, body: &Value) -> Registered {
    Registered::read(&post_json(w, body).await)
}

/// A 400 of RFC 7591 section 3.2.2.
#[track_caller]
fn is_refused(answer: &Answer, code: &str) {
    answer.is_refused(400, code);
}

/// A 401 with a Bearer challenge; `error` says whether a token was there to be wrong.
#[track_caller]
fn is_unauthorized(answer: &Answer, error: bool) {
    assert_eq!(answer.status, 401, "{answer}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(&format!("Bearer realm=\"{ISSUER}\"")), "{answer}");
    assert_eq!(challenge.contains("error=\"invalid_token\""), error, "{answer}");
    answer.is_not_kept();
}

/// A client information response.
#[derive(Clone, Debug)]
struct Registered(Map<String, Value>);

impl Registered {
    #[track_caller]
    fn read(answer: &Answer) -> Self {
        assert_eq!(answer.status, 201, "{answer}");
        Self::shown(answer)
    }

    #[track_caller]
    fn shown(answer: &Answer) -> Self {
        assert!(answer.status.is_success(), "{answer}");
        answer.is_not_kept();
        Self(answer.json().as_object().unwrap().clone())
    }

    fn text(&self, name: &str) -> &'static str {
        let text = self.0.get(name).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no {name} in {self:?}")).to_owned().leak()
    }

    fn id(&self) -> &'static str {
        self.text("client_id")
    }

    fn token(&self) -> &'static str {
        self.text("registration_access_token")
    }

    /// The path of `registration_client_uri`.
    fn path(&self) -> &'static str {
        self.text("registration_client_uri").strip_prefix(ISSUER).unwrap()
    }

    /// How it presents itself.
    fn caller(&self) -> Caller {
        match self.text("token_endpoint_auth_method") {
            "none" => Caller::Public(self.id()),
            "client_secret_basic" => Caller::Basic(self.id(), self.text("client_secret")),
            "client_secret_post" => Caller::Post(self.id(), self.text("client_secret")),
            other => panic!("no caller for {other}"),
        }
    }

    /// What a PUT repeats: all but what must not be sent.
    fn replacement(&self) -> Value {
        let managed = ["registration_access_token", "registration_client_uri"];
        let times = ["client_id_issued_at", "client_secret_expires_at"];
        let sent = |name: &&String| !managed.contains(&name.as_str()) && !times.contains(&name.as_str());
        self.0.iter().filter(|(name, _)| sent(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    async fn manage(&self, w: &World, method: Method, body: &str) -> Answer {
        w.send(request(method, self.path(), Some(self.token()), body)).await
    }

    async fn put(&self, w: &World, body: &Value) -> Answer {
        self.manage(w, Method::PUT, &body.to_string()).await
    }
}
