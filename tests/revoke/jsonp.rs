//! JSONP: `GET /revoke?token=…&client_id=…&callback=package.function` (RFC 7009 section 2.3).

use http::{Method, Request, header};
use oauth_core::{
    engine::revocation::{RevocationMode, RevocationPolicy},
    server::BuildError,
};

use super::jwt;
use crate::support::*;

const MODES: [RevocationMode; 2] = [RevocationMode::Rfc7009, RevocationMode::Draft2011];

async fn with_jsonp(mode: RevocationMode) -> World {
    let jsonp = |policy: &mut RevocationPolicy| {
        *policy = RevocationPolicy::new(mode);
        policy.jsonp = true;
    };
    on_memory_with(|builder| builder.revocation(jsonp)).await
}

/// What a script element asks for.
async fn call(w: &World, params: &[(&str, &str)]) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    w.get(&format!("/revoke?{query}")).await
}

/// A script that is fit for pages of others, and says just this.
#[track_caller]
fn says(answer: &Answer, script: &str) {
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, script), "{answer}");
    assert_eq!(answer.header("content-type"), "application/javascript");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    answer.is_not_kept();
}

// spec: REV-20, REV-23
#[tokio::test]
async fn a_script_revokes_and_its_function_is_called() {
    for mode in MODES {
        let w = with_jsonp(mode).await;
        for tokens in [w.tokens(APP).await, jwt(&w, APP).await] {
            let refresh = tokens.refresh.unwrap();
            let params = [("token", &*tokens.access), ("client_id", "app"), ("callback", "package.myCallback")];
            says(&call(&w, &params).await, "/**/package.myCallback();");
            assert!(!w.lives(&tokens.access).await, "{mode:?}");
            let hinted = [("token", &*refresh), ("client_id", "app"), ("callback", "$"), ("token_type_hint", "x")];
            says(&call(&w, &hinted).await, "/**/$();");
            w.refresh(APP, &refresh).await.is_refused(400, "invalid_grant");
        }
        // And the ordinary way is still there.
        let token = w.tokens(APP).await.access;
        w.revoke(APP, &token).await.is_revoked();
    }
}

