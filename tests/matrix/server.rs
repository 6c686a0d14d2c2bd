//! The authorization server with the profile of Matrix, by the numbers of its acceptance list.

mod account;
mod authorization;
mod device_grant;
mod discovery;
mod homeserver;
mod introspect;
mod kept;
mod missed;
mod program;
mod refresh;
mod registration;
mod revocation;
mod sessions;

use bytes::Bytes;
use http::{Request, header};
use oauth_core::{
    client::{Client, GrantType},
    engine::{interaction::Approval, policy::Resource},
    profile::Matrix,
    server::AuthorizationServerBuilder,
    store::memory::MemoryStore,
};
use oauth_tower::resource::Issuer;
use serde_json::{Value, json};

use super::{API as HOME, Home, NAME, SCOPE, SECRET, WHOAMI, is_refused, is_unknown, is_user};
use crate::support::*;

/// A public client that was configured, and says nothing of scopes.
const ELEMENT: Caller = Caller::Public("element");
/// Another one.
const CINNY: Caller = Caller::Public("cinny");

fn profile() -> Matrix {
    Matrix::new(NAME).account_page("/account").introspection_secret(SECRET)
}

/// Everything that the profile can have.
fn matrix(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = |caller: Caller| Client::builder(caller.id()).redirect_uri(CALLBACK).name("Element <X>");
    let builder = builder.profile(profile()).devices(|_| ()).registration(|it| it.per_minute(0));
    let builder = builder.resource(Resource::new(HOME)).client(client(CINNY).build().unwrap());
    builder.client(
        client(ELEMENT).grant_type(GrantType::AUTHORIZATION_CODE).grant_type(GrantType::DEVICE_CODE).build().unwrap(),
    )
}

async fn world() -> World {
    World::opaque(MemoryStore::default(), matrix).await
}

async fn world_with(set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder) -> World {
    World::opaque(MemoryStore::default(), |builder| set(matrix(builder))).await
}

/// The homeserver beside it.
async fn home(w: &World) -> Home {
    Home::taking(Issuer::local(w.server.clone()), w.clock.clone(), |settings| settings).await
}

fn scope_of(device: &str) -> String {
    format!("urn:matrix:client:api:* urn:matrix:client:device:{device}")
}

/// What `caller` asks for the device of [`SCOPE`].
fn ask(caller: Caller) -> Ask {
    Ask::of(caller).with("scope", SCOPE).with("resource", HOME)
}

async fn sign_in(w: &World, ask: &Ask) -> Tokens {
    let code = w.code_for(ask).await;
    w.redeem(ELEMENT, &code).await.tokens()
}

/// The code of a sign-in by `user`.
async fn code_of(w: &World, ask: &Ask, user: &str) -> String {
    let mut browser = Browser::new(w);
    let id = browser.begin(ask).await;
    let answer = browser.interaction(&id).await.unwrap().approve(Approval::new(user)).await.unwrap().unwrap();
    let location = answer.location().unwrap().to_owned();
    response_at(CALLBACK, &location).get("code").unwrap().to_owned()
}

async fn is_live(w: &World, access: &str) -> bool {
    w.server.validate_access(access).await.unwrap().is_some()
}

/// Is not one any more.
async fn is_dead(w: &World, tokens: &Tokens) {
    assert!(!is_live(w, &tokens.access).await);
    w.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
}

async fn register(w: &World, body: &Value) -> Answer {
    let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
    w.send(request.body(Bytes::from(body.to_string())).unwrap()).await
}

/// What a client of example.com registers, as `kind`, with other members.
fn metadata(kind: &str, redirect_uris: &[&str], more: Value) -> Value {
    let mut body = json!({
        "client_name": "Example", "client_uri": "https://example.com/", "application_type": kind,
        "redirect_uris": redirect_uris, "token_endpoint_auth_method": "none", "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let Value::Object(more) = more else { panic!("{more}") };
    for (name, value) in more {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(&name)),
            _ => body[&name] = value,
        }
    }
    body
}
