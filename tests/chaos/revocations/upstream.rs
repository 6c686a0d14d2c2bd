//! The way from resource servers to the authorization servers: in turn to the one and the other, and not always.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use oauth_tower::outgoing::HttpClient;
use tokio::sync::watch;
use tower::service_fn;

use super::HOUR;
use crate::support::*;

/// Clones share it.
#[derive(Clone)]
pub(super) struct Upstream {
    nodes: [World; 2],
    turn: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    /// Whether answers of introspection arrive. Those that do not are on their way.
    flows: Arc<watch::Sender<bool>>,
}

impl Upstream {
    pub(super) fn to(nodes: [World; 2]) -> Self {
        let flows = Arc::new(watch::Sender::new(true));
        Self { nodes, turn: Arc::default(), down: Arc::default(), flows }
    }

    pub(super) fn client(&self) -> HttpClient {
        let this = self.clone();
        let service = service_fn(move |request| {
            let this = this.clone();
            async move { this.carry(request).await }
        });
        HttpClient::new(service).with_timeout(HOUR)
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, SeqCst);
    }

    pub(super) fn set_flows(&self, flows: bool) {
        self.flows.send_replace(flows);
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        if self.down.load(SeqCst) {
            return Err(std::io::Error::other("cut"));
        }
        let node = &self.nodes[self.turn.fetch_add(1, SeqCst) % 2];
        let is_question = request.uri().path() == "/introspect";
        let answer = node.send(request).await;
        if is_question {
            // What it says was true when it was asked.
            drop(self.flows.subscribe().wait_for(|flows| *flows).await);
        }
        let mut response = Response::new(Full::from(answer.body));
        (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
        Ok(response)
    }
}
