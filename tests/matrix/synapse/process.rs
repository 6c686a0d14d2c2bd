//! PyPI's Synapse, as it is, and the reference server that it asks.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};

use super::{ADMIN, ELEMENT, NAME, SECRET};
use crate::support::*;

/// A homeserver with an empty database, which ends with its test.
pub(super) struct Synapse {
    _program: Mutex<Program>,
    _folder: Folder,
    pub(super) remote: Remote,
}

impl Synapse {
    /// One at `port` that asks the service at `endpoint` about tokens.
    pub(super) async fn start(port: u16, endpoint: &str) -> Self {
        let folder = Folder::new();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("signing.key"), format!("ed25519 a_test {}\n", STANDARD_NO_PAD.encode([7; 32]))).unwrap();
        let config = json!({
            "server_name": NAME,
            "public_baseurl": format!("http://127.0.0.1:{port}/"),
            "listeners": [{ "port": port, "type": "http", "tls": false, "bind_addresses": ["127.0.0.1"],
                "resources": [{ "names": ["client"] }] }],
            "database": { "name": "sqlite3", "args": { "database": path("homeserver.db") } },
            "media_store_path": path("media"),
            "signing_key_path": path("signing.key"),
            "report_stats": false,
            "trusted_key_servers": [],
            "suppress_key_server_warning": true,
            "enable_registration": false,
            "matrix_authentication_service": { "enabled": true, "endpoint": endpoint, "secret": SECRET },
        });
        // What is JSON is YAML.
        fs::write(path("homeserver.yaml"), config.to_string()).unwrap();
        let mut command = Command::new(installed().join("bin/python"));
        command.args(["-m", "synapse.app.homeserver", "-c", &path("homeserver.yaml")]).current_dir(folder.path());
        let program = Program::start(command);
        let remote = Remote::new(client(), format!("http://127.0.0.1:{port}"));
        let synapse = Self { _program: Mutex::new(program), _folder: folder, remote };
        synapse.is_up().await;
        synapse
    }

    async fn is_up(&self) {
        for _ in 0..1200 {
            let asks = Request::get("/health").body(Bytes::new()).unwrap();
            if self.remote.try_send(asks).await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Synapse does not start");
    }

    pub(super) async fn whoami(&self, token: &str) -> Answer {
        self.remote.call(super::WHOAMI, token).await
    }

    /// The devices of whoever has `token`: their ids and names.
    pub(super) async fn devices(&self, token: &str) -> Vec<(String, Value)> {
        let answer = self.remote.call("/_matrix/client/v3/devices", token).await;
        assert_eq!(answer.status, 200, "{answer}");
        let devices = answer.member("devices").as_array().unwrap().clone();
        let mut devices: Vec<(String, Value)> = devices
            .iter()
            .map(|device| (device["device_id"].as_str().unwrap().to_owned(), device["display_name"].clone()))
            .collect();
        devices.sort_by(|one, other| one.0.cmp(&other.0));
        devices
    }
}

/// Where `tests/synapse/install` has put it.
fn installed() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace().join(target).join("tests/synapse");
    let wanted = include_str!("../../synapse/requirements.txt");
    let there = fs::read_to_string(folder.join("installed")).is_ok_and(|installed| installed == wanted);
    assert!(there, "Synapse is not installed: run ./tests/run --install, or tests/synapse/install");
    folder
}

/// The reference server beside a Synapse, and its people, who have one password.
pub(super) struct Service {
    reference: Reference,
    pub(super) remote: Remote,
    admin: (u16, Remote),
    program: Mutex<Option<Program>>,
}

impl Service {
    /// One that tells the homeserver at `homeserver`.
    pub(super) fn start(homeserver: u16) -> Self {
        let reference = Reference::in_development("");
        let (port, admin) = (reference.port, free_port());
        let users = ["alice", "bob", "carol", "dora", "erin"]
            .map(|name| format!("[[users]]\nusername = \"{name}\"\npassword = \"{PASSWORD}\"\n"));
        let text = format!(
            "issuer = \"{}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"sqlite:oauth.db\"\nprofile = \"matrix\"\n\
             development = true\n[keys]\nsecret_file = \"oauth.key\"\n[tokens]\ncode_lifetime = 600\n\
             [matrix]\nserver_name = \"{NAME}\"\nintrospection_secret = \"{SECRET}\"\nsynapse = true\n\
             homeserver_url = \"http://127.0.0.1:{homeserver}\"\n{}\
             [[clients]]\nclient_id = \"element\"\nclient_name = \"Element\"\nredirect_uris = [\"{CALLBACK}\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\ntoken_endpoint_auth_method = \"none\"\n",
            reference.issuer,
            users.concat(),
        );
        fs::write(reference.config(), text).unwrap();
        let remote = |port| Remote::new(client(), format!("http://127.0.0.1:{port}"));
        let service =
            Self { reference, remote: remote(port), admin: (admin, remote(admin)), program: Mutex::default() };
        service.begin();
        service
    }

    /// Starts it, also once more.
    pub(super) fn begin(&self) {
        let mut command = self.reference.command();
        command.args(["--admin", &format!("127.0.0.1:{}", self.admin.0)]).env("OAUTH_ADMIN_SECRET", ADMIN);
        let program = self.reference.started_by(command);
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = Some(program);
    }

    /// Kills it.
    pub(super) fn end(&self) {
        self.program.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap().kill();
    }

    pub(super) fn url(&self) -> &str {
        &self.reference.issuer
    }

    /// Signs `user` in on the pages, for a code for `device`.
    pub(super) async fn code(&self, user: &str, device: &str) -> String {
        let ask = Ask::of(ELEMENT).with("scope", &scope_of(device));
        let url = format!("{}{}", self.url(), ask.uri());
        let page = Visitor::new(plain_client()).decide(&url, (user, PASSWORD), "approve").await;
        page.response(CALLBACK).get("code").unwrap().to_owned()
    }

    /// What the code is good for.
    pub(super) async fn redeem(&self, code: &str) -> Answer {
        self.remote.token(ELEMENT, &redemption(code)).await
    }

    pub(super) async fn sign_in(&self, user: &str, device: &str) -> Tokens {
        self.redeem(&self.code(user, device).await).await.tokens()
    }

    /// What administrators say of `user`.
    pub(super) async fn change(&self, user: &str, body: &str) {
        let request = Request::put(format!("/admin/users/{user}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
        let answer = self.admin.1.send(request.body(Bytes::from(body.to_owned())).unwrap()).await;
        assert_eq!(answer.status, 204, "{answer}");
    }
}

/// What tests on runtimes of their own share keeps no connection, which would end with one of them.
fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.pool_max_idle_per_host(0).build().unwrap()
}

fn scope_of(device: &str) -> String {
    format!("urn:matrix:client:api:* urn:matrix:client:device:{device}")
}

/// Both, which know each other.
pub(super) struct Both {
    pub(super) synapse: Synapse,
    pub(super) service: Service,
}

impl Both {
    async fn start() -> Self {
        let port = free_port();
        let service = Service::start(port);
        Self { synapse: Synapse::start(port, service.url()).await, service }
    }

    /// Those of all tests that run at the same time. They end with the last one.
    pub(super) async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<Both>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(both) = shared.upgrade() {
            return both;
        }
        let both = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&both);
        both
    }
}
