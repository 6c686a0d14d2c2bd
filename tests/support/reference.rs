//! The program `authorization-server`, with a configuration file and a database in a folder of its own.

use std::{fs, path::PathBuf, process::Command};

use oauth_axum_rs::{Secret, oauth_core::clock::SystemRandom, pages::PasswordUsers};

use super::{Authority, CALLBACK, PASSWORD, Program, free_port, program};

/// Where it is, whether it runs or not.
pub(crate) struct Reference {
    pub(crate) authority: Authority,
    pub(crate) port: u16,
    pub(crate) issuer: String,
}

/// The API that tokens are for if nobody says, and one that takes JWTs: both have a resource server that may ask.
pub(crate) const ALBUMS: &str = "https://albums.example";
pub(crate) const JWT_ALBUMS: &str = "https://jwt.albums.example";

impl Reference {
    /// One that is meant for others: TLS, and hashed passwords.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same, with `sections` at the end of its file.
    pub(crate) fn with(sections: &str) -> Self {
        let port = free_port();
        let reference = Self { authority: Authority::new(), port, issuer: format!("https://localhost:{port}") };
        let hash = PasswordUsers::hash(&Secret::new(PASSWORD), &SystemRandom).unwrap();
        let user = format!("[[users]]\nusername = \"alice\"\npassword_hash = '{hash}'\n");
        let tls = "[tls]\ncertificate = \"cert.pem\"\nprivate_key = \"key.pem\"\n";
        reference.write(&format!("{tls}{user}{sections}"));
        reference
    }

    /// One for this machine alone: plain http, and alice approves everything.
    pub(crate) fn in_development(sections: &str) -> Self {
        let port = free_port();
        let reference = Self { authority: Authority::new(), port, issuer: format!("http://127.0.0.1:{port}") };
        let alice = "[[users]]\nusername = \"alice\"\npassword = \"wonderland\"\n[consent]\nauto_approve = \"alice\"\n";
        reference.write(&format!("{alice}{sections}"));
        reference
    }

    /// One behind a proxy that ends TLS, at one of these addresses.
    pub(crate) fn behind(proxies: &str) -> Self {
        let port = free_port();
        let reference = Self { authority: Authority::new(), port, issuer: "https://localhost".to_owned() };
        reference.write("");
        let trusted = format!("trusted_proxies = [\"{proxies}\"]\n");
        fs::write(reference.config(), trusted + &fs::read_to_string(reference.config()).unwrap()).unwrap();
        reference
    }

    fn write(&self, sections: &str) {
        let (issuer, port, development) = (&self.issuer, self.port, !self.issuer.starts_with("https"));
        let text = format!(
            "issuer = \"{issuer}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"sqlite:oauth.db\"\n\
             development = {development}\n{CLIENTS}\n{sections}"
        );
        fs::write(self.config(), text.replace("CALLBACK", CALLBACK)).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.authority.file("as.toml")
    }

    /// A command that starts it.
    pub(crate) fn command(&self) -> Command {
        let mut command = program("authorization-server");
        command.arg("--config").arg(self.config());
        command
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&self) -> Program {
        self.started_by(self.command())
    }

    /// The same, by another command.
    pub(crate) fn started_by(&self, command: Command) -> Program {
        let program = Program::start(command);
        assert_eq!(program.says("listening on "), self.issuer);
        program
    }
}

/// Those of the other tests, as far as these need them.
const CLIENTS: &str = r#"
[keys]
secret_file = "oauth.key"

[tokens]
grace_seconds = 3600
access_lifetime = 3600

[[resources]]
identifier = "https://albums.example"
scopes = ["albums:read", "albums:write"]
introspection_caller = "api"

[[resources]]
identifier = "https://jwt.albums.example"
scopes = ["albums:read", "albums:write"]
format = "jwt"
introspection_caller = "api"

[[clients]]
client_id = "web"
client_secret = "web-secret-7Xk2"
redirect_uris = ["CALLBACK"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "albums:read albums:write"

[[clients]]
client_id = "app"
redirect_uris = ["CALLBACK"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "albums:read albums:write"

[[clients]]
client_id = "api"
client_secret = "api-secret-1Lm8"
"#;
