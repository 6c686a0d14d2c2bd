//! The program `web-client`: a client that does what OAuth 2.1 and RFC 9700 ask of one, at a real server.

use std::collections::BTreeMap;

use axum::{Json, Router, routing::get};
use http::{Request, header};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::support::*;

/// The website, at two authorization servers: the real one, and one that only has metadata.
struct Website {
    url: String,
    program: Program,
    server: Reference,
    _running: Program,
    http: reqwest::Client,
}

impl Website {
    async fn new() -> Self {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let site = format!(
            "[[clients]]\nclient_id = \"site\"\nclient_secret = \"s:%+ 1\"\nredirect_uris = [\"{url}/callback/1\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"albums:read\"\n"
        );
        let server = Reference::in_development(&site);
        let running = server.start();
        let mut command = program("web-client");
        command.args(["--development", "--listen", &format!("127.0.0.1:{port}"), "--url", &url]);
        command.args(["--issuer", &server.issuer, "site", "--issuer", &other_server().await, "site-there"]);
        command.args(["--api", &format!("{}/api/whoami", server.issuer), "--scope", "albums:read"]);
        command.env("WEB_CLIENT_SECRET_1", "s:%+ 1");
        let program = Program::start(command);
        assert_eq!(program.says("listening on "), url);
        Self { url, program, server, _running: running, http: Authority::new().client() }
    }

    fn visitor(&self) -> Visitor {
        Visitor::new(self.http.clone())
    }

    /// Begins to sign in: the parameters of the request, and where they are sent.
    async fn begin(&self, visitor: &mut Visitor, number: usize) -> (BTreeMap<String, String>, Url) {
        let page = visitor.go(&format!("{}/sign-in/{number}", self.url)).await;
        let url = page.url.join(page.answer.location()).unwrap();
        (url.query_pairs().into_owned().collect(), url)
    }

    /// The code that the server hands out for a request, and where it sends it.
    async fn response(&self, request: &Url) -> Url {
        // Alice agrees at once; another browser than the website's serves as well.
        let page = self.visitor().go(request.as_str()).await;
        page.url.join(page.answer.location()).unwrap()
    }
}

/// An authorization server that does not say who answers (RFC 9207), and has no other endpoint that works.
async fn other_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "code_challenge_methods_supported": ["S256"],
    });
    let metadata = get(async move || Json(metadata));
    let app = Router::new().route("/.well-known/oauth-authorization-server", metadata);
    tokio::spawn(async move { axum::serve(listener, app).await });
    issuer
}

