//! What the two services have in common.

use std::sync::Arc;

use axum::{
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use examples::start;
use oauth_axum_rs::{
    AuthorizationServer, Client, Issuer, Resource, ResourceServer, RootSecret, Secret,
    oauth_tower::{
        client::{ApiClient, TokenClient},
        outgoing::{ClientAuth, HttpClient},
    },
};
use oauth_core::{
    client::{ClientBuilder, ClientSecret},
    engine::reciprocal::ReciprocalSettings,
    store::Store,
    token::TokenType,
};

use crate::Failure;

/// Who the user is at both, who takes no part in this story but by saying yes.
pub(crate) const USER: &str = "ada";

/// The assistant as a client of the music service. Each party got its secret when
/// it registered with the other: never put one into a program.
pub(crate) const ASSISTANT: &str = "voice-assistant";
pub(crate) const ASSISTANT_SECRET: &str = "what-the-assistant-was-given-by-the-music-service";

/// The music service as a client of the assistant.
pub(crate) const MUSIC: &str = "music-service";
pub(crate) const MUSIC_SECRET: &str = "what-the-music-service-was-given-by-the-assistant";

/// Where a service is, and what it remembers.
pub(crate) struct Place {
    pub(crate) url: String,
    /// Where the other one is.
    pub(crate) other: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) root: RootSecret,
}

/// The authorization server there: with an API, and the other party as a client.
pub(crate) async fn authorization_server(
    place: &Place,
    scopes: &str,
    other: ClientBuilder,
    set: impl FnOnce(&mut ReciprocalSettings),
) -> Result<AuthorizationServer, Failure> {
    let api = Resource::new(format!("{}/api", place.url)).scopes(scopes.parse()?);
    // Where the codes and tokens of the other party are, too: sealed under the root
    // secret.
    let builder = AuthorizationServer::builder(&place.url)
        .insecure_development()
        .shared_store(Arc::clone(&place.store))
        .root_secret(place.root.clone())
        .resource(api)
        .client(other.build()?);
    let server = builder.reciprocal(set).build().await?;
    start::spawn_maintenance(server.clone());
    Ok(server)
}

/// The layer in front of the API at `url`.
pub(crate) fn api(url: &str, server: &AuthorizationServer) -> Result<ResourceServer, Failure> {
    Ok(ResourceServer::builder(format!("{url}/api")).issuer(Issuer::local(server.clone())).build()?)
}

/// The other party, as a client with a secret.
pub(crate) fn client(id: &str, name: &str, secret: &str, redirect_uri: String) -> ClientBuilder {
    Client::builder(id).name(name).secret(ClientSecret::new(&Secret::new(secret))).redirect_uri(redirect_uri)
}

/// This service as a client of the one at `other`.
pub(crate) fn client_of(other: &str, id: &str, secret: &str) -> Result<TokenClient, Failure> {
    let auth = ClientAuth::Basic { id: id.to_owned(), secret: Secret::new(secret) };
    let client = TokenClient::builder(format!("{other}/token"), auth)
        .revocation_endpoint(format!("{other}/revoke"))
        .insecure_http()
        .build(HttpClient::builder().build()?)?;
    Ok(client)
}

/// Calls an API with a token, and passes on what it says.
pub(crate) async fn call(url: &str, token: &Secret) -> Response {
    let asked = async {
        let api = ApiClient::new(HttpClient::builder().build()?).insecure_http();
        let answer = api.send(Request::get(url).body(Bytes::new())?, token, &TokenType::Bearer).await?;
        Ok::<_, Failure>((answer.status(), answer.into_body()).into_response())
    };
    asked.await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}
