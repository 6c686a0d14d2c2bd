//! `GET /.well-known/oauth-authorization-server`: what the server says about itself (RFC 8414).

use http::{Request, header};
use oauth_core::server::AuthorizationServer;
use serde_json::{Value, json};

use crate::support::*;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

async fn tenant() -> World {
    World::at("https://as.example/tenant/a").await
}

// spec: MET-01
#[tokio::test]
async fn the_document_is_at_the_well_known_paths_of_the_issuer() {
    let (root, tenant) = (on_memory().await, tenant().await);
    for (w, path) in [
        (&root, WELL_KNOWN),
        (&root, "/.well-known/openid-configuration"),
        (&tenant, "/.well-known/oauth-authorization-server/tenant/a"),
        (&tenant, "/.well-known/openid-configuration/tenant/a"),
        (&tenant, "/tenant/a/.well-known/openid-configuration"),
    ] {
        let answer = w.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.member("issuer")), (200, w.server.issuer().into()), "{path}");
    }
    for (w, path) in [(&tenant, WELL_KNOWN), (&root, "/.well-known/oauth-authorization-server/")] {
        assert_eq!(w.get(path).await.status, 404);
    }
}

// spec: MET-01
#[tokio::test]
async fn scripts_of_any_origin_may_read_it_and_caches_may_keep_it() {
    let w = on_memory().await;
    for path in [WELL_KNOWN, "/jwks"] {
        let answer = w.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
    }
}

#[tokio::test]
async fn a_public_document_answers_head_as_well_and_nothing_that_writes() {
    let w = on_memory().await;
    for path in [WELL_KNOWN, "/jwks"] {
        let head = w.send(Request::head(path).body(Default::default()).unwrap()).await;
        assert_eq!(head.status, 200, "RFC 9110 section 9.1: GET and HEAD MUST be supported");
        let post = w.send(Request::post(path).body(Default::default()).unwrap()).await;
        assert_eq!(post.status, 405);
        assert!(post.header("allow").starts_with("GET"));
    }
}

// spec: MET-02
#[tokio::test]
async fn the_issuer_is_an_https_url_without_query_and_fragment() {
    let build = |issuer: &str| AuthorizationServer::builder(issuer).build();
    for good in ["https://as.example", "https://as.example:8443", "https://as.example/tenant/a", "https://[::1]"] {
        assert_eq!(build(good).await.unwrap().issuer(), good);
    }
    for bad in [
        "http://as.example",
        "http://127.0.0.1",
        "https://as.example?x",
        "https://as.example#x",
        "https://as.example?",
        "https://as.example/",
        "https://user@as.example",
        "https://AS.example/a/../b",
        "https://as.example/a b",
        "as.example",
        "",
    ] {
        assert!(build(bad).await.is_err(), "{bad}");
    }
    let develop = |issuer: &str| AuthorizationServer::builder(issuer).insecure_development().build();
    develop("http://127.0.0.1:8080").await.unwrap();
    develop("http://as.example").await.unwrap_err();
}

// spec: MET-02
#[tokio::test]
async fn the_issuer_is_the_same_everywhere() {
    for w in [on_memory().await, tenant().await] {
        let (path, issuer) = (w.server.issuer_path().to_owned(), w.server.issuer().to_owned());
        assert_eq!(w.get(&format!("{WELL_KNOWN}{path}")).await.member("issuer"), issuer);
        let ask = Ask::of(APP).with("resource", JWT_API);
        let redirect = Browser::new(&w).approve(&ask).await;
        let response = response_at(CALLBACK, &redirect);
        assert_eq!(response.get("iss"), Some(&*issuer));
        let token = format!("{path}/token");
        let access = w.post(&token, APP, &redemption(response.get("code").unwrap())).await.tokens().access;
        assert_eq!(w.server.validate_access(&access).await.unwrap().unwrap().claims.iss, issuer);
        let known = w.post(&format!("{path}/introspect"), AUDITOR, &[("token", &access)]).await;
        assert_eq!(known.member("iss"), issuer);
    }
}

