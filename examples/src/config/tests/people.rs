//! How users may be named.

use super::*;

#[test]
fn nobody_is_named_like_a_client() {
    let dev = "issuer = \"http://localhost:9000\"\ndevelopment = true\n";
    let client = "[[clients]]\nclient_id = \"app\"\nredirect_uris = [\"https://app.example/cb\"]\n";
    let user = |name: &str| format!("{dev}{client}[[users]]\nusername = \"{name}\"\npassword = \"b\"\n");
    assert_eq!(blamed(&user("app")), ["users[0].username"]);
    assert!(Config::parse(&user("alice"), Path::new("/etc/oauth")).is_ok());
}

#[test]
fn every_user_can_be_one_of_matrix() {
    let wrong = |matrix: &str, name: &str| {
        let text = format!(
            "issuer = \"http://localhost:9000\"\ndevelopment = true\nprofile = \"matrix\"\n[registration]\nopen = true\n\
             [matrix]\n{matrix}\n[[users]]\nusername = \"{name}\"\npassword = \"b\"\n"
        );
        Config::parse(&text, Path::new("/etc/oauth")).err().map(|error| error.to_string())
    };
    let synapse = "synapse = true\nhomeserver_url = \"http://127.0.0.1:8008\"\nintrospection_secret = \"s\"";
    for (matrix, name, fits) in [
        ("", "alice", true),
        ("", "UPPER", true),
        ("", "b:c", false),
        (synapse, "alice", true),
        (synapse, "UPPER", false),
        (synapse, "_alice", false),
        (synapse, "42", false),
    ] {
        let said = wrong(matrix, name);
        assert_eq!(said.is_none(), fits, "{name}: {said:?}");
        assert!(said.is_none_or(|said| said.starts_with("users: ")), "{name}");
    }
}

#[test]
fn what_a_homeserver_has_missed_it_is_told_as_often_as_the_file_says() {
    let every = |key: &str| {
        let text = format!(
            "issuer = \"http://localhost:9000\"\ndevelopment = true\nprofile = \"matrix\"\n[matrix]\nsynapse = true\n\
             homeserver_url = \"http://127.0.0.1:8008\"\nintrospection_secret = \"s\"\n{key}"
        );
        let config = Config::parse(&text, Path::new("/etc/oauth"));
        config.map(|config| config.matrix.unwrap().catch_up.map(|every| every.as_secs())).map_err(|it| it.to_string())
    };
    assert_eq!(every(""), Ok(Some(3600)));
    assert_eq!(every("catch_up_seconds = 60"), Ok(Some(60)));
    assert_eq!(every("catch_up_seconds = 0"), Ok(None));
    for wrong in ["-1", "86401", "\"hourly\""] {
        let said = every(&format!("catch_up_seconds = {wrong}")).unwrap_err();
        assert!(said.starts_with("matrix.catch_up_seconds: "), "{said}");
    }
}
