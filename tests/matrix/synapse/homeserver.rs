//! PyPI's Synapse, as it is.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{NAME, SECRET, WHOAMI};
use crate::support::{Answer, Folder, Program, Remote, workspace};

/// A homeserver with an empty database, which ends with its test.
pub(super) struct Synapse {
    _program: Mutex<Program>,
    _folder: Folder,
    pub(super) remote: Remote,
}

impl Synapse {
    /// One at `port` that asks the service at `endpoint` about tokens. If that has TLS, `ca` is the file of whoever
    /// vouches for it.
    pub(super) async fn start(port: u16, endpoint: &str, ca: Option<&Path>) -> Self {
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
        // Of Synapse's two clients for HTTP, one has OpenSSL and the other rustls: both heed it.
        ca.map(|ca| command.env("SSL_CERT_FILE", ca));
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
        self.remote.call(WHOAMI, token).await
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

/// What tests on runtimes of their own share keeps no connection, which would end with one of them.
pub(super) fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.pool_max_idle_per_host(0).build().unwrap()
}
