//! One authorization server with all around it, on each kind of store.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use oauth_axum_rs::{AuthorizationServerExt, pages::Pages};
use oauth_core::{
    clock::{ManualClock, UnixTime},
    engine::policy::{Resource, TokenFormat},
    secret::RootSecret,
    server::{AuthorizationServer, AuthorizationServerBuilder, BuildError},
    store::{Store, memory::MemoryStore, sqlite::SqliteStore},
    token::{Prefixes, TokenCodec},
};
use tower::ServiceExt;

use super::{
    API, AUDITOR, Answer, Ask, Browser, CALLBACK, Caller, Events, Folder, ISSUER, JWT_API, OTHER_API, People,
    RESOURCE_SERVER, Tokens, WatchedStore, new_database, post, redemption, registered, store_at,
};

/// A server and what a test needs to see and move. Clones share it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) server: AuthorizationServer,
    pub(crate) clock: ManualClock,
    pub(crate) events: Events,
    pub(crate) store: WatchedStore,
    /// Where the SQLite file is.
    pub(crate) folder: Option<Arc<Folder>>,
    /// Where the PostgreSQL database is.
    database: Option<String>,
    /// Whether no resource takes JWTs.
    opaque: bool,
    /// Every endpoint and page.
    app: axum::Router,
}

/// Runs `test` on a memory store, then on an SQLite file, then on a PostgreSQL database.
pub(crate) async fn on_every_store(test: impl AsyncFn(World)) {
    on_every_store_with(|builder| builder, test).await;
}

/// The same, with a server that `set` changes.
pub(crate) async fn on_every_store_with(
    set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    test: impl AsyncFn(World),
) {
    println!("on the memory store");
    test(World::new(MemoryStore::default(), None, &set).await).await;
    println!("on the SQLite store");
    test(on_sqlite_with(&set).await).await;
    println!("on the PostgreSQL store");
    test(on_postgres_with(&set).await).await;
}

/// A world on a file, for tests that look into it.
pub(crate) async fn on_sqlite() -> World {
    on_sqlite_with(|builder| builder).await
}

async fn on_sqlite_with(set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder) -> World {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    World::new(store, Some(Arc::new(folder)), &set).await
}

async fn on_postgres_with(set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder) -> World {
    let url = new_database().await;
    let world = World::new(store_at(&url).await, None, &set).await;
    World { database: Some(url), ..world }
}

/// A world in memory, for tests of what no store decides.
pub(crate) async fn on_memory() -> World {
    on_memory_with(|builder| builder).await
}

pub(crate) async fn on_memory_with(set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder) -> World {
    World::new(MemoryStore::default(), None, &set).await
}

impl World {
    /// A world in memory, whose server has another issuer.
    pub(crate) async fn at(issuer: &str) -> Self {
        Self::build(issuer, MemoryStore::default(), None, &|builder| builder, false).await
    }

    /// The same, with a server that `set` changes.
    pub(crate) async fn at_with(
        issuer: &str,
        set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::build(issuer, MemoryStore::default(), None, &set, false).await
    }

    /// A world of opaque tokens alone, on a store of the test's own.
    pub(crate) async fn opaque(
        store: impl Store,
        set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::build(ISSUER, store, None, &set, true).await
    }

    /// A world on a store of the test's own.
    pub(crate) async fn on(
        store: impl Store,
        set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::new(store, None, &set).await
    }

    async fn new(
        store: impl Store,
        folder: Option<Arc<Folder>>,
        set: &impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::build(ISSUER, store, folder, set, false).await
    }

    async fn build(
        issuer: &str,
        store: impl Store,
        folder: Option<Arc<Folder>>,
        set: &impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
        opaque: bool,
    ) -> Self {
        let (clock, events) = (ManualClock::new(UnixTime(1_800_000_000)), Events::default());
        let store = WatchedStore::new(store);
        let builder = set(builder(issuer, &store, &clock, &events));
        let jwts = Resource::new(JWT_API).format(TokenFormat::Jwt);
        let server = if opaque { builder } else { builder.resource(jwts) }.build().await.unwrap();
        let app = server.router().merge(Pages::new(&server, People).router());
        Self { server, clock, events, store, folder, database: None, app, opaque }
    }

