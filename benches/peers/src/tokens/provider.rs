//! npm's `oidc-provider`, with its own store in memory.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::{forms::Form, server::Server};

/// Where it is installed: if nowhere, the tests' own script does it.
pub fn folder() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = here.join("../..");
    let install = workspace.join("tests/oidc-provider/install");
    // The shell's script resolves a relative one as we do.
    let target = workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let ran = |argument: Option<&str>| Command::new(&install).args(argument).status();
    let done = ran(Some("--check")).and_then(|done| if done.success() { Ok(done) } else { ran(None) });
    match done {
        Ok(status) if status.success() => Ok(target.join("tests/oidc-provider")),
        Ok(status) => {
            Err(format!("{} failed ({status}): it needs Node.js 22 with npm, or Python 3 with venv", install.display()))
        }
        Err(error) => Err(format!("{} did not run: {error}", install.display())),
    }
}

pub fn start(folder: &Path, form: Form) -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokens/provider.mjs");
    let mut command = Command::new(folder.join("node"));
    command.arg(script).arg(form.name()).current_dir(folder).env("NODE_ENV", "production");
    Server::start(&mut command, form)
}
