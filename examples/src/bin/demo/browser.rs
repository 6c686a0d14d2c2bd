//! A browser without a window: it keeps cookies, follows a redirect when told
//! to, and can fill in a form.

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE},
};
use oauth_axum_rs::oauth_tower::outgoing::HttpClient;

use crate::Failure;

/// Cookies and all, for one server.
pub(crate) struct Browser {
    http: HttpClient,
    url: String,
    cookies: BTreeMap<String, String>,
}

/// An answer, as far as it matters here.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
}

/// A form as a page has it: where it goes, and its hidden fields.
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        Ok(Self { http: HttpClient::builder().build()?, url: url.to_owned(), cookies: BTreeMap::new() })
    }

    /// Gets `path`, which may be a whole URL of this server.
    pub(crate) async fn get(&mut self, path: &str, authorization: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, authorization, String::new()).await
    }

    /// Posts a form to `path`.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        authorization: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, authorization, body).await
    }

    async fn send(&mut self, method: Method, path: &str, authorization: &str, body: String) -> Result<Answer, Failure> {
        let uri = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri);
        if !authorization.is_empty() {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let response = self.http.send(request.body(body.into())?).await?;
        self.keep_cookies(response.headers());
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.to_vec())?;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let pair = header.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Answer {
    /// Where it sends the browser.
    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// What it asks for.
    pub(crate) fn challenge(&self) -> &str {
        self.header(WWW_AUTHENTICATE.as_str())
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A member of its JSON body, as text.
    pub(crate) fn member(&self, name: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        match body.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The form on its page whose field `action` has this value.
    pub(crate) fn form(&self, action: &str) -> Option<Form> {
        let forms = self.body.split("<form ").skip(1).filter_map(|rest| rest.split("</form>").next());
        forms.map(Form::read).find(|form| form.fields.contains(&("action".to_owned(), action.to_owned())))
    }
}

impl Form {
    /// Reads what stands between `<form ` and `</form>`: enough for pages that
    /// are known.
    fn read(text: &str) -> Self {
        let hidden = text.split("<input ").skip(1).filter(|tag| attribute(tag, "type") == "hidden");
        let fields = hidden.map(|tag| (attribute(tag, "name"), attribute(tag, "value"))).collect();
        Self { action: attribute(text, "action"), fields }
    }

    /// All its fields, with what a person adds.
    pub(crate) fn filled<'a>(&'a self, typed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let hidden = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        hidden.chain(typed.iter().copied()).collect()
    }
}

/// An attribute of the tag that `text` begins in.
fn attribute(text: &str, name: &str) -> String {
    let tag = text.split('>').next().unwrap_or_default();
    let value = tag.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&").replace("&#x3D;", "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_by_what_it_does() {
        let page = "<form method=\"post\" action=\"/a?id=1&amp;x=2\"><input type=\"hidden\" name=\"action\" value=\"deny\">\
                    </form><form action=\"/b\"><input type=\"hidden\" name=\"csrf\" value=\"t\">\
                    <input type=\"hidden\" name=\"action\" value=\"approve\"><input type=\"text\" name=\"who\"></form>";
        let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: page.to_owned() };
        assert_eq!(answer.form("deny").unwrap().action, "/a?id=1&x=2");
        let form = answer.form("approve").unwrap();
        assert_eq!(form.filled(&[("who", "me")]), [("csrf", "t"), ("action", "approve"), ("who", "me")]);
        assert!(answer.form("sign_in").is_none());
    }
}
