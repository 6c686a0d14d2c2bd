//! The crate `oauth2`, over TLS at the program: every grant that it knows. `tests/first_light.rs` has it at a server in
//! this process.

use std::time::Duration;

use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointSet, HttpRequest,
    HttpResponse, IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RequestTokenError, RevocationUrl, Scope,
    StandardDeviceAuthorizationResponse, TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse},
};
use serde_json::json;

use super::in_file;
use crate::support::*;

type Client = BasicClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;

const SECRET: &str = "every-grant-there-is-3Bn8Jk5Vw2Ys";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

struct Site {
    server: Reference,
    remote: Remote,
    _program: Program,
}

impl Site {
    fn new() -> Self {
        let client = json!({
            "client_id": "all",
            "client_secret": SECRET,
            "client_name": "A client",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials", DEVICE],
            "scope": "albums:read",
        });
        let server = Reference::with(&format!("[device]\nenabled = true\ninterval = 1\n{}", in_file(&[client])));
        let remote = Remote::new(server.authority.client(), &server.issuer);
        let _program = server.start();
        Self { server, remote, _program }
    }

    /// With what the server says of itself.
    async fn client(&self) -> Client {
        let metadata = self.remote.get("/.well-known/oauth-authorization-server").await.json();
        let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();
        BasicClient::new(ClientId::new("all".to_owned()))
            .set_client_secret(ClientSecret::new(SECRET.to_owned()))
            .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap())
            .set_auth_uri(AuthUrl::new(endpoint("authorization_endpoint")).unwrap())
            .set_token_uri(TokenUrl::new(endpoint("token_endpoint")).unwrap())
            .set_device_authorization_url(
                DeviceAuthorizationUrl::new(endpoint("device_authorization_endpoint")).unwrap(),
            )
            .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint")).unwrap())
            .set_revocation_url(RevocationUrl::new(endpoint("revocation_endpoint")).unwrap())
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
        let response = self.remote.http.execute(request.try_into()?).await?;
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = response.bytes().await?.to_vec();
        Ok(answer)
    }

    async fn is_active(&self, client: &Client, tokens: &BasicTokenResponse) -> bool {
        let asked = client.introspect(tokens.access_token());
        asked.request_async(&|request| self.http(request)).await.unwrap().active()
    }
}

fn read() -> Scope {
    Scope::new("albums:read".to_owned())
}

#[tokio::test]
async fn the_crate_oauth2_gets_tokens_by_a_code_renews_asks_about_and_revokes_them() {
    let site = Site::new();
    let client = site.client().await;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(CsrfToken::new_random).add_scope(read());
    let (url, state) = request.set_pkce_challenge(challenge).url();
    let mut alice = Visitor::new(site.server.authority.client());
    let page = alice.decide(url.as_str(), ("alice", PASSWORD), "approve").await;
    let response = page.response(CALLBACK);
    assert_eq!(response.get("state"), Some(&**state.secret()));
    let code = || AuthorizationCode::new(response.get("code").unwrap().to_owned());

    let wrong = client.exchange_code(code()).request_async(&|request| site.http(request)).await;
    assert!(matches!(wrong, Err(RequestTokenError::ServerResponse(_))), "without a verifier");
    let redeemed = client.exchange_code(code()).set_pkce_verifier(verifier);
    let first = redeemed.request_async(&|request| site.http(request)).await.unwrap();
    let refresh = first.refresh_token().unwrap();
    let second = client.exchange_refresh_token(refresh).request_async(&|request| site.http(request)).await.unwrap();
    assert!(site.is_active(&client, &second).await);

    let revoked = client.revoke_token(second.refresh_token().unwrap().into()).unwrap();
    revoked.request_async(&|request| site.http(request)).await.unwrap();
    assert!(!site.is_active(&client, &first).await && !site.is_active(&client, &second).await);
    let again = client.exchange_refresh_token(second.refresh_token().unwrap());
    let Err(RequestTokenError::ServerResponse(error)) = again.request_async(&|request| site.http(request)).await else {
        panic!("it was revoked");
    };
    assert_eq!(error.error(), &BasicErrorResponseType::InvalidGrant);
}

#[tokio::test]
async fn the_crate_oauth2_acts_for_itself() {
    let site = Site::new();
    let client = site.client().await;
    let asked = client.exchange_client_credentials().add_scope(read());
    let tokens = asked.request_async(&|request| site.http(request)).await.unwrap();
    assert!(tokens.refresh_token().is_none() && site.is_active(&client, &tokens).await);
    let beyond = client.exchange_client_credentials().add_scope(Scope::new("albums:write".to_owned()));
    let Err(RequestTokenError::ServerResponse(error)) = beyond.request_async(&|request| site.http(request)).await
    else {
        panic!("it may not");
    };
    assert_eq!(error.error(), &BasicErrorResponseType::InvalidScope);
}

#[tokio::test]
async fn the_crate_oauth2_connects_a_device_as_soon_as_its_person_has_decided() {
    let site = Site::new();
    let client = site.client().await;
    for (button, granted) in [("approve", true), ("deny", false)] {
        let asked = client.exchange_device_code().add_scope(read());
        let begun: StandardDeviceAuthorizationResponse =
            asked.request_async(&|request| site.http(request)).await.unwrap();
        let decided = std::sync::atomic::AtomicBool::new(false);
        let polls = client.exchange_device_access_token(&begun);
        // It waits between two questions, as long as the server says: that is when the person decides.
        let waits = |interval: Duration| {
            let first = !decided.swap(true, std::sync::atomic::Ordering::SeqCst);
            let url = begun.verification_uri_complete().unwrap().secret().clone();
            let browser = site.server.authority.client();
            async move {
                let waited = tokio::time::sleep(interval);
                if first {
                    decide(Visitor::new(browser), &url, button).await;
                }
                waited.await;
            }
        };
        let outcome = polls.request_async(&|request| site.http(request), waits, None).await;
        assert!(decided.into_inner(), "it asked before, and was told to wait");
        match outcome {
            Ok(tokens) => {
                assert!(granted && tokens.refresh_token().is_some() && site.is_active(&client, &tokens).await);
            }
            Err(RequestTokenError::ServerResponse(error)) => {
                assert!(!granted && error.error().to_string() == "access_denied", "{error:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Goes where the device says, and presses `button` in the end.
async fn decide(mut alice: Visitor, url: &str, button: &str) {
    let page = alice.go(url).await;
    let page = alice.press(&page, "confirm", &[]).await;
    let page = alice.press(&page, "sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    assert_eq!(alice.press(&page, button, &[]).await.answer.status, 200);
}
