//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2), by libraries.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Alice, OPEN, app, in_file, is_known_everywhere, is_refused_everywhere, lives_with_tokens, machine};
use crate::support::*;

/// A server that asks for certificates, and knows an authority of clients or none.
fn asking(sections: &str, authority: Option<&str>) -> Reference {
    let server = Reference::with(sections);
    let mut asking = "[tls]\nclient_certificates = \"optional\"\n".to_owned();
    if let Some(authority) = authority {
        fs::write(server.authority.file("clients.pem"), authority).unwrap();
        asking.push_str("client_ca = \"clients.pem\"\n");
    }
    let text = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), text.replace("[tls]\n", &asking)).unwrap();
    server
}

/// The file in which `owner` keeps certificate and key.
fn kept(server: &Reference, name: &str, owner: &Owner) -> PathBuf {
    let file = server.authority.file(name);
    fs::write(&file, owner.pem()).unwrap();
    file
}

fn with_name(mut client: Value, name: &str) -> Value {
    client["tls_client_auth_san_dns"] = name.into();
    client
}

fn with_certificate(mut client: Value, owner: &Owner) -> Value {
    client["jwks"] = json!({ "keys": [owner.jwk()] });
    client
}

// spec: CAU-21
#[tokio::test]
async fn a_name_in_a_certificate_proves_whoever_registered_with_it() {
    let (owner, authority) = Owner::vouched_for();
    let by = "tls_client_auth";
    let machines = [with_name(machine("known", by), Owner::NAME), with_name(machine("other", by), "other.example")];
    let server = asking(&format!("{OPEN}{}", in_file(&machines)), Some(&authority));
    let _program = server.start();
    let certificate = kept(&server, "owner.pem", &owner);
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server).showing(&certificate);
        let registered = nobody.registered(&with_name(app(by), Owner::NAME)).await;
        lives_with_tokens(&registered, &mut Alice::at(&server)).await;
        is_known_everywhere(&nobody.known_as(&machines[0])).await;
        is_refused_everywhere(&nobody.known_as(&machines[1])).await;
        is_refused_everywhere(&Foreign::new(library, &server).known_as(&machines[0])).await;
    })
    .await;
}

// spec: CAU-22
#[tokio::test]
async fn a_certificate_of_its_own_making_proves_whoever_registered_with_it() {
    let (owner, stranger) = (Owner::self_signed(), Owner::self_signed());
    let by = "self_signed_tls_client_auth";
    let known = with_certificate(machine("known", by), &owner);
    let server = asking(&format!("{OPEN}{}", in_file(std::slice::from_ref(&known))), None);
    let _program = server.start();
    let files = [kept(&server, "owner.pem", &owner), kept(&server, "stranger.pem", &stranger)];
    Library::each(async |library| {
        let nobody = Foreign::new(library, &server).showing(&files[0]);
        let registered = nobody.registered(&with_certificate(app(by), &owner)).await;
        lives_with_tokens(&registered, &mut Alice::at(&server)).await;
        is_known_everywhere(&nobody.known_as(&known)).await;
        is_refused_everywhere(&nobody.showing(&files[1]).known_as(&known)).await;
        is_refused_everywhere(&Foreign::new(library, &server).known_as(&known)).await;
    })
    .await;
}
