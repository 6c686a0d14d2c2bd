//! The programs as their operators meet them: how they start, what they refuse, and how they end.

use std::{fs, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    ALBUMS, APP, Caller, Ended, Folder, Program, RESOURCE_SERVER, Reference, Remote, WEB, basic, free_port,
    plain_client, post, program,
};

/// How `authorization-server` takes a configuration.
fn with_config(text: &str, arguments: &[&str]) -> Ended {
    let reference = Reference::new();
    fs::write(reference.config(), text).unwrap();
    let mut command = reference.command();
    command.args(arguments);
    Program::run(command)
}

/// The keys that it names, one on each line of stderr.
fn keys(ended: &Ended) -> Vec<&str> {
    ended.stderr.lines().map(|line| line.split_once(": ").map_or(line, |(key, _)| key)).collect()
}

#[test]
fn a_file_with_mistakes_is_refused_and_every_mistake_is_named_by_its_key() {
    let text = r#"
        issuer = "https://localhost:9443/?x"
        listen = "somewhere"
        stor = "memory:"
        [tls]
        certificate = "cert.pem"
        [tokens]
        access_lifetime = "long"
        rotation = "sometimes"
        [[clients]]
        client_id = "app"
        client_secret = "hunter2"
        redirect_uris = ["http://app.example/cb"]
        grant_types = ["authorization_code", "password"]
        [[users]]
        username = "alice"
        password = "wonderland"
    "#;
    let expected = [
        "clients[0].grant_types[1]",
        "clients[0].redirect_uris[0]",
        "issuer",
        "listen",
        "stor",
        "tls.private_key",
        "tokens.access_lifetime",
        "tokens.rotation",
        "users[0].password",
    ];
    for arguments in [&["--check"][..], &[]] {
        let ended = with_config(text, arguments);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        let mut found = keys(&ended);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, expected, "{ended:?}");
        assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("wonderland"), "{ended:?}");
    }
}

