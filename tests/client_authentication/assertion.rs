//! Assertions as other programs make them, and as nobody should.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use oauth_core::{
    client::{AuthMethod, Client, ClientBuilder, ClientJwks, ClientSecret, GrantType},
    jwt::Algorithm,
    keys::SigningKey,
};
use serde_json::{Value, json};

use super::{PARAMS, send};
use crate::support::*;

pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The clock of every test server.
pub(super) const NOW: u64 = 1_800_000_000;

/// Long enough for every hash.
pub(super) const SECRET: &str = "a secret of sixty-four bytes, which is as many as SHA-512 has ..";

/// A key, and the client that has it.
pub(super) struct Signer {
    pub(super) client: &'static str,
    pub(super) key: SigningKey,
}

impl Signer {
    pub(super) fn new(client: &'static str, algorithm: Algorithm) -> Self {
        Self { client, key: SigningKey::generate(algorithm).unwrap() }
    }

    /// The client with this key, by `private_key_jwt`.
    pub(super) fn builder(&self) -> ClientBuilder {
        let client = Client::builder(self.client).auth_method(AuthMethod::PrivateKeyJwt);
        client.grant_type(GrantType::CLIENT_CREDENTIALS).jwks(ClientJwks::of([&self.key]))
    }

    pub(super) fn registered(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.key.algorithm().as_str(), "kid": self.key.kid() })
    }

    pub(super) fn claims(&self, jti: &str) -> Value {
        claims(self.client, jti)
    }

    /// An assertion with nothing wrong.
    pub(super) fn good(&self, jti: &str) -> String {
        self.sign(&self.header(), &self.claims(jti))
    }

    /// These very texts, signed.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(super) fn sign_text(&self, header: &str, claims: &str) -> String {
        let pkcs8 = self.key.to_pkcs8().unwrap();
        let (key, algorithm) = match self.key.algorithm() {
            Algorithm::ES256 => (EncodingKey::from_ec_der(pkcs8.as_bytes()), jsonwebtoken::Algorithm::ES256),
            Algorithm::EdDSA => (EncodingKey::from_ed_der(pkcs8.as_bytes()), jsonwebtoken::Algorithm::EdDSA),
            other => panic!("{other} is not used like this"),
        };
        sign_text(header, claims, &key, algorithm)
    }
}

/// `header.claims` with the signature that another library makes.
pub(super) fn sign_text(header: &str, claims: &str, key: &EncodingKey, algorithm: jsonwebtoken::Algorithm) -> String {
    let input = unsigned(header, claims);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), key, algorithm).unwrap();
    format!("{input}.{signature}")
}

pub(super) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// An HMAC under `secret`.
pub(super) fn hmac(header: &Value, claims: &Value, secret: &str, algorithm: jsonwebtoken::Algorithm) -> String {
    sign_text(&header.to_string(), &claims.to_string(), &EncodingKey::from_secret(secret.as_bytes()), algorithm)
}

/// The claims of a good assertion of `client`.
pub(super) fn claims(client: &str, jti: &str) -> Value {
    json!({ "iss": client, "sub": client, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": jti })
}

/// A client that shares a secret.
pub(super) fn sharing(client: &str) -> ClientBuilder {
    let secret = ClientSecret::in_memory(SECRET.into());
    let client = Client::builder(client).auth_method(AuthMethod::ClientSecretJwt).secret(secret);
    client.grant_type(GrantType::CLIENT_CREDENTIALS)
}

/// The body with an assertion.
pub(super) fn body(assertion: &str) -> String {
    let encoded = form_urlencoded::byte_serialize(JWT_BEARER.as_bytes()).collect::<String>();
    format!("{PARAMS}&client_assertion_type={encoded}&client_assertion={assertion}")
}

/// What the token endpoint says to it.
pub(super) async fn present(w: &World, assertion: &str) -> Answer {
    send(w, "/token", &[], &body(assertion)).await
}

/// Without limits: tests fail on purpose and often.
pub(super) async fn world(clients: &[Client]) -> World {
    on_memory_with(|builder| {
        let builder = builder.client_authentication(|how| how.failures_per_minute = 0);
        clients.iter().cloned().fold(builder, oauth_core::server::AuthorizationServerBuilder::client)
    })
    .await
}

/// Why the last client was refused.
pub(super) fn why(w: &World) -> String {
    let events = w.events.all();
    let last = events.iter().rfind(|event| event.starts_with("client_authentication_failed ")).unwrap();
    last.split_once("why: ").unwrap().1.trim_end_matches(" }").to_owned()
}

/// `claims` with these members, without those that are null.
pub(super) fn with(mut claims: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}
