//! Authorization servers of one issuer, processes of their own, on one store.

use std::{fs, path::PathBuf};

use super::{Program, RESOURCE_SERVER, Reference, Remote, free_port, plain_client, program};

/// One of them: it can be killed, and start again where it was.
pub(crate) struct Node {
    config: PathBuf,
    pub(crate) remote: Remote,
    pub(crate) program: Option<Program>,
}

impl Node {
    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.program.take().unwrap().kill();
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&mut self, reference: &Reference) {
        let mut command = program("authorization-server");
        command.arg("--config").arg(&self.config);
        self.program = Some(reference.started_by(command));
    }
}

/// `count` nodes of one issuer on `store`, whose common configuration `change` may change.
pub(crate) fn nodes(store: &str, count: usize, change: impl Fn(String) -> String) -> (Reference, Vec<Node>) {
    let reference = Reference::in_development("");
    let text = change(fs::read_to_string(reference.config()).unwrap().replace("sqlite:oauth.db", store));
    let listen = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
    let node = |number: usize| {
        let port = if number == 0 { reference.port } else { free_port() };
        let config = reference.authority.file(&format!("node-{number}.toml"));
        fs::write(&config, text.replace(&listen(reference.port), &listen(port))).unwrap();
        let remote = Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
        let mut node = Node { config, remote, program: None };
        node.start(&reference);
        node
    };
    let nodes = (0..count).map(node).collect();
    (reference, nodes)
}

/// Two nodes of one issuer on `store`: their programs, and how to speak to each.
pub(crate) fn two_nodes(store: &str) -> (Reference, [(Program, Remote); 2]) {
    let (reference, mut nodes) = nodes(store, 2, |text| text);
    let mut next = || nodes.remove(0);
    let pair = [next(), next()].map(|node| (node.program.unwrap(), node.remote));
    (reference, pair)
}

pub(crate) async fn is_live(node: &Remote, token: &str) -> bool {
    node.introspect(RESOURCE_SERVER, token).await.member("active") == true
}