// spec: MET-03
#[tokio::test]
async fn what_must_be_there_is_and_nothing_is_empty() {
    let metadata = on_memory().await.get(WELL_KNOWN).await.json();
    for (name, path) in [("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("jwks_uri", "jwks")] {
        assert_eq!(metadata[name], format!("{ISSUER}/{path}"));
    }
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    for (name, value) in metadata.as_object().unwrap() {
        assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
    }
}

// spec: MET-03, MET-04
#[tokio::test]
async fn every_endpoint_that_is_named_is_served() {
    for w in [on_memory().await, tenant().await] {
        let metadata = w.get(&format!("{WELL_KNOWN}{}", w.server.issuer_path())).await.json();
        let named =
            metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
        let urls: Vec<&str> = named.filter_map(|(_, url)| url.as_str()).collect();
        assert_eq!(urls.len(), 6);
        for url in urls {
            let path = url.strip_prefix("https://as.example").unwrap();
            assert_ne!(w.get(path).await.status, 404, "{url}");
        }
    }
}

// spec: MET-04
#[tokio::test]
async fn what_has_a_misleading_default_is_explicit() {
    let metadata = on_memory().await.get(WELL_KNOWN).await.json();
    let sorted = |name: &str| {
        let mut list: Vec<Value> = metadata[name].as_array().unwrap().clone();
        list.sort_by_key(Value::to_string);
        Value::from(list)
    };
    assert_eq!(sorted("grant_types_supported"), json!(["authorization_code", "client_credentials", "refresh_token"]));
    let methods = json!(["client_secret_basic", "client_secret_jwt", "client_secret_post", "none", "private_key_jwt"]);
    assert_eq!(sorted("token_endpoint_auth_methods_supported"), methods);
    assert_eq!(sorted("revocation_endpoint_auth_methods_supported"), methods);
    let proven = json!(["client_secret_basic", "client_secret_jwt", "client_secret_post", "private_key_jwt"]);
    assert_eq!(sorted("introspection_endpoint_auth_methods_supported"), proven);
    assert_eq!(metadata["response_modes_supported"], json!(["query", "fragment", "form_post"]));
    assert_eq!(metadata["request_uri_parameter_supported"], false);
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

// spec: MET-05
#[tokio::test]
async fn signing_algorithms_are_named_where_a_jwt_method_is_and_never_none() {
    let metadata = on_memory().await.get(WELL_KNOWN).await.json();
    for (name, list) in metadata.as_object().unwrap() {
        if let Some(endpoint) = name.strip_suffix("_auth_methods_supported") {
            let jwt = list.as_array().unwrap().iter().any(|method| method.as_str().unwrap().ends_with("_jwt"));
            let algorithms = metadata.get(format!("{endpoint}_auth_signing_alg_values_supported"));
            assert_eq!(algorithms.is_some(), jwt, "{name}");
        }
        assert!(!name.contains("_alg_") || !list.as_array().unwrap().contains(&"none".into()), "{name}");
    }
}

// spec: SEC-04
#[tokio::test]
async fn nothing_comes_from_the_host_header() {
    let w = on_memory().await;
    let uri = Ask::of(APP).with("scope", "nonsense").uri();
    for path in [WELL_KNOWN, "/jwks", &uri, &Ask::of(APP).uri(), &Ask::of(APP).without("redirect_uri").uri()] {
        let mut forged = Request::get(path).header(header::HOST, "evil.example");
        for name in ["forwarded", "x-forwarded-host", "x-forwarded-proto", "x-original-url", "x-rewrite-url"] {
            forged = forged.header(name, "host=evil.example");
        }
        let answer = w.send(forged.body(Default::default()).unwrap()).await;
        assert!(!answer.to_string().contains("evil"), "{answer}");
        // The page is named by its path alone, and everything else by the configured issuer.
        assert!(["", "/", "https://app.example/"].iter().any(|start| answer.header("location").starts_with(start)));
    }
}
