//! npm's `matrix-js-sdk`: a process for each client, by the commands of `tests/matrix-js-sdk/client.mjs`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::{Program, workspace};

/// One client. Clones share its process, which ends with them.
#[derive(Clone)]
pub(crate) struct MatrixJsSdk(Arc<Mutex<Program>>);

impl MatrixJsSdk {
    /// One at a homeserver, which trusts whom `authority`, a file of certificates, vouches for.
    pub(crate) fn at(homeserver: &str, authority: Option<&Path>) -> Self {
        let folder = installed();
        let mut command = Command::new(folder.join("node"));
        command.arg(workspace().join("tests/matrix-js-sdk/client.mjs")).arg(homeserver).current_dir(folder);
        if let Some(authority) = authority {
            command.env("NODE_EXTRA_CA_CERTS", authority);
        }
        Self(Arc::new(Mutex::new(Program::listening(command))))
    }

    /// What comes of a command: its value, or the library's error.
    pub(crate) async fn ask(&self, command: Value) -> Result<Value, Value> {
        let program = Arc::clone(&self.0);
        let line = command.to_string();
        let answer = tokio::task::spawn_blocking(move || program.lock().unwrap().asked(&line)).await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer.get("ok").cloned().ok_or_else(|| answer["error"].clone())
    }

    /// The value of a command that succeeds.
    pub(crate) async fn does(&self, command: Value) -> Value {
        let said = command.to_string();
        self.ask(command).await.unwrap_or_else(|error| panic!("{said}: {error}"))
    }
}

/// Where `tests/matrix-js-sdk/install` has put it.
fn installed() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace().join(target).join("tests/matrix-js-sdk");
    let installed = fs::read_to_string(folder.join("installed")).unwrap_or_default();
    let wanted = include_str!("../matrix-js-sdk/package-lock.json");
    let advice = "matrix-js-sdk is not installed: run ./tests/run --install, or tests/matrix-js-sdk/install";
    assert!(installed == wanted, "{advice}");
    folder
}
