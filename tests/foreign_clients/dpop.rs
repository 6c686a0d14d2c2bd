//! Codes and tokens that are bound to keys (RFC 9449), by libraries.

use serde_json::{Value, json};

use super::{Alice, OPEN, app, features::Feature, in_file, machine, read, with_key, with_secret};
use crate::support::*;

const SECRET: &str = "machine-secret-9Wd2Kv7Rm4Hs1Qp6Zx3Lb8";

/// One that takes proofs with or without nonces, and one that demands nonces of its own.
fn servers(clients: &str) -> [Reference; 2] {
    let with = |sections: &str| Reference::with(&format!("{OPEN}{sections}{clients}"));
    [with(""), with("[dpop]\nnonce = true\n")]
}

/// What opens the program's API, and the answer.
async fn call(client: &Foreign, server: &Reference, token: &Value) -> Outcome {
    client.ask("call", json!({ "url": format!("{}/api/whoami", server.issuer), "token": token })).await
}

/// That `token` opens the API with the key `jkt`, which the client holds.
async fn opens(client: &Foreign, server: &Reference, token: &Value, jkt: &Value) {
    let answer = call(client, server, token).await.granted();
    assert_eq!(answer["status"], 200, "{answer}");
    let known: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&known["token_type"], &known["cnf"]), (&json!("DPoP"), &json!({ "jkt": jkt })));
}

#[track_caller]
fn is_bound(tokens: &Value) {
    assert!(tokens["token_type"].as_str().unwrap().eq_ignore_ascii_case("DPoP"), "{tokens}");
}

/// The same client with a key, and with another one.
fn two_of(client: &Foreign) -> [Foreign; 2] {
    // Key pairs are known by their names to all tests of this process.
    let name = format!("{:?} {}", client.library, client.client["client_id"]);
    [client.holding(&name), client.holding(&format!("another than {name}"))]
}

/// From the question to the API, and the next token.
async fn lives_with_a_key(client: &Foreign, server: &Reference, alice: &mut Alice) {
    let public = client.client["token_endpoint_auth_method"] == "none";
    let [holder, other] = two_of(client);
    let jkt = holder.ask("thumbprint", json!({})).await.granted();
    let by_parameter = json!({ "scope": "albums:read", "dpop_jkt": jkt });
    for asked in [
        json!({ "parameters": by_parameter }),
        json!({ "parameters": read(), "by": ["par"] }),
        json!({ "parameters": by_parameter, "by": ["par"] }),
        json!({ "parameters": by_parameter, "by": ["jar"] }),
        json!({ "parameters": read(), "by": ["jar", "par"] }),
    ] {
        let answered = alice.answer(&holder, asked).await;
        for wrong in [client, &other] {
            wrong.ask("redeem", answered.clone()).await.refused(400, "invalid_grant");
        }
        let first = holder.ask("redeem", answered).await.granted();
        is_bound(&first);
        opens(&holder, server, &first["access_token"], &jkt).await;
        for wrong in [client, &other] {
            call(wrong, server, &first["access_token"]).await.refused(401, "invalid_token");
        }
        if public {
            for wrong in [client, &other] {
                wrong.send("refresh", &first["refresh_token"]).await.refused(400, "invalid_grant");
            }
        } else {
            let known = client.send("introspect", &first["access_token"]).await.granted();
            assert_eq!((&known["token_type"], &known["cnf"]["jkt"]), (&json!("DPoP"), &jkt));
        }
        let second = holder.send("refresh", &first["refresh_token"]).await.granted();
        is_bound(&second);
        opens(&holder, server, &second["access_token"], &jkt).await;
        if !public {
            // RFC 9449 section 5: its refresh tokens are bound to the client, which may change its key.
            let third = other.send("refresh", &second["refresh_token"]).await.granted();
            let jkt = other.ask("thumbprint", json!({})).await.granted();
            opens(&other, server, &third["access_token"], &jkt).await;
        }
    }
    // RFC 9449 section 10.1: it cannot name another key than it proves.
    let mismatched = json!({ "parameters": by_parameter, "by": ["par"] });
    other.ask("authorize", mismatched).await.refused(400, "invalid_request");
}

// spec: TOK-33, TOK-34
#[tokio::test]
async fn codes_and_tokens_are_bound_to_the_key_that_the_library_proves() {
    let servers = servers("");
    let _programs = servers.each_ref().map(Reference::start);
    for (server, hands_out_nonces) in servers.iter().zip([false, true]) {
        let token = Remote::new(server.authority.client(), &server.issuer).send(post("/token", APP, &[])).await;
        assert_eq!(!token.header("dpop-nonce").is_empty(), hands_out_nonces, "{token}");
    }
    Feature::Dpop
        .each(async |library| {
            let (private, public) = library.key("ES256").await;
            for server in &servers {
                let nobody = Foreign::new(library, server).proving("key", private.clone());
                let mut alice = Alice::at(server);
                for method in ["client_secret_basic", "private_key_jwt", "none"] {
                    let client = nobody.registered(&with_key(app(method), &public)).await;
                    lives_with_a_key(&client, server, &mut alice).await;
                }
            }
        })
        .await;
}

// spec: TOK-34
#[tokio::test]
async fn a_client_that_acts_for_itself_has_its_token_bound() {
    let machine = with_secret(machine("machine", "client_secret_basic"), SECRET);
    let servers = servers(&in_file(std::slice::from_ref(&machine)));
    let _programs = servers.each_ref().map(Reference::start);
    Feature::Dpop
        .each(async |library| {
            for server in &servers {
                let [holder, other] = two_of(&Foreign::new(library, server).known_as(&machine));
                let jkt = holder.ask("thumbprint", json!({})).await.granted();
                let tokens = holder.ask("client_credentials", json!({ "parameters": read() })).await.granted();
                is_bound(&tokens);
                opens(&holder, server, &tokens["access_token"], &jkt).await;
                call(&other, server, &tokens["access_token"]).await.refused(401, "invalid_token");
            }
        })
        .await;
}

// spec: TOK-35
#[tokio::test]
async fn no_library_gets_a_bearer_token_where_a_proof_is_wanted() {
    let own = Reference::with(OPEN);
    let all = Reference::with(&format!("{OPEN}[dpop]\nrequired = true\n"));
    let _programs = [own.start(), all.start()];
    Library::each(async |library| {
        for (server, itself) in [(&own, true), (&all, false)] {
            let mut app = app("none");
            app["dpop_bound_access_tokens"] = itself.into();
            let client = Foreign::new(library, server).registered(&app).await;
            let mut alice = Alice::at(server);
            let answered = alice.answer(&client, json!({ "parameters": read() })).await;
            client.ask("redeem", answered.clone()).await.refused(400, "invalid_dpop_proof");
            if Feature::Dpop.is_in(library) {
                let [holder, _] = two_of(&client);
                is_bound(&holder.ask("redeem", answered).await.granted());
            }
        }
    })
    .await;
}
