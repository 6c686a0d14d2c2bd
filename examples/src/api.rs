//! A small protected API: the same in front of any authorization server.

use axum::{
    Json, Router,
    extract::Request,
    http::HeaderName,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use oauth_axum_rs::{ResourceServer, ResourceServerExt, Scope, Token, oauth_tower::resource::ResourceServerBuilder};
use serde_json::{Map, Value, json};
use url::{Host, Url};

/// FAPI 2.0 clients follow a request through the logs of both sides by it.
const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

/// `/api/whoami` for any valid token, `/api/albums` for one with the scope
/// that the method needs; all of it for tokens with the scope `required`. And
/// the metadata, for everyone.
pub fn router(server: &ResourceServer, required: &Scope) -> Router {
    let any = || server.layer().require(required);
    let read = any().require_scope("albums:read");
    let write = any().require_scope("albums:write");
    Router::new()
        .route("/api/whoami", get(whoami).post(whoami).route_layer(any()))
        .route("/api/albums", get(albums).route_layer(read))
        .route("/api/albums", post(add_album).route_layer(write))
        .layer(middleware::from_fn(echo_interaction_id))
        .merge(server.metadata_router())
}

/// Publishes what the API is and takes (RFC 9728), where its identifier is an
/// address that can be asked: the document at its well-known path, and the
/// document's address in every challenge. In `development`, an address of this
/// machine may be one of plain http.
pub fn published<S>(
    builder: ResourceServerBuilder<S>,
    identifier: &str,
    development: bool,
) -> ResourceServerBuilder<S> {
    let builder = builder.scopes("albums:read albums:write");
    let builder = if development { builder.insecure_http() } else { builder };
    let is_address = identifier.starts_with("https://") || (development && is_loopback(identifier));
    if is_address { builder.advertise_metadata() } else { builder }
}

/// Where plain http will do in development.
fn is_loopback(identifier: &str) -> bool {
    let Ok(url) = Url::parse(identifier) else { return false };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && is_here
}

/// Whether `text` can name an API (RFC 8707 section 2): "an absolute URI",
/// which "MUST NOT include a fragment component".
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    Url::parse(text).is_ok() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// What the token says, as far as it says anything.
async fn whoami(token: Token) -> Json<Value> {
    let mut known = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            known.insert(name.to_owned(), value);
        }
    };
    let audience = match token.audience() {
        [] => None,
        [one] => Some(json!(one)),
        many => Some(json!(many)),
    };
    say("sub", Some(json!(token.subject())));
    say("client_id", token.client_id().map(|id| json!(id)));
    say("scope", (!token.scope().is_empty()).then(|| json!(token.scope())));
    say("token_type", Some(json!(token.token_type().as_str())));
    say("aud", audience);
    say("exp", token.expires_at().map(|time| json!(time)));
    say("cnf", token.confirmation().map(|cnf| json!(cnf)));
    Json(known.into())
}

async fn albums() -> Json<Value> {
    Json(json!({ "albums": ["Kind of Blue", "Blue Train"] }))
}

async fn add_album(token: Token) -> Json<Value> {
    Json(json!({ "added_by": token.subject() }))
}

async fn echo_interaction_id(request: Request, next: Next) -> Response {
    let id = request.headers().get(INTERACTION_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(INTERACTION_ID, id);
    }
    response
}
