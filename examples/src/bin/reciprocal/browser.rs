//! The user's browser: cookies, and redirects.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{
    Request, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use oauth_axum_rs::oauth_tower::outgoing::HttpClient;

use crate::Failure;

/// A browser that goes to this machine alone, whose ports share their cookies.
pub(crate) struct Browser {
    http: HttpClient,
    cookies: BTreeMap<String, String>,
}

/// Where it has arrived.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// The addresses on the way, without their parameters.
    pub(crate) way: Vec<String>,
}

impl Browser {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self { http: HttpClient::builder().build()?, cookies: BTreeMap::new() })
    }

    /// Goes to `url`, and on to wherever it leads.
    pub(crate) async fn go(&mut self, url: &str) -> Result<Page, Failure> {
        let (mut url, mut way) = (url.to_owned(), Vec::new());
        for _ in 0..10 {
            way.push(url.split('?').next().unwrap_or_default().to_owned());
            let response = self.send(Request::get(&url).body(Bytes::new())?).await?;
            match response.headers().get(LOCATION) {
                Some(next) => url = absolute(&url, next.to_str()?),
                None => return page(response, way),
            }
        }
        Err("it leads in circles".into())
    }

    /// Posts a form.
    pub(crate) async fn post(&mut self, url: &str, field: (&str, &str)) -> Result<Page, Failure> {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair(field.0, field.1).finish();
        let request = Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        page(self.send(request.body(body.into())?).await?, Vec::new())
    }

    async fn send(&mut self, mut request: Request<Bytes>) -> Result<http::Response<Bytes>, Failure> {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().insert(COOKIE, pairs.join("; ").parse()?);
        }
        let response = self.http.send(request).await?;
        for header in response.headers().get_all(SET_COOKIE) {
            let pair = header.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }
}

fn page(response: http::Response<Bytes>, way: Vec<String>) -> Result<Page, Failure> {
    let (status, text) = (response.status(), String::from_utf8(response.into_body().to_vec())?);
    Ok(Page { status, text, way })
}

/// `next`, seen from `url`.
fn absolute(url: &str, next: &str) -> String {
    let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    if next.starts_with('/') { format!("{origin}{next}") } else { next.to_owned() }
}
