//! Reciprocal OAuth (draft-ietf-oauth-reciprocal-04): both parties in this process, where whoever carries messages
//! between them is the test; and as two programs (`pair`).

mod both;
mod gate;
mod kill;
mod mint;
mod page;
mod pair;
mod program;
mod queue;
mod receive;
mod response;
mod secrets;
mod services;
mod story;
mod tokens;
mod trip;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use oauth_core::{
    client::{Client, ClientBuilder, ClientSecret, GrantType},
    engine::{
        fault::Fault,
        policy::{HostFuture, Subjects},
        reciprocal::{LinkedTokens, Reciprocal, ReciprocalSettings, ReciprocalTask, ReciprocalTokens},
    },
    scope::Scope,
    server::AuthorizationServerBuilder,
    store::ReciprocalLink,
    token::{TokenResponse, TokenType},
};

use crate::support::*;

const URN: &str = "urn:ietf:params:oauth:grant-type:reciprocal";

/// Party A, as the client that it is at party B.
const PEER: Caller = Caller::Basic("peer-a", "peer-a-secret-8Vn3");
/// Another one, with its secret in the body.
const OTHER_PEER: Caller = Caller::Post("peer-x", "peer-x-secret-5Jc1");
/// Party B, as the client that it is at party A.
const B_AT_A: Caller = Caller::Basic("b-at-a", "b-at-a-secret-6Wd9");

/// What B asks of A.
const WISH: &str = "speaker:announce speaker:volume";

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn secret_of(caller: Caller) -> ClientSecret {
    let (Caller::Basic(_, secret) | Caller::Post(_, secret)) = caller else { panic!("{caller:?}") };
    ClientSecret::new(&secret.into())
}

/// A confidential client that may use every grant, the reciprocal one too.
fn peer(caller: Caller) -> Client {
    let client = Client::builder(caller.id()).secret(secret_of(caller)).redirect_uri(CALLBACK).scope("read write");
    let client = if matches!(caller, Caller::Post(..)) {
        client.auth_method(oauth_core::client::AuthMethod::ClientSecretPost)
    } else {
        client
    };
    let own = [GrantType::AUTHORIZATION_CODE, GrantType::REFRESH_TOKEN, GrantType::CLIENT_CREDENTIALS];
    let client = own.into_iter().fold(client, ClientBuilder::grant_type);
    client.grant_type(GrantType::RECIPROCAL).build().unwrap()
}

/// A server that is party B to two peers.
fn party_b(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    party_b_with(builder, |_| ())
}

fn party_b_with(
    builder: AuthorizationServerBuilder,
    set: impl FnOnce(&mut ReciprocalSettings),
) -> AuthorizationServerBuilder {
    builder.client(peer(PEER)).client(peer(OTHER_PEER)).reciprocal(|settings| {
        settings.peer(PEER.client_id(), scope(WISH));
        settings.peer(OTHER_PEER.client_id(), Scope::empty());
        set(settings);
    })
}

/// A server that is party A, where B is a client.
fn party_a(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = Client::builder(B_AT_A.id()).secret(secret_of(B_AT_A)).scope("read write").redirect_uri(CALLBACK);
    let client = client.grant_type(GrantType::AUTHORIZATION_CODE).grant_type(GrantType::REFRESH_TOKEN);
    builder.client(client.build().unwrap()).reciprocal(|_| ())
}

/// What A sends to B.
async fn send(w: &World, caller: Caller, code: &str, access_token: &str) -> Answer {
    // With its secret in the body, a caller names itself there.
    let own = [("grant_type", URN), ("code", code), ("access_token", access_token), ("client_id", caller.id())];
    let own = if matches!(caller, Caller::Post(..)) { &own[..3] } else { &own[..] };
    w.token(caller, own).await
}

/// A code of A's, taken in at B: `alice` has connected the two.
async fn queued(w: &World, code: &str) -> ReciprocalLink {
    let access = w.tokens(PEER).await.access;
    send(w, PEER, code, &access).await.is_taken_in();
    link(Some("alice"))
}

fn link(subject: Option<&str>) -> ReciprocalLink {
    ReciprocalLink::new(PEER.client_id(), subject.map(str::to_owned))
}

fn b(w: &World) -> Reciprocal {
    w.server.reciprocal().unwrap()
}

/// The next code that B's worker finds.
async fn next(w: &World) -> Option<ReciprocalTask> {
    b(w).next(30).await.unwrap()
}

/// What A answers to a redemption.
fn granted(access: &str) -> TokenResponse {
    let mut tokens = TokenResponse::new(access.into(), TokenType::Bearer, 300);
    tokens.refresh_token = Some(format!("refresh-of-{access}").as_str().into());
    tokens.scope = Some(scope("speaker:announce"));
    tokens
}

/// Which access token B holds for `alice`.
async fn held(w: &World) -> Option<String> {
    let tokens = b(w).tokens(&link(Some("alice"))).await.unwrap();
    tokens.map(|tokens| tokens.response.access_token.expose().to_owned())
}

impl Answer {
    /// Draft-ietf-oauth-reciprocal-04 section 2.2.2: 200, and no tokens.
    #[track_caller]
    fn is_taken_in(&self) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (200, "{}"), "{self}");
        assert_eq!(self.header("content-type"), "application/json");
        self.is_not_kept();
    }
}

/// A host whose users are all active, or none.
#[derive(Clone, Debug, Default)]
struct Gone(Arc<AtomicBool>);

impl Gone {
    fn set(&self, gone: bool) {
        self.0.store(gone, Ordering::Relaxed);
    }
}

impl Subjects for Gone {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async { Ok(!self.0.load(Ordering::Relaxed)) })
    }
}

/// A host that writes down what it is given, and fails on demand.
#[derive(Clone, Debug, Default)]
struct Host {
    heard: Arc<Mutex<Vec<(ReciprocalLink, String)>>>,
    fails: Arc<AtomicBool>,
}

impl ReciprocalTokens for Host {
    fn received<'a>(&'a self, tokens: &'a LinkedTokens) -> HostFuture<'a, ()> {
        Box::pin(async {
            let access = tokens.response.access_token.expose().to_owned();
            self.heard.lock().unwrap().push((tokens.link.clone(), access));
            match self.fails.load(Ordering::Relaxed) {
                true => Err(Fault::Host("the speaker is unplugged".into())),
                false => Ok(()),
            }
        })
    }
}
