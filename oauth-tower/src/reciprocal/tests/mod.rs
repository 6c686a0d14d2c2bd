//! Party B, a server in this process; party A as a network that answers as a test
//! says.

mod initiate;
mod links;
mod redeem;
mod run;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use oauth_core::{
    client::{Client, ClientId, ClientSecret, GrantType},
    clock::{Clock, ManualClock, SystemRandom, UnixTime},
    engine::reciprocal::Reciprocal,
    secret::Secret,
    server::AuthorizationServer,
    store::ReciprocalLink,
};
use tower::{ServiceExt, service_fn};

use super::*;
use crate::{
    client::{
        TokenClient, TokenError,
        tests::{Sent, network, reply},
    },
    outgoing::{ClientAuth, HttpClient},
    server::AuthorizationServerService,
};

/// Party B.
struct B {
    server: AuthorizationServer,
    /// Party A, as the client that it is at B.
    a: TokenClient,
    clock: ManualClock,
}

const A_TOKEN: &str = "https://a.example/token";
const A_REVOKE: &str = "https://a.example/revoke";

impl B {
    async fn new() -> Self {
        let clock = ManualClock::new(UnixTime(1_700_000_000));
        let (secret, kept) = ClientSecret::generate(&SystemRandom).unwrap();
        let assistant = Client::builder("assistant").secret(kept).scope("music");
        let assistant = assistant.grant_type(GrantType::CLIENT_CREDENTIALS).grant_type(GrantType::RECIPROCAL);
        let server = AuthorizationServer::builder("https://b.example")
            .client(assistant.build().unwrap())
            .resource(oauth_core::engine::policy::Resource::new("https://api.b.example"))
            .reciprocal(|settings| settings.peer(peer(), "speaker:announce".parse().unwrap()))
            .clock(clock.clone())
            .build()
            .await
            .unwrap();
        let auth = ClientAuth::Basic { id: "assistant".into(), secret };
        let service = AuthorizationServerService::new(server.clone());
        let http =
            HttpClient::new(service_fn(move |request: Request<Bytes>| service.clone().oneshot(request.map(Full::new))));
        let a = TokenClient::builder("https://b.example/token", auth).build(http).unwrap();
        Self { server, a, clock }
    }

    fn reciprocal(&self) -> Reciprocal {
        self.server.reciprocal().unwrap()
    }

    /// A code of A's comes in.
    async fn takes(&self, code: &str) {
        let access_token = self.a.client_credentials(None, None).await.unwrap().access_token;
        assert!(initiate(&self.a, &code.into(), &access_token).await.unwrap().is_accepted());
    }

    /// B as a client of A, which is reached over `http`.
    fn client(&self, http: HttpClient) -> ReciprocalClient {
        self.client_at(TokenClient::builder(A_TOKEN, ours()).revocation_endpoint(A_REVOKE).build(http).unwrap())
    }

    fn client_at(&self, a: TokenClient) -> ReciprocalClient {
        ReciprocalClient::builder(self.reciprocal()).peer(peer(), a).clock(self.clock.clone()).build()
    }

    async fn queued(&self) -> u64 {
        self.reciprocal().queued().await.unwrap()
    }

    /// Which access token is stored.
    async fn held(&self) -> Option<String> {
        let tokens = self.reciprocal().tokens(&link()).await.unwrap()?;
        Some(tokens.response.access_token.expose().to_owned())
    }
}

/// What B is at A.
fn ours() -> ClientAuth {
    ClientAuth::Basic { id: "b-at-a".into(), secret: "ours".into() }
}

fn peer() -> ClientId {
    ClientId::new("assistant").unwrap()
}

fn link() -> ReciprocalLink {
    ReciprocalLink::new(peer(), None)
}

/// A's answer with tokens named after `name`.
fn tokens(name: &str) -> Response<String> {
    let body = format!(
        r#"{{"access_token":"at-{name}","refresh_token":"rt-{name}","token_type":"Bearer","expires_in":300,"scope":"s"}}"#
    );
    reply(200, &[], body)
}

/// What was sent to A: path and form.
fn sent(sent: &Sent) -> Vec<String> {
    let text =
        |request: &Request<Bytes>| format!("{} {}", request.uri().path(), std::str::from_utf8(request.body()).unwrap());
    sent.lock().unwrap().iter().map(text).collect()
}
