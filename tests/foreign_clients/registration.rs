//! RFC 8414, RFC 7591 and RFC 7592, by libraries.

use serde_json::json;

use super::{OPEN, app};
use crate::support::*;

// spec: MET-01, MET-02
#[tokio::test]
async fn each_library_finds_the_server_by_its_issuer_alone() {
    let (root, mut tenant) = (Reference::with(OPEN), Reference::with(OPEN));
    let text = std::fs::read_to_string(tenant.config()).unwrap();
    tenant.issuer.push_str("/tenant/a");
    let issuer = format!("issuer = \"{}\"", tenant.issuer);
    let first = text.lines().next().unwrap();
    std::fs::write(tenant.config(), text.replace(first, &issuer)).unwrap();
    let _programs = [root.start(), tenant.start()];
    Library::each(async |library| {
        for (server, algorithm) in [(&root, "oauth2"), (&root, "oidc"), (&tenant, "oauth2"), (&tenant, "oidc")] {
            let asked = json!({ "algorithm": algorithm });
            let found = Foreign::new(library, server).ask("discover", asked).await.granted();
            let endpoint = |name: &str| format!("{}/{name}", server.issuer);
            assert_eq!(found["issuer"], server.issuer);
            assert_eq!(found["token_endpoint"], endpoint("token"));
            assert_eq!(found["registration_endpoint"], endpoint("register"));
        }
    })
    .await;
}

// spec: REG-13, REG-14
#[tokio::test]
async fn whoever_likes_registers_and_reads_in_the_answer_what_it_has_become() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server);
        let client = nobody.registered(&app("client_secret_basic")).await.client;
        for (name, value) in app("client_secret_basic").as_object().unwrap() {
            assert_eq!(client[name], *value, "{library:?}");
        }
        assert_eq!(client["client_secret_expires_at"], 0);
        let least = nobody.registered(&json!({ "redirect_uris": [CALLBACK] })).await.client;
        assert_eq!(least["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(
            (&least["grant_types"], &least["response_types"]),
            (&json!(["authorization_code"]), &json!(["code"]))
        );
        for (member, value, code) in [
            ("redirect_uris", json!(["http://app.example/cb"]), "invalid_redirect_uri"),
            ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
            ("token_endpoint_auth_method", json!("tls_client_auth"), "invalid_client_metadata"),
        ] {
            let mut metadata = app("none");
            metadata[member] = value;
            nobody.ask("register", json!({ "metadata": metadata })).await.refused(400, code);
        }
    })
    .await;
}

// spec: REG-19
#[tokio::test]
async fn where_an_initial_access_token_is_asked_for_only_who_has_it_registers() {
    let token = "let-me-in-4Fq8Zt2Lw9Xb6Nc3";
    let server = Reference::with(&format!("[registration]\ninitial_access_tokens = [\"{token}\"]\n"));
    let _program = server.start();
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server);
        let metadata = app("client_secret_basic");
        let with = |token: Option<&str>| json!({ "metadata": metadata, "initial_access_token": token });
        nobody.ask("register", with(None)).await.refused_with(401);
        nobody.ask("register", with(Some("let-me-out"))).await.refused_with(401);
        let client = nobody.ask("register", with(Some(token))).await.granted();
        let known = nobody.known_as(&client).send("introspect", &json!("oat_x")).await.granted();
        assert_eq!(known["active"], false);
    })
    .await;
}

// spec: REG-23, REG-24, REG-25
#[tokio::test]
async fn a_client_reads_replaces_and_deletes_its_registration() {
    let server = Reference::with(OPEN);
    let _program = server.start();
    Library::each(async |library| {
        let client = Foreign::new(library, &server).registered(&app("client_secret_basic")).await;
        let (status, body) = client.manage("GET", &json!(null)).await;
        let shown: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &shown["client_name"]), (200, &client.client["client_name"]));

        let mut changed = app("client_secret_post");
        changed["client_id"] = client.client["client_id"].clone();
        changed["client_name"] = "Albums".into();
        let (status, body) = client.manage("PUT", &changed).await;
        let shown: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &shown["client_name"]), (200, &changed["client_name"]), "{library:?} {body}");
        // By the new method from now on, and no more by the old one.
        let secret = shown.get("client_secret").unwrap_or(&client.client["client_secret"]).clone();
        let by = |method: &str| client.with("client_secret", secret.clone()).with("token_endpoint_auth_method", method);
        by("client_secret_post").send("introspect", &json!("oat_x")).await.granted();
        by("client_secret_basic").send("introspect", &json!("oat_x")).await.refused(401, "invalid_client");

        assert_eq!(client.manage("DELETE", &json!(null)).await.0, 204);
        assert_eq!(client.manage("GET", &json!(null)).await.0, 401);
        by("client_secret_post").send("introspect", &json!("oat_x")).await.refused(401, "invalid_client");
    })
    .await;
}
