//! What the server says of itself, and who may read it: cases 1 to 6.

use http::Request;

use super::*;

pub(super) const STABLE: &str = "/_matrix/client/v1/auth_metadata";
const UNSTABLE: &str = "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata";

pub(super) fn has(metadata: &Value, name: &str, value: &str) -> bool {
    metadata[name].as_array().is_some_and(|values| values.iter().any(|one| one == value))
}

// spec: MTX-01, MTX-03
#[tokio::test]
async fn case_1_the_metadata_are_there_without_a_token_and_whole() {
    let w = world().await;
    for path in [STABLE, UNSTABLE] {
        let answer = w.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let metadata = answer.json();
        assert_eq!(metadata["issuer"], ISSUER);
        for (name, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("revocation_endpoint", "/revoke"),
            ("registration_endpoint", "/register"),
            ("device_authorization_endpoint", "/device_authorization"),
            ("account_management_uri", "/account"),
        ] {
            assert_eq!(metadata[name], format!("{ISSUER}{path}"), "{name}");
        }
        for (name, value) in [
            ("response_types_supported", "code"),
            ("grant_types_supported", "authorization_code"),
            ("grant_types_supported", "refresh_token"),
            ("grant_types_supported", "urn:ietf:params:oauth:grant-type:device_code"),
            ("response_modes_supported", "query"),
            ("response_modes_supported", "fragment"),
            ("code_challenge_methods_supported", "S256"),
            ("account_management_actions_supported", "org.matrix.device_delete"),
        ] {
            assert!(has(&metadata, name, value), "{name} lacks {value}");
        }
        assert_eq!(metadata, w.get("/.well-known/oauth-authorization-server").await.json());
    }
}

// spec: MTX-02
#[tokio::test]
async fn case_2_without_the_api_there_are_no_metadata() {
    let w = world_with(|builder| builder.profile(profile().without_api())).await;
    for path in [STABLE, UNSTABLE] {
        is_refused(&w.get(path).await, 404, "M_UNRECOGNIZED");
    }
    let w = world().await;
    for path in [STABLE, UNSTABLE] {
        is_refused(&w.send(Request::put(path).body(Bytes::new()).unwrap()).await, 405, "M_UNRECOGNIZED");
    }
}

// spec: MTX-03
#[tokio::test]
async fn case_3_what_is_off_is_not_advertised() {
    let w = World::opaque(MemoryStore::default(), |builder| builder.profile(Matrix::new(NAME))).await;
    let metadata = w.get(STABLE).await.json();
    for name in ["device_authorization_endpoint", "account_management_uri", "account_management_actions_supported"] {
        assert!(metadata.get(name).is_none(), "{name}");
    }
    assert!(!has(&metadata, "grant_types_supported", "urn:ietf:params:oauth:grant-type:device_code"));
    assert!(!has(&metadata, "prompt_values_supported", "create"));
    assert_eq!(w.get("/account").await.status, 404);
}

#[tokio::test]
async fn cases_4_and_5_scripts_may_call_and_read_errors() {
    let w = world().await;
    for path in ["/token", "/revoke", "/register", "/device_authorization", STABLE] {
        let asks = Request::options(path).header("origin", "https://app.element.io");
        let asks = asks.header("access-control-request-method", "POST").body(Bytes::new()).unwrap();
        let answer = w.send(asks).await;
        assert!(answer.status.is_success() && answer.body.is_empty(), "{path}: {answer}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(answer.header("access-control-allow-methods").contains("PUT"), "{path}");
        assert!(answer.header("access-control-allow-headers").to_ascii_lowercase().contains("x-requested-with"));
        let bad = Request::post(path).header("origin", "https://app.element.io").body(Bytes::new()).unwrap();
        let answer = w.send(bad).await;
        assert!(answer.status.is_client_error(), "{path}: {answer}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    let page = Request::get("/authorize").header("origin", "https://app.element.io").body(Bytes::new()).unwrap();
    assert!(!w.send(page).await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn what_contradicts_the_specification_is_found_at_the_start() {
    use oauth_core::{engine::policy::Rotation, server::AuthorizationServer};
    let start = async |set: fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder| {
        let builder = AuthorizationServer::builder(ISSUER).profile(Matrix::new(NAME));
        set(builder).build().await.err().map(|error| error.to_string().split(':').next().unwrap().to_owned())
    };
    assert_eq!(start(|it| it).await, None);
    assert_eq!(start(|it| it.rotation(Rotation::Strict)).await.as_deref(), Some("tokens.rotation"));
    assert_eq!(start(|it| it.lifetimes(|it| it.access = 3601)).await.as_deref(), Some("tokens.access_lifetime"));
    let silent = start(|it| it.authorization(|it| it.response_modes.clear())).await;
    assert_eq!(silent.as_deref(), Some("authorization.response_modes"));
    let named = AuthorizationServer::builder(ISSUER).profile(Matrix::new("a b")).build().await.unwrap_err();
    assert!(named.to_string().starts_with("matrix.server_name: "), "{named}");
}
