//! One authorization server with all around it, on each kind of store.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use oauth_axum_rs::{AuthorizationServerExt, pages::Pages};
use oauth_core::{
    clock::{ManualClock, UnixTime},
    engine::policy::{Resource, TokenFormat},
    secret::RootSecret,
    server::{AuthorizationServer, AuthorizationServerBuilder},
    store::{Store, memory::MemoryStore, sqlite::SqliteStore},
    token::{Prefixes, TokenCodec},
};
use tower::ServiceExt;

use super::{
    API, AUDITOR, Answer, Ask, Browser, CALLBACK, Caller, Events, ISSUER, JWT_API, OTHER_API, People, RESOURCE_SERVER,
    Tokens, VERIFIER, WatchedStore, registered,
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
    /// Every endpoint and page.
    app: axum::Router,
}

/// Runs `test` on a memory store, then on an SQLite file.
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
        Self::build(issuer, MemoryStore::default(), None, &|builder| builder).await
    }

    async fn new(
        store: impl Store,
        folder: Option<Arc<Folder>>,
        set: &impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        Self::build(ISSUER, store, folder, set).await
    }

    async fn build(
        issuer: &str,
        store: impl Store,
        folder: Option<Arc<Folder>>,
        set: &impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        let (clock, events) = (ManualClock::new(UnixTime(1_800_000_000)), Events::default());
        let store = WatchedStore::new(store);
        let scopes = |text: &str| text.parse().unwrap();
        let api = Resource::new(API).scopes(scopes("read write")).introspection_caller(RESOURCE_SERVER.client_id());
        let mut builder = AuthorizationServer::builder(issuer)
            .store(store.clone())
            .root_secret(Self::root())
            .resource(api)
            .resource(Resource::new(OTHER_API).scopes(scopes("admin")))
            .resource(Resource::new(JWT_API).format(TokenFormat::Jwt))
            .introspection_caller(AUDITOR.client_id())
            .clock(clock.clone())
            .events(events.clone());
        for client in registered() {
            builder = builder.client(client);
        }
        let server = set(builder).build().await.unwrap();
        let app = server.router().merge(Pages::new(&server, People).router());
        Self { server, clock, events, store, folder, app }
    }

    /// Under which every test server makes its tokens.
    pub(crate) fn root() -> RootSecret {
        RootSecret::new([7; 32])
    }

    /// Reads and makes tokens as the server does.
    pub(crate) fn codec() -> TokenCodec {
        TokenCodec::new(&Self::root(), Prefixes::default())
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

/// A form POST to `uri` by `caller`.
pub(crate) fn post(uri: &str, caller: Caller, params: &[(&str, &str)]) -> Request<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(params);
    let mut request = Request::post(uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match caller {
        Caller::Public(id) => drop(form.append_pair("client_id", id)),
        Caller::Basic(id, secret) => request = request.header(header::AUTHORIZATION, basic(&format!("{id}:{secret}"))),
        Caller::Post(id, secret) => drop(form.append_pair("client_id", id).append_pair("client_secret", secret)),
        Caller::Nobody => {}
    }
    request.body(form.finish().into()).unwrap()
}

/// The header for `pair`, which is encoded already.
pub(crate) fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// The parameters that redeem a code of the default [`Ask`].
pub(crate) fn redemption(code: &str) -> [(&'static str, &str); 4] {
    let grant_type = ("grant_type", "authorization_code");
    [grant_type, ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]
}

/// A folder of one test, removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("oauth-tests-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("oauth.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
