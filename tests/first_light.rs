//! A token lives its whole life over real sockets and TLS, with a client that nobody here wrote: the crate `oauth2`.

use std::sync::Arc;

use axum::{Router, routing::get};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Issuer, MemoryStore, Peer, Resource, ResourceServer, SqliteStore,
    TlsConfig, TlsListener, Token, pages::Pages,
};
use oauth_core::{server::AuthorizationServerBuilder, store::Store};
use oauth2::{
    AccessToken, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, RevocationUrl, Scope, TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse, BasicTokenType},
};
use tokio::net::TcpListener;

use crate::support::{
    API, Authority, CALLBACK, Caller, Folder, PASSWORD, People, Remote, Visitor, WEB, World, registered,
};

/// A server and the API it protects, in this process, behind TLS.
struct Site {
    authority: Authority,
    issuer: String,
    remote: Remote,
}

type Foreign = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

/// Runs `test` against a server that keeps things in memory, then against one with an SQLite file.
async fn on_every_site(test: impl AsyncFn(Site)) {
    println!("on the memory store");
    test(Site::new(Arc::new(MemoryStore::default())).await).await;
    println!("on the SQLite store");
    let folder = Folder::new();
    test(Site::new(Arc::new(SqliteStore::open(folder.file()).await.unwrap())).await).await;
}

impl Site {
    async fn new(store: Arc<dyn Store>) -> Self {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let app = app(&issuer, store).await.into_make_service_with_connect_info::<Peer>();
        let tls = TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap();
        let listener = TlsListener::new(listener, &tls);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let remote = Remote::new(authority.client(), issuer.clone());
        Self { authority, issuer, remote }
    }

    /// The foreign client, configured with what the server says of itself.
    async fn client(&self) -> Foreign {
        let metadata = self.remote.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["issuer"], *self.issuer);
        let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();
        let Caller::Basic(id, secret) = WEB else { panic!() };
        BasicClient::new(ClientId::new(id.to_owned()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap())
            .set_auth_uri(AuthUrl::new(endpoint("authorization_endpoint")).unwrap())
            .set_token_uri(TokenUrl::new(endpoint("token_endpoint")).unwrap())
            .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint")).unwrap())
            .set_revocation_url(RevocationUrl::new(endpoint("revocation_endpoint")).unwrap())
    }

    /// What the foreign client sends its requests with.
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
        let response = self.remote.http.execute(request.try_into()?).await?;
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = response.bytes().await?.to_vec();
        Ok(answer)
    }

    /// Sends alice through the pages, where she presses `button`: the response, and the verifier that goes with it.
    async fn ask(&self, client: &Foreign, button: &str) -> (oauth_core::params::Params, PkceCodeVerifier) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client.authorize_url(CsrfToken::new_random).add_scope(Scope::new("read".to_owned()));
        let (url, state) = request.set_pkce_challenge(challenge).url();
        let page = Visitor::new(self.authority.client()).decide(url.as_str(), ("alice", PASSWORD), button).await;
        let response = page.response(CALLBACK);
        assert_eq!(response.get("state"), Some(&**state.secret()));
        assert_eq!(response.get("iss"), Some(&*self.issuer));
        (response, verifier)
    }

    /// The tokens of a code that alice approved.
    async fn tokens(&self, client: &Foreign) -> BasicTokenResponse {
        let (response, verifier) = self.ask(client, "approve").await;
        let code = AuthorizationCode::new(response.get("code").unwrap().to_owned());
        let exchange = client.exchange_code(code).set_pkce_verifier(verifier);
        exchange.request_async(&|request| self.http(request)).await.unwrap()
    }

    /// What the API answers to a token.
    async fn call(&self, token: &AccessToken) -> (u16, String) {
        let answer = self.remote.call("/notes", token.secret()).await;
        let challenge = answer.header("www-authenticate");
        assert_eq!(answer.status == 401, challenge.contains("error=\"invalid_token\""), "{answer}");
        (answer.status.as_u16(), answer.body)
    }

    async fn revoke(&self, client: &Foreign, token: oauth2::StandardRevocableToken) {
        client.revoke_token(token).unwrap().request_async(&|request| self.http(request)).await.unwrap();
    }

    async fn is_active(&self, client: &Foreign, token: &AccessToken) -> bool {
        client.introspect(token).request_async(&|request| self.http(request)).await.unwrap().active()
    }

    async fn refresh(
        &self,
        client: &Foreign,
        token: &RefreshToken,
    ) -> Result<BasicTokenResponse, BasicErrorResponseType> {
        let exchange = client.exchange_refresh_token(token);
        exchange.request_async(&|request| self.http(request)).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(error) => error.error().clone(),
            other => panic!("{other:?}"),
        })
    }
}

