//! Two authorization servers, processes of their own, on one store.

use std::fs;

use super::{Program, RESOURCE_SERVER, Reference, Remote, free_port, plain_client, program};

/// Two nodes of one issuer on `store`: their programs, and how to speak to each.
pub(crate) fn two_nodes(store: &str) -> (Reference, [(Program, Remote); 2]) {
    let reference = Reference::in_development("");
    let text = fs::read_to_string(reference.config()).unwrap().replace("sqlite:oauth.db", store);
    let port = free_port();
    let listen = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
    fs::write(reference.config(), &text).unwrap();
    let other = reference.authority.file("other.toml");
    fs::write(&other, text.replace(&listen(reference.port), &listen(port))).unwrap();
    let first = reference.start();
    let mut command = program("authorization-server");
    command.arg("--config").arg(other);
    let second = reference.started_by(command);
    let remote = |port: u16| Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
    let nodes = [(first, remote(reference.port)), (second, remote(port))];
    (reference, nodes)
}

pub(crate) async fn is_live(node: &Remote, token: &str) -> bool {
    node.introspect(RESOURCE_SERVER, token).await.member("active") == true
}
