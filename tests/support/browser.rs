//! A person's browser: it keeps cookies, and follows where it is sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use oauth_core::{
    engine::interaction::{Approval, Interaction},
    params::Params,
};

use super::{Answer, Ask, Caller, PASSWORD, World, post};

pub(crate) struct Browser {
    world: World,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// The fields of a form.
pub(crate) type Fields = Vec<(String, String)>;

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), cookies: BTreeMap::new() }
    }

    /// The same browser, at another node of the same server.
    pub(crate) fn move_to(&mut self, world: &World) {
        self.world = world.clone();
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
        let answer = self.interaction(&id).await.unwrap().approve(Approval::new("alice")).await.unwrap().unwrap();
        answer.location().unwrap().to_owned()
    }

    /// Goes through the pages of `ask`: signs in as alice, then presses `button`. Where that leads.
    pub(crate) async fn press(&mut self, ask: &Ask, button: &str) -> Answer {
        let (page, consent) = self.consent(ask).await;
        // Whoever has said yes before may not be asked again.
        match consent.status.as_u16() {
            303 if button == "approve" => consent,
            _ => self.submit(&page, &fields_of(&consent, button)).await,
        }
    }

    /// The URI of the consent page for `ask`, and that page, seen by alice.
    pub(crate) async fn consent(&mut self, ask: &Ask) -> (String, Answer) {
        let page = format!("/interaction?id={}", self.begin(ask).await);
        let first = self.get(&page).await;
        if !first.body.contains("\"password\"") {
            return (page, first);
        }
        let mut fields = fields_of(&first, "sign_in");
        fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
        assert_eq!(self.submit(&page, &fields).await.location(), page);
        let consent = self.get(&page).await;
        (page, consent)
    }

    /// Sends a form back to the page it is on.
    pub(crate) async fn submit(&mut self, uri: &str, fields: &[(String, String)]) -> Answer {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.send(post(uri, Caller::Nobody, &fields)).await
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
            self.keep_cookie(cookie.to_str().unwrap());
        }
    }

    /// What a page of the host's own sets.
    pub(crate) fn keep_cookie(&mut self, cookie: &str) {
        let (name, rest) = cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap_or_default();
        match rest.contains("Max-Age=0") {
            true => drop(self.cookies.remove(name)),
            false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
        }
    }
}

/// The hidden fields of the form on `page` whose action is `action`.
#[track_caller]
pub(crate) fn fields_of(page: &Answer, action: &str) -> Fields {
    let value_of = |tag: &str, name: &str| {
        let value = tag.split_once(&format!("{name}=\""))?.1.split_once('"')?.0;
        Some(value.replace("&#38;", "&").replace("&#34;", "\""))
    };
    let read = |form: &str| -> Fields {
        let tags = form.split("<input").skip(1).filter(|tag| tag.contains("type=\"hidden\""));
        tags.filter_map(|tag| Some((value_of(tag, " name")?, value_of(tag, " value")?))).collect()
    };
    let mut forms = page.body.split("<form").skip(1).map(read);
    let wanted = |fields: &Fields| fields.contains(&("action".to_owned(), action.to_owned()));
    forms.find(wanted).unwrap_or_else(|| panic!("no form to {action}: {page}"))
}
