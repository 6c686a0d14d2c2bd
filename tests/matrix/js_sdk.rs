//! npm's `matrix-js-sdk`, as its authors made it: it signs in, refreshes and signs out at the reference server over TLS,
//! whose pages a person goes through.

use std::fs;

use futures_util::future::join;
use serde_json::{Value, json};

use super::NAME;
use crate::support::*;

/// Somebody with a browser, and an app made of the library.
pub(super) struct Person {
    pub(super) sdk: MatrixJsSdk,
    browser: Visitor,
    who: (&'static str, &'static str),
}

impl Person {
    /// One with a name and a password.
    pub(super) const fn new(sdk: MatrixJsSdk, browser: Visitor, who: (&'static str, &'static str)) -> Self {
        Self { sdk, browser, who }
    }

    /// The `client_id` of the app.
    async fn register(&self) -> String {
        let metadata = json!({
            "client_name": "Example", "client_uri": "https://app.example/", "application_type": "web",
            "redirect_uris": [CALLBACK], "logo_uri": "https://app.example/logo.png",
            "tos_uri": "https://app.example/terms", "policy_uri": "https://other.example/policy",
        });
        let id = self.sdk.does(json!({ "do": "register", "metadata": metadata })).await;
        id.as_str().unwrap().to_owned()
    }

    /// Goes there, and says who it is if asked.
    async fn visit(&mut self, url: &str) -> Page {
        let page = self.browser.go(url).await;
        self.identified(page).await
    }

    async fn identified(&mut self, page: Page) -> Page {
        let typed = [("username", self.who.0), ("password", self.who.1)];
        if page.has("sign-in") { self.browser.press(&page, "sign-in", &typed).await } else { page }
    }

    /// Where the browser is sent after a yes to `asked`.
    async fn approved(&mut self, asked: Value) -> String {
        let url = self.sdk.does(asked).await;
        let page = self.visit(url.as_str().unwrap()).await;
        let page = if page.has("approve") { self.browser.press(&page, "approve", &[]).await } else { page };
        page.answer.location().to_owned()
    }

    /// Begins the session `name` of `device`, by a code: what the library got, and `whoami` said.
    pub(super) async fn sign_in(&mut self, name: &str, device: &str) -> Value {
        let client = self.register().await;
        let asked = json!({ "do": "authorize", "client": client, "device": device, "callback": CALLBACK });
        let url = self.approved(asked).await;
        let answer = self.sdk.does(json!({ "do": "redeem", "name": name, "url": url })).await;
        self.is_meant(&answer, device);
        answer
    }

    /// Begins the session `to` with what `from` knows, but for `members`.
    pub(super) async fn resume(&self, from: &str, to: &str, members: Value) {
        self.sdk.does(json!({ "do": "resume", "name": from, "as": to, "members": members })).await;
    }

    /// That the session `name` is one of `device`, as its homeserver says.
    pub(super) async fn has(&self, name: &str, device: &str) {
        self.is_meant(&self.sdk.does(json!({ "do": "whoami", "name": name })).await, device);
    }

    #[track_caller]
    fn is_meant(&self, answer: &Value, device: &str) {
        let user = format!("@{}:{NAME}", self.who.0);
        assert_eq!((&answer["user_id"], &answer["device_id"]), (&json!(user), &json!(device)), "{answer}");
    }

    /// What the library keeps of it.
    pub(super) async fn known(&self, name: &str) -> Value {
        self.sdk.does(json!({ "do": "session", "name": name })).await
    }

    /// Goes where a device says, finds the code filled in, and presses `button` in the end.
    async fn decide(&mut self, shown: &Value, button: &str) {
        let page = self.browser.go(shown["verification_uri_complete"].as_str().unwrap()).await;
        let page = self.browser.press(&page, "confirm", &[]).await;
        let page = self.identified(page).await;
        assert_eq!(self.browser.press(&page, button, &[]).await.answer.status, 200);
    }

    pub(super) async fn signs_out(&self, name: &str) {
        assert_eq!(self.sdk.does(json!({ "do": "logout", "name": name })).await, json!({}));
    }

