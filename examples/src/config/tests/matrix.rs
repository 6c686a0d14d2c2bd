//! `profile = "matrix"` and `[matrix]`.

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A file of Matrix, for others than this machine.
fn with(rest: &str) -> String {
    format!("{GOOD}profile = \"matrix\"\n{rest}")
}

fn in_development(rest: &str) -> String {
    format!("issuer = \"http://localhost:9000\"\ndevelopment = true\nprofile = \"matrix\"\n{rest}")
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let text = with("[matrix]\nsynapse = true\n[[matrix.appservices]]\nusers = \"(\"\n[[matrix.appservices]]");
    let keys = [
        "matrix.appservices[0].as_token",
        "matrix.appservices[0].sender_localpart",
        "matrix.appservices[0].users",
        "matrix.appservices[1].as_token",
        "matrix.appservices[1].sender_localpart",
        "matrix.homeserver_url",
        "matrix.introspection_secret",
    ];
    assert_eq!(blamed(&text), keys);
}

#[test]
fn an_application_service_has_a_token_and_a_name_of_its_own() {
    let service = |token: &str, sender: &str| {
        format!(
            "[[matrix.appservices]]\nas_token = \"{token}\"\nsender_localpart = \"{sender}\"\nusers = \"@irc_.*\"\n"
        )
    };
    let two = |token: &str, sender: &str| with(&(service("one", "bot") + &service(token, sender)));
    assert_eq!(parse(&two("two", "bot")).matrix.unwrap().appservices.len(), 2);
    assert_eq!(blamed(&two("one", "bot")), ["matrix.appservices[1].as_token"]);
    assert_eq!(blamed(&two("", "bot")), ["matrix.appservices[1].as_token"]);
    for sender in ["@bot:example.org", "b:c", ""] {
        assert_eq!(blamed(&two("two", sender)), ["matrix.appservices[1].sender_localpart"], "{sender}");
    }
    // What cannot be judged is not.
    let unnamed = with(&format!("[matrix]\nserver_name = \"a b\"\n{}", service("one", "b:c")));
    assert_eq!(blamed(&unnamed), ["matrix.server_name"]);
}

#[test]
fn what_samples_have_in_place_of_a_secret_is_none() {
    let token = |token: &str| format!("[[matrix.appservices]]\nas_token = \"{token}\"\nsender_localpart = \"bot\"\n");
    let secret = |secret: &str| format!("[matrix]\nintrospection_secret = \"{secret}\"\n");
    assert!(Config::parse(&with(&(secret(SECRET) + &token("t"))), Path::new("")).is_ok());
    for bad in ["...", "…", ""] {
        assert_eq!(blamed(&with(&token(bad))), ["matrix.appservices[0].as_token"], "{bad}");
        assert_eq!(blamed(&with(&secret(bad))), ["matrix.introspection_secret"], "{bad}");
    }
    // What no header carries, in development as well: else every sign-in would be 503.
    for odd in ["0123456789abcdef0123456789abcdef\\n", " 0123456789abcdef0123456789abcdef"] {
        assert_eq!(blamed(&with(&secret(odd))), ["matrix.introspection_secret"]);
        assert_eq!(blamed(&in_development(&token(odd))), ["matrix.appservices[0].as_token"]);
    }
    let error = Config::parse(&with(&secret("hunter2")), Path::new("")).unwrap_err().to_string();
    assert!(error.starts_with("matrix.introspection_secret: must have 32 ") && !error.contains("hunter2"), "{error}");
    assert_eq!(blamed(&with(&secret(&SECRET[1..]))), ["matrix.introspection_secret"]);
    // Nobody else is there to guess.
    for any in ["s", "..."] {
        parse(&in_development(&(secret(any) + &token(any))));
        assert_eq!(blamed(&in_development(&secret(""))), ["matrix.introspection_secret"]);
    }
}

#[test]
fn what_is_not_used_is_not_passed_over() {
    for section in ["[matrix]\nserver_name = \"a.example\"", "[matrix]\noauth = true", "[[matrix.appservices]]"] {
        assert!(blamed(&format!("{GOOD}{section}")).contains(&"matrix".to_owned()), "{section}");
    }
    let on_this_machine = in_development("[matrix]").replace("matrix\"", "oauth21\"");
    assert!(parse(&on_this_machine).matrix.is_none());
    let unbuilt = format!("{GOOD}profile = \"fapi2\"\n[matrix]\noauth = true");
    assert_eq!(blamed(&unbuilt), ["profile"]);
    assert_eq!(blamed(&with("[matrix]\nhomeserver_url = \"https://a.example\"")), ["matrix.homeserver_url"]);
    assert!(parse(&with("[matrix]\nhomeserver_url = \"\"")).matrix.unwrap().homeserver.is_none());
    let query = format!(
        "[matrix]\nsynapse = true\nintrospection_secret = \"{SECRET}\"\nhomeserver_url = \"https://a.example/?x\""
    );
    assert_eq!(blamed(&with(&query)), ["matrix.homeserver_url"]);
    let both = format!("synapse = true\nhomeserver_url = \"https://a.example\"\nintrospection_secret = \"{SECRET}\"");
    assert!(parse(&with(&format!("[matrix]\n{both}"))).matrix.unwrap().homeserver.is_some());
}

