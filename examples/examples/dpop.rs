//! Tokens that are of no use to a thief (DPoP, RFC 9449): the server, and a
//! client that proves with each request that it has the key.
//!
//!     cargo run -p examples --example dpop
//!
//! One sees the first request refused with a nonce to use (section 9), the
//! second served, and then what whoever stole the token and that proof gets.

use axum::{Router, body::Body, response::Response, routing::get};
use examples::{say, stand_in::StandIn};
use http::{Request, header::AUTHORIZATION};
use oauth_axum_rs::{
    ResourceServer, Token,
    oauth_core::{
        claims::Confirmation,
        clock::{Clock, SystemClock, SystemRandom},
        dpop::{DpopKey, DpopNonces, ProofError},
        jwt::Algorithm,
    },
    oauth_tower::resource::Dpop,
};
use tower::ServiceExt;

/// Proofs are for this URL, wherever the app listens.
const API: &str = "https://notes.example";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let (app, client) = (app(&issuer)?, Client::new(&issuer)?);
    let first = client.proof(None)?;
    let response = send(&app, &client.token, &first).await?;
    show("without a nonce", &response);
    let nonce = response.headers().get("dpop-nonce").ok_or("no nonce")?.to_str()?;
    let second = client.proof(Some(nonce))?;
    show("with the nonce", &send(&app, &client.token, &second).await?);
    show("the same proof again", &send(&app, &client.token, &second).await?);
    Ok(())
}

fn app(issuer: &StandIn) -> Result<Router, Box<dyn std::error::Error>> {
    // In earnest: 32 random bytes, the same on all nodes.
    let nonces = DpopNonces::from_bytes([7; 32]);
    let api = ResourceServer::builder(API)
        .issuer(issuer.issuer())
        .dpop(Dpop::required().nonces(nonces)) // `optional` would take bearer tokens too
        .build()?;
    let notes = get(async |token: Token| format!("notes of {}\n", token.subject()));
    Ok(Router::new().route("/notes", notes).layer(api.layer()))
}

/// A client has a key, and a token that the authorization server bound to it.
struct Client {
    key: DpopKey,
    token: String,
}

impl Client {
    fn new(issuer: &StandIn) -> Result<Self, Box<dyn std::error::Error>> {
        let key = DpopKey::generate(Algorithm::ES256)?;
        let token = issuer.token_with(API, "", |claims| claims.cnf = Some(Confirmation::dpop(key.jkt())));
        Ok(Self { key, token })
    }

    /// For one request: its method, its URL, the token, now.
    fn proof(&self, nonce: Option<&str>) -> Result<String, ProofError> {
        let url = format!("{API}/notes");
        self.key.proof("GET", &url, Some(&self.token), nonce, SystemClock.now(), &SystemRandom)
    }
}

/// In process; over a network it would be the same two headers.
async fn send(app: &Router, token: &str, proof: &str) -> Result<Response, http::Error> {
    let request = Request::get("/notes").header(AUTHORIZATION, format!("DPoP {token}")).header("dpop", proof);
    let Ok(response) = app.clone().oneshot(request.body(Body::empty())?).await;
    Ok(response)
}

fn show(what: &str, response: &Response) {
    let challenge = response.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
    say(format!("{what}: {} {}", response.status(), challenge.unwrap_or_default()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(response: &Response) -> &str {
        assert_eq!(response.status(), 401);
        response.headers()["www-authenticate"].to_str().unwrap()
    }

    #[tokio::test]
    async fn a_proof_is_good_with_the_nonce_by_its_own_key_and_once() {
        let issuer = StandIn::new("https://as.example");
        let (app, client) = (app(&issuer).unwrap(), Client::new(&issuer).unwrap());
        let response = send(&app, &client.token, &client.proof(None).unwrap()).await.unwrap();
        assert!(challenge(&response).contains("use_dpop_nonce"));
        let nonce = response.headers()["dpop-nonce"].to_str().unwrap();
        let proof = client.proof(Some(nonce)).unwrap();
        assert_eq!(send(&app, &client.token, &proof).await.unwrap().status(), 200);
        assert!(challenge(&send(&app, &client.token, &proof).await.unwrap()).contains("invalid_dpop_proof"));
        // Another key, whose owner has stolen the token.
        let thief = Client { key: DpopKey::generate(Algorithm::ES256).unwrap(), token: client.token.clone() };
        let proof = thief.proof(Some(nonce)).unwrap();
        assert!(challenge(&send(&app, &client.token, &proof).await.unwrap()).contains("invalid_token"));
    }
}
