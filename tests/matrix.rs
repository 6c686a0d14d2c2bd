//! The Matrix side of the layer, over HTTP: a small homeserver, for tokens of an authorization
//! server in this process, or of an authentication service that it asks.

mod accounts;
mod answers;
mod appservices;
mod introspection;
mod js_sdk;
mod server;
mod stage;
mod synapse;
mod tokens;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::post};
use bytes::Bytes;
use examples::homeserver::{Homeserver, User, Users};
use http::{HeaderMap, Request, StatusCode, header::AUTHORIZATION};
use oauth_axum_rs::{
    Issuer, ResourceServer,
    matrix::{Accounts, Appservice, Matrix, MatrixBuilder, OauthStage, UserId},
};
use oauth_core::{
    clock::{ManualClock, UnixTime},
    matrix::DeviceId,
};
use oauth_tower::outgoing::HttpClient;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Answer, Remote, plain_client};

const NAME: &str = "example.org";
const SECRET: &str = "the-shared-secret";
const AS_TOKEN: &str = "the-as-token-4711";
const WHOAMI: &str = "/_matrix/client/v3/account/whoami";
const SYNC: &str = "/_matrix/client/v3/sync";
const JOIN: &str = "/_matrix/client/v3/join/!r:example.org";
const CAPABILITIES: &str = "/_matrix/client/v3/capabilities";
const VERSIONS: &str = "/_matrix/client/versions";
const SCOPE: &str = "urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ";

/// A builder that has its accounts.
type Settings = MatrixBuilder<Arc<dyn Accounts>>;

/// A homeserver on a port of its own, with the users alice, who is nothing special, and root, who
/// moderates.
struct Home {
    remote: Remote,
    users: Users,
    clock: ManualClock,
    stage: Arc<OauthStage>,
}

impl Home {
    /// One that takes tokens of `issuer`.
    async fn taking(issuer: impl Into<Issuer>, clock: ManualClock, set: impl FnOnce(Settings) -> Settings) -> Self {
        let http = HttpClient::builder().timeout(Duration::from_millis(300)).build().unwrap();
        let api = ResourceServer::builder(API).issuer(issuer).insecure_http().clock(clock.clone()).http(http);
        let users = Users::default();
        users.insert("alice", User::default());
        users.insert("root", User { admin: true, ..User::default() });
        let matrix = set(Matrix::builder(api.build().unwrap(), NAME).accounts(users.clone())).build().unwrap();
        let stage = Arc::new(OauthStage::new(RESET).unwrap().clock(clock.clone()));
        let home = Homeserver::new(matrix, users.clone()).cross_signing(Arc::clone(&stage));
        let home = home.sign_out(Arc::new(|_| Box::pin(async { Ok(()) })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, home.app()).into_future());
        Self { remote: Remote::new(plain_client(), url), users, clock, stage }
    }

    /// One that asks `service`.
    async fn asking(service: &Service, set: impl FnOnce(Settings) -> Settings) -> Self {
        let issuer = Issuer::introspection("https://as.example", service.endpoint()).bearer(SECRET).for_homeserver();
        let issuer = issuer.cache_for(Duration::from_secs(60)).unlimited_per_address();
        Self::taking(issuer, clock(), |settings| set(settings.user_from_username())).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.remote.call(path, token).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(path), |request, (name, value)| request.header(*name, *value));
        self.remote.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    }

    async fn post(&self, path: &str, token: &str) -> Answer {
        self.send("POST", path, &[("authorization", &format!("Bearer {token}"))], "").await
    }

    fn change(&self, localpart: &str, change: impl FnOnce(&mut User)) {
        self.users.change(&UserId::new(localpart, NAME).unwrap(), change).unwrap();
    }
}

const RESET: &str = "https://as.example/account?action=org.matrix.cross_signing_reset";
const API: &str = "https://matrix.example.org";

fn clock() -> ManualClock {
    ManualClock::new(UnixTime(1_800_000_000))
}

/// An application service that may be whoever's name begins with `bot_`.
fn bridge() -> Appservice {
    Appservice::new("bridge", AS_TOKEN, "bot").users(|user| user.localpart().starts_with("bot_"))
}

/// Holds an answer to its status and `errcode`, to both members and the content type ("Standard
/// error response"), and to the headers without which browsers hide it.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, errcode: &str) {
    let error = answer.json();
    assert_eq!((answer.status.as_u16(), error["errcode"].as_str()), (status, Some(errcode)), "{answer}");
    assert!(error["error"].is_string(), "{answer}");
    assert!(error.get("error_description").is_none(), "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer}");
}

/// That a client keeps its session, or not.
#[track_caller]
fn is_unknown(answer: &Answer, soft: bool) {
    is_refused(answer, 401, "M_UNKNOWN_TOKEN");
    assert_eq!(answer.member("soft_logout") == true, soft, "{answer}");
}

#[track_caller]
fn is_user(answer: &Answer, user: &str) {
    assert_eq!((answer.status, answer.member("user_id")), (StatusCode::OK, json!(user)), "{answer}");
}

/// An authentication service: what it says of tokens, and how often it was asked. Clones share it.
#[derive(Clone)]
struct Service(Arc<Known>);

struct Known {
    address: std::net::SocketAddr,
    answers: Mutex<HashMap<String, Said>>,
    asked: AtomicUsize,
    last: Mutex<Option<(HeaderMap, String)>>,
}

#[derive(Clone)]
enum Said {
    Json(Value),
    Text(StatusCode, &'static str),
    Nothing,
}

impl Service {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = AtomicUsize::new(0);
        let service = Self(Arc::new(Known { address, answers: Mutex::default(), asked, last: Mutex::default() }));
        let app = Router::new().route("/oauth2/introspect", post(answer)).with_state(service.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        service
    }

    fn endpoint(&self) -> String {
        format!("http://{}/oauth2/introspect", self.0.address)
    }

    /// From now on it says this of `token`.
    fn say(&self, token: &str, said: Said) {
        self.0.answers.lock().unwrap().insert(token.to_owned(), said);
    }

    /// What is good and alice's, but for `changes`.
    fn good(&self, token: &str, changes: Value) {
        let mut answer = json!({ "active": true, "username": "alice", "scope": SCOPE, "expires_in": 300 });
        let Value::Object(changes) = changes else { panic!("{changes}") };
        answer.as_object_mut().unwrap().extend(changes);
        self.say(token, Said::Json(answer));
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(service): State<Service>, headers: HeaderMap, body: String) -> axum::response::Response {
    let known = &service.0;
    known.asked.fetch_add(1, Ordering::SeqCst);
    if headers.get(AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {SECRET}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let token = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "token").map(|(_, token)| token);
    let said = token.and_then(|token| known.answers.lock().unwrap().get(&*token).cloned());
    *known.last.lock().unwrap() = Some((headers, body));
    match said {
        None => Json(json!({ "active": false })).into_response(),
        Some(Said::Json(answer)) => Json(answer).into_response(),
        Some(Said::Text(status, text)) => (status, text).into_response(),
        Some(Said::Nothing) => std::future::pending().await,
    }
}

fn device(id: &str) -> DeviceId {
    DeviceId::new(id).unwrap()
}
