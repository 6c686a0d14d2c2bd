//! Whatever is asked in whatever order, and two things at once: the server does what a model of it does that can be read
//! in a few minutes.
//!
//! A failure is a script, made as short as proptest can: what was asked, what came of it, and what the model expected.
//! `PROPTEST_CASES` asks for more of them, `PROPTEST_RNG_SEED` for others.

mod agree;
mod call;
mod flaws;
mod model;
mod run;
mod shorten;
mod step;
mod turns;

use std::sync::Arc;

use oauth_core::{
    client::{Client, ClientJwks, ClientSecret, GrantType},
    clock::UnixTime,
    dpop::DpopKey,
    engine::policy::Rotation,
    grant::{JwtBearer, TokenExchange, TrustedIssuer},
    jwt::Algorithm,
    keys::SigningKey,
    server::AuthorizationServerBuilder,
    store::{Store, memory::MemoryStore, sqlite::SqliteStore},
};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::{
    run::Run,
    shorten::shortened,
    step::{Step, steps},
    turns::{Gate, Turns},
};
use crate::support::*;

/// Short enough that all of them end in some script.
const ACCESS: u64 = 300;
const CODE: u64 = 60;
const IDLE: u64 = 1_000;
const REFRESH: u64 = 3_000;
/// How long a device may wait, and how long between two questions.
const DEVICE: u64 = 40;
const INTERVAL: u64 = 5;

const ISSUED_BY: &str = ISSUER;

/// A public client that wants no bearer tokens.
const CAREFUL: Caller = Caller::Public("careful");

/// May exchange the tokens of others.
const GATEWAY: Caller = Caller::Basic("gateway", "gateway-secret-4Hs6");
/// May bring the assertions of another issuer.
const AGENT: Caller = Caller::Basic("agent", "agent-secret-3Ws0");
/// A device with refresh tokens, and one without.
const TV: Caller = Caller::Public("tv");
const RADIO: Caller = Caller::Public("radio");

/// Whose assertions are believed.
const IDP: &str = "https://idp.example";

/// What the server is told, and the model too.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Policy {
    rotation: Rotation,
    access_revokes_grant: bool,
}

const POLICIES: [Policy; 5] = [
    Policy { rotation: Rotation::Strict, access_revokes_grant: false },
    Policy { rotation: Rotation::Grace { seconds: 20 }, access_revokes_grant: false },
    Policy { rotation: Rotation::None, access_revokes_grant: false },
    Policy { rotation: Rotation::Grace { seconds: 20 }, access_revokes_grant: true },
    Policy { rotation: Rotation::UntilFirstUse, access_revokes_grant: false },
];

/// The thumbprints of the keys.
type Jkts = [String; 2];

/// A server on which one case after the other is played: what one leaves behind may not matter to the next.
struct Stage {
    name: String,
    policy: Policy,
    world: World,
    gate: Gate,
    keys: [DpopKey; 2],
    jkts: Jkts,
    /// Of [`IDP`].
    idp: SigningKey,
}

impl Stage {
    async fn new(name: &str, policy: Policy, store: impl Store, gate: &Gate) -> Self {
        Self::with(name, policy, store, gate, |builder| builder).await
    }

    /// With a server that `change` makes another than the model.
    async fn with(
        name: &str,
        policy: Policy,
        store: impl Store,
        gate: &Gate,
        change: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
    ) -> Self {
        let idp = SigningKey::generate(Algorithm::ES256).unwrap();
        let set = |builder| change(grants(told(builder, policy), &idp));
        // What is judged elsewhere is not for every policy.
        let world = World::opaque(Turns::new(store, gate), set).await;
        let keys = [(); 2].map(|()| DpopKey::generate(Algorithm::ES256).unwrap());
        let jkts = keys.each_ref().map(|key| key.jkt().to_owned());
        let (name, gate) = (format!("{name}, {policy:?}"), gate.clone());
        Self { name, policy, world, gate, keys, jkts, idp }
    }
}

