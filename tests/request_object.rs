//! Requests that the client has signed: `request` and `request_uri` (RFC 9101).

mod accepted;
mod claims;
mod header;
mod openid;
mod pushed;
mod reference;
mod required;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use oauth_core::{
    client::{Client, ClientBuilder, ClientJwks},
    jwt::{self, Algorithm},
    keys::SigningKey,
    server::AuthorizationServerBuilder,
};
use serde_json::{Value, json};

use crate::support::*;

/// The clock of every test server.
const NOW: u64 = 1_800_000_000;

/// A public client with keys, which is all that it takes.
const SIGNER: Caller = Caller::Public("signer");

const METADATA: &str = "/.well-known/oauth-authorization-server";

struct Signer(SigningKey);

impl Signer {
    fn new() -> Self {
        Self::with(Algorithm::ES256)
    }

    fn with(algorithm: Algorithm) -> Self {
        Self(SigningKey::generate(algorithm).unwrap())
    }

    fn client(&self) -> ClientBuilder {
        let client = Client::builder("signer").redirect_uri(CALLBACK).scope("read write");
        client.jwks(ClientJwks::of([&self.0]))
    }

    /// A world that knows it.
    async fn world(&self) -> World {
        self.world_with(|builder| builder).await
    }

    async fn world_with(&self, set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder) -> World {
        on_memory_with(|builder| set(builder.client(self.client().build().unwrap()))).await
    }

    fn sign(&self, claims: &Value) -> String {
        jwt::sign(&self.0, "oauth-authz-req+jwt", claims).unwrap()
    }

    /// The very texts, signed by another library; ES256 alone.
    fn sign_text(&self, header: &str, claims: &str) -> String {
        let input = unsigned(header, claims);
        let pkcs8 = self.0.to_pkcs8().unwrap();
        let key = EncodingKey::from_ec_der(pkcs8.as_bytes());
        let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, jsonwebtoken::Algorithm::ES256);
        format!("{input}.{}", signature.unwrap())
    }

    fn header(&self) -> Value {
        json!({ "alg": self.0.algorithm().as_str(), "kid": self.0.kid(), "typ": "oauth-authz-req+jwt" })
    }
}

fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A request with nothing wrong.
fn claims() -> Value {
    json!({
        "iss": "signer", "aud": ISSUER, "iat": NOW, "exp": NOW + 300, "jti": "1",
        "client_id": "signer", "response_type": "code", "redirect_uri": CALLBACK, "state": "inside", "scope": "read",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

/// `claims` with these members, without those that are null.
fn with(mut claims: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// What the browser brings: the client's name, and the object.
fn bring(object: &str) -> Ask {
    let names = ["response_type", "redirect_uri", "code_challenge", "code_challenge_method"];
    names.into_iter().fold(Ask::of(SIGNER), Ask::without).with("request", object)
}

async fn get(w: &World, ask: &Ask) -> Answer {
    w.get(&ask.uri()).await
}

#[track_caller]
fn is_parked(answer: &Answer) {
    assert!(answer.location().starts_with("/interaction?id="), "{answer}");
}

/// The client hears of it, at the one redirect URI it has, and of nothing that was in the object.
#[track_caller]
fn is_invalid(answer: &Answer) {
    let response = answer.is_error_redirect("invalid_request_object");
    assert_eq!(response.get("state"), None, "{answer}");
}
