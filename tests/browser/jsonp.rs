//! Revocation by JSONP: a page of the application calls the server, which is another origin, with nothing but a script
//! element (RFC 7009 section 2.3).

use oauth_core::engine::revocation::RevocationPolicy;
use serde_json::{Value, json};

use crate::support::{
    APP, ISSUER, OTHER_APP,
    chromium::{APP_HOME, Chromium, Site},
};

async fn site(set: impl Fn(&mut RevocationPolicy)) -> Site {
    Site::with(|builder| builder.revocation(&set), |pages| pages).await
}

/// What comes of a script element that calls with `query`: what the function `pkg.fn` was given, or that no script ran.
async fn call(browser: &Chromium, query: &str) -> Value {
    let script = format!(
        "new Promise((done) => {{
            window.pkg = {{ fn: (...given) => done({{ given }}) }};
            const script = document.createElement('script');
            script.onload = () => setTimeout(() => done('it ran, and called nobody'));
            script.onerror = () => done('it did not run');
            script.src = '{ISSUER}/revoke?{query}';
            document.head.append(script);
        }})"
    );
    browser.ask(&script).await
}

// spec: REV-20, REV-23
#[tokio::test]
async fn a_page_of_another_origin_revokes_by_a_script_whose_function_is_called() {
    let site = site(|policy| policy.jsonp = true).await;
    let mut browser = site.browser().await;
    browser.visit(APP_HOME).await;
    let (own, foreign) = (site.world.tokens(APP).await, site.world.tokens(OTHER_APP).await);
    let done = call(&browser, &format!("token={}&client_id=app&callback=pkg.fn", own.access)).await;
    assert_eq!(done, json!({ "given": [] }));
    assert!(!site.world.lives(&own.access).await);
    let refused = call(&browser, &format!("token={}&client_id=app&callback=pkg.fn", foreign.access)).await;
    assert_eq!(refused, json!({ "given": [{ "error": "invalid_grant" }] }));
    site.world.store.set_down(true);
    let down = call(&browser, &format!("token={}&client_id=app&callback=pkg.fn", foreign.access)).await;
    assert_eq!(down, json!({ "given": [{ "error": "temporarily_unavailable" }] }));
    site.world.store.set_down(false);
    // JSON is no script, and `nosniff` keeps it from being one.
    let bad = call(&browser, &format!("token={}&client_id=app&callback=alert(1)", foreign.access)).await;
    assert_eq!(bad, "it did not run");
    assert!(site.world.lives(&foreign.access).await);
}

// spec: REV-21
#[tokio::test]
async fn where_it_is_not_switched_on_no_script_runs() {
    let site = site(|_| {}).await;
    let mut browser = site.browser().await;
    browser.visit(APP_HOME).await;
    let token = site.world.tokens(APP).await.access;
    let answer = call(&browser, &format!("token={token}&client_id=app&callback=pkg.fn")).await;
    assert_eq!(answer, "it did not run");
    assert!(site.world.lives(&token).await);
}
