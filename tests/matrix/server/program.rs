//! The reference server with `profile = "matrix"`: the whole way over sockets, and what is its
//! own: moderation, appservices, deactivation.

use std::fs;

use super::*;

pub(super) const ADMIN: &str = "s3cret";

/// A running one, whose person is alice, and where its administrators are.
pub(super) struct Running {
    pub(super) program: Program,
    pub(super) remote: Remote,
    pub(super) admin: Remote,
}

fn start(sections: &str) -> Running {
    let reference = Reference::in_development("");
    let (port, admin) = (reference.port, free_port());
    let text = format!(
        "issuer = \"{}\"\nlisten = \"127.0.0.1:{port}\"\nstore = \"memory:\"\nprofile = \"matrix\"\ndevelopment = true\n\
         [matrix]\nserver_name = \"{NAME}\"\nintrospection_secret = \"{SECRET}\"\n{sections}\n\
         [[matrix.appservices]]\nas_token = \"as-token\"\nsender_localpart = \"bot\"\nusers = \"^@bot_.*:example.org$\"\n\
         [consent]\nauto_approve = \"alice\"\n\
         [[users]]\nusername = \"alice\"\npassword = \"wonderland\"\nadmin = true\n\
         [[users]]\nusername = \"bot_1\"\npassword = \"x\"\n[[users]]\nusername = \"bot\"\npassword = \"x\"\n\
         [[clients]]\nclient_id = \"element\"\nredirect_uris = [\"{CALLBACK}\"]\n\
         grant_types = [\"authorization_code\", \"refresh_token\"]\ntoken_endpoint_auth_method = \"none\"\n",
        reference.issuer,
    );
    fs::write(reference.config(), text).unwrap();
    let mut command = reference.command();
    command.args(["--admin", &format!("127.0.0.1:{admin}")]).env("OAUTH_ADMIN_SECRET", ADMIN);
    let program = reference.started_by(command);
    let remote = |port| Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
    Running { program, remote: remote(port), admin: remote(admin) }
}

impl Running {
    /// Alice's, without a page.
    pub(super) async fn tokens(&self) -> Tokens {
        let ask = Ask::of(ELEMENT).with("scope", SCOPE);
        let (mut uri, mut cookies) = (ask.uri(), String::new());
        for _ in 0..3 {
            let request = Request::get(&uri).header(header::COOKIE, &cookies).body(Bytes::new()).unwrap();
            let answer = self.remote.send(request).await;
            if let Some(answer) = answer.location().strip_prefix(CALLBACK) {
                let code = answer.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
                return self.remote.token(ELEMENT, &redemption(code)).await.tokens();
            }
            cookies = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
            uri = answer.location().to_owned();
        }
        panic!("no code at {uri}")
    }

    pub(super) async fn send(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.remote.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    }

    async fn is(&self, token: &str) -> Answer {
        self.remote.call(WHOAMI, token).await
    }

