//! A real PostgreSQL server on a port of its own, for as long as somebody needs it.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use oauth_core::store::postgres::{PostgresStore, PostgresStoreBuilder};
use tokio_postgres::{Client, NoTls};

use super::{Folder, free_port};

/// The superuser of every test server, who must say this password.
const USER: &str = "oauth";
pub(crate) const DATABASE_PASSWORD: &str = "hunter2-database";

/// Where distributions put the server: Debian's has a folder for each version.
const PLACES: &str = "/usr/lib/postgresql";

/// Starts the server, and ends it with its folder when standard input ends: also when the test is killed.
const GUARD: &str = r#"
    "$1/postgres" -D "$2" -p "$3" & server=$!
    read -r how || { how=QUIT; last=yes; }
    kill "-$how" "$server"; wait "$server"
    [ -z "$last" ] || rm -rf "${2%/*}"
"#;

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 64MB
# What is on disk is for others to test: here nothing outlives the machine.
fsync = off
full_page_writes = off
";

/// A server with its data. It ends with the last handle.
pub(crate) struct Postgres {
    folder: Folder,
    port: u16,
    server: Option<(Child, ChildStdin)>,
}

impl Postgres {
    /// A server of one test, with more lines for its configuration.
    pub(crate) fn start(settings: &str) -> Self {
        let folder = Folder::new();
        let user = user();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, DATABASE_PASSWORD).unwrap();
        let mut initdb = as_user(binaries().join("initdb"));
        initdb.arg("-D").arg(&data).args(["-U", USER, "-A", "password", "-E", "UTF8", "--locale=C", "--no-sync"]);
        run(initdb.arg("--pwfile").arg(&password));
        let file = data.join("postgresql.conf");
        fs::write(&file, fs::read_to_string(&file).unwrap() + SETTINGS + settings).unwrap();
        let mut postgres = Self { folder, port: free_port(), server: None };
        postgres.resume();
        postgres
    }

    /// Lets a server run again that was ended.
    pub(crate) fn resume(&mut self) {
        let mut command = as_user("sh");
        command.args(["-c", GUARD, "sh"]).arg(binaries()).arg(self.data()).arg(self.port.to_string());
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut guard = command.spawn().unwrap();
        let stdin = guard.stdin.take().unwrap();
        // The last line of this file says "ready".
        for _ in 0..60_000 {
            let state = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                self.server = Some((guard, stdin));
                return;
            }
            assert!(guard.try_wait().unwrap().is_none(), "the server has ended: {}", self.log());
            thread::sleep(Duration::from_millis(1));
        }
        panic!("the server does not start: {}", self.log());
    }

    /// Ends the server by a signal: `INT` lets it tidy up, `QUIT` is a crash.
    pub(crate) fn end(&mut self, signal: &str) {
        let (mut guard, mut stdin) = self.server.take().unwrap();
        std::io::Write::write_all(&mut stdin, format!("{signal}\n").as_bytes()).unwrap();
        guard.wait().unwrap();
    }

    /// An empty database, and its URL.
    pub(crate) async fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = raw(&self.url("postgres")).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        self.url(&name)
    }

    pub(crate) fn url(&self, database: &str) -> String {
        url_at(self.port, database)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some((mut guard, stdin)) = self.server.take() {
            drop(stdin);
            drop(guard.wait());
        }
    }
}

/// Who the tests are to the server.
pub(super) fn database_user() -> &'static str {
    USER
}

/// The URL of a database behind `port` of this machine.
pub(crate) fn url_at(port: u16, database: &str) -> String {
    format!("postgres://{USER}:{DATABASE_PASSWORD}@127.0.0.1:{port}/{database}")
}

/// An empty database on a server that the tests of this process share, which ends with it.
pub(crate) async fn new_database() -> String {
    shared_postgres().database().await
}

pub(crate) fn shared_postgres() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| Postgres::start(""))
}

/// A store that waits for machines with much else to do.
pub(crate) async fn store_at(url: &str) -> PostgresStore {
    patient(url).build().await.unwrap()
}

/// Settings of such a store.
pub(crate) fn patient(url: &str) -> PostgresStoreBuilder {
    let patience = Duration::from_secs(60);
    PostgresStore::builder(url).wait_timeout(patience).connect_timeout(patience).statement_timeout(patience)
}

/// A connection beside the store's.
pub(crate) async fn raw(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The folder of the newest server that is installed.
fn binaries() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let versions = fs::read_dir(PLACES).into_iter().flatten().filter_map(Result::ok);
        let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
        let newest = versions.map(|entry| entry.path()).max_by_key(number).map(|path| path.join("bin"));
        let path = env::var_os("PATH").unwrap_or_default();
        let has_all = |folder: &PathBuf| ["postgres", "initdb"].iter().all(|name| folder.join(name).is_file());
        let found = newest.into_iter().chain(env::split_paths(&path)).find(has_all);
        found.expect(
            "PostgreSQL's server is lacking, on which the store for many nodes is tested: ./tests/run --install",
        )
    })
}

/// The server refuses to run as root: then it runs as the user that Debian made for it, or as nobody.
pub(super) fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let fields: Vec<&str> = users.lines().find(|line| line.starts_with(&format!("{name}:")))?.split(':').collect();
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user that is not root"))
}

/// Makes a file the server's own, which it insists on for its private key.
pub(crate) fn give_to_server(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    if let Some((uid, gid)) = user() {
        chown(file, Some(uid), Some(gid)).unwrap();
    }
}

/// A command that runs as that user, where it may be.
pub(super) fn as_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

fn run(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)].concat();
    assert!(status.success(), "{command:?}: {said}");
}
