//! One API that takes the tokens of three authorization servers: its own,
//! asked in process; another, whose JWTs are verified; and a partner's, which
//! is asked about each opaque token.
//!
//!     cargo run -p examples --example several_issuers
//!     curl -i -H 'Authorization: Bearer partner_1234' http://127.0.0.1:9400/notes
//!     TOKEN=$(curl -s -u robot:a-long-and-random-secret -d grant_type=client_credentials \
//!       http://127.0.0.1:9400/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
//!     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9400/notes
//!
//! A JWT to try is printed. Each time one sees whose token it was. A token goes
//! to one issuer alone: by the `iss` of a JWT, by the prefix of the partner's,
//! and all other opaque ones are looked up in process.

use axum::{Router, response::IntoResponse, routing::get};
use bytes::Bytes;
use examples::{say, stand_in::StandIn};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, Issuer, ResourceServer, Token,
    oauth_core::client::{ClientSecret, GrantType},
    oauth_tower::outgoing::HttpClient,
};
use serde_json::json;
use tokio::net::TcpListener;
use tower::service_fn;

const API: &str = "http://127.0.0.1:9400";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let elsewhere = StandIn::new("https://as.example");
    let app = app(&elsewhere).await?;
    say(format!("curl -i -H 'Authorization: Bearer {}' {API}/notes", elsewhere.token(API, "")));
    axum::serve(TcpListener::bind("127.0.0.1:9400").await?, app).await?;
    Ok(())
}

async fn app(elsewhere: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    let robot = Client::builder("robot")
        .secret(ClientSecret::new(&"a-long-and-random-secret".into()))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .build()?;
    let own = AuthorizationServer::builder(API).client(robot).insecure_development().build().await?;

    let partner = Issuer::introspection("https://partner.example", "https://partner.example/introspect")
        .client_basic("notes", "the secret of this API at the partner")
        .token_prefix("partner_");
    let api = ResourceServer::builder(API)
        .issuer(Issuer::local(own.clone()))
        .issuer(elsewhere.issuer())
        .issuer(partner)
        .http(HttpClient::new(service_fn(partner_answers))) // in earnest, leave this line out
        .build()?;
    Ok(Router::new().route("/notes", get(notes)).layer(api.layer()).merge(own.router()))
}

async fn notes(token: Token) -> impl IntoResponse {
    format!("{} by grace of {}\n", token.subject(), token.issuer())
}

/// What the partner would answer (RFC 7662 section 2.2).
async fn partner_answers(question: Request<Bytes>) -> Result<Response<Full<Bytes>>, http::Error> {
    let mut form = form_urlencoded::parse(question.body());
    let is_active = form.any(|(name, value)| name == "token" && value == "partner_1234");
    let answer = match is_active {
        true => json!({ "active": true, "sub": "bob", "client_id": "their-app", "aud": API }),
        false => json!({ "active": false }),
    };
    Response::builder().header(CONTENT_TYPE, "application/json").body(answer.to_string().into())
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn ask(app: &Router, request: http::request::Builder, body: &'static str) -> (u16, String) {
        let response = app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_token_goes_to_its_own_issuer() {
        let elsewhere = StandIn::new("https://as.example");
        let app = app(&elsewhere).await.unwrap();
        let token = Request::post("/token")
            .header("authorization", "Basic cm9ib3Q6YS1sb25nLWFuZC1yYW5kb20tc2VjcmV0")
            .header("content-type", "application/x-www-form-urlencoded");
        let (_, body) = ask(&app, token, "grant_type=client_credentials").await;
        let own = serde_json::from_str::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned();
        for (token, expected) in [
            (own, (200, "robot by grace of http://127.0.0.1:9400\n")),
            (elsewhere.token(API, ""), (200, "ada by grace of https://as.example\n")),
            ("partner_1234".into(), (200, "bob by grace of https://partner.example\n")),
            ("partner_5678".into(), (401, "")),
            (StandIn::new("https://as.example").token(API, ""), (401, "")),
            (StandIn::new("https://partner.example").token(API, ""), (401, "")),
        ] {
            let request = Request::get("/notes").header("authorization", format!("Bearer {token}"));
            let (status, body) = ask(&app, request, "").await;
            assert_eq!((status, &*body), expected, "{token}");
        }
    }
}
