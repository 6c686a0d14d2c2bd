//! A browser without a window: cookies, forms, and an app to talk to.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use http_body_util::BodyExt;
use oauth_axum_rs::{Peer, oauth_core::params};
use tower::ServiceExt;

pub(crate) struct Browser {
    app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: SocketAddr,
}

/// What came back, and from where.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(app: &Router) -> Self {
        let address = SocketAddr::from(([192, 0, 2, 1], 50_000));
        Self { app: app.clone(), cookies: BTreeMap::new(), address }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, &[], String::new()).await
    }

    pub(crate) async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let form = params::encode(fields.iter().map(|(name, value)| (*name, (*value).into())));
        self.send(Method::POST, url, &[("content-type", "application/x-www-form-urlencoded")], form).await
    }

    pub(crate) async fn send(&mut self, method: Method, url: &str, headers: &[(&str, &str)], body: String) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(url).header(COOKIE, cookies.join("; "));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.extension(ConnectInfo(Peer::new(self.address))).body(Body::from(body)).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { url: url.to_owned(), status: parts.status, headers: parts.headers, body }
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Follows a redirect to this server.
    pub(crate) async fn follow(&mut self, page: Page) -> Page {
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        self.get(page.location()).await
    }

    /// Presses the button `id`, with `fields` filled in.
    pub(crate) async fn press(&mut self, page: &Page, id: &str, fields: &[(&str, &str)]) -> Page {
        let (action, mut form) = page.form_of(id);
        form.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&action, &[form.as_slice(), fields].concat()).await
    }
}

impl Page {
    pub(crate) fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }

    pub(crate) fn is_html(&self) -> bool {
        self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/html; charset=utf-8")
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.body.contains(&format!(" id=\"{id}\""))
    }

    /// The action and the fields of the form around the element `id`.
    pub(crate) fn form_of(&self, id: &str) -> (String, Vec<(String, String)>) {
        let at = self.body.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("no {id} in {}", self.body));
        let start = self.body[..at].rfind("<form").unwrap();
        let end = at + self.body[at..].find("</form>").unwrap();
        let form = &self.body[start..end];
        let attribute = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.replace("&amp;", "&").replace("&#38;", "&"))
        };
        let inputs = form.split("<input").skip(1).map(|tag| tag.split('>').next().unwrap());
        let field = |tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
        (attribute(form, "action").unwrap(), inputs.filter_map(field).collect())
    }
}
