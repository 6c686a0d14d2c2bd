//! A real pooler, which hands out a server's connections by the transaction.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::chown,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    Folder, free_port,
    postgres::{DATABASE_PASSWORD, Postgres, as_user, database_user},
};

/// Ends the pooler when standard input ends: also when the test is killed.
const GUARD: &str = r#""$1" -q "$2" & pooler=$!; read -r _; kill "$pooler"; wait "$pooler""#;

/// PgBouncer in front of a server.
pub(crate) struct PgBouncer {
    pub(crate) port: u16,
    guard: Child,
    stdin: Option<ChildStdin>,
    folder: Folder,
}

impl PgBouncer {
    /// One with fewer connections to the server than it lets clients have.
    pub(crate) fn start(server: &Postgres) -> Self {
        let (folder, port, user) = (Folder::new(), free_port(), database_user());
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user={user} password={DATABASE_PASSWORD}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 200\nlogfile = {}\n{}",
            server.port(),
            folder.path().join("log").display(),
            if knows_prepared_statements() { "max_prepared_statements = 100\n" } else { "" },
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        if let Some((uid, gid)) = super::postgres::user() {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut command = as_user("sh");
        command.args(["-c", GUARD, "sh"]).arg(program()).arg(&file);
        let mut guard = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let stdin = guard.stdin.take();
        let pooler = Self { port, guard, stdin, folder };
        for _ in 0..60_000 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return pooler;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let log = pooler.folder.path().join("log");
        panic!("the pooler does not start: {}", fs::read_to_string(log).unwrap_or_default());
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.stdin = None;
        drop(self.guard.wait());
    }
}

/// Whether the PgBouncer that is installed is 1.21 or later.
pub(crate) fn knows_prepared_statements() -> bool {
    let output = Command::new(program()).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(1), Some(21))
}

/// Not every user has its folder in the PATH.
fn program() -> &'static Path {
    let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].map(Path::new);
    let found = places.into_iter().find(|place| place.is_file());
    found.expect("pgbouncer is lacking, behind which the store for many nodes is tested: ./tests/run --install")
}
