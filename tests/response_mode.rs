//! How the authorization response travels: in the query, in the fragment, or in a form that the browser posts.

use oauth_core::{client::Client, engine::authorization::ResponseMode, params::Params};

use crate::support::*;

fn with_mode(mode: &str) -> Ask {
    Ask::of(APP)
        .with("prompt", "consent")
        .with("response_mode", mode)
        .with("state", "\"><script>alert(1)</script>&amp;")
}

/// The answer to `ask`, once alice has agreed.
async fn agreed(w: &World, ask: &Ask) -> Answer {
    Browser::new(w).press(ask, "approve").await
}

/// What a page posts to the callback, and nowhere else.
#[track_caller]
fn posted(page: &Answer) -> Params {
    assert_eq!(page.status, 200, "{page}");
    assert!(page.body.contains(&format!(r#"<form method="post" action="{CALLBACK}">"#)), "{page}");
    let fields = page.body.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        let value = rest.split_once("\">").unwrap().0;
        let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        (name, value)
    });
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    Params::parse(&form.finish()).unwrap()
}

// spec: AUZ-31
#[tokio::test]
async fn the_fragment_carries_the_same_as_the_query() {
    let w = on_memory().await;
    for (mode, joint) in [("query", '?'), ("fragment", '#')] {
        let success = agreed(&w, &with_mode(mode)).await;
        let query = success.location().strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix(joint)).unwrap();
        let params = Params::parse(query).unwrap();
        assert_eq!(params.get("state"), Some("\"><script>alert(1)</script>&amp;"));
        assert_eq!(params.get("iss"), Some(ISSUER));
        w.redeem(APP, params.get("code").unwrap()).await.tokens();
        let error = w.get(&with_mode(mode).with("scope", "nonsense").uri()).await;
        assert!(error.location().starts_with(&format!("{CALLBACK}{joint}error=invalid_scope&")), "{error}");
    }
}

// spec: AUZ-31
#[tokio::test]
async fn a_mode_that_is_not_offered_is_an_error_in_the_default_mode() {
    let only_query = on_memory_with(|b| b.authorization(|settings| settings.response_modes = Vec::new())).await;
    for mode in ["fragment", "form_post", "query.jwt", "web_message", "QUERY"] {
        only_query.get(&with_mode(mode).uri()).await.is_error_redirect("invalid_request");
    }
    let metadata = only_query.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("response_modes_supported"), serde_json::json!(["query"]));
    assert!(only_query.get(&with_mode("query").uri()).await.location().starts_with("/interaction?id="));

    let all = on_memory().await;
    let metadata = all.get("/.well-known/oauth-authorization-server").await;
    let names = ResponseMode::ALL.map(ResponseMode::as_str);
    assert_eq!(metadata.member("response_modes_supported"), serde_json::json!(names));
    all.get(&with_mode("jwt").uri()).await.is_error_redirect("invalid_request");
}

// spec: AUZ-32, AUZ-13
#[tokio::test]
async fn form_post_is_a_page_whose_form_goes_to_the_redirect_uri_by_itself() {
    let w = on_memory().await;
    let page = agreed(&w, &with_mode("form_post")).await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(!page.body.contains("<script>alert"), "{page}");
    let fields = posted(&page);
    assert_eq!(fields.get("state"), Some("\"><script>alert(1)</script>&amp;"));
    assert_eq!(fields.get("iss"), Some(ISSUER));
    w.redeem(APP, fields.get("code").unwrap()).await.tokens();

    let error = posted(&w.get(&with_mode("form_post").with("scope", "nonsense").uri()).await);
    assert_eq!((error.get("error"), error.get("code")), (Some("invalid_scope"), None));
    let denied = posted(&Browser::new(&w).press(&with_mode("form_post"), "deny").await);
    assert_eq!(denied.get("error"), Some("access_denied"));
}

// spec: AUZ-32
#[tokio::test]
async fn the_script_of_the_page_is_known_by_its_hash_and_no_other_runs() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let w = on_memory().await;
    let page = agreed(&w, &with_mode("form_post")).await;
    let script = page.body.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let digest = oauth_core::secret::Digest::of(&[script.as_bytes()]);
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("script-src 'sha256-{}';", STANDARD.encode(digest.as_bytes()))), "{policy}");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("form-action 'self' https://app.example"), "{policy}");
}

#[tokio::test]
async fn no_browser_posts_a_form_to_the_scheme_of_an_app() {
    let native = Client::builder("native").redirect_uri("com.example.app:/callback").scope("read").build().unwrap();
    let w = on_memory_with(|builder| builder.client(native.clone())).await;
    let ask = Ask::of(Caller::Public("native")).with("redirect_uri", "com.example.app:/callback");
    let answer = w.get(&ask.with("response_mode", "form_post").uri()).await;
    assert!(answer.redirected_to("com.example.app:/callback").get("error") == Some("invalid_request"), "{answer}");
}

// spec: AUZ-32
#[tokio::test]
async fn a_line_break_comes_back_as_it_was() {
    let w = on_memory().await;
    let page = agreed(&w, &with_mode("form_post").with("state", "a\r\nb\nc")).await;
    assert!(page.body.contains("value=\"a&#13;&#10;b&#10;c\""), "{page}");
}
