//! A homeserver and its authorization server on one port, as the reference server has them.

use std::{
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::any,
};
use bytes::Bytes;
use examples::homeserver::{Homeserver, User, Users, local};
use http::header::AUTHORIZATION;
use matrix_sdk::{Client, ClientBuilder, reqwest::Certificate};
use oauth_axum_rs::{
    AuthorizationServerExt, Issuer, ResourceServer, TlsConfig, TlsListener,
    matrix::{Accounts, Appservice, Matrix, MatrixBuilder, OauthStage, UserId, unrecognized_path},
    pages::Pages,
};
use oauth_core::{
    clock::{ManualClock, UnixTime},
    engine::policy::Resource,
    profile,
    server::AuthorizationServer,
};
use tokio::net::TcpListener;

use crate::support::{Answer, Authority, People, Remote, Visitor};

pub(crate) const NAME: &str = "example.org";
/// What tokens are for, since the SDK asks for no resource.
const API: &str = "https://matrix.example.org";

/// A bridge, and the user it is itself.
pub(crate) const AS_TOKEN: &str = "the-as-token-4711";

/// With the users alice, who is nothing special, and bob, who moderates.
pub(crate) struct House {
    pub(crate) remote: Remote,
    pub(crate) clock: ManualClock,
    pub(crate) stage: Arc<OauthStage>,
    users: Users,
    wire: Wire,
    authority: Authority,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::build(|profile| profile, |matrix| matrix).await
    }

    /// One whose authorization server has another profile.
    pub(crate) async fn with_profile(set: impl FnOnce(profile::Matrix) -> profile::Matrix) -> Self {
        Self::build(set, |matrix| matrix).await
    }

    /// One with another homeserver.
    pub(crate) async fn with_home(set: impl FnOnce(Settings) -> Settings) -> Self {
        Self::build(|profile| profile, set).await
    }

    async fn build(
        profile: impl FnOnce(profile::Matrix) -> profile::Matrix,
        home: impl FnOnce(Settings) -> Settings,
    ) -> Self {
        let (authority, clock, users) = (Authority::new(), ManualClock::new(UnixTime(1_800_000_000)), users());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let server = authorization_server(&issuer, profile(profile::Matrix::new(NAME)), &clock).await;
        let api = ResourceServer::builder(API).issuer(Issuer::local(server.clone())).clock(clock.clone());
        let bridge = Appservice::new("bridge", AS_TOKEN, "bot").users(|user| user.localpart().starts_with("bot_"));
        let matrix = Matrix::builder(api.build().unwrap(), NAME).accounts(users.clone()).appservice(bridge);
        let reset = format!("{issuer}/account?action=org.matrix.cross_signing_reset");
        let stage = Arc::new(OauthStage::new(reset).unwrap().clock(clock.clone()));
        let client_server = Homeserver::new(home(matrix).build().unwrap(), users.clone())
            .metadata_elsewhere()
            .cross_signing(Arc::clone(&stage))
            .sign_out(local::sign_out(&server));
        let wire = Wire::default();
        let app = server.router().merge(Pages::new(&server, People).router()).merge(client_server.router());
        let app = app.route("/_matrix/{*rest}", any(unrecognized_path));
        serve(listener, &authority, app.layer(from_fn_with_state(wire.clone(), carry)));
        let remote = Remote::new(authority.client(), issuer);
        Self { remote, clock, stage, users, wire, authority }
    }

    /// An SDK that trusts the authority of this test, and nobody else.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(|builder| builder).await
    }

    pub(crate) async fn client_with(&self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let ca = Certificate::from_pem(&fs::read(self.authority.file("ca.pem")).unwrap()).unwrap();
        let builder = Client::builder().homeserver_url(&self.remote.url);
        let builder = builder.add_root_certificates(vec![ca]).disable_built_in_root_certificates();
        set(builder).build().await.unwrap()
    }

    /// Somebody with a browser.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.authority.client())
    }

    /// A call without the SDK, with `token` if there is one.
    pub(crate) async fn call(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let request = http::Request::builder().method(method).uri(path);
        let request = match token {
            "" => request,
            _ => request.header(AUTHORIZATION, format!("Bearer {token}")),
        };
        self.remote.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    }

    /// Changes the account of a user.
    pub(crate) fn change(&self, localpart: &str, change: impl FnOnce(&mut User)) {
        self.users.change(&UserId::new(localpart, NAME).unwrap(), change).unwrap();
    }

    /// The next answer of the token endpoint never arrives.
    pub(crate) fn lose_next_tokens(&self) {
        self.wire.0.loses.store(true, Ordering::SeqCst);
    }

    /// The forms that were posted to `path`, in order.
    pub(crate) fn posted(&self, path: &str) -> Vec<Vec<(String, String)>> {
        let posted = self.wire.0.posted.lock().unwrap();
        let bodies = posted.iter().filter(|(to, _)| to == path).map(|(_, body)| body);
        bodies.map(|body| form_urlencoded::parse(body).into_owned().collect()).collect()
    }
}

/// A builder that has its accounts.
type Settings = MatrixBuilder<Arc<dyn Accounts>>;

fn users() -> Users {
    let users = Users::default();
    users.insert("alice", User::default());
    users.insert("bob", User { admin: true, ..User::default() });
    users.insert("bot", User::default());
    users.insert("bot_one", User::default());
    users
}

async fn authorization_server(issuer: &str, profile: profile::Matrix, clock: &ManualClock) -> AuthorizationServer {
    let builder = AuthorizationServer::builder(issuer).profile(profile.account_page("/account"));
    builder.devices(|_| ()).resource(Resource::new(API)).clock(clock.clone()).build().await.unwrap()
}

pub(crate) fn serve(listener: TcpListener, authority: &Authority, app: Router) {
    let tls = TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap();
    tokio::spawn(axum::serve(TlsListener::new(listener, &tls), app.into_make_service()).into_future());
}

/// What is between the clients and the servers. Clones are the same.
#[derive(Clone, Default)]
struct Wire(Arc<Carried>);

#[derive(Default)]
struct Carried {
    /// The next answer of the token endpoint is lost.
    loses: AtomicBool,
    /// What was posted, and where.
    posted: Mutex<Vec<(String, Bytes)>>,
}

/// Carries a request there, and the answer back or not.
async fn carry(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let (path, body) = (head.uri.path().to_owned(), to_bytes(body, usize::MAX).await.unwrap());
    wire.0.posted.lock().unwrap().push((path.clone(), body.clone()));
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    // The server has done its part by now.
    match path == "/token" && wire.0.loses.swap(false, Ordering::SeqCst) {
        true => Response::new(Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(broken())]))),
        false => response,
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
