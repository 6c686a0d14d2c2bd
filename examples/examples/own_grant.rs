//! A grant of one's own: the meters of an energy supplier get tokens for a code that
//! only the meter itself can compute, as they always have.
//!
//!     cargo run -p examples --example own_grant
//!     cargo test -p examples --example own_grant
//!     curl -u gateway:gateway-secret -d grant_type=https://grid.example/oauth/meter-code \
//!          -d meter=meter-17 -d code=924-117 http://127.0.0.1:9400/token
//!
//! The token endpoint has authenticated the client, looked whether it is registered
//! for this grant, and verified proofs of its keys. We judge the code and say whose it
//! is; then the server narrows the scope, makes the grant, and stores it with its token
//! in one step. The metadata name the grant by themselves.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client,
    oauth_core::{
        client::{ClientSecret, GrantType},
        error::OAuthError,
        grant::{GrantFuture, NewGrant, TokenGrant, TokenRequest},
        server::AuthorizationServerBuilder,
    },
};
use tokio::net::TcpListener;

/// An absolute URI, as OAuth 2.1 section 4.3 wants it.
const METER_CODE: GrantType = GrantType::from_static("https://grid.example/oauth/meter-code");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let meters = Meters::new([("meter-17", "924-117")]);
    let server = server("http://127.0.0.1:9400", meters)?.build().await?;
    axum::serve(TcpListener::bind("127.0.0.1:9400").await?, server.router()).await?;
    Ok(())
}

fn server(issuer: &str, meters: Meters) -> Result<AuthorizationServerBuilder, Box<dyn std::error::Error>> {
    let gateway = Client::builder("gateway")
        .secret(ClientSecret::new(&"gateway-secret".into()))
        .grant_type(METER_CODE)
        .scope("readings:write readings:read");
    Ok(AuthorizationServer::builder(issuer).insecure_development().client(gateway.build()?).grant(meters))
}

/// The next code of each meter. A real one would compute it, and keep in a database
/// that it was used.
struct Meters(Mutex<HashMap<String, String>>);

impl Meters {
    fn new<const N: usize>(codes: [(&str, &str); N]) -> Self {
        Self(Mutex::new(codes.map(|(meter, code)| (meter.to_owned(), code.to_owned())).into()))
    }

    /// Whether it is the code. It is then used: of two who come with it, one is told so.
    fn redeem(&self, meter: &str, code: &str) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = codes.get(meter).is_some_and(|known| known == code);
        good && codes.remove(meter).is_some()
    }
}

impl TokenGrant for Meters {
    fn grant_type(&self) -> GrantType {
        METER_CODE
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async move {
            let (meter, code) = (request.params().require("meter")?, request.params().require("code")?);
            if !self.redeem(meter, code) {
                // The same for a meter that does not exist.
                return Err(OAuthError::invalid_grant("that is not the code of this meter").into());
            }
            // Whatever the gateway is registered for, a meter only delivers.
            let scope = "readings:write".parse().map_err(|_| OAuthError::invalid_scope("there is no such scope"))?;
            Ok(request.issue(server, NewGrant::for_subject(meter).scope(scope)).await?.into())
        })
    }
}

/// Codes stay out of logs.
impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters(..)")
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn get(server: &AuthorizationServer, request: Request<Body>) -> Value {
        let response = server.router().oneshot(request).await.unwrap();
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    async fn token(server: &AuthorizationServer, more: &str) -> Value {
        let form = format!("grant_type=https%3A%2F%2Fgrid.example%2Foauth%2Fmeter-code{more}");
        let request = Request::post("/token")
            .header("authorization", "Basic Z2F0ZXdheTpnYXRld2F5LXNlY3JldA==")
            .header("content-type", "application/x-www-form-urlencoded");
        get(server, request.body(Body::from(form)).unwrap()).await
    }

    async fn running() -> AuthorizationServer {
        let meters = Meters::new([("meter-17", "924-117"), ("meter-18", "100-004")]);
        server("http://127.0.0.1:9400", meters).unwrap().build().await.unwrap()
    }

    #[tokio::test]
    async fn a_code_brings_a_token_of_the_meter_once_and_no_more_than_it_is_worth() {
        let server = running().await;
        assert_eq!(token(&server, "&meter=meter-17").await["error"], "invalid_request");
        assert_eq!(token(&server, "&meter=meter-17&code=1").await["error"], "invalid_grant");
        let answer = token(&server, "&meter=meter-17&code=924-117").await;
        assert_eq!((&answer["scope"], &answer["refresh_token"]), (&"readings:write".into(), &Value::Null));
        let access = answer["access_token"].as_str().unwrap();
        let claims = server.validate_access(access).await.unwrap().unwrap().claims;
        assert_eq!((claims.sub.as_str(), claims.client_id.as_str()), ("meter-17", "gateway"));
        assert_eq!(token(&server, "&meter=meter-17&code=924-117").await["error"], "invalid_grant");
        let wide = "&meter=meter-18&code=100-004&scope=readings%3Aread";
        assert_eq!(token(&server, wide).await["error"], "invalid_scope");
    }

    #[tokio::test]
    async fn the_metadata_name_it() {
        let path = "/.well-known/oauth-authorization-server";
        let metadata = get(&running().await, Request::get(path).body(Body::empty()).unwrap()).await;
        assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&METER_CODE.as_str().into()));
    }
}