/// Every endpoint, the pages, and an API that validates in the same process.
async fn app(issuer: &str, store: Arc<dyn Store>) -> Router {
    let api = Resource::new(API).scopes("read write".parse().unwrap());
    let builder = AuthorizationServer::builder(issuer).shared_store(store).root_secret(World::root()).resource(api);
    let builder = registered().into_iter().fold(builder.subjects(People), AuthorizationServerBuilder::client);
    let server = builder.build().await.unwrap();
    let protected = ResourceServer::builder(API).issuer(Issuer::local(server.clone())).build().unwrap();
    let notes = get(async |token: Token| format!("notes of {}", token.subject()));
    let notes = Router::new().route("/notes", notes).layer(protected.layer().require_scope("read"));
    server.router().merge(Pages::new(&server, People).router()).merge(notes)
}

fn of_alice() -> (u16, String) {
    (200, "notes of alice".to_owned())
}

// spec: REV-12, RS-21
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_client_gets_refreshes_introspects_and_revokes_tokens_over_tls() {
    on_every_site(async |site| {
        let client = site.client().await;
        let first = site.tokens(&client).await;
        assert_eq!(first.token_type(), &BasicTokenType::Bearer);
        assert_eq!(first.expires_in().unwrap().as_secs(), 300);
        assert_eq!(site.call(first.access_token()).await, of_alice());
        let introspection = client.introspect(first.access_token());
        let facts = introspection.request_async(&|request| site.http(request)).await.unwrap();
        assert!(facts.active());
        assert_eq!((facts.sub(), facts.client_id()), (Some("alice"), Some(client.client_id())));
        assert_eq!((facts.iss(), facts.aud()), (Some(&*site.issuer), Some(&vec![API.to_owned()])));

        let second = site.refresh(&client, first.refresh_token().unwrap()).await.unwrap();
        assert_ne!(second.access_token().secret(), first.access_token().secret());
        let live = second.refresh_token().unwrap();
        assert_ne!(live.secret(), first.refresh_token().unwrap().secret());
        assert_eq!(site.call(second.access_token()).await, of_alice());

        site.revoke(&client, live.clone().into()).await;
        for token in [first.access_token(), second.access_token()] {
            assert_eq!(site.call(token).await.0, 401);
            assert!(!site.is_active(&client, token).await);
        }
        assert_eq!(site.refresh(&client, live).await.unwrap_err(), BasicErrorResponseType::InvalidGrant);
    })
    .await;
}

// spec: REV-14, RS-21
#[tokio::test(flavor = "multi_thread")]
async fn the_api_in_the_same_process_refuses_a_token_from_the_moment_its_revocation_is_answered() {
    on_every_site(async |site| {
        let client = site.client().await;
        for _ in 0..20 {
            let exchange = client.exchange_client_credentials().add_scope(Scope::new("read".to_owned()));
            let tokens = exchange.request_async(&|request| site.http(request)).await.unwrap();
            assert!(tokens.refresh_token().is_none());
            // The second time, the verdict is remembered.
            for _ in 0..2 {
                assert_eq!(site.call(tokens.access_token()).await, (200, "notes of web".to_owned()));
            }
            site.revoke(&client, tokens.access_token().clone().into()).await;
            assert_eq!(site.call(tokens.access_token()).await.0, 401);
        }
    })
    .await;
}

// spec: REV-13
#[tokio::test(flavor = "multi_thread")]
async fn revoking_an_access_token_leaves_its_siblings_and_the_grant_alone() {
    on_every_site(async |site| {
        let client = site.client().await;
        let first = site.tokens(&client).await;
        let second = site.refresh(&client, first.refresh_token().unwrap()).await.unwrap();
        site.revoke(&client, first.access_token().clone().into()).await;
        assert_eq!(site.call(first.access_token()).await.0, 401);
        assert_eq!(site.call(second.access_token()).await, of_alice());
        let third = site.refresh(&client, second.refresh_token().unwrap()).await.unwrap();
        assert_eq!(site.call(third.access_token()).await, of_alice());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_denies_sends_the_client_away_without_a_code() {
    on_every_site(async |site| {
        let (response, _) = site.ask(&site.client().await, "deny").await;
        assert_eq!((response.get("error"), response.get("code")), (Some("access_denied"), None));
    })
    .await;
}

// spec: RS-09
#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_gets_403_and_is_told_which() {
    on_every_site(async |site| {
        let client = site.client().await;
        let exchange = client.exchange_client_credentials().add_scope(Scope::new("write".to_owned()));
        let tokens = exchange.request_async(&|request| site.http(request)).await.unwrap();
        let answer = site.remote.call("/notes", tokens.access_token().secret()).await;
        assert_eq!(answer.status, 403);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\"") && challenge.contains("scope=\"read\""), "{answer}");
    })
    .await;
}