#[test]
fn what_would_be_no_server_of_matrix_is_refused_by_its_keys_at_once_and_what_only_differs_is_taken() {
    for (section, key) in [
        ("[tokens]\nrotation = \"strict\"", "tokens.rotation"),
        ("[tokens]\naccess_lifetime = 3601", "tokens.access_lifetime"),
        ("[tokens]\nformat = \"jwt\"", "tokens.format"),
        ("[[resources]]\nidentifier = \"https://a.example\"\nformat = \"jwt\"", "resources[0].format"),
        ("[authorization]\nresponse_modes = [\"query\", \"form_post\"]", "authorization.response_modes"),
        ("[registration]\nopen = false", "registration.open"),
        ("[revocation]\nmode = \"rfc7009\"", "revocation.mode"),
        ("[revocation]\nmode = \"rfc7009\"\naccess_revokes_grant = true", "revocation.mode"),
        ("[revocation]\nmode = \"draft2011\"\nadvertise = true", "revocation.mode"),
        ("[revocation]\naccess_tokens = false", "revocation.access_tokens"),
        ("[revocation]\nadvertise = false", "revocation.advertise"),
        ("[par]\nrequired = true", "par.required"),
        ("[jar]\nrequired = true", "jar.required"),
        ("[dpop]\nrequired = true", "dpop.required"),
    ] {
        assert_eq!(blamed(&with(section)), [key], "{section}");
        let elsewhere = format!("{GOOD}{section}");
        assert!(Config::parse(&elsewhere, Path::new("")).is_ok(), "{section} is nobody else's mistake");
        // Those who develop may want to see what clients make of it; but no server starts with the others.
        let impossible = [
            "tokens.format",
            "resources[0].format",
            "registration.open",
            "revocation.access_tokens",
            "revocation.advertise",
        ];
        let always = impossible.contains(&key);
        let taken = Config::parse(&in_development(section), Path::new("")).is_ok();
        assert_eq!(taken, !always, "{section}");
    }
    let all = with("[tokens]\nrotation = \"strict\"\n[registration]\nopen = false\n[dpop]\nrequired = true");
    assert_eq!(blamed(&all), ["dpop.required", "registration.open", "tokens.rotation"]);
    for fine in [
        "[tokens]\nrotation = \"grace\"\nformat = \"jwt\"",
        "[tokens]\nrotation = \"none\"",
        "[registration]\nmanagement = true\ninitial_access_tokens = [\"a\"]",
        "[revocation]\nmode = \"matrix\"\naccess_revokes_grant = true",
        "[dpop]\nnonce = true\n[authorization]\nresponse_modes = [\"query\", \"fragment\", \"form_post\"]",
        "[device]\nenabled = true\n[status_list]\nenabled = true\n[cors]\norigins = [\"https://a.example\"]",
    ] {
        assert!(Config::parse(&with(fine), Path::new("")).is_ok(), "{fine}");
    }
}

#[test]
fn the_marks_of_accounts_are_in_a_file_where_the_store_lasts() {
    let file = |text: &str| {
        let users = format!("{:?}", parse(text).matrix.unwrap().users);
        users.split("path: \"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    let sqlite = "store = \"sqlite:oauth.db\"\n";
    let keys = "[keys]\nsecret_file = \"oauth.key\"\n";
    assert_eq!(file(&with("")), None);
    assert_eq!(file(&with(&format!("{sqlite}{keys}"))).as_deref(), Some("/etc/oauth/accounts.json"));
    let named = |file: &str| format!("[matrix]\naccounts_file = \"{file}\"\n");
    assert_eq!(file(&with(&named("a/b.json"))).as_deref(), Some("/etc/oauth/a/b.json"));
    assert_eq!(file(&with(&format!("{sqlite}{keys}{}", named("/a.json")))).as_deref(), Some("/a.json"));
    assert_eq!(file(&with(&format!("{sqlite}{keys}{}", named("")))), None);
    assert_eq!(blamed(&with("[matrix]\naccounts_file = 1")), ["matrix.accounts_file"]);
}

#[test]
fn the_file_that_comes_with_the_program_says_what_matrix_needs_and_that_is_all() {
    let sample = include_str!("../../../authorization-server.toml");
    let matrix = sample.replace("profile = \"oauth21\"", "profile = \"matrix\"");
    assert_ne!(matrix, sample);
    assert_eq!(blamed(&matrix), ["resources[1].format"]);
    let config = parse(&matrix.replace("format = \"jwt\"", ""));
    assert_eq!(config.tokens.rotation, Rotation::UntilFirstUse);
    assert!(config.revocation.policy.access_revokes_grant && config.registration.open);
    // What is there for those who take the signs of comments away.
    let (head, section) = matrix.split_at(matrix.find("#[matrix]").unwrap());
    let lines = section.lines().map(|line| line.strip_prefix('#').unwrap_or(line));
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("  ") && !line.starts_with("format")).collect();
    let config = parse(&format!("{head}{}", lines.join("\n")));
    assert_eq!(config.matrix.unwrap().appservices.len(), 1);
}
