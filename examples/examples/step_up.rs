//! Some things need a better sign-in than others (step-up, RFC 9470).
//!
//!     cargo run -p examples --example step_up
//!
//! It prints two tokens of ada's to try with curl: both read the balance, and
//! only the one that says "signed in just now, with a second factor" moves
//! money. The other gets 401 `insufficient_user_authentication`, with what to
//! ask the authorization server for: `acr_values="mfa", max_age=300`. A client
//! goes there with these two parameters and comes back with a better token.

use axum::{
    Router,
    routing::{get, post},
};
use examples::{say, stand_in::StandIn};
use oauth_axum_rs::{
    ResourceServer, Token,
    oauth_core::clock::{Clock, SystemClock},
    oauth_tower::resource::{Policy, Require},
};
use tokio::net::TcpListener;

const API: &str = "http://127.0.0.1:9500";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let app = app(&issuer)?;
    for (what, token) in [
        ("a password, an hour ago", token(&issuer, "pwd", 3600)),
        ("a second factor, just now", token(&issuer, "mfa", 0)),
    ] {
        say(format!("# {what}"));
        say(format!("curl -i -H 'Authorization: Bearer {token}' {API}/balance"));
        say(format!("curl -i -X POST -H 'Authorization: Bearer {token}' {API}/transfer\n"));
    }
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app).await?;
    Ok(())
}

fn app(issuer: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).build()?;
    // One of these contexts, best liked first, and at most five minutes ago.
    let signed_in_well = Policy::new().acr(["mfa"]).max_age(300);
    let transfer = post(async |token: Token| format!("a transfer of {}'s\n", token.subject()));
    let app = Router::new()
        .route("/balance", get(async |token: Token| format!("the balance of {}\n", token.subject())))
        .route("/transfer", transfer.layer(Require::new(signed_in_well)));
    Ok(app.layer(api.layer()))
}

/// A token of somebody who signed in like this, so many seconds ago.
fn token(issuer: &StandIn, acr: &str, seconds: u64) -> String {
    issuer.token_with(API, "", |claims| {
        claims.acr = Some(acr.to_owned());
        claims.auth_time = Some(SystemClock.now().saturating_sub(seconds));
    })
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::Response};
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn send(app: &Router, method: &str, path: &str, token: &str) -> Response {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_better_sign_in_is_asked_for_where_it_is_needed() {
        let issuer = StandIn::new("https://as.example");
        let app = app(&issuer).unwrap();
        for (acr, seconds, status) in [("mfa", 0, 200), ("pwd", 0, 401), ("mfa", 3600, 401)] {
            let token = token(&issuer, acr, seconds);
            assert_eq!(send(&app, "GET", "/balance", &token).await.status(), 200);
            let response = send(&app, "POST", "/transfer", &token).await;
            assert_eq!(response.status(), status, "{acr}, {seconds} s ago");
            if status == 401 {
                let challenge = response.headers()["www-authenticate"].to_str().unwrap();
                assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
                assert!(challenge.contains(r#"acr_values="mfa""#), "{challenge}");
                assert!(challenge.contains("max_age"), "{challenge}");
            }
        }
    }
}
