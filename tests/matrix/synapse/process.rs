//! The reference server that a Synapse asks, and both together.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytes::Bytes;
use http::{Request, header};

use super::{
    ADMIN, ELEMENT, NAME, SECRET,
    homeserver::{Synapse, client},
};
use crate::support::*;

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

    /// Says where the homeserver is, for the next start.
    pub(super) fn finds(&self, from: u16, to: u16) {
        let text = fs::read_to_string(self.reference.config()).unwrap();
        let url = |port: u16| format!("homeserver_url = \"http://127.0.0.1:{port}\"");
        assert!(text.contains(&url(from)), "{text}");
        fs::write(self.reference.config(), text.replace(&url(from), &url(to))).unwrap();
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
        Self { synapse: Synapse::start(port, service.url(), None).await, service }
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