#[test]
fn a_feature_that_is_not_built_is_refused_by_its_name_and_may_be_off() {
    let port = free_port();
    let base = format!("issuer = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\ndevelopment = true\n");
    for (text, key) in [("profile = \"fapi2\"", "profile"), ("profile = \"mcp\"", "profile")] {
        let ended = with_config(&format!("{base}{text}"), &["--check"]);
        assert_eq!((ended.code, &*ended.stderr), (Some(2), &*format!("{key}: not built yet\n")), "{ended:?}");
    }
    let off = "profile = \"oauth21\"\n[status_list]\nenabled = false\n";
    let ended = with_config(&format!("{base}{off}"), &["--check"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn resource_server_names_every_option_that_is_wrong_or_missing() {
    let required = ["--resource", ALBUMS, "--issuer", "https://localhost:1"];
    let refused = |arguments: &[&str]| {
        let mut command = program("resource-server");
        command.args(["--listen", "127.0.0.1:0"]).args(required).args(arguments);
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        keys(&ended).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let homeserver = ["--development", "--matrix", "localhost", "--introspection-secret", "x"];
    assert_eq!(refused(&homeserver), ["--introspection-endpoint"]);
    assert_eq!(refused(&["--development", "--introspection-secret", "x"]), ["--matrix", "--introspection-endpoint"]);
    let endpoint = ["--introspection-endpoint", "http://localhost:1/introspect"];
    let badly_named = [&["--matrix", "a b"], &homeserver[3..], &endpoint, &["--development"]].concat();
    assert_eq!(refused(&badly_named), ["--matrix"]);
    assert_eq!(refused(&["--development", "--revocations", "mysql://localhost"]), ["--revocations"]);
    assert_eq!(refused(&[]), ["--tls-certificate"]);
    assert_eq!(refused(&["--development", "--ca", "/nowhere.pem"]), ["--ca"]);
    for resource in ["nonsense", "https://a.example/api#f"] {
        let mut command = program("resource-server");
        command.args(["--development", "--issuer", "http://localhost:1", "--resource", resource]);
        let ended = Program::run(command);
        assert_eq!((ended.code, keys(&ended)), (Some(2), vec!["--resource"]), "{ended:?}");
    }
    assert_eq!(refused(&["--tls-certificate", "/nowhere.pem", "--tls-key", "/nowhere.pem"]), ["--tls-certificate"]);
}

#[test]
fn a_good_file_is_checked_without_serving_anybody_or_making_a_secret() {
    let reference = Reference::new();
    let check = || {
        let mut command = reference.command();
        command.arg("--check");
        Program::run(command)
    };
    let ended = check();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("listening"), "{ended:?}");
    assert!(!reference.authority.file("oauth.key").exists());
    // While it runs, its file can be checked too.
    let _server = reference.start();
    assert!(reference.authority.file("oauth.key").exists());
    assert_eq!(check().code, Some(0));
}

/// What `--check` and a start say is wrong, which must be the same.
#[track_caller]
fn refused(reference: &Reference) -> Vec<String> {
    let [checked, started] = [&["--check"][..], &[]].map(|arguments| {
        let mut command = reference.command();
        command.args(arguments);
        let ended = Program::run(command);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{ended:?}");
        keys(&ended).iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    assert_eq!(checked, started);
    checked
}

#[test]
fn a_secret_that_can_be_neither_read_nor_made_is_found_by_check_too() {
    let reference = Reference::new();
    let sound = fs::read_to_string(reference.config()).unwrap();
    let files = |secret: &str, rest: &str| {
        let text = sound.replace("secret_file = \"oauth.key\"", &format!("secret_file = \"{secret}\"\n{rest}"));
        fs::write(reference.config(), &text).unwrap();
    };
    for store in ["sqlite:oauth.db", "memory:"] {
        files("/nonexistent/k", "");
        let text = fs::read_to_string(reference.config()).unwrap();
        fs::write(reference.config(), text.replace("sqlite:oauth.db", store)).unwrap();
        assert_eq!(refused(&reference), ["keys.secret_file"], "{store}");
    }
    files("oauth.key", "previous_secret_files = [\"nope\", \"neither\"]");
    assert_eq!(refused(&reference), ["keys.previous_secret_files[0]", "keys.previous_secret_files[1]"]);
    assert!(!reference.authority.file("oauth.key").exists());
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", reference.authority.file("link.key")).unwrap();
    files("link.key", "");
    assert_eq!(refused(&reference), ["keys.secret_file"]);
    // A folder can be opened, and not read.
    files(".", "");
    assert_eq!(refused(&reference), ["keys.secret_file"]);
}

// spec: SEC-06
#[test]
fn a_store_that_knows_a_secret_needs_that_one_and_gets_no_other() {
    let reference = Reference::new();
    // Without JWTs, too, a store knows its secret.
    let opaque = fs::read_to_string(reference.config()).unwrap().replace("format = \"jwt\"", "");
    fs::write(reference.config(), opaque).unwrap();
    let (key, old) = (reference.authority.file("oauth.key"), reference.authority.file("old.key"));
    reference.start().terminate();
    fs::rename(&key, &old).unwrap();
    assert_eq!(refused(&reference), ["keys.secret_file"]);
    assert!(!key.exists(), "no wrong secret is left behind");

    // A copy, which only its owner reads either.
    fs::copy(&old, &key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    assert_eq!(refused(&reference), ["keys.secret_file"]);
    fs::remove_file(&key).unwrap();

    // With the old one named, there may be a new one.
    let text = fs::read_to_string(reference.config()).unwrap();
    fs::write(reference.config(), text.replace("[keys]", "[keys]\nprevious_secret_files = [\"old.key\"]")).unwrap();
    reference.start().terminate();
    assert_ne!(fs::read(&key).unwrap(), fs::read(&old).unwrap());
}

// spec: CAU-12
#[tokio::test]
async fn a_client_secret_ends_when_the_file_says() {
    let client = |id: &str, end: u64| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nclient_secret = \"s\"\nclient_secret_expires_at = {end}\n\
             grant_types = [\"client_credentials\"]\n"
        )
    };
    let reference = Reference::with(&[client("past", 1), client("ever", 0), client("future", 99_999_999_999)].concat());
    let _server = reference.start();
    let server = Remote::new(reference.authority.client(), &reference.issuer);
    let ask = async |id| server.token(Caller::Basic(id, "s"), &[("grant_type", "client_credentials")]).await;
    ask("past").await.is_refused(401, "invalid_client");
    ask("ever").await.tokens();
    ask("future").await.tokens();
}

// spec: CAU-12
#[tokio::test]
async fn a_client_may_use_its_previous_secret_while_it_is_in_the_file() {
    let moving = "[[clients]]\nclient_id = \"moving\"\nclient_secret = \"new\"\nprevious_client_secret = \"old\"\n\
                  grant_types = [\"client_credentials\"]\n";
    let moved = moving.replace("moving", "moved") + "previous_client_secret_expires_at = 1\n";
    let reference = Reference::with(&[moving, &moved].concat());
    let _server = reference.start();
    let server = Remote::new(reference.authority.client(), &reference.issuer);
    let ask = async |id, secret| server.token(Caller::Basic(id, secret), &[("grant_type", "client_credentials")]).await;
    for (id, secret) in [("moving", "new"), ("moving", "old"), ("moved", "new")] {
        ask(id, secret).await.tokens();
    }
    ask("moving", "older").await.is_refused(401, "invalid_client");
    ask("moved", "old").await.is_refused(401, "invalid_client");
}

#[test]
fn a_port_that_is_taken_is_named_under_its_key() {
    let reference = Reference::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", reference.port)).unwrap();
    let ended = Program::run(reference.command());
    assert_eq!((ended.code, keys(&ended)), (Some(2), vec!["listen"]), "{ended:?}");
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_program_ends_with_0() {
    let reference = Reference::in_development("");
    let server = reference.start();
    let address = ("127.0.0.1", reference.port);
    let body = "grant_type=client_credentials";
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\nexpect: 100-continue\r\n\r\n",
        basic("web:web-secret-7Xk2"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // It reads the body: the request is in flight.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("TERM");
    while TcpStream::connect(address).await.is_ok() {}
    // Long enough for a program that does not wait to be gone.
    tokio::time::sleep(Duration::from_millis(200)).await;

    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"access_token\""), "{answer}");
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn resource_server_ends_with_0_when_it_is_told_to() {
    let mut command = program("resource-server");
    command.args(["--listen", "127.0.0.1:1", "--port", "0", "--development"]);
    command.args(["--resource", ALBUMS, "--issuer", "http://127.0.0.1:1"]);
    let api = Program::start(command);
    let address = api.says("listening on ");
    let answer = Remote::new(plain_client(), format!("http://{address}")).get("/api/whoami").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer}");
    let ended = api.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn who_opens_the_demo_in_a_browser_is_shown_where_it_begins() {
    let folder = Folder::new();
    let mut command = program("demo");
    command.args(["--port", "0", "--db", "memory:"]).current_dir(folder.path());
    let demo = Program::start(command);
    let answer = Remote::new(plain_client(), demo.says("listening on ")).get("/").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert!(answer.body.contains("<a href=\"/demo\">"), "{answer}");
}

// spec: REV-18
#[tokio::test]
async fn a_cleartext_twin_revokes_does_nothing_else_and_is_not_published() {
    let port = free_port();
    let reference = Reference::with(&format!("[revocation]\nhttp_listen = \"127.0.0.1:{port}\"\n"));
    let _server = reference.start();
    let server = Remote::new(reference.authority.client(), &reference.issuer);
    let twin = Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert!(!metadata.body.contains("http://") && !metadata.body.contains(&port.to_string()), "{metadata}");

    let issued = server.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
    for path in ["/token", "/introspect", "/interaction"] {
        assert_eq!(twin.post(path, WEB, &[("token", &issued.access)]).await.status, StatusCode::NOT_FOUND);
    }
    for path in ["/authorize", "/jwks", "/api/whoami", "/healthz", "/.well-known/oauth-authorization-server"] {
        assert_eq!(twin.get(path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(server.introspect(RESOURCE_SERVER, &issued.access).await.member("active"), true);
    twin.revoke(WEB, &issued.access).await.is_revoked();
    server.introspect(RESOURCE_SERVER, &issued.access).await.is_inactive();
}

// spec: REV-26
#[tokio::test]
async fn a_cleartext_twin_counts_each_client_by_itself_that_a_trusted_proxy_names() {
    for (proxies, believed) in [("127.0.0.1/32", true), ("10.0.0.0/8", false)] {
        let (reference, port) = (Reference::behind(proxies), free_port());
        let sections =
            format!("[revocation]\nhttp_listen = \"127.0.0.1:{port}\"\n[limits]\nrevocation_misses_per_minute = 2\n");
        fs::write(reference.config(), fs::read_to_string(reference.config()).unwrap() + &sections).unwrap();
        let _server = reference.start();
        let twin = Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
        let guess = async |address: &str| {
            let mut request = post("/revoke", APP, &[("token", "a-guess")]);
            request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
            twin.send(request).await.status.as_u16()
        };
        assert_eq!([guess("192.0.2.1").await, guess("192.0.2.1").await, guess("192.0.2.1").await], [200, 200, 429]);
        assert_eq!(guess("192.0.2.2").await, if believed { 200 } else { 429 }, "{proxies}");
    }
}

// spec: SEC-01
#[tokio::test]
async fn without_tls_nobody_is_served_but_by_a_proxy_that_is_trusted_and_speaks_it() {
    let requests = ["/authorize?client_id=app", "/token", "/revoke", "/introspect", "/interaction", "/api/whoami"];
    // The proxy, what it says of the way to it, and whether that is enough.
    let ways = [
        ("10.0.0.0/8", "https", false),
        ("127.0.0.1/32", "http", false),
        ("127.0.0.1/32", "https, http", false),
        ("127.0.0.1/32", "https", true),
    ];
    for (proxies, protocol, enough) in ways {
        let reference = Reference::behind(proxies);
        let _server = reference.start();
        for path in requests {
            let url = format!("http://127.0.0.1:{}{path}", reference.port);
            let request = http::Request::post(url).header("x-forwarded-proto", protocol).body(Bytes::new()).unwrap();
            let answer = Remote::new(plain_client(), "").send(request).await;
            assert_eq!(answer.status != StatusCode::FORBIDDEN, enough, "{path} by {protocol} from {proxies}: {answer}");
            assert_eq!(answer.header("location"), "");
        }
    }
}

// spec: SEC-01
#[tokio::test]
async fn over_tls_browsers_are_told_to_come_that_way_only() {
    let reference = Reference::new();
    let _server = reference.start();
    let server = Remote::new(reference.authority.client(), &reference.issuer);
    for path in ["/authorize", "/interaction", "/jwks", "/healthz", "/nowhere"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}: {answer}");
    }
}

#[tokio::test]
async fn health_and_readiness_are_there_for_whoever_watches() {
    let reference = Reference::new();
    let _server = reference.start();
    let server = Remote::new(reference.authority.client(), &reference.issuer);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.status, StatusCode::OK);
    }
}
