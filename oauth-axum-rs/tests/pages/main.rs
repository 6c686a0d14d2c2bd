//! The built-in pages, from the request of a client to the person's decision.
#![cfg(feature = "pages")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod browser;
mod consent;
mod forms;
mod host;
mod session;
mod sign_in;

use axum::Router;
use http::StatusCode;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, Resource,
    oauth_core::server::AuthorizationServerBuilder,
    pages::{Pages, PasswordUsers},
};

use crate::browser::{Browser, Page};

const ISSUER: &str = "https://auth.example";
const AUTHORIZE: &str = "/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
    &scope=notes%3Aread+notes%3Awrite&state=s1&code_challenge_method=S256\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "wonderland")];

fn users() -> PasswordUsers {
    PasswordUsers::default().insecure_plain("alice", "wonderland").insecure_plain("bob", "builder")
}

fn builder(issuer: &str) -> AuthorizationServerBuilder {
    let client = |id: &str, uri: &str| Client::builder(id).redirect_uri(uri).scope("notes:read notes:write");
    AuthorizationServer::builder(issuer)
        .client(client("app", "https://app.example/cb").name("<b>A&B</b> \"Notes\"").build().unwrap())
        .client(client("tool", "http://127.0.0.1/cb").build().unwrap())
        .resource(Resource::new("https://notes.example"))
}

fn app(server: &AuthorizationServer) -> Router {
    server.router().merge(Pages::new(server, users()).scope_text("notes:read", "Read <your> notes").router())
}

async fn simple_app() -> Router {
    app(&builder(ISSUER).build().await.unwrap())
}

/// From the client's request to the first page.
async fn start(browser: &mut Browser) -> Page {
    let redirect = browser.get(AUTHORIZE).await;
    browser.follow(redirect).await
}

/// From the client's request to the sign-in page.
async fn to_sign_in(browser: &mut Browser) -> Page {
    let page = start(browser).await;
    assert!(page.has("username") && page.has("password"), "{}", page.body);
    page
}

/// From the client's request to the consent page.
async fn to_consent(browser: &mut Browser) -> Page {
    let page = to_sign_in(browser).await;
    let redirect = browser.press(&page, "password", &ALICE).await;
    let page = browser.follow(redirect).await;
    assert!(page.has("approve") && page.has("deny"), "{}", page.body);
    page
}

fn leads_to_a_code(page: &Page) -> bool {
    page.status == StatusCode::SEE_OTHER && page.location().starts_with("https://app.example/cb?code=")
}
