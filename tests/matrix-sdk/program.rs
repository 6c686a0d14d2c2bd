//! The reference server with `profile = "matrix"`, a process of its own.

use std::{env, fs, path::Path, process::Command};

use matrix_sdk::{Client, config::RequestConfig, reqwest::Certificate};
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

/// Its file, the end of which is the section `matrix`.
pub(crate) fn configuration(port: u16) -> String {
    let hash = PasswordUsers::hash(&Secret::new(PASSWORD), &SystemRandom).unwrap();
    format!(
        "issuer = \"https://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"memory:\"\nprofile = \"matrix\"\n\
         [tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"\n\
         [[users]]\nusername = \"alice\"\npassword_hash = '{hash}'\n\
         [matrix]\nserver_name = \"{}\"\n",
        house::NAME
    )
}

/// Starts it with this file, and says where it listens.
pub(crate) fn start(authority: &Authority, configuration: &str) -> (Program, String) {
    fs::write(authority.file("as.toml"), configuration).unwrap();
    let mut command = program();
    command.arg("--config").arg(authority.file("as.toml"));
    let server = Program::start(command);
    let url = server.says("listening on ");
    (server, url)
}

/// An SDK for the homeserver at `url`, which trusts the authority of its test, and nobody else.
pub(crate) async fn client_at(url: &str, authority: &Authority) -> Client {
    let ca = Certificate::from_pem(&fs::read(authority.file("ca.pem")).unwrap()).unwrap();
    let builder = Client::builder().homeserver_url(url).add_root_certificates(vec![ca]);
    // By itself it tries for minutes what a server cannot do now, which here is a failure.
    let builder = builder.request_config(RequestConfig::new().disable_retry());
    builder.disable_built_in_root_certificates().build().await.unwrap()
}

#[tokio::test]
async fn a_session_on_the_reference_server_begins_goes_on_and_ends() {
    let authority = Authority::new();
    let (_server, url) = start(&authority, &configuration(free_port()));
    let client = client_at(&url, &authority).await;
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
