//! What a resource says of itself (RFC 9728).

use http::{
    Method,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::BodyExt;

use super::*;
use crate::resource::{BuildError, MetadataService};

fn built(resource: &str) -> ResourceServerBuilder<HasIssuer> {
    ResourceServer::builder(resource).issuer(fixed(&Key::es256())).clock(clock())
}

async fn read(server: &ResourceServer, method: Method) -> (http::response::Parts, String) {
    let request = Request::builder().method(method).uri("/somewhere").header("host", "evil.example");
    let response = MetadataService::new(server).oneshot(request.body(()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts, String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap())
}

// spec: MET-12
#[tokio::test]
async fn metadata_is_200_and_json_without_a_token_and_lies_before_the_path_of_the_resource() {
    for (resource, path) in [
        ("https://api.example", "/.well-known/oauth-protected-resource"),
        ("https://api.example/", "/.well-known/oauth-protected-resource"),
        ("https://api.example:8443/v1/a", "/.well-known/oauth-protected-resource/v1/a"),
        ("https://api.example/v1?k=v", "/.well-known/oauth-protected-resource/v1"),
    ] {
        let server = built(resource).build().unwrap();
        assert_eq!(server.metadata_path(), Some(path));
        let (parts, body) = read(&server, Method::GET).await;
        assert_eq!(parts.status, StatusCode::OK);
        assert_eq!(parts.headers[CONTENT_TYPE], "application/json");
        assert_eq!(parts.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(parts.headers.contains_key(CACHE_CONTROL));
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["resource"], resource);
        let (parts, body) = read(&server, Method::HEAD).await;
        assert_eq!((parts.status, body.as_str()), (StatusCode::OK, ""));
        for method in [Method::POST, Method::PUT, Method::OPTIONS] {
            let (parts, _) = read(&server, method).await;
            assert_eq!(
                (parts.status, &parts.headers[ALLOW]),
                (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD".parse().unwrap())
            );
        }
    }
}

// spec: MET-13
#[test]
fn only_a_resource_that_is_an_https_url_without_a_fragment_is_advertised() {
    for bad in ["http://api.example", "https://api.example#x", "urn:api", "api", "https://u:p@api.example"] {
        assert!(matches!(built(bad).advertise_metadata().build(), Err(BuildError::Url { .. })), "{bad}");
        assert_eq!(built(bad).build().unwrap().metadata_path(), None, "{bad}");
    }
    let local = built("http://127.0.0.1:8080/api").advertise_metadata().insecure_http().build().unwrap();
    assert_eq!(local.metadata_url(), Some("http://127.0.0.1:8080/.well-known/oauth-protected-resource/api"));
    assert_eq!(local.metadata().resource, local.resource());
}

// spec: MET-14
#[test]
fn metadata_mirrors_what_is_configured_and_leaves_the_rest_out() {
    let server = built(RESOURCE).build().unwrap();
    let plain = json!({
        "resource": RESOURCE, "authorization_servers": [ISSUER], "bearer_methods_supported": ["header"],
    });
    assert_eq!(serde_json::to_value(server.metadata()).unwrap(), plain);
    let more = built(RESOURCE).issuer(Issuer::jwt("https://other.example").keys(Key::es256().set()));
    let metadata = more.scopes("read write").scopes("read admin").build().unwrap().metadata();
    assert_eq!(metadata.authorization_servers, [ISSUER, "https://other.example"]);
    assert_eq!(metadata.scopes_supported.len(), 3);
}

// spec: MET-15
#[tokio::test]
async fn challenges_name_the_url_of_the_metadata_where_it_is_advertised() {
    let key = Key::es256();
    let url = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;
    let advertised = builder(fixed(&key)).advertise_metadata().build().unwrap();
    for request in [Request::new(String::new()), request("junk")] {
        let (response, _) = send(&advertised.layer(), request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(challenge(&response).contains(url), "{}", challenge(&response));
    }
    let (response, _) = send(&server(&key).layer(), request("junk")).await;
    assert!(!challenge(&response).contains("resource_metadata"));
}
