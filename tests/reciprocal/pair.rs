//! Two authorization servers, processes of their own, that are party A and party B to each other.

use std::{fs, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};

use super::{gate::Gate, *};

/// What administrators say at both.
const ADMIN: &str = "the-secret-of-the-administrators-3Kp7";

/// A program, and how to speak to it.
pub(super) struct Party {
    pub(super) reference: Reference,
    pub(super) program: Option<Program>,
    pub(super) remote: Remote,
    pub(super) admin: Remote,
    /// What those told that were killed.
    told: String,
}

/// Both, with a gate before the endpoints of each that the other one calls.
pub(super) struct Pair {
    pub(super) a: Party,
    pub(super) b: Party,
    pub(super) before_a: Gate,
    pub(super) before_b: Gate,
}

impl Party {
    fn new(store: Option<&str>) -> Self {
        let reference = Reference::in_development("");
        if let Some(store) = store {
            let text = fs::read_to_string(reference.config()).unwrap();
            fs::write(reference.config(), text.replace("sqlite:oauth.db", store)).unwrap();
        }
        let remote = Remote::new(plain_client(), reference.issuer.clone());
        let admin = Remote::new(plain_client(), format!("http://127.0.0.1:{}", free_port()));
        Self { reference, program: None, remote, admin, told: String::new() }
    }

    fn add(&self, sections: &str) {
        let text = fs::read_to_string(self.reference.config()).unwrap();
        fs::write(self.reference.config(), text + sections).unwrap();
    }

    /// Starts it, telling everything that it can tell.
    pub(super) fn start(&mut self) {
        let mut command = self.reference.command();
        command.args(["--admin", self.admin.url.strip_prefix("http://").unwrap()]);
        command.env("OAUTH_ADMIN_SECRET", ADMIN).env("RUST_LOG", "trace");
        self.program = Some(self.reference.started_by(command));
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        let program = self.program.take().unwrap();
        program.signal("KILL");
        let ended = program.ended();
        assert_eq!(ended.code, None, "{}", ended.stderr);
        self.told += &(ended.stdout + &ended.stderr);
    }

    /// Ends it, and returns what it has told.
    pub(super) fn end(&mut self) -> String {
        let ended = self.program.take().unwrap().terminate();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        std::mem::take(&mut self.told) + &ended.stdout + &ended.stderr
    }

    /// `GET /admin/reciprocal`.
    pub(super) async fn held(&self) -> Value {
        let answer = self.admin.call("/admin/reciprocal", ADMIN).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()
    }

    /// `POST /admin/reciprocal`.
    pub(super) async fn ask(&self, ask: &Value) -> Answer {
        let request = Request::post("/admin/reciprocal").header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
        self.admin.send(request.body(Bytes::from(ask.to_string())).unwrap()).await
    }

    /// Waits until it holds tokens with `scope`, and nothing waits.
    pub(super) async fn comes_to_hold(&self, scope: &str) -> Value {
        self.comes_to(|held| held["tokens"][0]["scope"] == scope && held["queued"] == 0).await
    }

