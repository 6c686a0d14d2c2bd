//! How soon a revocation is heard by other processes: two authorization servers, and resource servers that ask and that
//! do not, on one PostgreSQL and on one Redis. No time is asserted here. What is measured is printed.

mod behind;
mod cut;
mod measured;
mod restarted;
mod wire;

use std::{fs, time::Duration};

use bytes::Bytes;
use http::{Request, header};

use crate::{bus::until, support::*};

const ADMIN: &str = "admin-secret-8Hd3";
const CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("resource", ALBUMS)];
const ASKS: [&str; 6] = ["--introspect", "--client-id", "api", "--client-secret", "api-secret-1Lm8", "--cache-ttl"];

/// Two authorization servers on one store, with an API beside each.
struct Servers {
    reference: Reference,
    nodes: [Remote; 2],
    /// What administrators do at each.
    admins: [Remote; 2],
    _programs: Vec<Program>,
}

/// How something is revoked.
#[derive(Clone, Copy, Debug)]
enum How {
    /// One token.
    Token,
    /// A grant, by its refresh token.
    Grant,
    /// All that somebody was given.
    Bulk,
}

impl Servers {
    /// On this store, with more in the configuration.
    fn start(store: &str, sections: &str) -> Self {
        let reference = Reference::in_development(sections);
        let text = fs::read_to_string(reference.config()).unwrap().replace("sqlite:oauth.db", store);
        // The first resource takes JWTs, so that one token is good everywhere.
        let text = text.replacen("introspection_caller", "format = \"jwt\"\nintrospection_caller", 1);
        let mut programs = Vec::new();
        let mut node = |number: usize| {
            let (port, admin) = (if number == 0 { reference.port } else { free_port() }, free_port());
            let config = reference.authority.file(&format!("node-{number}.toml"));
            fs::write(&config, text.replace(&format!(":{}\"\nstore", reference.port), &format!(":{port}\"\nstore")))
                .unwrap();
            let mut command = program("authorization-server");
            command.arg("--config").arg(config).arg("--admin").arg(format!("127.0.0.1:{admin}"));
            command.env("OAUTH_ADMIN_SECRET", ADMIN);
            programs.push(reference.started_by(command));
            [port, admin].map(|port| Remote::new(plain_client(), format!("http://127.0.0.1:{port}")))
        };
        let [[one, admin_one], [two, admin_two]] = [node(0), node(1)];
        Self { nodes: [one, two], admins: [admin_one, admin_two], _programs: programs, reference }
    }

    /// A resource server of theirs, which hears on this bus.
    fn api(&self, bus: &str, arguments: &[&str]) -> (Program, Remote) {
        let mut command = program("resource-server");
        command.args(["--development", "--listen", "127.0.0.1:0", "--issuer", &self.reference.issuer]);
        command.args(["--resource", ALBUMS, "--revocations", bus]).args(arguments);
        let program = Program::start(command);
        let remote = Remote::new(plain_client(), format!("http://{}", program.says("listening on ")));
        (program, remote)
    }

    /// A token of a client, for itself.
    async fn token(&self, at: usize) -> String {
        self.nodes[at].token(WEB, CREDENTIALS).await.tokens().access
    }

    /// What alice allows.
    async fn sign_in(&self, at: usize) -> Tokens {
        let node = &self.nodes[at];
        let ask = Ask::of(APP).with("resource", ALBUMS).with("scope", "albums:read");
        let page = Visitor::new(node.http.clone()).go(&format!("{}{}", node.url, ask.uri())).await;
        node.token(APP, &redemption(page.response(CALLBACK).get("code").unwrap())).await.tokens()
    }

    async fn revoke(&self, at: usize, how: How, tokens: &Tokens) {
        match how {
            How::Token => self.nodes[at].revoke(WEB, &tokens.access).await.is_revoked(),
            How::Grant => self.nodes[at].revoke(APP, tokens.refresh.as_ref().unwrap()).await.is_revoked(),
            How::Bulk => {
                let ask = Request::post("/admin/revoke").header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
                let ask = ask.header(header::CONTENT_TYPE, "application/json");
                let answer = self.admins[at].send(ask.body(Bytes::from(r#"{"subject":"alice"}"#)).unwrap()).await;
                let last = answer.body.lines().last().unwrap();
                assert!(answer.status == 200 && last.starts_with("{\"done\":true,"), "{answer}");
            }
        }
    }
}

/// What an API answers.
async fn status(api: &Remote, token: &str) -> u16 {
    api.call("/api/whoami", token).await.status.as_u16()
}

async fn all_accept(apis: &[Remote], token: &str) {
    for api in apis {
        until("it is accepted", async || status(api, token).await == 200).await;
    }
}

/// Now and whenever they are asked again.
async fn all_refuse(apis: &[Remote], token: &str) {
    for api in apis {
        until("it is refused", async || status(api, token).await == 401).await;
    }
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        for api in apis {
            let answer = api.call("/api/whoami", token).await;
            assert_eq!(answer.status, 401, "{} has refused it before: {answer}", api.url);
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer}");
        }
    }
}