fn told(builder: AuthorizationServerBuilder, policy: Policy) -> AuthorizationServerBuilder {
    let careful = Client::builder(CAREFUL.id()).redirect_uri(CALLBACK).scope("read write admin");
    let careful = careful.grant_type(GrantType::REFRESH_TOKEN).tokens(|tokens| tokens.dpop_bound_access_tokens = true);
    builder
        .client(careful.build().unwrap())
        .rotation(policy.rotation)
        .revocation(|revocation| revocation.access_revokes_grant = policy.access_revokes_grant)
        .lifetimes(|set| {
            (set.access, set.code, set.refresh_idle, set.refresh) = (ACCESS, CODE, IDLE, REFRESH);
        })
}

/// The grants beside those that every server has, and who may use them.
fn grants(builder: AuthorizationServerBuilder, idp: &SigningKey) -> AuthorizationServerBuilder {
    let client = |caller: Caller, grant| Client::builder(caller.id()).scope("read write").grant_type(grant);
    let proven = |caller, grant| {
        let Caller::Basic(_, secret) = caller else { panic!("{caller:?}") };
        client(caller, grant).secret(ClientSecret::new(&secret.into()))
    };
    let clients = [
        proven(GATEWAY, GrantType::TOKEN_EXCHANGE),
        proven(AGENT, GrantType::JWT_BEARER),
        client(TV, GrantType::DEVICE_CODE).grant_type(GrantType::REFRESH_TOKEN),
        client(RADIO, GrantType::DEVICE_CODE),
    ];
    let builder = builder
        .grant(TokenExchange::default())
        .grant(JwtBearer::new([TrustedIssuer::new(IDP, ClientJwks::of([idp]))]))
        .devices(|set| {
            (set.lifetime, set.interval) = (DEVICE, INTERVAL);
            (set.requests_per_minute, set.user_code_failures_per_minute) = (0, 0);
        })
        .revocation(|revocation| revocation.misses_per_minute = 0);
    clients.into_iter().fold(builder, |builder, client| builder.client(client.build().unwrap()))
}

/// As many cases on each stage, unless somebody asks for more.
fn config(cases: u32) -> Config {
    let mut config = Config { source_file: Some(file!()), max_shrink_iters: 3_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(7);
    }
    config
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Plays cases on `stage`.
///
/// # Errors
/// The shortest script that was found to fail.
fn play(runtime: &tokio::runtime::Runtime, stage: &Stage, config: Config) -> Result<(), String> {
    let fails = |steps: &[Step]| runtime.block_on(Run::all(stage, steps)).err();
    let case = |steps: Vec<Step>| fails(&steps).map_or(Ok(()), |failure| Err(TestCaseError::fail(failure.script)));
    match TestRunner::new(config).run(&steps(), case) {
        Ok(()) => Ok(()),
        Err(TestError::Fail(script, steps)) => {
            Err(fails(&steps).map_or(script.to_string(), |failure| shortened(failure, fails)))
        }
        Err(TestError::Abort(why)) => Err(why.to_string()),
    }
}

// spec: TOK-18, TOK-20, TOK-24, TOK-27, TOK-28, TOK-29, TOK-30, TOK-33, TOK-35
#[test]
fn in_memory_every_session_goes_as_the_model_says() {
    let runtime = runtime();
    for policy in POLICIES {
        let gate = Gate::default();
        let stage = runtime.block_on(Stage::new("memory", policy, MemoryStore::default(), &gate));
        play(&runtime, &stage, config(250)).unwrap_or_else(|script| panic!("{script}"));
    }
}

// spec: TOK-18, TOK-20, TOK-24, TOK-27, TOK-28, TOK-29, TOK-30, TOK-33, TOK-35
#[test]
fn on_a_file_every_session_goes_as_the_model_says() {
    let (runtime, folder) = (runtime(), Arc::new(Folder::new()));
    for (number, policy) in POLICIES.into_iter().enumerate() {
        let gate = Gate::default();
        let stage = runtime.block_on(async {
            let store = SqliteStore::open(folder.path().join(format!("{number}.db"))).await.unwrap();
            Stage::new("SQLite", policy, store, &gate).await
        });
        play(&runtime, &stage, config(70)).unwrap_or_else(|script| panic!("{script}"));
    }
}
