//! The network: a tower service that answers as tests say.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::watch;
use tower::service_fn;

use crate::outgoing::HttpClient;

/// Answers by URL; 404 for any other. Clones share everything.
#[derive(Clone)]
pub(in crate::resource) struct Upstream(Arc<Inner>);

type Answer = (StatusCode, Vec<(&'static str, String)>, String);

struct Inner {
    answers: Mutex<HashMap<String, Answer>>,
    requests: Mutex<Vec<Request<Bytes>>>,
    calls: AtomicUsize,
    finished: AtomicUsize,
    gate: watch::Sender<bool>,
}

impl Upstream {
    pub(in crate::resource) fn new() -> Self {
        Self(Arc::new(Inner {
            answers: Mutex::default(),
            requests: Mutex::default(),
            calls: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            gate: watch::Sender::new(true),
        }))
    }

    pub(in crate::resource) fn answer(
        &self,
        url: &str,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> &Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let status = StatusCode::from_u16(status).unwrap();
        self.0.answers.lock().unwrap().insert(url.to_owned(), (status, headers, body.to_owned()));
        self
    }

    pub(super) fn json(&self, url: &str, body: &Value) -> &Self {
        self.answer(url, 200, &[], &body.to_string())
    }

    /// From now on, requests hang until [`Upstream::open`].
    pub(super) fn close(&self) {
        self.0.gate.send_replace(false);
    }

    pub(super) fn open(&self) {
        self.0.gate.send_replace(true);
    }

    /// How many requests have come.
    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many requests were answered.
    pub(super) fn finished(&self) -> usize {
        self.0.finished.load(Ordering::SeqCst)
    }

    pub(super) fn last(&self) -> Request<Bytes> {
        self.0.requests.lock().unwrap().last().cloned().unwrap()
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.0.requests.lock().unwrap().iter().map(|request| request.uri().to_string()).collect()
    }

    pub(in crate::resource) fn client(&self) -> HttpClient {
        let inner = Arc::clone(&self.0);
        HttpClient::new(service_fn(move |request: Request<Bytes>| {
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.exchange(request).await) }
        }))
    }
}

impl Inner {
    async fn exchange(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let url = request.uri().to_string();
        self.requests.lock().unwrap().push(request);
        self.gate.subscribe().wait_for(|open| *open).await.unwrap();
        // Nobody answers in the same instant.
        tokio::task::yield_now().await;
        self.finished.fetch_add(1, Ordering::SeqCst);
        let answers = self.answers.lock().unwrap();
        let Some((status, headers, body)) = answers.get(&url) else {
            return Response::builder().status(404).body(Full::default()).unwrap();
        };
        let mut response = Response::builder().status(*status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        response.body(Full::from(body.clone())).unwrap()
    }
}