    /// The library hears that the session is over, and believes it.
    pub(super) async fn is_without(&self, name: &str) {
        let error = self.sdk.ask(json!({ "do": "whoami", "name": name })).await.unwrap_err();
        assert_eq!((&error["errcode"], &error["status"]), (&json!("M_UNKNOWN_TOKEN"), &json!(401)), "{error}");
        assert_ne!(error["body"]["soft_logout"], true, "{error}");
        assert_eq!(self.known(name).await["over"]["errcode"], "M_UNKNOWN_TOKEN");
    }
}

/// The reference server with `sections` at the end of its file, and alice, who is there.
fn start(sections: &str) -> ((Program, Reference), Person) {
    let (authority, port) = (Authority::new(), free_port());
    let server = Reference { authority, port, issuer: format!("https://localhost:{port}") };
    let text = format!(
        "issuer = \"{}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"memory:\"\nprofile = \"matrix\"\ndevelopment = true\n\
         [tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"\n[matrix]\nserver_name = \"{NAME}\"\n\
         [[users]]\nusername = \"alice\"\npassword = \"wonderland\"\n[device]\nenabled = true\ninterval = 1\n{sections}",
        server.issuer,
    );
    fs::write(server.config(), text).unwrap();
    let program = server.start();
    let sdk = MatrixJsSdk::at(&server.issuer, Some(&server.authority.file("ca.pem")));
    let browser = Visitor::new(server.authority.client());
    ((program, server), Person::new(sdk, browser, ("alice", "wonderland")))
}

// spec: MTX-01, MTX-22
#[tokio::test]
async fn matrix_js_sdk_finds_the_server_registers_and_signs_in_by_a_code() {
    let (_server, mut alice) = start("");
    let metadata = alice.sdk.does(json!({ "do": "discover" })).await;
    assert!(metadata["issuer"].as_str().unwrap().starts_with("https://localhost:"));
    let client = alice.register().await;
    // "Clients MUST register anew at each authorization flow."
    assert_eq!(alice.register().await, client);
    for (mode, begins) in [("fragment", "https://app.example/cb#"), ("query", "https://app.example/cb?")] {
        let device = format!("DEVICE{mode}");
        let mut asked = json!({ "do": "authorize", "client": client, "device": device, "callback": CALLBACK });
        asked["mode"] = mode.into();
        // As the button "create an account" does: there is no such page here.
        asked["prompt"] = "create".into();
        let url = alice.approved(asked).await;
        assert!(url.starts_with(begins), "{url}");
        let answer = alice.sdk.does(json!({ "do": "redeem", "name": mode, "url": url })).await;
        alice.is_meant(&answer, &device);
        let scope = format!("urn:matrix:client:api:* urn:matrix:client:device:{device}");
        assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!(scope), &json!(300)));
        assert_eq!((&answer["token_type"], &answer["is_guest"]), (&json!("Bearer"), &json!(false)));
        // A code is good once.
        let again = alice.sdk.ask(json!({ "do": "redeem", "name": "again", "url": url })).await.unwrap_err();
        assert_eq!((&again["error"], &again["status"]), (&json!("invalid_grant"), &json!(400)), "{again}");
        alice.is_without(mode).await;
    }
}

#[tokio::test]
async fn matrix_js_sdk_hears_a_no() {
    let (_server, mut alice) = start("");
    let client = alice.register().await;
    let url = alice.sdk.does(json!({ "do": "authorize", "client": client, "callback": CALLBACK })).await;
    let page = alice.visit(url.as_str().unwrap()).await;
    let page = alice.browser.press(&page, "deny", &[]).await;
    let redeem = json!({ "do": "redeem", "name": "a", "url": page.answer.location() });
    assert_eq!(alice.sdk.ask(redeem).await.unwrap_err()["error"], "access_denied");
}

