//! The reference server, a program of its own: `[jwt_bearer]` and `[token_exchange]` in its file.

use oauth_core::clock::SystemClock;

use super::*;

const BROKER: Caller = Caller::Basic("broker", "broker-secret-5Tz8");
const RS: Caller = Caller::Basic("api", "api-secret-1Lm8");
const EXCHANGE: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

fn sections(key: &SigningKey) -> String {
    // What JSON calls `"a":1` is `"a"=1` in TOML.
    let jwks = ClientJwks::of([key]).document().to_string().replace("\":", "\"=");
    format!(
        "[jwt_bearer]\nenabled = true\n[[jwt_bearer.issuers]]\nissuer = \"{IDP}\"\njwks = {jwks}\n\
         [token_exchange]\nenabled = true\n[[token_exchange.rules]]\nclient_id = \"broker\"\n\
         resources = [\"{JWT_ALBUMS}\"]\n\
         [[clients]]\nclient_id = \"broker\"\nclient_secret = \"broker-secret-5Tz8\"\n\
         grant_types = [\"urn:ietf:params:oauth:grant-type:token-exchange\", \
         \"urn:ietf:params:oauth:grant-type:jwt-bearer\"]\nscope = \"albums:read\"\n"
    )
}

// spec: TOK-45, TOK-46, TOK-42, TOK-43
#[tokio::test]
async fn an_assertion_becomes_a_token_and_the_token_another_over_sockets() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let reference = Reference::in_development(&sections(&key));
    let _server = reference.start();
    let remote = Remote::new(plain_client(), &reference.issuer);
    let metadata = remote.get("/.well-known/oauth-authorization-server").await;
    for grant in [GRANT.1, EXCHANGE.1] {
        assert!(metadata.member("grant_types_supported").as_array().unwrap().contains(&grant.into()), "{metadata}");
    }

    let now = SystemClock.now().0;
    let claims = json!({ "iss": IDP, "sub": "alice", "aud": format!("{}/token", reference.issuer),
        "exp": now + 300, "iat": now, "jti": "1" });
    let assertion = jwt::sign(&key, "JWT", &claims).unwrap();
    let params = [GRANT, ("assertion", &*assertion), ("scope", "albums:read")];
    let subject = remote.token(Caller::Nobody, &params).await.tokens();
    assert_eq!(subject.refresh, None);
    remote.token(BROKER, &params).await.is_refused(400, "invalid_grant");

    let own = [EXCHANGE, ("subject_token", &*subject.access), ("subject_token_type", ACCESS)];
    remote.token(BROKER, &own).await.is_refused(400, "invalid_target");
    let answer = remote.token(BROKER, &[&own[..], &[("audience", JWT_ALBUMS)]].concat()).await;
    assert_eq!(answer.member("issued_token_type"), ACCESS);
    let token = answer.tokens().access;
    let known = remote.post("/introspect", RS, &[("token", &token)]).await;
    let said = ["sub", "client_id", "aud", "scope"].map(|name| known.member(name).as_str().unwrap().to_owned());
    assert_eq!(said, ["alice", "broker", JWT_ALBUMS, "albums:read"]);
    remote.post("/revoke", BROKER, &[("token", &token)]).await.is_revoked();
    remote.post("/introspect", RS, &[("token", &token)]).await.is_inactive();
}
