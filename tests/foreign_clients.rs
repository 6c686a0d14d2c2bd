//! npm's `openid-client` and `oauth4webapi` and PyPI's Authlib, as their authors made them: they register, prove
//! themselves by every method that they have, ask for codes in every way that they have, and get, renew, ask about and
//! revoke tokens, at the program over TLS. npm's `@sd-jwt/jwt-status-list` reads which were revoked.

mod assertions;
mod authentication;
mod certificates;
mod device;
mod dpop;
mod exchange;
mod features;
mod form_post;
mod introspection;
mod jar;
mod jwks_uri;
mod jwt_bearer;
mod par;
mod registration;
mod rust_oauth2;
mod status_list;
mod step_up;

use serde_json::{Value, json};

use crate::support::*;

const OPEN: &str = "[registration]\nopen = true\nmanagement = true\n[limits]\nregistrations_per_minute = 0\n";

/// What a website asks for that asks for no more than it needs.
fn read() -> Value {
    json!({ "scope": "albums:read" })
}

/// The methods that need no certificate.
const METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

/// What a client registers that is to prove itself by `method`.
fn app(method: &str) -> Value {
    json!({
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": method,
        "client_name": "Les Albums — アルバム",
        "scope": "albums:read",
    })
}

/// One of the file that acts for itself.
fn machine(id: &str, method: &str) -> Value {
    json!({
        "client_id": id,
        "token_endpoint_auth_method": method,
        "grant_types": ["client_credentials"],
        "scope": "albums:read",
    })
}

/// The same, with a secret.
fn with_secret(mut client: Value, secret: &str) -> Value {
    client["client_secret"] = secret.into();
    client
}

/// The same, with a key.
fn with_key(mut client: Value, public: &Value) -> Value {
    client["jwks"] = json!({ "keys": [public] });
    client
}

/// These, as the file has them.
fn in_file(clients: &[Value]) -> String {
    toml::to_string(&json!({ "clients": clients })).unwrap()
}

/// Alice, who approves of what she is asked.
struct Alice(Visitor);

impl Alice {
    fn at(server: &Reference) -> Self {
        Self(Visitor::new(server.authority.client()))
    }

    /// Follows the link, says who she is if she is asked, and yes if she is asked: where that ends.
    async fn agree(&mut self, link: &str) -> Page {
        let mut page = self.0.go(link).await;
        if page.has("sign-in") {
            let typed = [("username", "alice"), ("password", PASSWORD)];
            page = self.0.press(&page, "sign-in", &typed).await;
        }
        if page.has("approve") { self.0.press(&page, "approve", &[]).await } else { page }
    }

    /// Has `client` ask by a command with these members, and agrees: what it redeems.
    async fn answer(&mut self, client: &Foreign, asked: Value) -> Value {
        let mut begun = client.ask("authorize", asked).await.granted();
        let page = self.agree(begun["url"].as_str().unwrap()).await;
        begun["url"] = page.answer.location().into();
        begun
    }

    /// What the client gets in return.
    async fn grant(&mut self, client: &Foreign, asked: Value) -> Value {
        let answered = self.answer(client, asked).await;
        client.ask("redeem", answered).await.granted()
    }

    async fn tokens(&mut self, client: &Foreign) -> Value {
        self.grant(client, json!({ "parameters": read() })).await
    }
}

/// What the browser of somebody brings back who sees no page.
async fn silently(visitor: &mut Visitor, client: &Foreign, mut asked: Value) -> Value {
    asked["parameters"]["prompt"] = "none".into();
    let mut begun = client.ask("authorize", asked).await.granted();
    let page = visitor.go(begun["url"].as_str().unwrap()).await;
    begun["url"] = page.answer.location().into();
    begun
}

/// Everything that a client of alice's does with tokens, with a proof of itself each time.
async fn lives_with_tokens(client: &Foreign, alice: &mut Alice) {
    let first = alice.tokens(client).await;
    let second = client.send("refresh", &first["refresh_token"]).await.granted();
    assert_ne!(first["access_token"], second["access_token"]);
    let public = client.client["token_endpoint_auth_method"] == "none";
    if !public {
        let known = client.send("introspect", &second["access_token"]).await.granted();
        assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &client.client["client_id"]));
    }
    client.send("revoke", &second["access_token"]).await.granted();
    if !public {
        assert_eq!(client.send("introspect", &second["access_token"]).await.granted(), json!({ "active": false }));
    }
    client.send("revoke", &second["refresh_token"]).await.granted();
    client.send("refresh", &second["refresh_token"]).await.refused(400, "invalid_grant");
}

/// A client that acts for itself proves itself at every endpoint.
async fn is_known_everywhere(client: &Foreign) {
    let asked = json!({ "parameters": { "scope": "albums:read" } });
    let token = client.ask("client_credentials", asked).await.granted()["access_token"].clone();
    assert_eq!(client.send("introspect", &token).await.granted()["active"], true);
    client.send("revoke", &token).await.granted();
    assert_eq!(client.send("introspect", &token).await.granted(), json!({ "active": false }));
}

/// A client whose proof is not good is refused at every endpoint.
async fn is_refused_everywhere(client: &Foreign) {
    client.ask("client_credentials", json!({})).await.refused(401, "invalid_client");
    for command in ["introspect", "revoke"] {
        client.send(command, &json!("oat_x")).await.refused(401, "invalid_client");
    }
}
