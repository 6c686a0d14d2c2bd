//! A page that greets whoever has a token, and everybody else too.
//!
//!     cargo run -p examples --example optional_authentication
//!
//! It prints a token to try with curl. Without a token, `/` says "hello
//! stranger"; with it, "hello ada". A bad token is 401 all the same: a client
//! that has one should hear that it is no longer good, and not be taken for
//! nobody. `/me` wants a token after all, behind the same layer.

use axum::{Router, routing::get};
use examples::{say, stand_in::StandIn};
use oauth_axum_rs::{ResourceServer, Token};
use tokio::net::TcpListener;

const API: &str = "http://127.0.0.1:9500";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let app = app(&issuer)?;
    say(format!("curl -i {API}/"));
    say(format!("curl -i -H 'Authorization: Bearer {}' {API}/", issuer.token(API, "")));
    say(format!("curl -i -H 'Authorization: Bearer junk' {API}/"));
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app).await?;
    Ok(())
}

fn app(issuer: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).build()?;
    let routes = Router::new().route("/", get(front_page)).route("/me", get(me));
    Ok(routes.layer(api.layer().optional()))
}

/// `None` is somebody without credentials, never somebody with bad ones.
async fn front_page(token: Option<Token>) -> String {
    token.map_or_else(|| "hello stranger\n".to_owned(), |token| format!("hello {}\n", token.subject()))
}

/// Without `Option`, a stranger gets the 401 of the layer.
async fn me(token: Token) -> String {
    format!("you are {}\n", token.subject())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(app: &Router, path: &str, token: Option<&str>) -> (u16, String) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 1000).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn strangers_are_welcome_and_bad_tokens_are_not() {
        let issuer = StandIn::new("https://as.example");
        let app = app(&issuer).unwrap();
        let token = issuer.token(API, "");
        assert_eq!(ask(&app, "/", None).await, (200, "hello stranger\n".into()));
        assert_eq!(ask(&app, "/", Some(&token)).await, (200, "hello ada\n".into()));
        assert_eq!(ask(&app, "/", Some("junk")).await.0, 401);
        assert_eq!(ask(&app, "/me", None).await.0, 401);
        assert_eq!(ask(&app, "/me", Some(&token)).await, (200, "you are ada\n".into()));
    }
}
