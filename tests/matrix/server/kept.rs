//! Who is locked, suspended, deactivated or a guest at the reference server: it is in a file, which outlives the
//! program, and which its nodes share.

use std::{fs, path::PathBuf};

use super::{
    program::{ADMIN, Running},
    *,
};

const AS_TOKEN: &str = "as-token";

/// A file of the program, of whatever ports, in a folder of the test.
struct Place {
    reference: Reference,
    ports: [u16; 2],
}

impl Place {
    /// With `sections` at the end; `section` is more of `[matrix]`.
    fn new(section: &str) -> Self {
        let reference = Reference::in_development("");
        let place = Self { ports: [reference.port, free_port()], reference };
        place.write("as.toml", place.ports, section);
        place
    }

    /// A file of another node: with a store of its own, so that nothing else is common.
    fn write(&self, name: &str, ports: [u16; 2], section: &str) {
        let text = format!(
            "issuer = \"{}\"\nlisten = \"127.0.0.1:{}\"\nstore = \"sqlite:{}.db\"\nprofile = \"matrix\"\ndevelopment = true\n\
             [keys]\nsecret_file = \"oauth.key\"\n[matrix]\nserver_name = \"{NAME}\"\nintrospection_secret = \"{SECRET}\"\n\
             {section}\n[[matrix.appservices]]\nas_token = \"{AS_TOKEN}\"\nsender_localpart = \"bot\"\n\
             users = \"^@bot.*:example.org$\"\n[consent]\nauto_approve = \"alice\"\n\
             [[users]]\nusername = \"alice\"\npassword = \"wonderland\"\nadmin = true\n\
             [[users]]\nusername = \"bot_1\"\npassword = \"x\"\n[[users]]\nusername = \"bot_2\"\npassword = \"x\"\n\
             [[clients]]\nclient_id = \"element\"\nredirect_uris = [\"{CALLBACK}\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\ntoken_endpoint_auth_method = \"none\"\n",
            self.reference.issuer, ports[0], ports[0],
        );
        fs::write(self.file(name), text).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.reference.authority.file(name)
    }

    fn start(&self) -> Running {
        self.node("as.toml", self.ports)
    }

    fn node(&self, name: &str, [port, admin]: [u16; 2]) -> Running {
        let mut command = program("authorization-server");
        command.arg("--config").arg(self.file(name));
        command.args(["--admin", &format!("127.0.0.1:{admin}")]).env("OAUTH_ADMIN_SECRET", ADMIN);
        let remote = |port| Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
        Running { program: self.reference.started_by(command), remote: remote(port), admin: remote(admin) }
    }

    /// The program with `--check`, or without: with what it exits, and what it says.
    fn ends(&self, check: bool) -> (Option<i32>, String) {
        let mut command = self.reference.command();
        command.args(check.then_some("--check"));
        let ended = Program::run(command);
        (ended.code, ended.stderr)
    }
}

/// What `bot` gets at `path`, as its application service has it.
async fn as_bot(server: &Running, bot: &str, path: &str) -> Answer {
    server.send("GET", &format!("{path}?user_id=@{bot}:example.org"), AS_TOKEN, "").await
}

async fn moderate(server: &Running, what: &str, token: &str, body: Value) -> Answer {
    let path = format!("/_matrix/client/v1/admin/{what}/@bot_1:example.org");
    server.send("PUT", &path, token, &body.to_string()).await
}

