//! Runs the homeserver on this machine; what it does is told at the top of `lib.rs`.

use std::io::{self, Write};

use matrix_homeserver::{Homeserver, Wrong, app, authorization_server};
use oauth_axum_rs::{
    PeerExt,
    pages::{Pages, PasswordUsers},
};
use tokio::net::TcpListener;

const HERE: &str = "http://127.0.0.1:8008";

#[tokio::main]
async fn main() -> Result<(), Wrong> {
    // In earnest: `.user("ada", "$argon2id$...")`, https, and a store and a root secret that outlive the process.
    let users = PasswordUsers::default().insecure_plain("ada", "analytical").insecure_plain("grace", "compiler");
    let server = authorization_server(HERE, "localhost", users.clone()).await?;
    let home = Homeserver::new(&server, "localhost", &["ada", "grace"])?;
    let listener = TcpListener::bind("127.0.0.1:8008").await?;
    writeln!(io::stdout(), "a client that is told of {HERE} signs ada in with the password \"analytical\"")?;
    writeln!(io::stdout(), "curl {HERE}/_matrix/client/v1/auth_metadata")?;
    writeln!(io::stdout(), "curl -i {HERE}/_matrix/client/v3/account/whoami")?;
    // With their addresses: whoever guesses passwords is held up by them.
    axum::serve(listener, app(&home, Pages::new(&server, users)).into_make_service_with_peer()).await?;
    Ok(())
}