// spec: MTX-16
#[tokio::test]
async fn matrix_js_sdk_refreshes_and_asks_again_where_the_answer_was_lost() {
    let (_server, mut alice) = start("");
    let first = alice.sign_in("a", "DEVICEAAAA").await;
    // The library refreshes because the homeserver does not know the token.
    alice.resume("a", "b", json!({ "accessToken": "mat_unknown" })).await;
    let lost = alice.sdk.ask(json!({ "do": "whoami", "name": "b", "loses": 1 })).await.unwrap_err();
    assert_eq!(lost["kind"], "TokenRefreshError", "{lost}");
    let known = alice.known("b").await;
    assert_eq!((&known["refreshToken"], &known["over"]), (&first["refresh_token"], &Value::Null));
    alice.has("b", "DEVICEAAAA").await;
    let known = alice.known("b").await;
    assert_ne!(known["refreshToken"], first["refresh_token"]);
    assert_ne!(known["accessToken"], first["access_token"]);
    // Now that its successor was used, whoever comes with the old one is somebody else.
    alice.resume("a", "thief", json!({ "accessToken": "mat_unknown" })).await;
    alice.is_without("thief").await;
    alice.is_without("b").await;
}

// spec: MTX-18
#[tokio::test]
async fn matrix_js_sdk_goes_on_after_its_token_has_expired() {
    let (_server, mut alice) = start("[tokens]\naccess_lifetime = 1\n");
    let first = alice.sign_in("a", "DEVICEAAAA").await;
    // Who cannot refresh hears that there is still a session.
    alice.resume("a", "b", json!({ "refreshToken": null })).await;
    let error = loop {
        if let Err(error) = alice.sdk.ask(json!({ "do": "whoami", "name": "b" })).await {
            break error;
        }
    };
    let said = (&error["status"], &error["errcode"], &error["body"]["soft_logout"]);
    assert_eq!(said, (&json!(401), &json!("M_UNKNOWN_TOKEN"), &json!(true)), "{error}");
    alice.has("a", "DEVICEAAAA").await;
    assert_ne!(alice.known("a").await["accessToken"], first["access_token"]);
}

// spec: MTX-20, MTX-24
#[tokio::test]
async fn matrix_js_sdk_signs_out_and_is_signed_out() {
    let (_server, mut alice) = start("");
    // By itself: it revokes both tokens at the same time.
    alice.sign_in("a", "DEVICEAAAA").await;
    alice.signs_out("a").await;
    alice.is_without("a").await;
    // On the page that the metadata name.
    alice.sign_in("b", "DEVICEBBBB").await;
    alice.sign_in("c", "DEVICECCCC").await;
    let metadata = alice.sdk.does(json!({ "do": "discover" })).await;
    let account = metadata["account_management_uri"].as_str().unwrap();
    let page = alice.visit(&format!("{account}?action=org.matrix.device_delete&device_id=DEVICEBBBB")).await;
    assert_eq!(alice.browser.press(&page, "end-1", &[]).await.answer.status, 200);
    alice.is_without("b").await;
    alice.has("c", "DEVICECCCC").await;
    // At the homeserver, as clients did before.
    alice.resume("c", "legacy", json!({ "oauthClientId": null })).await;
    alice.signs_out("legacy").await;
    alice.is_without("c").await;
}

// spec: MTX-23
#[tokio::test]
async fn matrix_js_sdk_signs_in_by_the_device_grant() {
    let (_server, mut alice) = start("");
    let client = alice.register().await;
    let begin = json!({ "do": "device", "client": client, "device": "DEVICE/+AA" });
    let shown = alice.sdk.does(begin.clone()).await;
    let wait = json!({ "do": "wait", "name": "tv", "code": shown["user_code"] });
    // The library asks while the person decides.
    let sdk = alice.sdk.clone();
    let (answer, ()) = join(sdk.does(wait), alice.decide(&shown, "approve")).await;
    alice.is_meant(&answer, "DEVICE/+AA");
    assert!(answer["refresh_token"].is_string() && answer["expires_in"] == 300, "{answer}");
    alice.resume("tv", "later", json!({ "accessToken": "mat_unknown" })).await;
    alice.has("later", "DEVICE/+AA").await;
    alice.signs_out("later").await;
    alice.is_without("later").await;

    let shown = alice.sdk.does(begin).await;
    alice.decide(&shown, "deny").await;
    let wait = json!({ "do": "wait", "name": "tv", "code": shown["user_code"] });
    assert_eq!(alice.sdk.does(wait).await["error"], "access_denied");
}