// spec: MTX-18
#[tokio::test]
async fn who_was_locked_deactivated_or_a_guest_still_is_after_a_crash_and_at_another_node() {
    let place = Place::new("");
    let server = place.start();
    let tokens = server.tokens().await;
    is_user(&as_bot(&server, "bot_1", WHOAMI).await, "@bot_1:example.org");
    assert_eq!(moderate(&server, "lock", &tokens.access, json!({ "locked": true })).await.status, 200);
    assert_eq!(server.put_user("bot_2", r#"{"deactivated":true}"#).await.status, 204);
    assert_eq!(server.put_user("bot_1", r#"{"guest":true}"#).await.status, 204);
    server.program.kill();

    let again = place.start();
    is_refused(&as_bot(&again, "bot_1", WHOAMI).await, 401, "M_USER_LOCKED");
    is_unknown(&as_bot(&again, "bot_2", WHOAMI).await, false);
    assert_eq!(moderate(&again, "lock", &again.tokens().await.access, json!({ "locked": false })).await.status, 200);
    is_user(&as_bot(&again, "bot_1", WHOAMI).await, "@bot_1:example.org");
    is_refused(&as_bot(&again, "bot_1", "/_matrix/client/v3/capabilities").await, 403, "M_GUEST_ACCESS_FORBIDDEN");

    // The other one hears of it without being asked to, and is heard.
    let ports = [free_port(), free_port()];
    place.write("other.toml", ports, "");
    let other = place.node("other.toml", ports);
    is_unknown(&as_bot(&other, "bot_2", WHOAMI).await, false);
    for (here, there) in [(&again, &other), (&other, &again)] {
        assert_eq!(here.put_user("bot_2", r#"{"deactivated":false}"#).await.status, 204);
        is_user(&as_bot(there, "bot_2", WHOAMI).await, "@bot_2:example.org");
        assert_eq!(here.put_user("bot_2", r#"{"deactivated":true}"#).await.status, 204);
        is_unknown(&as_bot(there, "bot_2", WHOAMI).await, false);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(place.file("accounts.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_503_and_not_made_and_nobody_is_active_while_it_cannot_be_read() {
    let place = Place::new("accounts_file = \"state.json\"\n");
    let server = place.start();
    let (tokens, file) = (server.tokens().await, place.file("state.json"));
    let introspect = async |token: &str| {
        let request = Request::post("/oauth2/introspect").header(header::AUTHORIZATION, format!("Bearer {SECRET}"));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        server.remote.send(request.body(Bytes::from(format!("token={token}"))).unwrap()).await
    };
    let before = fs::read(&file).unwrap();
    fs::create_dir(place.file("state.json.new")).unwrap();
    let refused = moderate(&server, "suspend", &tokens.access, json!({ "suspended": true })).await;
    is_refused(&refused, 503, "M_UNKNOWN");
    assert_eq!(refused.header("retry-after"), "2");
    let refused = server.put_user("alice", r#"{"deactivated":true}"#).await;
    assert!(refused.status == 503 && refused.json()["error"].is_string(), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), before);
    is_user(&server.remote.call(WHOAMI, &tokens.access).await, "@alice:example.org");
    assert_eq!(moderate(&server, "lock", &tokens.access, json!({ "locked": false })).await.status, 200);
    fs::remove_dir(place.file("state.json.new")).unwrap();

    fs::write(&file, r#"{"version":1,"users":{"alice":{"banned":true}}}"#).unwrap();
    for path in [WHOAMI, "/_matrix/client/v1/admin/lock/@bot_1:example.org"] {
        is_refused(&server.send("GET", path, &tokens.access, "").await, 503, "M_UNKNOWN");
    }
    is_refused(&as_bot(&server, "bot_1", WHOAMI).await, 503, "M_UNKNOWN");
    assert_eq!(introspect(&tokens.access).await.status, 503);
    server.remote.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.is_unavailable();
    assert_eq!(server.put_user("alice", r#"{"guest":false}"#).await.status, 503);
    fs::write(&file, before).unwrap();
    is_user(&server.remote.call(WHOAMI, &tokens.access).await, "@alice:example.org");
    assert_eq!(introspect(&tokens.access).await.member("active"), true);
    assert_eq!(server.put_user("alice", r#"{"deactivated":true}"#).await.status, 204);
    is_unknown(&server.remote.call(WHOAMI, &tokens.access).await, false);
}

#[tokio::test]
async fn a_file_that_says_who_knows_what_is_found_before_anybody_is_served_and_a_check_makes_none() {
    let place = Place::new("");
    let said = |(code, stderr): (Option<i32>, String)| {
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.lines().any(|line| line.starts_with("matrix.accounts_file: ")), "{stderr}");
    };
    assert_eq!(place.ends(true).0, Some(0));
    assert!(!place.file("accounts.json").exists());
    fs::write(place.file("accounts.json"), "{}").unwrap();
    [true, false].into_iter().for_each(|check| said(place.ends(check)));
    fs::remove_file(place.file("accounts.json")).unwrap();
    drop(place.start());
    assert!(place.file("accounts.json").exists());
    assert_eq!(place.ends(true).0, Some(0));
    // It was lost: who was locked is not free for it.
    fs::write(place.file("accounts.json.lock"), "").unwrap();
    fs::remove_file(place.file("accounts.json")).unwrap();
    [true, false].into_iter().for_each(|check| said(place.ends(check)));
}

#[tokio::test]
async fn deactivation_lasts_also_where_the_homeserver_is_another_process() {
    let away = free_port();
    let place = Place::new(&format!("synapse = true\nhomeserver_url = \"http://127.0.0.1:{away}\"\n"));
    let server = place.start();
    assert_eq!(server.put_user("bot_1", r#"{"deactivated":true}"#).await.status, 204);
    server.program.kill();
    let text = fs::read_to_string(place.file("accounts.json")).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(kept, json!({ "version": 1, "users": { "bot_1": { "deactivated": true } } }));
    let again = place.start();
    assert_eq!(again.put_user("bot_1", r#"{"deactivated":false}"#).await.status, 204);
    let text = fs::read_to_string(place.file("accounts.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({ "version": 1, "users": {} }));
}

// spec: MTX-13
#[tokio::test]
async fn a_device_that_an_application_service_deletes_has_no_session_and_may_have_another() {
    let place = Place::new(
        "[[matrix.appservices]]\nas_token = \"as-2\"\nsender_localpart = \"bot\"\nusers = \"^@alice:example.org$\"\n",
    );
    let server = place.start();
    let tokens = server.tokens().await;
    let path = "/_matrix/client/v3/devices/ABCDEFGHIJ?user_id=@alice:example.org";
    assert_eq!(server.send("DELETE", path, "as-2", "").await.status, 200);
    is_unknown(&server.remote.call(WHOAMI, &tokens.access).await, false);
    server.remote.refresh(ELEMENT, tokens.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
    let later = server.tokens().await;
    is_user(&server.remote.call(WHOAMI, &later.access).await, "@alice:example.org");
}