// spec: REV-20, REV-23
#[tokio::test]
async fn an_error_is_told_to_the_function_under_200_so_that_the_script_runs() {
    let refresh_only = |policy: &mut RevocationPolicy| {
        policy.jsonp = true;
        policy.access_tokens = false;
        policy.misses_per_minute = 4;
    };
    let w = on_memory_with(|builder| builder.revocation(refresh_only)).await;
    let (own, foreign) = (w.tokens(APP).await, w.tokens(OTHER_APP).await);
    let ask = async |token: &str, client: &str| {
        call(&w, &[("token", token), ("client_id", client), ("callback", "pkg.fn")]).await
    };
    says(&ask(&own.access, "app").await, r#"/**/pkg.fn({"error":"unsupported_token_type"});"#);
    says(&ask(&foreign.refresh.unwrap(), "app").await, r#"/**/pkg.fn({"error":"invalid_grant"});"#);
    says(&ask("unknown", "app").await, "/**/pkg.fn();");
    says(&ask("", "app").await, r#"/**/pkg.fn({"error":"invalid_request"});"#);
    says(&ask(&own.access, "nobody").await, r#"/**/pkg.fn({"error":"invalid_client"});"#);
    w.store.set_down(true);
    let down = ask(&own.access, "app").await;
    says(&down, r#"/**/pkg.fn({"error":"temporarily_unavailable"});"#);
    assert!(down.headers.contains_key("retry-after") && w.events.count("fault") == 1);
    w.store.set_down(false);
    assert!(w.lives(&own.access).await);
    says(&ask("unknown", "app").await, "/**/pkg.fn();");
    let late = ask("unknown", "app").await;
    says(&late, r#"/**/pkg.fn({"error":"temporarily_unavailable"});"#);
    assert_eq!(late.header("retry-after"), "60");
    let draft = with_jsonp(RevocationMode::Draft2011).await;
    says(
        &call(&draft, &[("token", "unknown"), ("client_id", "app"), ("callback", "f")]).await,
        r#"/**/f({"error":"invalid_token"});"#,
    );
}

// spec: REV-20, REV-24
#[tokio::test]
async fn the_draft_asks_no_page_for_a_client_and_rfc_7009_does() {
    let w = with_jsonp(RevocationMode::Draft2011).await;
    let (public, confidential) = (w.tokens(APP).await, w.tokens(WEB).await);
    let ask = async |w: &World, token: &str| call(w, &[("token", token), ("callback", "f")]).await;
    says(&ask(&w, &confidential.access).await, r#"/**/f({"error":"invalid_client"});"#);
    assert!(w.lives(&confidential.access).await);
    says(&ask(&w, &public.access).await, "/**/f();");
    assert!(!w.lives(&public.access).await);
    // A name, where there is one, counts.
    let tokens = w.tokens(APP).await;
    let foreign = call(&w, &[("token", &tokens.access), ("client_id", "other-app"), ("callback", "f")]).await;
    says(&foreign, r#"/**/f({"error":"unauthorized_client"});"#);
    let w = with_jsonp(RevocationMode::Rfc7009).await;
    let token = w.tokens(APP).await.access;
    says(&ask(&w, &token).await, r#"/**/f({"error":"invalid_client"});"#);
    assert!(w.lives(&token).await);
}

// spec: REV-22
#[tokio::test]
async fn a_bad_callback_is_refused_without_being_repeated_and_revokes_nothing() {
    for mode in MODES {
        let w = with_jsonp(mode).await;
        let token = w.tokens(APP).await.access;
        let long = "f".repeat(129);
        let bad = ["alert(1)", "f;g", "<script>", "a..b", ".a", "1a", "a b", "a\u{2028}", "ƒ", "'", "", &long];
        for callback in bad {
            let answer = call(&w, &[("token", &token), ("client_id", "app"), ("callback", callback)]).await;
            answer.is_refused(400, "invalid_request");
            assert!(callback.is_empty() || !answer.body.contains(callback), "{answer}");
        }
        call(&w, &[("token", &token), ("client_id", "app")]).await.is_refused(400, "invalid_request");
        let twice = [("token", &*token), ("client_id", "app"), ("callback", "f"), ("callback", "g")];
        call(&w, &twice).await.is_refused(400, "invalid_request");
        w.get(&format!("/revoke?client_id=app&token={token}&callback=f&x=%zz"))
            .await
            .is_refused(400, "invalid_request");
        assert!(w.lives(&token).await, "{mode:?}");
        let longest = "f".repeat(128);
        let answer = call(&w, &[("token", &token), ("client_id", "app"), ("callback", &longest)]).await;
        says(&answer, &format!("/**/{longest}();"));
    }
}

// spec: REV-24
#[tokio::test]
async fn jsonp_is_for_public_clients_and_a_url_is_no_place_for_a_secret() {
    for mode in MODES {
        let w = with_jsonp(mode).await;
        let token = w.tokens(WEB).await.access;
        let base = [("token", &*token), ("client_id", "web"), ("callback", "f")];
        says(&call(&w, &base).await, r#"/**/f({"error":"invalid_client"});"#);
        for secret in [("client_secret", "web-secret-7Xk2"), ("client_assertion", "a.b.c")] {
            says(&call(&w, &[&base[..], &[secret]].concat()).await, r#"/**/f({"error":"invalid_request"});"#);
        }
        // Nor is a header a way round.
        let query = format!("/revoke?token={token}&callback=f");
        let request = Request::get(query).header(header::AUTHORIZATION, basic("web:web-secret-7Xk2"));
        says(&w.send(request.body(Default::default()).unwrap()).await, r#"/**/f({"error":"invalid_client"});"#);
        assert!(w.lives(&token).await, "{mode:?}");
    }
}

// spec: REV-20, REV-21
#[tokio::test]
async fn only_get_is_added_and_never_in_the_mode_of_matrix() {
    let w = with_jsonp(RevocationMode::Rfc7009).await;
    let token = w.tokens(APP).await.access;
    for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let uri = format!("/revoke?token={token}&client_id=app&callback=f");
        let answer = w.send(Request::builder().method(method).uri(uri).body(Default::default()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST"));
    }
    assert!(w.lives(&token).await);
    // `callback` in a form is nothing.
    w.post("/revoke", APP, &[("token", &token), ("callback", "f")]).await.is_revoked();
    let failed = w
        .another(|builder| {
            builder.revocation(|policy| {
                *policy = RevocationPolicy::new(RevocationMode::Matrix);
                policy.jsonp = true;
            })
        })
        .await;
    assert!(matches!(failed, Err(BuildError::Revocation { setting: "jsonp", .. })));
}
