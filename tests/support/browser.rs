//! A person's browser: it keeps cookies, and follows where it is sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use oauth_core::{
    engine::interaction::{Approval, Interaction},
    params::Params,
};

use super::{Answer, Ask, World};

pub(crate) struct Browser {
    world: World,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), cookies: BTreeMap::new() }
    }

    /// Sends `request` with its cookies, and keeps those it gets.
    pub(crate) async fn send(&mut self, mut request: Request<Bytes>) -> Answer {
        request.headers_mut().extend(self.headers());
        let answer = self.world.send(request).await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn get(&mut self, uri: &str) -> Answer {
        self.send(Request::get(uri).body(Bytes::new()).unwrap()).await
    }

    /// Goes to the authorization endpoint.
    pub(crate) async fn authorize(&mut self, ask: &Ask) -> Answer {
        self.get(&format!("{}{}", self.world.server.issuer_path(), ask.uri())).await
    }

    /// Goes there and is sent on to the page: the interaction's id.
    pub(crate) async fn begin(&mut self, ask: &Ask) -> String {
        let answer = self.authorize(ask).await;
        let page = format!("{}/interaction?", self.world.server.issuer_path());
        let query = answer.location().strip_prefix(&*page).unwrap_or_else(|| panic!("{answer}"));
        Params::parse(query).unwrap().get("id").unwrap().to_owned()
    }

    /// The interaction that the host's page finds for this browser.
    pub(crate) async fn interaction(&self, id: &str) -> Option<Interaction> {
        self.world.server.interaction(id, &self.headers()).await.unwrap()
    }

    /// Goes through the whole of `ask`, and says yes: where the browser is sent.
    pub(crate) async fn approve(&mut self, ask: &Ask) -> String {
        let id = self.begin(ask).await;
        self.interaction(&id).await.unwrap().approve(Approval::new("alice")).await.unwrap().unwrap()
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        if !pairs.is_empty() {
            headers.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        }
        headers
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            match rest.contains("Max-Age=0") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
    }
}
