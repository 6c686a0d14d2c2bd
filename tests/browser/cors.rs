//! Revocation by a script of another origin (RFC 7009 section 2.3, Matrix).

use oauth_core::engine::revocation::{RevocationMode, RevocationPolicy};
use serde_json::Value;

use crate::support::{
    APP, ISSUER, RESOURCE_SERVER, Reference, Remote, WEB, basic,
    chromium::{APP_HOME, Chromium, Site},
};

/// What a script learns: the status and the body, or `null` if the browser does not let it.
async fn fetch(browser: &Chromium, url: &str, headers: &str, form: &str) -> Value {
    let script = format!(
        "fetch('{url}', {{ method: 'POST', headers: {headers}, body: new URLSearchParams('{form}') }})
            .then(async (response) => [response.status, await response.text()], () => null)"
    );
    browser.ask(&script).await
}

/// The program, whose file lets scripts of `origin` in, and what `web` has of it.
async fn program_for(origin: &str) -> (Reference, crate::support::Program, Remote, String) {
    let reference = Reference::with(&format!("[cors]\norigins = [\"{origin}\"]\n"));
    let program = reference.start();
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    let token = remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens().access;
    (reference, program, remote, token)
}

// spec: REV-19
#[tokio::test]
async fn a_script_revokes_where_its_origin_is_allowed_and_is_kept_out_where_it_is_not() {
    let site = Site::new().await;
    for (origin, allowed) in [("https://app.example", true), ("https://other.example", false)] {
        let (reference, _program, remote, token) = program_for(origin).await;
        let mut browser = site.browser_at("localhost", reference.port).await;
        browser.visit(APP_HOME).await;
        let (url, form) = (format!("{}/revoke", reference.issuer), format!("token={token}"));
        let headers = format!("{{ authorization: '{}' }}", basic("web:web-secret-7Xk2"));
        let answer = fetch(&browser, &url, &headers, &form).await;
        let expected = if allowed { serde_json::json!([200, ""]) } else { Value::Null };
        assert_eq!(answer, expected, "{origin}");
        // The browser asked first, and where it heard no, it sent nothing.
        let lives = remote.introspect(RESOURCE_SERVER, &token).await.member("active") == true;
        assert_eq!(lives, !allowed, "{origin}");
    }
}

// spec: REV-19
#[tokio::test]
async fn in_the_mode_of_matrix_a_script_of_any_origin_logs_out() {
    let matrix = |policy: &mut RevocationPolicy| *policy = RevocationPolicy::new(RevocationMode::Matrix);
    let site = Site::with(|builder| builder.revocation(matrix), |pages| pages).await;
    let mut browser = site.browser().await;
    browser.visit(APP_HOME).await;
    let token = site.world.tokens(APP).await.access;
    let (url, headers) = (format!("{ISSUER}/revoke"), "{ 'x-requested-with': 'XMLHttpRequest' }");
    let answer = fetch(&browser, &url, headers, &format!("token={token}&client_id=app")).await;
    assert_eq!(answer, serde_json::json!([200, "{}"]));
    assert!(!site.world.lives(&token).await);
    // Refusals can be read too.
    let refused = fetch(&browser, &url, headers, "client_id=app").await;
    assert_eq!(refused[0], 400, "{refused}");
    assert!(refused[1].as_str().unwrap().contains("invalid_request"));
}