    pub(super) async fn comes_to(&self, good: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let held = self.held().await;
            if good(&held) {
                return held;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not come to pass: {}", self.held().await);
    }

    /// How often this has happened.
    pub(super) async fn count(&self, event: &str) -> u64 {
        let metrics = self.admin.get("/metrics").await.body;
        let start = format!("oauth_events_total{{event=\"{event}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |count| count.parse().unwrap())
    }

    /// Waits until this has happened so often.
    pub(super) async fn counts_to(&self, event: &str, count: u64) {
        for _ in 0..600 {
            if self.count(event).await >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{event} does not happen {count} times");
    }

    /// `GET` or `POST /api/albums`: the status.
    pub(super) async fn albums(&self, method: &str, token: &str) -> u16 {
        let request = Request::builder().method(method).uri("/api/albums");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.remote.send(request.body(Bytes::new()).unwrap()).await.status.as_u16()
    }

    /// The same, once it is so: what is revoked is revoked a moment later.
    pub(super) async fn albums_come_to(&self, method: &str, token: &str, status: u16) {
        for _ in 0..600 {
            if self.albums(method, token).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{method} never is {status}");
    }
}

impl Pair {
    /// Both on SQLite, running, and the gates open.
    pub(super) async fn new() -> Self {
        let mut pair = Self::asleep([None, None], "");
        pair.before_a.open().await;
        pair.start().await;
        pair
    }

    /// Neither runs yet, and no gate is open. `patience` is B's.
    pub(super) fn asleep([a_store, b_store]: [Option<&str>; 2], patience: &str) -> Self {
        let (a, b) = (Party::new(a_store), Party::new(b_store));
        let (before_a, before_b) = (Gate::to(a.reference.port), Gate::to(b.reference.port));
        let pair = Self { a, b, before_a, before_b };
        pair.a.add(&pair.of_a());
        pair.b.add(&pair.of_b(patience));
        pair
    }

    /// All but the gate before A.
    pub(super) async fn start(&mut self) {
        self.before_b.open().await;
        self.a.start();
        self.b.start();
    }

    fn of_a(&self) -> String {
        format!(
            r#"
[[clients]]
client_id = "b-at-a"
client_secret = "b-at-a-secret-6Wd9"
client_name = "Music Service"
redirect_uris = ["{CALLBACK}"]
grant_types = ["authorization_code", "refresh_token"]
scope = "albums:read albums:write"

[reciprocal]
enabled = true

[[reciprocal.initiators]]
name = "music"
client_id = "b-at-a"
token_endpoint = "{before_b}/token"
our_client_id = "peer-a"
our_client_secret = "peer-a-secret-8Vn3"
issuer = "{b}"
our_scope = "albums:read"
"#,
            before_b = self.before_b.url(),
            b = self.b.reference.issuer,
        )
    }

    fn of_b(&self, patience: &str) -> String {
        let peer = |id: &str, secret: &str, grants: &str| {
            format!(
                "[[clients]]\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\n\
                 redirect_uris = [\"{CALLBACK}\", \"{a}/reciprocal/callback/music\"]\n\
                 grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"{grants}]\n\
                 scope = \"albums:read\"\n",
                a = self.a.reference.issuer,
            )
        };
        let urn = format!(", \"{URN}\"");
        format!(
            r#"
{peer}
{other}
[reciprocal]
enabled = true
{patience}

[[reciprocal.peers]]
client_id = "peer-a"
token_endpoint = "{before_a}/token"
revocation_endpoint = "{before_a}/revoke"
our_client_id = "b-at-a"
our_client_secret = "b-at-a-secret-6Wd9"
scope = "albums:read"
"#,
            peer = peer("peer-a", "peer-a-secret-8Vn3", &urn),
            other = peer("no-peer", "no-peer-secret-2Hs6", &urn),
            before_a = self.before_a.url(),
        )
    }

    /// The first flow: A's tokens from B for alice, and what B would like in turn.
    pub(super) async fn first_flow(&self) -> (Tokens, Value) {
        let answer = self.redeemed_by(PEER).await;
        (answer.tokens(), answer.member("reciprocal"))
    }

    pub(super) async fn redeemed_by(&self, caller: Caller) -> Answer {
        let mut visitor = Visitor::new(plain_client());
        let url = format!("{}{}", self.b.reference.issuer, Ask::of(caller).uri());
        let response = visitor.go(&url).await.response(CALLBACK);
        self.b.remote.token(caller, &redemption(response.get("code").unwrap())).await
    }

    /// What A's administrator asks for: alice lets B have `scope`.
    pub(super) async fn connect(&self, access: &str, scope: &str) {
        let ask = json!({ "user": "alice", "peer": "music", "scope": scope, "access_token": access });
        let answer = self.a.ask(&ask).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, r#"{"status":200}"#));
    }

    /// What A gave B last.
    pub(super) fn token_of_b(&self) -> String {
        self.before_a.members("access_token").pop().unwrap()
    }

    /// Ends both: nothing that is secret may be in what they have told.
    pub(super) fn end_in_silence(&mut self, secrets: &[&str]) {
        let own = ["code", "access_token", "token"].map(|name| {
            let seen = [&self.before_a, &self.before_b].map(|gate| [gate.fields(name), gate.members(name)].concat());
            seen.concat()
        });
        let refresh = self.before_a.members("refresh_token");
        let own = [own.concat(), refresh].concat();
        assert!(own.len() >= 2, "{own:?}");
        let fixed = ["peer-a-secret-8Vn3", "b-at-a-secret-6Wd9", ADMIN];
        for told in [self.a.end(), self.b.end()] {
            assert!(told.contains("TRACE") && told.contains("listening") || told.contains("bound"), "{told}");
            for secret in own.iter().map(String::as_str).chain(secrets.iter().copied()).chain(fixed) {
                assert!(!told.contains(secret), "{secret} is in the log");
            }
        }
    }
}
