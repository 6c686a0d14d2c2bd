//! Whole files.

mod credentials;
mod grants;
mod matrix;
mod people;

use std::path::{Path, PathBuf};

use oauth_core::{
    client::GrantType,
    clock::UnixTime,
    engine::policy::{Rotation, TokenFormat},
    jwt::Algorithm,
};

use super::{Config, StoreKind};

const GOOD: &str = r#"
issuer = "https://auth.example"
trusted_proxies = ["10.0.0.0/8"]
"#;

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("/etc/oauth")).unwrap()
}

/// The keys at fault, in order.
fn blamed(text: &str) -> Vec<String> {
    let error = Config::parse(text, Path::new("/etc/oauth")).unwrap_err();
    let mut keys: Vec<String> =
        error.to_string().lines().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

#[test]
fn a_file_with_the_issuer_alone_has_the_defaults_of_oauth21() {
    let config = parse(GOOD);
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:9443");
    assert_eq!(config.store, StoreKind::Memory);
    assert_eq!((config.tokens.access, config.tokens.code), (300, 60));
    assert_eq!(config.tokens.rotation, Rotation::Grace { seconds: 20 });
    assert!(config.revocation.policy.advertise && config.revocation.policy.access_tokens);
    assert_eq!((config.limits.body_bytes, config.limits.sign_in_failures_per_minute), (65536, 10));
    assert_eq!(config.resources[0].identifier, "https://auth.example/api");
    assert_eq!(config.resources[0].format, TokenFormat::Opaque);
}

#[test]
fn the_file_that_comes_with_the_program_has_no_mistakes() {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/authorization-server.toml"));
    let config = Config::load(file).unwrap();
    assert_eq!((config.clients.len(), config.resources.len()), (3, 2));
}

#[test]
fn the_url_of_a_server_is_a_store_that_shows_no_password() {
    let with = |store: &str| parse(&format!("{GOOD}\nstore = \"{store}\"\n[keys]\nsecret_file = \"oauth.key\""));
    for url in ["postgres://oauth:hunter2@db.example/oauth", "postgresql://oauth:hunter2@one,two/oauth?a=b"] {
        let config = with(url);
        assert_eq!(config.store, StoreKind::Postgres(url.into()));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

#[test]
fn paths_are_relative_to_the_folder_of_the_file() {
    let config = parse(&format!(
        "{GOOD}\nstore = \"sqlite:oauth.db\"\n[keys]\nsecret_file = \"oauth.key\"\nprevious_secret_files = [\"/old.key\"]"
    ));
    assert_eq!(config.store, StoreKind::Sqlite("/etc/oauth/oauth.db".into()));
    assert_eq!(config.keys.secret_file, Some("/etc/oauth/oauth.key".into()));
    assert_eq!(config.keys.previous, [PathBuf::from("/old.key")]);
}

#[test]
fn the_urls_of_a_cluster_are_a_store_that_shows_no_password() {
    let store = "rediss://oauth:hunter2@one.example, rediss://oauth:hunter2@two.example";
    let config = parse(&format!("{GOOD}\nstore = \"{store}\"\n[keys]\nsecret_file = \"oauth.key\""));
    let urls = store.split(", ").map(Into::into).collect();
    assert_eq!(config.store, StoreKind::Redis(urls));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_is_short_lived_may_have_a_store_of_its_own_beside_one_that_lasts() {
    let short = "short_lived_store = \"redis://oauth:hunter2@cache.example\"";
    let with = |store: &str| format!("{GOOD}\nstore = \"{store}\"\n{short}\n[keys]\nsecret_file = \"oauth.key\"");
    for (store, durable) in [
        ("sqlite:/oauth.db", StoreKind::Sqlite("/oauth.db".into())),
        ("postgres://db.example/oauth", StoreKind::Postgres("postgres://db.example/oauth".into())),
    ] {
        let config = parse(&with(store));
        let short_lived = vec!["redis://oauth:hunter2@cache.example".into()];
        assert_eq!(config.store, StoreKind::Composite { durable: Box::new(durable), short_lived });
        assert!(!format!("{config:?}").contains("hunter2"));
    }
    for store in ["memory:", "redis://db.example"] {
        assert_eq!(blamed(&with(store)), ["short_lived_store"], "{store}");
    }
    assert_eq!(blamed(&format!("{GOOD}\n{short}")), ["short_lived_store"]);
    let wrong = with("sqlite:a.db").replace("redis:", "postgres:");
    assert_eq!(blamed(&wrong), ["short_lived_store"]);
    assert_eq!(blamed(&with("mysql://a")), ["store"]);
    assert_eq!(blamed(&with("sqlite:a.db").replace("[keys]", "[tokens]")), ["keys.secret_file", "tokens.secret_file"]);
}

#[test]
fn one_run_names_every_mistake() {
    let keys = blamed(
        r#"
        issuer = "http://auth.example/"
        listen = "localhost"
        store = "redis:127.0.0.1"
        isuer = "x"
        trusted_proxies = ["10.0.0.0/8", "10.0.0.0/99"]
        [tokens]
        access_lifetime = "long"
        code_lifetime = 601
        rotation = "until_last_use"
        prefixes = { access = "a", refresh = "a" }
        [par]
        lifetime = 601
        [revocation]
        mode = "matrix"
        jsonp = true
        http_listen = "here"
        [[resources]]
        identifier = "https://a.example/#x"
        [[clients]]
        client_id = "a"
        redirect_uris = ["https://a.example/cb", "http://a.example/cb", "/cb"]
        [[clients]]
        client_id = "b"
        grant_types = ["client_credentials", "password"]
        scope = "a  b"
        [[clients]]
        client_id = "c"
        grant_types = ["authorization_code"]
        [[clients]]
        client_id = "d"
        token_endpoint_auth_method = "tls_client_auth"
        jwks = { key = [] }
        tls_client_auth_san_ip = "here"
        [[users]]
        username = "alice"
        password = "wonderland"
        [consent]
        auto_approve = "alice"
        "#,
    );
    let expected = [
        "clients[0].redirect_uris[1]",
        "clients[0].redirect_uris[2]",
        "clients[1].grant_types",
        "clients[1].grant_types[1]",
        "clients[1].scope",
        "clients[2].redirect_uris",
        "clients[3].jwks",
        "clients[3].tls_client_auth_san_ip",
        "clients[3].token_endpoint_auth_method",
        "consent.auto_approve",
        "issuer",
        "issuer",
        "isuer",
        "listen",
        "par.lifetime",
        "resources[0].identifier",
        "revocation.http_listen",
        "revocation.jsonp",
        "store",
        "tokens.access_lifetime",
        "tokens.code_lifetime",
        "tokens.prefixes",
        "tokens.rotation",
        "trusted_proxies[1]",
        "users[0].password",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn plain_http_is_for_development_on_this_machine() {
    let http = |rest: &str| format!("issuer = \"http://localhost:9000\"\n{rest}");
    assert!(parse(&http("development = true")).listen.tls.is_none());
    assert_eq!(blamed(&http("")), ["issuer", "tls"]);
    assert_eq!(blamed(&http("development = true\nlisten = \"0.0.0.0:9000\"")), ["development"]);
    assert_eq!(blamed("issuer = \"http://a.example\"\ndevelopment = true"), ["issuer"]);
    let tls = "development = true\n[tls]\ncertificate = \"c\"\nprivate_key = \"k\"";
    assert_eq!(blamed(&http(tls)), ["tls.certificate"]);
}

#[test]
fn certificates_of_clients_come_by_tls_or_from_a_proxy() {
    let tls = |rest: &str| format!("{GOOD}[tls]\n{rest}");
    assert!(!parse(GOOD).listen.mutual_tls);
    let config = parse(&tls("certificate_header = \"Client-Cert\""));
    assert!(config.listen.tls.is_none() && config.listen.mutual_tls);
    assert_eq!(config.listen.certificate_header.unwrap(), "client-cert");
    // Nobody is believed without proxies, and so plain http is for nobody.
    assert_eq!(blamed("issuer = \"https://a.example\"\n[tls]\ncertificate_header = \"Client-Cert\""), ["tls"]);
    assert_eq!(blamed(&tls("certificate_header = \"a b\"")), ["tls.certificate_header"]);
    let files = ["tls.certificate", "tls.private_key"];
    assert_eq!(blamed(&tls("certificate_header = \"\"")), files);
    assert_eq!(blamed(&tls("client_certificates = \"optional\"\ncertificate_header = \"Client-Cert\"")), files);
    let all = ["tls.certificate", "tls.client_certificates", "tls.private_key"];
    assert_eq!(blamed(&tls("client_certificates = \"always\"\nclient_ca = \"ca.pem\"")), all);
}

#[test]
fn a_store_that_outlives_the_process_needs_a_secret_that_does_too() {
    assert_eq!(blamed(&format!("{GOOD}\nstore = \"sqlite:a.db\"")), ["keys.secret_file"]);
    assert_eq!(blamed(&format!("{GOOD}\n[keys]\nprevious_secret_files = [\"a\"]")), ["keys.previous_secret_files"]);
}

#[test]
fn a_reference_to_something_that_could_not_be_read_is_no_second_mistake() {
    let text =
        format!("{GOOD}\n[introspection]\ncallers = [\"rs\"]\n[[clients]]\nclient_id = \"rs\"\nclient_secret = 1");
    assert_eq!(blamed(&text), ["clients[0].client_secret"]);
}

#[test]
fn a_value_of_the_wrong_type_has_no_consequences() {
    let dev = "issuer = \"http://localhost:9000\"\n";
    let users = "[[users]]\nusername = \"a\"\npassword = \"b\"\n[consent]\nauto_approve = \"a\"\n";
    assert_eq!(blamed(&format!("{dev}development = \"yes\"\nlisten = \"0.0.0.0:1\"\n{users}")), ["development"]);
    assert_eq!(blamed("issuer = \"https://a.example\"\ntrusted_proxies = [\"x\"]"), ["trusted_proxies[0]"]);
    assert_eq!(blamed("issuer = \"https://a.example\"\ntls = true"), ["tls"]);
    assert_eq!(blamed(&format!("{GOOD}\nstore = \"sqlite:a\"\nkeys = 1")), ["keys"]);
    let keys = "[keys]\nsecret_file = 1\nprevious_secret_files = [\"a\"]";
    assert_eq!(blamed(&format!("{GOOD}\nstore = \"sqlite:a\"\n{keys}")), ["keys.secret_file"]);
    let references = "[introspection]\ncallers = [\"a\"]\n[consent]\nauto_approve = \"a\"";
    let text = format!("{dev}development = true\nclients = 1\nusers = [2]\nresources = [3]\n{references}");
    assert_eq!(blamed(&text), ["clients", "resources[0]", "users[0]"]);
    let lifetimes = "[tokens]\nrefresh_lifetime = \"long\"\nrefresh_idle_lifetime = 3000000";
    assert_eq!(blamed(&format!("{GOOD}\n{lifetimes}")), ["tokens.refresh_lifetime"]);
}

#[test]
fn no_mistake_hides_another() {
    let dev = "issuer = \"http://localhost:9000\"\ndevelopment = true\n";
    let callers = "[introspection]\ncallers = [5, \"ghost\", \"a\"]\n";
    let resource = "[[resources]]\nidentifier = \"urn:a\"\nintrospection_caller = \"ghost\"\n";
    let client = |rest: &str| format!("[[clients]]\nclient_id = \"a\"\n{rest}\n");
    let references = ["introspection.callers[0]", "introspection.callers[1]", "introspection.callers[2]"];
    let twice = format!("{dev}{callers}{resource}{}{}", client(""), client("client_secret = \"s\""));
    assert_eq!(
        blamed(&twice),
        [&["clients[1].client_id"], &references[..], &["resources[0].introspection_caller"]].concat()
    );

    let secret = "client_secret = \"s\"\ntoken_endpoint_auth_method = \"none\"\nscope = \"a  b\"\n";
    let text = format!("{GOOD}{}", client(&format!("{secret}redirect_uris = [\"/cb\"]")));
    let expected =
        ["redirect_uris[0]", "scope", "token_endpoint_auth_method"].map(|member| format!("clients[0].{member}"));
    assert_eq!(blamed(&text), expected);

    let user = "[[users]]\nusername = \"a\"\n[consent]\nauto_approve = \"ghost\"";
    assert_eq!(blamed(&format!("{dev}{user}")), ["consent.auto_approve", "users[0].password_hash"]);
}

#[test]
fn what_no_token_could_ever_have_is_a_mistake() {
    let resource =
        |scopes: &str| format!("{GOOD}[[resources]]\nidentifier = \"urn:{}\"\nscopes = {scopes}\n", scopes.len());
    assert_eq!(blamed(&resource("[\"a b\", \"a\", \"\"]")), ["resources[0].scopes[0]", "resources[0].scopes[2]"]);
    let client = "[[clients]]\nclient_id = \"a\"\nscope = \"a z\"\n";
    assert_eq!(blamed(&format!("{}{client}", resource("[\"a\"]"))), ["clients[0].scope"]);
    // One that says nothing takes all.
    parse(&format!("{}{client}", resource("[]")));
    parse(&format!("{GOOD}{client}"));
    let idle = |idle: &str| format!("{GOOD}[tokens]\nrefresh_lifetime = 60\n{idle}");
    assert_eq!(blamed(&idle("refresh_idle_lifetime = 61")), ["tokens.refresh_idle_lifetime"]);
    assert_eq!(parse(&idle("")).tokens.refresh_idle, 60);
    let twin = "[revocation]\nhttp_listen = \"127.0.0.1:9443\"";
    assert_eq!(blamed(&format!("{GOOD}{twin}")), ["revocation.http_listen"]);
}

#[test]
fn a_client_secret_is_printable_and_may_end() {
    let client = |rest: &str| format!("{GOOD}[[clients]]\nclient_id = \"a\"\n{rest}\n");
    assert_eq!(blamed(&client("client_secret = \"caf\u{e9}\"")), ["clients[0].client_secret"]);
    assert_eq!(blamed(&client("client_secret_expires_at = 100")), ["clients[0].client_secret_expires_at"]);
    for (end, live) in [("0", true), ("100", false), ("101", true)] {
        let config = parse(&client(&format!("client_secret = \"s\"\nclient_secret_expires_at = {end}")));
        assert_eq!(config.clients[0].has_secret(&"s".into(), UnixTime(100)), live, "{end}");
    }
}

#[test]
fn names_are_used_once() {
    let twice = |section: &str, member: &str, rest: &str| {
        blamed(&format!("{GOOD}\n{}", format!("[[{section}]]\n{member} = \"urn:a\"\n{rest}\n").repeat(2)))
    };
    assert_eq!(twice("clients", "client_id", ""), ["clients[1].client_id"]);
    assert_eq!(twice("resources", "identifier", ""), ["resources[1].identifier"]);
    let hash = "password_hash = \"$argon2id$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$VMkv4l2yPb9x0OoCbZ2tyg\"";
    assert_eq!(twice("users", "username", hash), ["users[1].username"]);
}

#[test]
fn whoever_introspects_has_a_secret() {
    let client =
        |rest: &str| format!("{GOOD}\n[introspection]\ncallers = [\"rs\"]\n[[clients]]\nclient_id = \"rs\"\n{rest}");
    let config = parse(&client("client_secret = \"s\""));
    assert_eq!(config.introspection.callers[0].as_str(), "rs");
    assert!(!config.clients[0].may_use(&GrantType::AUTHORIZATION_CODE));
    assert_eq!(blamed(&client("")), ["introspection.callers[0]"]);
}

#[test]
fn a_user_has_one_password_of_the_right_kind() {
    let user = |rest: &str| format!("{GOOD}\n[[users]]\nusername = \"alice\"\n{rest}");
    assert_eq!(blamed(&user("")), ["users[0].password_hash"]);
    assert_eq!(blamed(&user("password = \"\"")), ["users[0].password"]);
    let absurd = "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$VMkv4l2yPb9x0OoCbZ2tyg";
    for hash in ["$argon2id$x", absurd] {
        assert_eq!(blamed(&user(&format!("password_hash = \"{hash}\""))), ["users[0].password_hash"]);
    }
    assert_eq!(blamed(&user("password = \"a\"\npassword_hash = \"b\"")), ["users[0].password_hash"]);
}

#[test]
fn a_mistake_never_shows_a_secret() {
    let text = format!(
        "{GOOD}\n[[clients]]\nclient_id = \"a\"\nclient_secret = \"hunter2\"\ntoken_endpoint_auth_method = \"none\""
    );
    let error = Config::parse(&text, Path::new("")).unwrap_err().to_string();
    assert!(error.starts_with("clients[0].token_endpoint_auth_method: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn who_may_register_is_in_its_section_and_its_tokens_are_not_shown() {
    let config = parse(GOOD);
    assert!(!config.registration.is_on());
    assert_eq!(config.limits.registrations_per_minute, 30);
    let section = "[registration]\nopen = true\nmanagement = true\ninitial_access_tokens = [\"hunter2\"]\n";
    let config = parse(&format!("{GOOD}{section}[limits]\nregistrations_per_minute = 0"));
    assert!(config.registration.is_on() && config.registration.open && config.registration.management);
    assert_eq!((config.registration.initial_access_tokens.len(), config.limits.registrations_per_minute), (1, 0));
    assert!(!format!("{config:?}").contains("hunter2"));
    let config = parse(&format!("{GOOD}[registration]\nclient_id_metadata_documents = true"));
    assert!(config.registration.is_on() && config.registration.documents && !config.registration.open);
    let wrong = "[registration]\nopen = 1\nlocalhost = \"no\"\nclient_id_metadata_documents = 1\ninitial_access_tokens = [\"\", \"a b\", 7]\n";
    assert_eq!(
        blamed(&format!("{GOOD}{wrong}")),
        [
            "registration.client_id_metadata_documents",
            "registration.initial_access_tokens[0]",
            "registration.initial_access_tokens[1]",
            "registration.initial_access_tokens[2]",
            "registration.localhost",
            "registration.open",
        ]
    );
}

#[test]
fn requests_may_have_to_be_pushed_or_signed() {
    let config = parse(GOOD);
    assert!(!config.authorization.pushed.required && !config.authorization.request_objects.required);
    assert_eq!((config.authorization.pushed.lifetime, config.authorization.pushed.per_minute), (60, 600));
    let config = parse(&format!(
        "{GOOD}[par]\nrequired = true\nlifetime = 90\nunregistered_redirect_uris = true\n[jar]\nrequired = true\n\
         [limits]\npushed_requests_per_minute = 0"
    ));
    assert!(
        config.authorization.pushed.required
            && config.authorization.pushed.unregistered_redirect_uris
            && config.authorization.request_objects.required
    );
    assert_eq!((config.authorization.pushed.lifetime, config.authorization.pushed.per_minute), (90, 0));
    assert_eq!(
        blamed(&format!("{GOOD}[par]\nlifetime = 4\n[jar]\nrequired = \"yes\"")),
        ["jar.required", "par.lifetime"]
    );
    let client = |rest: &str| {
        format!("{GOOD}[[clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://a.example/cb\"]\n{rest}")
    };
    let how = "require_pushed_authorization_requests = true\nrequest_object_signing_alg = \"ES256\"\n\
               request_uris = [\"https://a.example/request\"]";
    let requests = parse(&client(how)).clients[0].requests.clone();
    assert!(requests.require_pushed_authorization_requests && !requests.require_signed_request_object);
    assert_eq!(requests.request_uris, ["https://a.example/request"]);
    assert_eq!(requests.request_object_signing_alg, Some(Algorithm::ES256));
    for (wrong, key) in [
        ("require_signed_request_object = true", "require_signed_request_object"),
        ("request_object_signing_alg = \"none\"", "request_object_signing_alg"),
        ("request_uris = [\"http://a.example/request\"]", "request_uris"),
        ("require_pushed_authorization_requests = 1", "require_pushed_authorization_requests"),
    ] {
        assert_eq!(blamed(&client(wrong)), [format!("clients[0].{key}")]);
    }
}

#[test]
fn a_mode_of_revocation_comes_with_its_defaults_and_contradictions_are_named() {
    use oauth_core::engine::revocation::RevocationMode::{Draft2011, Matrix, Rfc7009};
    let with = |rest: &str| format!("{GOOD}\n[revocation]\n{rest}");
    for (name, mode, advertise) in
        [("rfc7009", Rfc7009, true), ("draft2011", Draft2011, false), ("matrix", Matrix, true)]
    {
        let policy = parse(&with(&format!("mode = \"{name}\""))).revocation.policy;
        assert_eq!((policy.mode(), policy.advertise, policy.jsonp), (mode, advertise, false));
    }
    assert!(parse(&with("mode = \"draft2011\"\nadvertise = true\njsonp = true")).revocation.policy.advertise);
    for (wrong, key) in [
        ("mode = \"matrix\"\njsonp = true", "jsonp"),
        ("mode = \"matrix\"\naccess_tokens = false", "access_tokens"),
        ("mode = \"matrix\"\nadvertise = false", "advertise"),
        ("mode = \"matrix\"\nhttp_listen = \"127.0.0.1:0\"", "http_listen"),
        ("mode = \"draft2011\"\nhttp_listen = \"127.0.0.1:0\"", "http_listen"),
        ("mode = \"draft2011\"\naccess_revokes_grant = true", "access_revokes_grant"),
        ("mode = \"matrix\"\naccess_revokes_grant = false", "access_revokes_grant"),
        ("access_tokens = false\naccess_revokes_grant = true", "access_revokes_grant"),
        ("mode = \"rfc7009bis\"", "mode"),
        ("privileged = [\"nobody\"]", "privileged[0]"),
    ] {
        assert_eq!(blamed(&with(wrong)), [format!("revocation.{key}")], "{wrong}");
    }
    assert_eq!(parse(GOOD).revocation.policy.misses_per_minute, 300);
    let limit = "[limits]\nrevocation_misses_per_minute = 7";
    assert_eq!(parse(&format!("{GOOD}\n{limit}")).revocation.policy.misses_per_minute, 7);
}

#[test]
fn a_body_may_have_no_limit_but_none_that_keeps_every_client_out() {
    let with = |bytes: &str| format!("{GOOD}[limits]\nbody_bytes = {bytes}");
    for good in [0, 1024, 1 << 30] {
        assert_eq!(parse(&with(&good.to_string())).limits.body_bytes, good);
    }
    for bad in ["1", "1023", "-1", "1073741825", "\"64k\""] {
        assert_eq!(blamed(&with(bad)), ["limits.body_bytes"], "{bad}");
    }
}

#[test]
fn the_file_that_comes_with_the_program_shows_every_limit_and_its_default() {
    let sample = include_str!("../../authorization-server.toml");
    let (_, limits) = sample.split_once("\n[limits]").unwrap();
    let (limits, _) = limits.split_once("\n\n").unwrap();
    let limits: Vec<&str> = limits.lines().skip(1).map(|line| line.strip_prefix('#').unwrap()).collect();
    let config = parse(&format!("{GOOD}[limits]\n{}", limits.join("\n")));
    assert_eq!(format!("{:?}", config.limits), format!("{:?}", parse(GOOD).limits));
    let read = include_str!("limits.rs").matches("= limits.number(").count();
    assert_eq!(limits.len(), read);
    let signing = sample.lines().find_map(|line| line.strip_prefix("#signing_algorithms")).unwrap();
    let config = parse(&format!("{GOOD}[introspection]\nsigning_algorithms{signing}"));
    assert_eq!(config.introspection.settings, parse(GOOD).introspection.settings);
}

#[test]
fn introspection_responses_are_signed_with_what_resource_servers_expect_and_with_what_tokens_are() {
    use oauth_core::jwt::Algorithm::{ES256, EdDSA, RS256};
    let algorithms = |text: &str| parse(&format!("{GOOD}\n{text}")).introspection.settings.signing_algorithms;
    assert_eq!(algorithms(""), [RS256, ES256]);
    assert_eq!(algorithms("[tokens]\nsigning_algorithm = \"RS256\""), [RS256]);
    assert_eq!(algorithms("[introspection]\nsigning_algorithms = [\"EdDSA\"]"), [EdDSA]);
    assert!(algorithms("[introspection]\nsigning_algorithms = []").is_empty());
    let client = |algorithm: &str| {
        let secret = "client_secret = \"a secret that is long enough to be one\"";
        format!("{GOOD}\n[[clients]]\nclient_id = \"a\"\n{secret}\nintrospection_signed_response_alg = \"{algorithm}\"")
    };
    assert_eq!(parse(&client("ES256")).clients[0].tokens.introspection_signed_response_alg, Some(ES256));
    for bad in ["EdDSA", "none", "HS256"] {
        assert_eq!(blamed(&client(bad)), ["clients[0].introspection_signed_response_alg"], "{bad}");
    }
    assert_eq!(
        blamed(&format!("{GOOD}\n[introspection]\nsigning_algorithms = [\"none\"]")),
        ["introspection.signing_algorithms[0]"]
    );
}
