//! Lists of revoked tokens (draft-ietf-oauth-status-list-18), read by a library that this project has no part in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const LISTS: &str = "[status_list]\nenabled = true\nttl_seconds = 1\n";

const MACHINE: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("resource", JWT_ALBUMS)];

/// What the library reads of a token.
async fn read(reader: &Foreign, token: &str) -> Value {
    reader.send("status", &json!(token)).await.granted()
}

/// Waits until the list in which so many are revoked has taken the place of the one before.
async fn revoked(reader: &Foreign, token: &str, revoked: u64) {
    let seen = async {
        while read(reader, token).await["revoked"] != revoked {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), seen).await.is_ok(), "not yet {revoked}");
}

// spec: REV-12
#[tokio::test]
async fn who_reads_the_list_by_a_foreign_library_sees_what_was_revoked_and_nothing_else() {
    let reference = Reference::with(LISTS);
    let _program = reference.start();
    let server = Remote::new(reference.authority.client(), &*reference.issuer);
    let reader = Foreign::new(Library::JwtStatusList, &reference);

    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(server.token(WEB, MACHINE).await.tokens().access);
    }
    for token in &tokens {
        let read = read(&reader, token).await;
        let expected = json!({ "status": 0, "bits": 1, "places": 1 << 20, "revoked": 0, "ttl": 1,
            "kept": "public, max-age=1", "coding": "gzip" });
        assert_eq!(read, expected);
    }
    server.revoke(WEB, &tokens[1]).await.is_revoked();
    revoked(&reader, &tokens[0], 1).await;
    for (token, status) in tokens.iter().zip([0, 1, 0]) {
        assert_eq!(read(&reader, token).await["status"], status);
    }
    assert_eq!(reader.ask("lists", json!({})).await.granted(), 1);

    // The end of a person's grant is the end of every token under it.
    let mut alice = super::Alice::at(&reference);
    let client = Foreign::new(Library::Oauth4webapi, &reference).known_as(&json!({ "client_id": "web",
        "client_secret": "web-secret-7Xk2", "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic" }));
    let asked = json!({ "scope": "albums:read", "resource": JWT_ALBUMS });
    let first = alice.grant(&client, json!({ "parameters": asked })).await;
    let second = client.send("refresh", &first["refresh_token"]).await.granted();
    client.send("revoke", &second["refresh_token"]).await.granted();
    revoked(&reader, &tokens[0], 3).await;
    for grant in [&first, &second] {
        assert_eq!(read(&reader, grant["access_token"].as_str().unwrap()).await["status"], 1);
    }
}
