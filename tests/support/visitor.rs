//! A person with a browser, at a server behind a socket: goes where links and redirects lead, and fills in forms by
//! the ids of their elements.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use reqwest::Client;
use url::Url;

use super::{Answer, Remote};

pub(crate) struct Visitor {
    remote: Remote,
    /// By origin and name.
    cookies: BTreeMap<(String, String), String>,
}

/// What the browser shows, or the redirect to another origin where it stopped.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) answer: Answer,
}

impl Visitor {
    pub(crate) fn new(http: Client) -> Self {
        Self { remote: Remote::new(http, ""), cookies: BTreeMap::new() }
    }

    /// Goes to `url`, and on to wherever it leads on that origin.
    pub(crate) async fn go(&mut self, url: &str) -> Page {
        self.try_go(url).await.unwrap()
    }

    /// The same, to a server that may be gone.
    pub(crate) async fn try_go(&mut self, url: &str) -> reqwest::Result<Page> {
        let url = Url::parse(url).unwrap();
        let request = Request::get(url.as_str()).body(Bytes::new()).unwrap();
        self.follow(url, request).await
    }

    /// Presses the button with the id `button`, after typing into elements by their ids.
    pub(crate) async fn press(&mut self, page: &Page, button: &str, typed: &[(&str, &str)]) -> Page {
        let (action, fields) = page.form(button, typed);
        let url = page.url.join(&action).unwrap();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "null")
            .header("sec-fetch-site", "same-origin");
        self.follow(url, request.body(body.into()).unwrap()).await.unwrap()
    }

    /// Goes to `url`, signs in there, and presses `button` on the page that asks: where that leads.
    pub(crate) async fn decide(&mut self, url: &str, (name, password): (&str, &str), button: &str) -> Page {
        let first = self.go(url).await;
        let consent = self.press(&first, "sign-in", &[("username", name), ("password", password)]).await;
        // Whoever has said yes before may not be asked again.
        match consent.answer.status {
            StatusCode::SEE_OTHER if button == "approve" => consent,
            _ => self.press(&consent, button, &[]).await,
        }
    }

    async fn follow(&mut self, mut url: Url, mut request: Request<Bytes>) -> reqwest::Result<Page> {
        // As many as browsers follow.
        for _ in 0..20 {
            let answer = self.send(&url, request).await?;
            let next = answer.headers.get(header::LOCATION).map(|next| url.join(next.to_str().unwrap()).unwrap());
            match next {
                Some(next) if next.origin() == url.origin() => {
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer}");
                    request = Request::get(next.as_str()).body(Bytes::new()).unwrap();
                    url = next;
                }
                _ => return Ok(Page { url, answer }),
            }
        }
        panic!("{url} leads in circles");
    }

    async fn send(&mut self, url: &Url, mut request: Request<Bytes>) -> reqwest::Result<Answer> {
        let origin = url.origin().ascii_serialization();
        let own = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let pairs: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        }
        let answer = self.remote.try_send(request).await?;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(url, cookie.to_str().unwrap());
        }
        Ok(answer)
    }

    /// Keeps a cookie, if a browser would (RFC 6265bis sections 4.1.3.2 and 5.7).
    fn keep(&mut self, url: &Url, cookie: &str) {
        let (name, rest) = cookie.split_once('=').unwrap();
        let mut rest = rest.split("; ");
        let value = rest.next().unwrap();
        let attributes: Vec<&str> = rest.collect();
        let secure = attributes.contains(&"Secure");
        let host_only = attributes.contains(&"Path=/") && !attributes.iter().any(|one| one.starts_with("Domain"));
        assert!(!secure || url.scheme() == "https", "{url} sets {cookie}");
        assert!(!name.starts_with("__Host-") || secure && host_only, "{url} sets {cookie}");
        let key = (url.origin().ascii_serialization(), name.to_owned());
        match attributes.contains(&"Max-Age=0") {
            true => drop(self.cookies.remove(&key)),
            false => drop(self.cookies.insert(key, value.to_owned())),
        }
    }
}

impl Page {
    /// The form that has a button with this id: its action and its fields.
    #[track_caller]
    fn form(&self, button: &str, typed: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let page = &self.answer.body;
        let mut forms = page.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next());
        let form = forms.find(|form| form.contains(&format!("id=\"{button}\"")));
        let form = form.unwrap_or_else(|| panic!("nothing to press called {button}: {}", self.answer));
        let mut fields = Vec::new();
        for tag in form.split("<input").skip(1) {
            let id = attribute(tag, "id");
            let typed = typed.iter().find(|(element, _)| Some(*element) == id.as_deref());
            let value = typed.map(|(_, text)| (*text).to_owned()).or_else(|| attribute(tag, "value"));
            fields.push((attribute(tag, "name").unwrap(), value.unwrap_or_default()));
        }
        let ids: Vec<_> = form.split("<input").filter_map(|tag| attribute(tag, "id")).collect();
        assert!(typed.iter().all(|(element, _)| ids.iter().any(|id| id == element)), "{typed:?} in {form}");
        (attribute(form, "action").unwrap(), fields)
    }

    /// What the page makes the browser post to `callback`, by a form with a button `continue`.
    #[track_caller]
    pub(crate) fn posted(&self, callback: &str) -> Vec<(String, String)> {
        assert_eq!(self.answer.status, StatusCode::OK, "{}", self.answer);
        let (action, fields) = self.form("continue", &[]);
        assert_eq!(action, callback, "{}", self.answer);
        fields
    }

    /// Whether there is something to press that is called like this.
    pub(crate) fn has(&self, button: &str) -> bool {
        self.answer.body.contains(&format!("id=\"{button}\""))
    }

    /// The parameters of the authorization response that was sent to `callback`.
    #[track_caller]
    pub(crate) fn response(&self, callback: &str) -> oauth_core::params::Params {
        self.answer.redirected_to(callback)
    }
}

/// The value of an attribute of the tag that `text` begins in.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let value = tag.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0;
    Some(unescape(value))
}

/// Text as a page shows it.
pub(crate) fn unescape(text: &str) -> String {
    let text = text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'");
    let text = text.replace("&lt;", "<").replace("&#60;", "<").replace("&gt;", ">").replace("&#62;", ">");
    text.replace("&#38;", "&").replace("&amp;", "&")
}
