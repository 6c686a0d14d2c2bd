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