    /// `PUT /admin/users/NAME`, as its administrators do it.
    pub(super) async fn put_user(&self, name: &str, body: &str) -> Answer {
        let request = Request::put(format!("/admin/users/{name}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
        self.admin.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    }
}

#[tokio::test]
async fn a_session_on_the_reference_server_begins_and_ends() {
    let server = start("");
    let metadata = server.remote.get("/_matrix/client/v1/auth_metadata").await.json();
    assert_eq!(metadata["issuer"], server.remote.url);
    let first = server.tokens().await;
    let answer = server.is(&first.access).await;
    is_user(&answer, "@alice:example.org");
    assert_eq!(answer.member("device_id"), "ABCDEFGHIJ");
    let second = server
        .remote
        .post("/token", ELEMENT, &[("grant_type", "refresh_token"), ("refresh_token", first.refresh.as_ref().unwrap())])
        .await
        .tokens();
    is_user(&server.is(&second.access).await, "@alice:example.org");
    assert_eq!(server.send("POST", "/_matrix/client/v3/logout", &second.access, "").await.status, 200);
    is_unknown(&server.is(&second.access).await, false);
    let third = server.tokens().await;
    let revoked = server.remote.post("/revoke", ELEMENT, &[("token", &third.access)]).await;
    assert_eq!(revoked.status, 200);
    is_unknown(&server.is(&third.access).await, false);
    let (one, all) = (server.tokens().await, "/_matrix/client/v3/logout/all");
    assert_eq!(server.send("POST", all, &one.access, "").await.status, 200);
    is_unknown(&server.is(&one.access).await, false);
    for path in ["/_matrix/client/v3/login", "/_matrix/client/nothing", "/_matrix/x"] {
        is_refused(&server.remote.get(path).await, 404, "M_UNRECOGNIZED");
    }
    assert_eq!(server.remote.get("/account").await.status, 200);
}

#[tokio::test]
async fn the_reference_servers_accounts_are_moderated() {
    let server = start("");
    let tokens = server.tokens().await;
    let bot = |user: &str| format!("{WHOAMI}?user_id=@{user}:example.org");
    is_user(&server.send("GET", &bot("bot_1"), "as-token", "").await, "@bot_1:example.org");
    is_refused(&server.send("GET", &bot("alice"), "as-token", "").await, 403, "M_FORBIDDEN");
    for (what, errcode, status, path) in [
        ("lock", "M_USER_LOCKED", 401, bot("bot_1")),
        ("suspend", "M_USER_SUSPENDED", 403, "/_matrix/client/v3/join/!r:x?user_id=@bot_1:example.org".to_owned()),
    ] {
        let admin = format!("/_matrix/client/v1/admin/{what}/@bot_1:example.org");
        let name = if what == "lock" { "locked" } else { "suspended" };
        for on in [true, false] {
            let done = server.send("PUT", &admin, &tokens.access, &json!({ name: on }).to_string()).await;
            assert_eq!(done.status, 200, "{done}");
            let method = if what == "lock" { "GET" } else { "POST" };
            let answer = server.send(method, &path, "as-token", "").await;
            match on {
                true => is_refused(&answer, status, errcode),
                false => assert_eq!(answer.status, 200, "{answer}"),
            }
        }
    }
    // Case 25, as its operators do it.
    assert_eq!(server.put_user("alice", r#"{"deactivated":true}"#).await.status, 204);
    is_unknown(&server.is(&tokens.access).await, false);
    let params = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_ref().unwrap())];
    server.remote.post("/token", ELEMENT, &params).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn what_administrators_ask_wrongly_is_refused_as_everything_on_their_address() {
    let server = start("");
    for (name, body, status) in [
        ("nobody", r#"{"guest":true}"#, 404),
        ("alice", r#"{"guest":1}"#, 400),
        ("alice", r#"{"locked":true}"#, 400),
        ("%ff", r#"{"guest":true}"#, 400),
        ("alice%c3%28", r#"{"guest":true}"#, 400),
        ("alice%00", r#"{"guest":true}"#, 404),
    ] {
        let answer = server.put_user(name, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, "application/json"), "{answer}");
        assert!(answer.json()["error"].is_string(), "{name}: {answer}");
    }
    // On a connection of its own, which the server closes on what it has not read.
    let long = Request::put(format!("{}/admin/users/alice", server.admin.url));
    let long =
        long.header(header::AUTHORIZATION, format!("Bearer {ADMIN}")).body(Bytes::from(" ".repeat((2 << 20) + 1)));
    let other = Remote::new(plain_client(), "");
    let answer = other.try_send(long.unwrap()).await;
    assert!(answer.is_ok_and(|answer| answer.status == 413));
    let request = Request::put("/admin/users/%ff").body(Bytes::new()).unwrap();
    assert_eq!(server.admin.send(request).await.status, 401);
    // It goes on.
    assert_eq!(server.put_user("alice", r#"{"guest":false}"#).await.status, 204);
}

#[tokio::test]
async fn scripts_may_read_when_to_come_back_and_how_to_authenticate() {
    let server = start("");
    let origin = |request: http::request::Builder| request.header(header::ORIGIN, "https://app.example");
    let ask = async |path: &str| {
        let request = if path.starts_with("/_matrix") { Request::get(path) } else { Request::post(path) };
        server.remote.send(origin(request).body(Bytes::new()).unwrap()).await
    };
    for path in ["/token", "/revoke", "/register", "/oauth2/introspect", WHOAMI, "/_matrix/client/nothing"] {
        let answer = ask(path).await;
        let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
        let mut exposed: Vec<&str> = exposed.split(',').map(str::trim).collect();
        exposed.sort_unstable();
        assert_eq!(exposed, ["retry-after", "www-authenticate"], "{path}: {answer}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test]
async fn case_28_the_reference_server_knows_the_devices_of_an_appservices_users() {
    let server = start(
        "[[matrix.appservices]]\nas_token = \"as-2\"\nsender_localpart = \"bot\"\nusers = \"^@alice:example.org$\"\n",
    );
    let tokens = server.tokens().await;
    let as_alice = |path: &str, device: &str| format!("{path}?user_id=@alice:example.org&device_id={device}");
    is_refused(&server.send("GET", &as_alice(WHOAMI, "NOBODYS"), "as-2", "").await, 400, "M_UNKNOWN_DEVICE");
    is_user(&server.send("GET", &as_alice(WHOAMI, "ABCDEFGHIJ"), "as-2", "").await, "@alice:example.org");
    is_user(&server.is(&tokens.access).await, "@alice:example.org");
    // It signs a device out as its user would.
    let logout = as_alice("/_matrix/client/v3/logout", "ABCDEFGHIJ");
    assert_eq!(server.send("POST", &logout, "as-2", "").await.status, 200);
    is_unknown(&server.is(&tokens.access).await, false);
    is_refused(&server.send("POST", &logout, "as-2", "").await, 400, "M_UNKNOWN_DEVICE");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_as_matrix_says() {
    let server = start("");
    let tokens = server.tokens().await;
    for (method, path) in [("POST", "join/%ff"), ("DELETE", "devices/%ff")] {
        let path = format!("/_matrix/client/v3/{path}");
        let answer = server.send(method, &path, &tokens.access, "").await;
        assert!(answer.status.is_client_error() && answer.json()["errcode"].is_string(), "{answer}");
    }
}

// spec: MTX-02
#[tokio::test]
async fn the_reference_server_can_be_without_the_api() {
    let server = start("oauth = false");
    is_refused(&server.remote.get("/_matrix/client/v1/auth_metadata").await, 404, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn the_reference_server_takes_tokens_in_the_query_where_its_file_says_so() {
    for (section, taken) in [("", false), ("legacy_query_token = true", true)] {
        let server = start(section);
        let tokens = server.tokens().await;
        let answer = server.remote.get(&format!("{WHOAMI}?access_token={}", tokens.access)).await;
        match taken {
            true => is_user(&answer, "@alice:example.org"),
            false => is_refused(&answer, 401, "M_MISSING_TOKEN"),
        }
    }
}

#[tokio::test]
async fn case_30_the_reference_server_limits_users_where_its_file_says_so() {
    for (section, limited) in [("", false), ("[limits]\nclient_server_per_second = 1", true)] {
        let server = start(section);
        let tokens = server.tokens().await;
        let answers = futures_util::future::join_all((0..20).map(|_| server.is(&tokens.access))).await;
        let (good, refused): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert!(!good.is_empty() && refused.is_empty() != limited, "{} of 20 are good", good.len());
        for answer in refused {
            is_refused(&answer, 429, "M_LIMIT_EXCEEDED");
            assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{answer}");
        }
    }
}

// spec: MTX-27
#[tokio::test]
async fn the_oauth_api_says_error_and_the_client_server_api_says_errcode_and_neither_says_both() {
    let server = start("[registration]\nopen = true\n");
    let form = async |path: &str, body: &str| {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        server.remote.send(request.body(Bytes::from(body.to_owned())).unwrap()).await
    };
    let oauth = [
        form("/token", "").await,
        form("/token", "grant_type=refresh_token&client_id=element&refresh_token=junk").await,
        form("/token", "grant_type=password&client_id=element").await,
        form("/revoke", "").await,
        form("/oauth2/introspect", "token=t").await,
        server.send("POST", "/register", "", "{").await,
    ];
    let codes: Vec<_> = oauth.iter().map(|answer| answer.member("error")).collect();
    let expected = ["invalid_client", "invalid_grant", "unsupported_grant_type", "invalid_request", "access_denied"];
    assert_eq!(codes[..5], expected);
    for answer in &oauth {
        assert!(answer.json().get("errcode").is_none(), "{answer}");
    }

    let matrix = [
        server.remote.get(WHOAMI).await,
        server.is("junk").await,
        server.send("DELETE", WHOAMI, "", "").await,
        server.remote.get("/_matrix/client/v3/nothing").await,
        server.send("POST", "/_matrix/client/v3/logout", "junk", "").await,
    ];
    let codes: Vec<_> = matrix.iter().map(|answer| answer.member("errcode")).collect();
    let expected = ["M_MISSING_TOKEN", "M_UNKNOWN_TOKEN", "M_UNRECOGNIZED", "M_UNRECOGNIZED", "M_UNKNOWN_TOKEN"];
    assert_eq!(codes, expected);
    // Its `error` is a sentence for people.
    for answer in &matrix {
        assert!(answer.member("error").as_str().is_some_and(|text| text.contains(' ')), "{answer}");
        assert!(answer.json().get("error_description").is_none(), "{answer}");
    }
}
