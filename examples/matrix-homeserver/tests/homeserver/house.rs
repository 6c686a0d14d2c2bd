//! The example in this process, and clients of it.

use std::borrow::Cow;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use matrix_homeserver::{Homeserver, app, authorization_server};
use oauth_axum_rs::{
    matrix::AccountState,
    pages::{Pages, PasswordUsers, User},
};
use ruma::{
    UserId,
    api::{
        IncomingResponse, MatrixVersion, Metadata, OutgoingRequest, SupportedVersions,
        auth_scheme::{AuthScheme, SendAccessToken},
        error::{Error, FromHttpResponseError},
        path_builder::VersionHistory,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const HERE: &str = "http://127.0.0.1:8008";
const LISTENS: &str = "http://127.0.0.1:49152/callback";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// With ada and grace, one of whom is signed in on the pages and agrees to everything.
pub(crate) struct House {
    app: Router,
    home: Homeserver,
}

pub(crate) struct Tokens {
    client: String,
    pub(crate) access: String,
    refresh: String,
}

impl House {
    /// Where ada agrees.
    pub(crate) async fn new() -> Self {
        Self::with_grace().await.0
    }

    /// The same homeserver twice: where ada agrees, and where grace does.
    pub(crate) async fn with_grace() -> (Self, Self) {
        let users = PasswordUsers::default().insecure_plain("ada", "a").insecure_plain("grace", "g");
        let server = authorization_server(HERE, "localhost", users.clone()).await.unwrap();
        let home = Homeserver::new(&server, "localhost", &["ada", "grace"]).unwrap();
        let pages = |user: &str| Pages::new(&server, users.clone()).insecure_auto_approve(User::new(user)).unwrap();
        let house = |user| Self { app: app(&home, pages(user)), home: home.clone() };
        (house("ada"), house("grace"))
    }

    /// Ada's account is in this state from now on.
    pub(crate) fn ada_is(&self, state: AccountState) {
        assert!(self.home.set_state(&UserId::parse("@ada:localhost").unwrap(), state));
    }

    /// Registers a client and signs in with it, by a code.
    pub(crate) async fn sign_in(&self, device: &str) -> Tokens {
        let client = json!({
            "client_name": "A Client", "client_uri": "https://client.example", "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none",
        });
        let (_, client) = self.call("POST", "/register", "", &client.to_string()).await;
        let client = client["client_id"].as_str().unwrap().to_owned();
        let scope = format!("urn:matrix:client:api:* urn:matrix:client:device:{device}");
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &client),
            ("redirect_uri", LISTENS),
            ("scope", &scope),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let back = self.browse(&format!("/authorize?{query}")).await;
        let (_, query) = back.split_once('?').unwrap();
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1;
        let grant = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", LISTENS)];
        self.tokens(client, &[&grant[..], &[("code_verifier", VERIFIER)]].concat()).await
    }

    /// New tokens for the same session.
    pub(crate) async fn refresh(&self, tokens: Tokens) -> Tokens {
        let Tokens { client, refresh, .. } = tokens;
        self.tokens(client, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await
    }

    pub(crate) async fn revoke(&self, tokens: &Tokens) {
        let params = [("token", &*tokens.access), ("client_id", &tokens.client)];
        assert_eq!(self.post_form("/revoke", &params).await.status(), StatusCode::OK);
    }

    async fn tokens(&self, client: String, params: &[(&str, &str)]) -> Tokens {
        let answer = self.post_form("/token", &[params, &[("client_id", &client)]].concat()).await;
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token"), client }
    }

    async fn post_form(&self, path: &str, params: &[(&str, &str)]) -> Response<Bytes> {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form(params).into()).unwrap()).await
    }

    /// Follows redirects, as a browser does, until they lead elsewhere.
    async fn browse(&self, path: &str) -> String {
        let (mut path, mut cookies) = (path.to_owned(), Vec::new());
        for _ in 0..5 {
            let request = Request::get(&path).header(COOKIE, cookies.join("; "));
            let answer = self.send(request.body(Bytes::new()).unwrap()).await;
            for cookie in answer.headers().get_all(SET_COOKIE) {
                cookies.push(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
            }
            let next = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("{answer:?}")).to_str().unwrap();
            match next.strip_prefix(HERE).or(next.strip_prefix('/').map(|_| next)) {
                Some(here) => path = here.to_owned(),
                None => return next.to_owned(),
            }
        }
        panic!("{path} leads in circles");
    }

    /// What ruma makes of the answer to a request of ruma's.
    pub(crate) async fn ask<R>(&self, token: &str, request: R) -> Answer<R>
    where
        R: OutgoingRequest + Metadata<PathBuilder = VersionHistory>,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
    {
        let versions = SupportedVersions { versions: [MatrixVersion::V1_18].into(), features: [].into() };
        let token = if token.is_empty() { SendAccessToken::None } else { SendAccessToken::IfRequired(token) };
        let request = request.try_into_http_request::<Vec<u8>>(HERE, token, Cow::Owned(versions)).unwrap();
        let response = self.send(request.map(Bytes::from)).await;
        R::IncomingResponse::try_from_http_response(response)
    }

    /// The status and the JSON of the answer.
    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let request = match token {
            "" => request,
            _ => request.header(AUTHORIZATION, format!("Bearer {token}")),
        };
        let answer = self.send(request.body(body.to_owned().into()).unwrap()).await;
        (answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.send_slowly(request.map(Body::from)).await
    }

    pub(crate) async fn send_slowly(&self, request: Request<Body>) -> Response<Bytes> {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Response::from_parts(head, to_bytes(body, 1 << 20).await.unwrap())
    }
}

/// What ruma makes of an answer.
pub(crate) type Answer<R> =
    Result<<R as OutgoingRequest>::IncomingResponse, FromHttpResponseError<<R as OutgoingRequest>::EndpointError>>;

/// The status and the code of an error.
#[track_caller]
pub(crate) fn refused<T>(answer: Result<T, FromHttpResponseError<Error>>) -> (u16, String) {
    match answer {
        Err(FromHttpResponseError::Server(error)) => {
            let code = error.error_kind().map(|kind| kind.errcode().to_string());
            (error.status_code.as_u16(), code.unwrap_or_default())
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn form(params: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}