    /// One more node on this world's store: with connections of its own, where there are any.
    pub(crate) async fn another(
        &self,
        set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Result<Self, BuildError> {
        let store = match (&self.folder, &self.database) {
            (Some(folder), _) => WatchedStore::new(SqliteStore::open(folder.file()).await.unwrap()),
            (_, Some(url)) => WatchedStore::new(store_at(url).await),
            (None, None) => self.store.clone(),
        };
        let builder = builder(self.server.issuer(), &store, &self.clock, &self.events);
        let builder = set(builder);
        let jwts = Resource::new(JWT_API).format(TokenFormat::Jwt);
        let server = if self.opaque { builder } else { builder.resource(jwts) }.build().await?;
        let app = server.router().merge(Pages::new(&server, People).router());
        Ok(Self { server, store, app, ..self.clone() })
    }

    /// The same server, whose pages `set` changes.
    pub(crate) fn with_pages(self, set: impl FnOnce(Pages<People>) -> Pages<People>) -> Self {
        let app = self.server.router().merge(set(Pages::new(&self.server, People)).router());
        Self { app, ..self }
    }

    /// Under which every test server makes its tokens.
    pub(crate) fn root() -> RootSecret {
        RootSecret::new([7; 32])
    }

    /// Reads and makes tokens as the server does.
    pub(crate) fn codec() -> TokenCodec {
        TokenCodec::new(&Self::root(), ISSUER, Prefixes::default())
    }

    /// Sends `request` to the app, as its listener would.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Answer {
        let response = self.app.clone().oneshot(request.map(axum::body::Body::from)).await.unwrap();
        let (head, body) = response.into_parts();
        Answer::new(http::Response::from_parts(head, body.collect().await.unwrap().to_bytes()))
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.send(Request::get(uri).body(Bytes::new()).unwrap()).await
    }

    /// POSTs `params` as `caller`.
    pub(crate) async fn post(&self, uri: &str, caller: Caller, params: &[(&str, &str)]) -> Answer {
        self.send(post(uri, caller, params)).await
    }

    pub(crate) async fn token(&self, caller: Caller, params: &[(&str, &str)]) -> Answer {
        self.post("/token", caller, params).await
    }

    pub(crate) async fn redeem(&self, caller: Caller, code: &str) -> Answer {
        self.token(caller, &redemption(code)).await
    }

    pub(crate) async fn refresh(&self, caller: Caller, token: &str) -> Answer {
        self.token(caller, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn revoke(&self, caller: Caller, token: &str) -> Answer {
        self.post("/revoke", caller, &[("token", token)]).await
    }

    pub(crate) async fn introspect(&self, caller: Caller, token: &str) -> Answer {
        self.post("/introspect", caller, &[("token", token)]).await
    }

    /// A code that was just approved for `caller`.
    pub(crate) async fn code(&self, caller: Caller) -> String {
        self.code_for(&Ask::of(caller)).await
    }

    /// The code that `ask` led to.
    pub(crate) async fn code_for(&self, ask: &Ask) -> String {
        let location = Browser::new(self).approve(ask).await;
        super::answer::response_at(CALLBACK, &location).get("code").unwrap().to_owned()
    }

    /// The tokens of a fresh grant for `caller`.
    pub(crate) async fn tokens(&self, caller: Caller) -> Tokens {
        let code = self.code(caller).await;
        self.redeem(caller, &code).await.tokens()
    }

    /// Whether a resource server that asks now is told that `access` is good.
    pub(crate) async fn lives(&self, access: &str) -> bool {
        let local = self.server.validate_access(access).await.unwrap().is_some();
        let asked = self.introspect(AUDITOR, access).await.member("active") == true;
        assert_eq!(local, asked, "the two ways to validate disagree");
        local
    }
}

/// A server with everything that tests need, but for what they change.
fn builder(issuer: &str, store: &WatchedStore, clock: &ManualClock, events: &Events) -> AuthorizationServerBuilder {
    let scopes = |text: &str| text.parse().unwrap();
    let api = Resource::new(API).scopes(scopes("read write")).introspection_caller(RESOURCE_SERVER.client_id());
    let builder = AuthorizationServer::builder(issuer)
        .store(store.clone())
        .root_secret(World::root())
        .resource(api)
        .resource(Resource::new(OTHER_API).scopes(scopes("admin")))
        .introspection_caller(AUDITOR.client_id())
        .clock(clock.clone())
        .events(events.clone());
    let builder = if issuer.starts_with("http://") { builder.insecure_development() } else { builder };
    registered().into_iter().fold(builder, AuthorizationServerBuilder::client)
}
