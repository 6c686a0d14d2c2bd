//! Tokens for tokens (RFC 8693), by libraries: each has a function for any grant that its caller can name.

use serde_json::{Value, json};

use super::{Alice, OPEN, app, features::Feature, in_file, with_secret};
use crate::support::*;

pub(super) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// A service between the app and the APIs.
fn gateway(id: &str) -> Value {
    let client = json!({
        "client_id": id,
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [EXCHANGE, "client_credentials"],
        "scope": "albums:read",
    });
    with_secret(client, "a-gateway-between-5Hq8Wn3Lx7Zt2Kc9")
}

/// One that may act for people, and one that may take their place too.
fn site() -> Reference {
    let clients = in_file(&["gateway", "modest"].map(gateway));
    let rules = "[token_exchange]\nenabled = true\n[[token_exchange.rules]]\nclient_id = \"modest\"\n\
                 delegation_only = true\n";
    Reference::with(&format!("{OPEN}{rules}{clients}"))
}

/// With `more` parameters than it takes.
async fn exchange(client: &Foreign, subject: &Value, more: Value) -> Outcome {
    let mut parameters = json!({ "subject_token": subject, "subject_token_type": ACCESS, "audience": JWT_ALBUMS });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.ask("grant", json!({ "grant_type": EXCHANGE, "parameters": parameters })).await
}

/// A token of its own, to show who acts.
async fn own(client: &Foreign) -> Value {
    let asked = json!({ "parameters": { "scope": "albums:read" } });
    client.ask("client_credentials", asked).await.granted()["access_token"].clone()
}

#[tokio::test]
async fn a_token_is_exchanged_by_whoever_takes_its_users_place_or_acts_for_them() {
    let server = site();
    let _program = server.start();
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server);
        let app = nobody.registered(&app("client_secret_basic")).await;
        let [gateway, modest] = ["gateway", "modest"].map(|id| nobody.known_as(&gateway(id)));
        let tokens = Alice::at(&server).tokens(&app).await;
        let subject = &tokens["access_token"];
        let person = app.send("introspect", subject).await.granted()["sub"].clone();

        let placed = exchange(&gateway, subject, json!({})).await.granted();
        assert_eq!((&placed["issued_token_type"], &placed["refresh_token"]), (&json!(ACCESS), &Value::Null));
        let known = gateway.send("introspect", &placed["access_token"]).await.granted();
        assert_eq!((&known["sub"], &known["client_id"], &known["act"]), (&person, &json!("gateway"), &Value::Null));
        assert_eq!(known["aud"], JWT_ALBUMS);

        exchange(&modest, subject, json!({})).await.refused(400, "invalid_request");
        let actor = json!({ "actor_token": own(&modest).await, "actor_token_type": ACCESS });
        let acting = exchange(&modest, subject, actor).await.granted();
        let known = modest.send("introspect", &acting["access_token"]).await.granted();
        assert_eq!((&known["sub"], &known["act"]), (&person, &json!({ "sub": "modest" })));

        // What it brings is the client's own, and ends with what it was had for.
        modest.send("revoke", &placed["access_token"]).await.refused(400, "invalid_grant");
        app.send("revoke", &tokens["refresh_token"]).await.granted();
        for (client, had) in [(&gateway, &placed), (&modest, &acting)] {
            let ended = client.send("introspect", &had["access_token"]).await.granted();
            assert_eq!(ended, json!({ "active": false }));
        }
        exchange(&gateway, subject, json!({})).await.refused(400, "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_good_exchange_is_refused_and_the_library_says_why() {
    let server = site();
    let _program = server.start();
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server);
        let app = nobody.registered(&app("client_secret_basic")).await;
        let gateway = nobody.known_as(&gateway("gateway"));
        let tokens = Alice::at(&server).tokens(&app).await;
        let (subject, refresh) = (&tokens["access_token"], &tokens["refresh_token"]);
        let wrong = [
            (json!({ "subject_token": "oat_x" }), "invalid_request"),
            (json!({ "subject_token": refresh }), "invalid_request"),
            (json!({ "subject_token": refresh, "subject_token_type": REFRESH }), "invalid_request"),
            (json!({ "requested_token_type": REFRESH }), "invalid_request"),
            (json!({ "actor_token": subject }), "invalid_request"),
            (json!({ "actor_token": "oat_x", "actor_token_type": ACCESS }), "invalid_request"),
            (json!({ "audience": "https://elsewhere.example" }), "invalid_target"),
            (json!({ "scope": "albums:write" }), "invalid_scope"),
        ];
        for (parameters, code) in wrong {
            exchange(&gateway, subject, parameters).await.refused(400, code);
        }
        exchange(&app, subject, json!({})).await.refused(400, "unauthorized_client");
        let impostor = gateway.with("client_secret", "not-the-secret-of-a-gateway-4Rb6Xj");
        exchange(&impostor, subject, json!({})).await.refused(401, "invalid_client");
        exchange(&gateway, subject, json!({})).await.granted();
    })
    .await;
}

#[tokio::test]
async fn a_token_with_a_key_is_exchanged_with_that_key_alone() {
    let server = site();
    let _program = server.start();
    Feature::Dpop
        .each(async |library| {
            let nobody = Foreign::new(library, &server);
            let app = nobody.registered(&app("client_secret_basic")).await;
            let gateway = nobody.known_as(&gateway("gateway"));
            // One key, which the app and the gateway share: they are of one company.
            let (name, other) = (format!("{library:?} shared"), format!("{library:?} other"));
            let mut alice = Alice::at(&server);
            let bare = alice.tokens(&app).await["access_token"].clone();
            let bound = alice.tokens(&app.holding(&name)).await["access_token"].clone();
            for wrong in [gateway.clone(), gateway.holding(&other)] {
                exchange(&wrong, &bound, json!({})).await.refused(400, "invalid_request");
            }
            let holder = gateway.holding(&name);
            let jkt = holder.ask("thumbprint", json!({})).await.granted();
            for subject in [bare, bound] {
                let had = exchange(&holder, &subject, json!({})).await.granted();
                let known = holder.send("introspect", &had["access_token"]).await.granted();
                assert_eq!((&known["token_type"], &known["cnf"]["jkt"]), (&json!("DPoP"), &jkt));
            }
        })
        .await;
}
