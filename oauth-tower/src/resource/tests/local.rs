//! Tokens of an authorization server in this process.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    engine::policy::{Resource, TokenFormat},
    secret::Secret,
    server::AuthorizationServer,
};

use super::*;
use crate::{
    client::TokenClient,
    outgoing::{ClientAuth, HttpClient},
    resource::validate::Mechanism,
    server::AuthorizationServerService,
};

struct Fixture {
    api: ResourceServer,
    client: TokenClient,
    clock: ManualClock,
}

/// A server with one client and two resources, of which the API is one.
async fn fixture(format: TokenFormat) -> Fixture {
    let clock = clock();
    let (secret, kept) = ClientSecret::generate(&oauth_core::clock::SystemRandom).unwrap();
    let app = Client::builder("app").secret(kept).grant_type(GrantType::CLIENT_CREDENTIALS).scope("read").build();
    let server = AuthorizationServer::builder(ISSUER)
        .client(app.unwrap())
        .resource(Resource::new(RESOURCE).format(format))
        .resource(Resource::new("https://other.example").format(format))
        .clock(clock.clone())
        .build()
        .await
        .unwrap();
    let auth = ClientAuth::Basic { id: "app".into(), secret };
    let client = TokenClient::builder("https://as.example/token", auth)
        .revocation_endpoint("https://as.example/revoke")
        .build(http_to(&server))
        .unwrap();
    let api = builder(Issuer::local(server)).clock(clock.clone()).build().unwrap();
    Fixture { api, client, clock }
}

/// The endpoints of `server`, without a socket in between.
fn http_to(server: &AuthorizationServer) -> HttpClient {
    let service = AuthorizationServerService::new(server.clone());
    HttpClient::new(service_fn(move |request: Request<Bytes>| service.clone().oneshot(request.map(Full::new))))
}

impl Fixture {
    async fn token(&self) -> Secret {
        self.client.client_credentials(Some("read"), Some(RESOURCE)).await.unwrap().access_token
    }
}

#[tokio::test]
async fn tokens_of_either_format_are_known_and_kept() {
    for format in [TokenFormat::Opaque, TokenFormat::Jwt] {
        let f = fixture(format).await;
        let token = f.token().await;
        for _ in 0..10 {
            let token = f.api.validate_headers(&headers(token.expose())).await.unwrap();
            assert_eq!((token.client_id(), token.issuer()), (Some("app"), ISSUER));
            assert!(token.scope().contains("read"));
            assert_eq!(token.expires_at(), Some(UnixTime(NOW + 300)));
        }
        assert_eq!(questions(&f.api), 1, "the store was asked once");
    }
}

// spec: RS-21
#[tokio::test]
async fn a_revoked_token_fails_at_once_though_it_was_in_the_cache() {
    for format in [TokenFormat::Opaque, TokenFormat::Jwt] {
        let f = fixture(format).await;
        let (token, other) = (f.token().await, f.token().await);
        for token in [&token, &other] {
            assert_eq!(present(&f.api, token.expose()).await, (StatusCode::OK, true));
        }
        let text = token.expose().to_owned();
        f.client.revoke(token).await.unwrap();
        assert_eq!(present(&f.api, &text).await, (StatusCode::UNAUTHORIZED, false));
        let before = questions(&f.api);
        assert_eq!(present(&f.api, other.expose()).await, (StatusCode::OK, true));
        assert_eq!(questions(&f.api), before, "the other verdict stands");
    }
}

// spec: RS-21
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_that_begins_after_a_revocation_gets_through() {
    let f = fixture(TokenFormat::Opaque).await;
    for _ in 0..100 {
        let token = f.token().await;
        let text: Arc<str> = token.expose().into();
        let hammer = (0..4).map(|_| {
            let (api, text) = (f.api.clone(), Arc::clone(&text));
            tokio::spawn(async move {
                while present(&api, &text).await.1 {
                    api.forget_all();
                }
            })
        });
        let hammer: Vec<_> = hammer.collect();
        tokio::task::yield_now().await;
        f.client.revoke(token).await.unwrap();
        assert_eq!(present(&f.api, &text).await, (StatusCode::UNAUTHORIZED, false));
        for task in hammer {
            task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_token_for_another_resource_is_refused() {
    for format in [TokenFormat::Opaque, TokenFormat::Jwt] {
        let f = fixture(format).await;
        let foreign = f.client.client_credentials(None, Some("https://other.example")).await.unwrap();
        assert_eq!(present(&f.api, foreign.access_token.expose()).await, (StatusCode::UNAUTHORIZED, false));
    }
}

#[tokio::test]
async fn a_token_is_refused_when_it_has_expired() {
    let f = fixture(TokenFormat::Opaque).await;
    let token = f.token().await;
    f.clock.advance(299);
    assert!(present(&f.api, token.expose()).await.1);
    f.clock.advance(1);
    assert_eq!(present(&f.api, token.expose()).await, (StatusCode::UNAUTHORIZED, false));
}

#[tokio::test]
async fn a_verdict_of_the_store_is_asked_again_after_its_time() {
    let f = fixture(TokenFormat::Opaque).await;
    let token = f.token().await;
    for (advance, asked) in [(0, 1), (4, 1), (1, 2), (4, 2)] {
        f.clock.advance(advance);
        assert!(present(&f.api, token.expose()).await.1);
        assert_eq!(questions(&f.api), asked);
    }
}

#[tokio::test]
async fn a_local_server_and_a_foreign_one_share_an_api() {
    let (f, upstream) = (fixture(TokenFormat::Opaque).await, Upstream::new());
    let Mechanism::Local(local) = &f.api.judge.issuers[0].mechanism else { panic!() };
    upstream.json("https://other.example/introspect", &introspection::active());
    let foreign = Issuer::introspection("https://other.example", "https://other.example/introspect");
    let issuer = Issuer::local(local.server.clone()).cache_for(Duration::from_secs(60));
    let api = builder(issuer).issuer(foreign.bearer("t")).http(upstream.client()).clock(f.clock.clone());
    let api = api.build().unwrap();
    assert!(present(&api, f.token().await.expose()).await.1);
    assert_eq!(upstream.calls(), 0);
    assert!(present(&api, "foreign").await.1);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn the_store_is_asked_about_a_jwt_though_its_keys_are_known() {
    let f = fixture(TokenFormat::Jwt).await;
    let Mechanism::Local(local) = &f.api.judge.issuers[0].mechanism else { panic!() };
    let by_jwt = Issuer::jwt(ISSUER).keys(Key::es256().set());
    let api = builder(by_jwt).issuer(Issuer::local(local.server.clone())).clock(f.clock.clone()).build().unwrap();
    assert!(present(&api, f.token().await.expose()).await.1);
    assert_eq!((questions(&api), verifications(&api)), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_ask_the_store_once() {
    let f = fixture(TokenFormat::Opaque).await;
    let token: Arc<str> = f.token().await.expose().into();
    let tasks = (0..1_000).map(|_| {
        let (api, token) = (f.api.clone(), Arc::clone(&token));
        tokio::spawn(async move { present(&api, &token).await.1 })
    });
    for served in futures_util::future::join_all(tasks).await {
        assert!(served.unwrap());
    }
    assert_eq!(questions(&f.api), 1);
}
