//! The client module of `oauth-tower` at a real server, over sockets: from its metadata to a revoked token.

use bytes::Bytes;
use http::{Request, StatusCode};
use oauth_axum_rs::{
    oauth_core::{metadata::AuthorizationServerMetadata, token::TokenType},
    oauth_tower::{
        client::{ApiClient, AuthorizationRequest, Discovery, DiscoveryError, DpopProver, ResponseError, TokenClient},
        outgoing::{ClientAuth, HttpClient},
    },
};
use serde_json::Value;

use crate::support::*;

/// The client `web` at the program, which alice says yes to.
struct Site {
    server: Reference,
    _running: Program,
    metadata: AuthorizationServerMetadata,
    http: HttpClient,
    prover: Option<DpopProver>,
    tokens: TokenClient,
}

impl Site {
    async fn at(sections: &str, prover: Option<DpopProver>) -> Self {
        let server = Reference::in_development(sections);
        let running = server.start();
        let http = HttpClient::builder().build().unwrap();
        let metadata = Discovery::new(&server.issuer).insecure_http().fetch(&http).await.unwrap();
        let auth = ClientAuth::Basic { id: "web".into(), secret: "web-secret-7Xk2".into() };
        let mut tokens = TokenClient::discovered(&metadata, auth).insecure_http();
        if let Some(prover) = &prover {
            tokens = tokens.dpop(prover.clone());
        }
        let tokens = tokens.build(http.clone()).unwrap();
        Self { server, _running: running, metadata, http, prover, tokens }
    }

    fn request(&self) -> AuthorizationRequest {
        let request = AuthorizationRequest::builder(&self.metadata, "web", CALLBACK).scope("albums:read");
        let request = if let Some(prover) = &self.prover { request.dpop(prover) } else { request };
        request.resource(ALBUMS).insecure_http().build().unwrap()
    }

    /// The query with which the browser comes back from `url`.
    async fn answered(&self, url: &str) -> String {
        let page = Visitor::new(self.server.authority.client()).go(url).await;
        let back = page.url.join(page.answer.location()).unwrap();
        assert!(back.as_str().starts_with(CALLBACK), "{back}");
        back.query().unwrap().to_owned()
    }

    fn api(&self) -> ApiClient {
        let api = ApiClient::new(self.http.clone()).insecure_http();
        if let Some(prover) = &self.prover { api.dpop(prover.clone()) } else { api }
    }

    fn whoami(&self) -> Request<Bytes> {
        Request::get(format!("{}/api/whoami", self.server.issuer)).body(Bytes::new()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_agrees_the_code_is_redeemed_refreshed_used_and_revoked() {
    let site = Site::at("", None).await;
    let request = site.request();
    let pushed = site.tokens.push(&request).await.unwrap();
    assert!(pushed.contains("request_uri=") && !pushed.contains("state="), "{pushed}");
    for url in [request.url(), pushed] {
        let pending = request.pending();
        let query = site.answered(&url).await;
        assert!(query.contains("iss="), "{query}");
        // RFC 9207: whatever else it says, it is of the server that was asked, or it is nothing.
        let elsewhere = query.replace("iss=http", "iss=https");
        assert_eq!(pending.check(&elsewhere).unwrap_err(), ResponseError::WrongIssuer);
        let silent = query.split('&').filter(|pair| !pair.starts_with("iss=")).collect::<Vec<_>>().join("&");
        assert_eq!(pending.check(&silent).unwrap_err(), ResponseError::WrongIssuer);

        let first = site.tokens.redeem(pending.check(&query).unwrap()).await.unwrap();
        assert_eq!((&first.token_type, first.reciprocal), (&TokenType::Bearer, None));
        let again = site.tokens.redeem(pending.check(&query).unwrap()).await.unwrap_err();
        assert_eq!((again.code(), again.is_temporary()), (Some("invalid_grant"), false));
    }
    let tokens = site.tokens.client_credentials(Some("albums:read"), Some(ALBUMS)).await.unwrap();
    let send = async || site.api().send(site.whoami(), &tokens.access_token, &tokens.token_type).await.unwrap();
    let _ = send().await;
    let query = site.answered(&site.request().url()).await;
    assert_eq!(request.pending().check(&query).unwrap_err(), ResponseError::WrongState);
    site.tokens.revoke(tokens.access_token.clone()).await.unwrap();
    assert_eq!(send().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_key_learns_the_nonces_of_both_servers_by_itself() {
    let site = Site::at("[dpop]\nnonce = true\n", Some(DpopProver::generate().unwrap())).await;
    let request = site.request();
    let url = site.tokens.push(&request).await.unwrap();
    let query = site.answered(&url).await;
    let first = site.tokens.redeem(request.pending().check(&query).unwrap()).await.unwrap();
    let next = site.tokens.refresh(&first.refresh_token.unwrap(), None).await.unwrap();
    assert_eq!((&first.token_type, &next.token_type), (&TokenType::Dpop, &TokenType::Dpop));
    let answer = site.api().send(site.whoami(), &next.access_token, &next.token_type).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    let known: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!((&known["sub"], &known["cnf"]["jkt"]), (&"alice".into(), &site.prover.as_ref().unwrap().jkt().into()));
    // Another key is not this one.
    let other = ApiClient::new(site.http.clone()).insecure_http().dpop(DpopProver::generate().unwrap());
    let stolen = other.send(site.whoami(), &next.access_token, &next.token_type).await.unwrap();
    assert_eq!(stolen.status(), StatusCode::UNAUTHORIZED);
}

// spec: MCP-14
#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_server_under_another_name_are_not_believed() {
    let site = Site::at("", None).await;
    // The same server, by a name that it does not call itself.
    let other = site.server.issuer.replace("127.0.0.1", "localhost");
    for issuer in [other, format!("{}/", site.server.issuer)] {
        let found = Discovery::new(&issuer).insecure_http().fetch(&site.http).await;
        assert!(matches!(found.unwrap_err(), DiscoveryError::Metadata(_)), "{issuer}");
    }
}
