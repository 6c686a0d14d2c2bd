//! What the demo serves: the server, its pages, an API and a client.

use axum::Router;
use examples::{api, start::OpenStore};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, Issuer, Resource, ResourceServer, RootSecret, Scope, Secret,
    pages::{Pages, PasswordUsers},
};
use oauth_core::{
    client::{ClientId, ClientSecret, GrantType},
    secret::Digest,
};

use crate::{Failure, client};

/// Of whom there is one each: a user, and a client that can keep a secret.
pub(crate) const USER: &str = "alice";
pub(crate) const CONFIDENTIAL: &str = "demo-client";

/// A client that cannot keep one, such as an app on a phone.
pub(crate) const PUBLIC: &str = "demo-app";

/// What the demo prints for people to use.
pub(crate) struct Credentials {
    pub(crate) client_secret: Secret,
    pub(crate) password: Secret,
}

impl Credentials {
    /// Made of the root secret, so that they are the same after a restart and
    /// need no file of their own.
    pub(crate) fn of(root: &RootSecret) -> Self {
        let derive = |what: &[u8], bytes: usize| {
            let digest = Digest::of(&[b"demo ", what, root.expose()]);
            let hex = digest.as_bytes().iter().take(bytes).map(|byte| format!("{byte:02x}"));
            Secret::new(hex.collect::<String>())
        };
        Self { client_secret: derive(b"client secret", 16), password: derive(b"password", 6) }
    }
}

/// Everything behind `url`.
pub(crate) async fn build(
    url: &str,
    store: &OpenStore,
    root: RootSecret,
    credentials: &Credentials,
) -> Result<Router, Failure> {
    let users = PasswordUsers::default().insecure_plain(USER, credentials.password.clone());
    let scopes: Scope = "albums:read albums:write".parse()?;
    let identifier = format!("{url}/api");
    let confidential = ClientId::new(CONFIDENTIAL)?;
    let server = AuthorizationServer::builder(url)
        .insecure_development()
        .shared_store(store.shared())
        .root_secret(root)
        .resource(Resource::new(&identifier).scopes(scopes).introspection_caller(confidential))
        .client(confidential_client(&credentials.client_secret)?)
        .client(public_client(url)?)
        .subjects(users.clone())
        .build()
        .await?;
    examples::start::spawn_maintenance(server.clone());

    let api = ResourceServer::builder(identifier).issuer(Issuer::local(server.clone())).build()?;
    let pages = Pages::new(&server, users)
        .scope_text("albums:read", "See your albums")
        .scope_text("albums:write", "Add albums");
    let app = server.router().merge(pages.router()).merge(api::router(&api, &Scope::empty()));
    Ok(app.merge(client::router(url)?))
}

fn confidential_client(secret: &Secret) -> Result<Client, Failure> {
    let client = Client::builder(CONFIDENTIAL)
        .secret(ClientSecret::new(secret))
        .grant_type(GrantType::CLIENT_CREDENTIALS)
        .scope("albums:read albums:write");
    Ok(client.build()?)
}

fn public_client(url: &str) -> Result<Client, Failure> {
    let client = Client::builder(PUBLIC)
        .name("Demo App")
        .redirect_uri(client::redirect_uri(url))
        .grant_type(GrantType::AUTHORIZATION_CODE)
        .grant_type(GrantType::REFRESH_TOKEN)
        .scope("albums:read albums:write");
    Ok(client.build()?)
}
