//! A server on the other end of a socket.

use bytes::Bytes;
use http::{Request, header};
use reqwest::Client;

use super::{Answer, Caller, post};

/// What is behind a URL. Clones share connections.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) http: Client,
    pub(crate) url: String,
}

impl Remote {
    pub(crate) fn new(http: Client, url: impl Into<String>) -> Self {
        Self { http, url: url.into() }
    }

    /// Sends `request`; its URI may be a path. An error is one of the connection.
    pub(crate) async fn try_send(&self, mut request: Request<Bytes>) -> reqwest::Result<Answer> {
        if request.uri().authority().is_none() {
            *request.uri_mut() = format!("{}{}", self.url, request.uri()).parse().unwrap();
        }
        let response = self.http.execute(request.try_into()?).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8(response.bytes().await?.to_vec()).unwrap();
        Ok(Answer { status, headers, body })
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Bytes::new()).unwrap()).await
    }

    /// Calls an API with a token.
    pub(crate) async fn call(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Bytes::new()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, caller: Caller, params: &[(&str, &str)]) -> Answer {
        self.try_post(path, caller, params).await.unwrap()
    }

    pub(crate) async fn try_post(
        &self,
        path: &str,
        caller: Caller,
        params: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        self.try_send(post(path, caller, params)).await
    }

    pub(crate) async fn token(&self, caller: Caller, params: &[(&str, &str)]) -> Answer {
        self.post("/token", caller, params).await
    }

    pub(crate) async fn refresh(&self, caller: Caller, token: &str) -> Answer {
        self.token(caller, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn introspect(&self, caller: Caller, token: &str) -> Answer {
        self.post("/introspect", caller, &[("token", token)]).await
    }

    pub(crate) async fn revoke(&self, caller: Caller, token: &str) -> Answer {
        self.post("/revoke", caller, &[("token", token)]).await
    }
}
