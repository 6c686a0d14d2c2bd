//! What stands between two programs: it passes requests on, remembers them, and can be shut.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use oauth_core::params::Params;
use reqwest::Client;
use tokio::net::TcpListener;

use super::*;

/// A port of this machine behind which another one is, once it is open.
pub(super) struct Gate {
    pub(super) port: u16,
    passage: Arc<Passage>,
}

struct Passage {
    to: String,
    http: Client,
    seen: Mutex<Vec<Seen>>,
    /// Answers 200 to everything, and passes nothing on.
    swallows: AtomicBool,
}

/// One request that went through, and its answer.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    form: String,
    pub(super) status: StatusCode,
    pub(super) answer: String,
}

impl Gate {
    /// One that leads to `port`, and is not open yet: whoever comes is refused.
    pub(super) fn to(port: u16) -> Self {
        let passage = Passage {
            to: format!("http://127.0.0.1:{port}"),
            http: plain_client(),
            seen: Mutex::default(),
            swallows: AtomicBool::default(),
        };
        Self { port: free_port(), passage: Arc::new(passage) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) async fn open(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let app = Router::new().fallback(pass).with_state(Arc::clone(&self.passage));
        tokio::spawn(axum::serve(listener, app).into_future());
    }

    pub(super) fn swallow(&self, swallow: bool) {
        self.passage.swallows.store(swallow, Ordering::Relaxed);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.passage.seen.lock().unwrap().clone()
    }

    /// The fields called `name` of all requests.
    pub(super) fn fields(&self, name: &str) -> Vec<String> {
        let field = |seen: &Seen| Params::parse(&seen.form).unwrap().get(name).map(str::to_owned);
        self.seen().iter().filter_map(field).collect()
    }

    /// The members called `name` of all answers.
    pub(super) fn members(&self, name: &str) -> Vec<String> {
        let member = |seen: &Seen| {
            let answer: serde_json::Value = serde_json::from_str(&seen.answer).ok()?;
            answer[name].as_str().map(str::to_owned)
        };
        self.seen().iter().filter_map(member).collect()
    }
}

async fn pass(State(passage): State<Arc<Passage>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 100_000).await.unwrap();
    let (status, answer) = match passage.swallows.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "{}".to_owned()),
        false => passage.ask(&head, body.clone()).await,
    };
    let form = String::from_utf8(body.to_vec()).unwrap();
    let seen = Seen { path: head.uri.path().to_owned(), form, status, answer: answer.clone() };
    passage.seen.lock().unwrap().push(seen);
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(answer)).into_response()
}

impl Passage {
    async fn ask(&self, head: &Parts, body: bytes::Bytes) -> (StatusCode, String) {
        let mut request = self.http.request(head.method.clone(), format!("{}{}", self.to, head.uri)).body(body);
        for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
            let value = head.headers.get(&name).cloned();
            request = value.into_iter().fold(request, |request, value| request.header(&name, value));
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}