/// A redirect to the front page, and nothing to read.
#[track_caller]
fn moves_on(answer: &Answer) {
    assert_eq!((answer.location(), answer.body.as_str()), ("/", ""));
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// What the front page shows.
async fn front(website: &Website, visitor: &mut Visitor) -> String {
    visitor.go(&website.url).await.answer.body
}

// spec: AUZ-30
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_sees_the_api_and_signs_out_and_the_code_is_in_no_address_of_a_page() {
    let website = Website::new().await;
    let mut visitor = website.visitor();
    let (_, request) = website.begin(&mut visitor, 1).await;
    let response = website.response(&request).await;
    assert!(response.as_str().starts_with(&format!("{}/callback/1?code=", website.url)));
    let bare = website.http.execute(website.http.get(response.as_str()).header(header::COOKIE, "x=y").build().unwrap());
    // A stranger's browser gets nothing, and is moved on as well.
    assert_eq!(bare.await.unwrap().headers()[header::LOCATION], "/");

    let page = visitor.go(response.as_str()).await;
    assert_eq!(page.url.as_str(), format!("{}/", website.url));
    assert!(page.answer.body.contains("&quot;sub&quot;:&quot;alice&quot;"), "{}", page.answer);
    let policy = page.answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert!(!page.answer.body.contains("<script") && !page.answer.body.contains("src="));

    let after = visitor.press(&page, "sign-out", &[]).await;
    assert!(after.answer.body.contains("Sign in with"), "{}", after.answer);
    let ended = website.program.terminate();
    assert_eq!(ended.code, Some(0));
    for secret in ["ocd_", "oat_", "ort_", "s:%+ 1"] {
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
}

// spec: AUZ-30
#[tokio::test(flavor = "multi_thread")]
async fn every_way_out_of_the_callback_is_a_redirect_without_parameters() {
    let website = Website::new().await;
    let remote = Remote::new(website.http.clone(), website.url.clone());
    for query in ["", "?", "?code=x", "?state=x&code=y", "?error=access_denied", "?code=a&code=b&state=c", "?state=%zz"]
    {
        moves_on(&remote.get(&format!("/callback/1{query}")).await);
    }
    moves_on(&remote.get("/callback/3?code=x&state=y").await);
    let script = "<script>alert(1)</script>";
    let request = Request::get("/").header(header::COOKIE, format!("website-problem={script}"));
    let page = remote.send(request.body(Default::default()).unwrap()).await;
    assert!(!page.body.contains(script), "{page}");
}

// spec: SEC-12
#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_taken_once_and_only_in_the_browser_that_asked() {
    let website = Website::new().await;
    let (mut alice, mut mallory) = (website.visitor(), website.visitor());
    let (_, request) = website.begin(&mut alice, 1).await;
    website.begin(&mut mallory, 1).await;
    let response = website.response(&request).await;
    mallory.go(response.as_str()).await;
    assert!(front(&website, &mut mallory).await.contains("Sign in with"));
    // Which did not take it away from its owner.
    alice.go(response.as_str()).await;
    assert!(front(&website, &mut alice).await.contains("You are signed in"));
    let again = alice.go(response.as_str()).await;
    assert!(again.answer.body.contains("was not begun here"), "{}", again.answer);
}

// spec: SEC-12
#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_a_state_and_a_verifier_of_its_own_and_an_error_uses_them_up() {
    let website = Website::new().await;
    let mut visitor = website.visitor();
    let (first, request) = website.begin(&mut visitor, 1).await;
    let (second, _) = website.begin(&mut visitor, 1).await;
    assert_eq!(first["code_challenge_method"], "S256");
    for name in ["state", "code_challenge"] {
        assert_eq!(first[name].len(), 43);
        assert_ne!(first[name], second[name]);
    }
    let iss = form_urlencoded::byte_serialize(website.server.issuer.as_bytes()).collect::<String>();
    let denied = format!("{}/callback/1?error=access_denied&state={}&iss={iss}", website.url, first["state"]);
    let page = visitor.go(&denied).await;
    assert!(page.answer.body.contains("You said no"), "{}", page.answer);
    let response = website.response(&request).await;
    let page = visitor.go(response.as_str()).await;
    assert!(page.answer.body.contains("was not begun here"), "{}", page.answer);
}

// spec: SEC-11, SEC-21
#[tokio::test(flavor = "multi_thread")]
async fn a_response_of_another_issuer_or_without_one_is_dropped_before_its_code_goes_anywhere() {
    let website = Website::new().await;
    let there = |number: usize, state: &str, iss: Option<&str>| {
        let mut url = Url::parse(&format!("{}/callback/{number}", website.url)).unwrap();
        url.query_pairs_mut().append_pair("code", "stolen").append_pair("state", state);
        iss.map(|iss| url.query_pairs_mut().append_pair("iss", iss).finish());
        url
    };
    let mut visitor = website.visitor();
    let (first, _) = website.begin(&mut visitor, 1).await;
    let (second, _) = website.begin(&mut visitor, 2).await;
    assert_ne!(first["redirect_uri"], second["redirect_uri"]);
    let issuer = website.server.issuer.clone();
    for (number, iss) in [
        (1, None),
        (1, Some("https://evil.example".to_owned())),
        (1, Some(format!("{issuer}/"))),
        // Asked of the first, answered at the redirect URI of the second.
        (2, Some(issuer.clone())),
        (2, None),
    ] {
        let (asked, _) = website.begin(&mut visitor, 1).await;
        let page = visitor.go(there(number, &asked["state"], iss.as_deref()).as_str()).await;
        assert!(page.answer.body.contains("somebody who was not asked"), "{number} {iss:?} {}", page.answer);
    }
    // With the right one, the code goes where it belongs, which refuses it.
    let (asked, _) = website.begin(&mut visitor, 1).await;
    let page = visitor.go(there(1, &asked["state"], Some(&issuer)).as_str()).await;
    assert!(page.answer.body.contains("The server did not let you in"), "{}", page.answer);
}
