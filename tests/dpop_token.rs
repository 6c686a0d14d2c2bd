//! Tokens that are bound to a key of the client's, as the authorization server issues them (RFC 9449, RFC 8705
//! section 3).

mod api;
mod certificate;
mod code;
mod metadata;
mod nonces;
mod proofs;
mod refresh;

use http::HeaderValue;
use oauth_core::{
    client::{Client, GrantType},
    clock::{Clock, SystemRandom},
    dpop::DpopKey,
    jwt::Algorithm,
    server::AuthorizationServerBuilder,
};

use crate::support::*;

fn wallet() -> DpopKey {
    DpopKey::generate(Algorithm::ES256).unwrap()
}

/// A proof for a POST to `path` of this server, made now.
fn proof_at(w: &World, key: &DpopKey, path: &str, nonce: Option<&str>) -> String {
    let url = format!("{}{path}", w.server.issuer());
    key.proof("POST", &url, None, nonce, w.clock.now(), &SystemRandom).unwrap()
}

/// A proof for the token endpoint, made now.
fn proof(w: &World, key: &DpopKey) -> String {
    proof_at(w, key, "/token", None)
}

/// POSTs `params` with these proofs.
async fn post_with(w: &World, uri: &str, caller: Caller, params: &[(&str, &str)], proofs: &[&str]) -> Answer {
    let mut request = post(uri, caller, params);
    for proof in proofs {
        request.headers_mut().append("dpop", HeaderValue::from_str(proof).unwrap());
    }
    w.send(request).await
}

async fn redeem_with(w: &World, caller: Caller, code: &str, proofs: &[&str]) -> Answer {
    post_with(w, "/token", caller, &redemption(code), proofs).await
}

async fn refresh_with(w: &World, caller: Caller, token: &str, proofs: &[&str]) -> Answer {
    let params = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post_with(w, "/token", caller, &params, proofs).await
}

/// The tokens of a fresh grant for `caller`, asked for with `key`.
async fn bound_tokens(w: &World, caller: Caller, key: &DpopKey) -> Tokens {
    let code = w.code(caller).await;
    redeem_with(w, caller, &code, &[&proof(w, key)]).await.tokens()
}

/// A token for the client itself.
const FOR_ITSELF: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// A public client that wants no bearer tokens.
const CAREFUL: Caller = Caller::Public("careful");

fn with_careful(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = Client::builder(CAREFUL.id()).redirect_uri(CALLBACK).scope("read write");
    let client = client.grant_type(GrantType::REFRESH_TOKEN).tokens(|tokens| tokens.dpop_bound_access_tokens = true);
    builder.client(client.build().unwrap())
}
