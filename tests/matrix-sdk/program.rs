//! The reference server with `profile = "matrix"`, a process of its own.

use std::{env, fs, path::Path, process::Command};

use matrix_sdk::{Client, reqwest::Certificate};
use oauth_axum_rs::{Secret, pages::PasswordUsers};
use oauth_core::clock::SystemRandom;

use crate::{
    house,
    session::{decide_at, finish, is_over, refresh_token, verdict},
    support::{Authority, PASSWORD, Program, Visitor, free_port},
};

/// Where `tests/run` has built the programs.
fn program() -> Command {
    let folder = env::var_os("OAUTH_PROGRAMS").map(Into::into);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug"));
    let program = folder.join("authorization-server");
    assert!(program.is_file(), "{} is not there: `cargo build --bins` in the root makes it", program.display());
    Command::new(program)
}

fn configuration(port: u16) -> String {
    let hash = PasswordUsers::hash(&Secret::new(PASSWORD), &SystemRandom).unwrap();
    format!(
        "issuer = \"https://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"memory:\"\nprofile = \"matrix\"\n\
         [tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"\n\
         [matrix]\nserver_name = \"{}\"\n\
         [[users]]\nusername = \"alice\"\npassword_hash = '{hash}'\n",
        house::NAME
    )
}

#[tokio::test]
async fn a_session_on_the_reference_server_begins_goes_on_and_ends() {
    let (authority, port) = (Authority::new(), free_port());
    fs::write(authority.file("as.toml"), configuration(port)).unwrap();
    let mut command = program();
    command.arg("--config").arg(authority.file("as.toml"));
    let server = Program::start(command);
    let url = server.says("listening on ");
    let ca = Certificate::from_pem(&fs::read(authority.file("ca.pem")).unwrap()).unwrap();
    let builder = Client::builder().homeserver_url(&url).add_root_certificates(vec![ca]);
    let client = builder.disable_built_in_root_certificates().build().await.unwrap();
    let page = decide_at(Visitor::new(authority.client()), &client, ("alice", Some("ABCDEFGHIJ")), "approve").await;
    finish(&client, &page).await;
    let me = client.whoami().await.unwrap();
    assert_eq!((me.user_id.as_str(), me.device_id.unwrap().as_str()), ("@alice:example.org", "ABCDEFGHIJ"));
    let before = refresh_token(&client);
    client.oauth().refresh_access_token().await.unwrap();
    assert_ne!(refresh_token(&client), before);
    assert_eq!(verdict(client.whoami().await), None);
    client.logout().await.unwrap();
    assert_eq!(verdict(client.whoami().await), Some(false));
    is_over(&client).await;
}
