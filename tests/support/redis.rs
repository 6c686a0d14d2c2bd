//! Real Redis servers on ports of their own, for as long as somebody needs them: one alone, or a cluster.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use oauth_core::store::redis::{RedisStore, RedisStoreBuilder};

use super::{Folder, free_port};

/// What every test server wants to hear.
pub(crate) const REDIS_PASSWORD: &str = "hunter2-redis";

/// Starts the server, and ends it when standard input does: also when the test is killed.
const GUARD: &str = r#"
    "$1/redis-server" "$1/redis.conf" >/dev/null & server=$!
    while read -r signal; do
        kill "-$signal" "$server"
        case $signal in KILL | TERM) wait "$server"; exit ;; esac
        echo sent
    done
    kill -KILL "$server"; wait "$server"
"#;

const SETTINGS: &str = "
bind 127.0.0.1
protected-mode no
daemonize no
# What is on disk is for others to test: here nothing outlives the machine.
appendonly yes
appendfsync no
save ''
repl-diskless-sync-delay 0
repl-ping-replica-period 1
";

/// A server with its data. It ends with the last handle.
pub(crate) struct Redis {
    folder: Folder,
    port: u16,
    server: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl Redis {
    /// A server of one test, with more lines for its configuration.
    pub(crate) fn start(settings: &str) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let place = folder.path().display();
        let login = format!("requirepass {REDIS_PASSWORD}\nmasterauth {REDIS_PASSWORD}\n");
        let own = format!("port {port}\ndir {place}\nlogfile {place}/log\n{login}{settings}\n");
        fs::write(folder.path().join("redis.conf"), SETTINGS.to_owned() + &own).unwrap();
        // The program decides by its name what it is.
        symlink(binary(), folder.path().join("redis-server")).unwrap();
        let mut redis = Self { folder, port, server: None };
        redis.resume();
        redis
    }

    /// Lets a server run again that was ended.
    pub(crate) fn resume(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(self.folder.path());
        let mut guard = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (stdin, stdout) = (guard.stdin.take().unwrap(), guard.stdout.take().unwrap());
        self.server = Some((guard, stdin, BufReader::new(stdout)));
        self.until("a server that answers", |redis| redis.try_say(&["PING"]).is_some_and(|said| said == "+PONG"));
    }

    /// Sends the server a signal: `KILL` is a crash, `STOP` and `CONT` let it hang.
    pub(crate) fn signal(&mut self, signal: &str) {
        let (guard, stdin, stdout) = self.server.as_mut().unwrap();
        stdin.write_all(format!("{signal}\n").as_bytes()).unwrap();
        if matches!(signal, "KILL" | "TERM") {
            guard.wait().unwrap();
            self.server = None;
        } else {
            stdout.read_line(&mut String::new()).unwrap();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        redis_url_at(self.port)
    }

    /// What the server answers, on a connection of its own.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        self.try_say(words).unwrap_or_else(|| panic!("{words:?}: {}", self.log()))
    }

    fn try_say(&self, words: &[&str]) -> Option<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut reader = BufReader::new(stream);
        for words in [&["AUTH", REDIS_PASSWORD][..], words] {
            let spelled: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
            reader.get_mut().write_all(format!("*{}\r\n{spelled}", words.len()).as_bytes()).ok()?;
            let said = read_reply(&mut reader)?;
            if words.first() != Some(&"AUTH") || !said.starts_with("+OK") {
                return Some(said);
            }
        }
        None
    }

    /// Waits for something that takes the servers a moment.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(60), "never {what}: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some((mut guard, stdin, _)) = self.server.take() {
            drop(stdin);
            drop(guard.wait());
        }
    }
}

/// The server, or Debian's tools, which come without a service and have it under another name.
fn binary() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = ["redis-server", "valkey-server", "redis-check-rdb"].into_iter().flat_map(|name| {
        let folders: Vec<_> = env::split_paths(&path).collect();
        folders.into_iter().map(move |folder| folder.join(name))
    });
    let found = places.into_iter().find(|place| place.is_file());
    found.expect("redis-server is lacking, on which a store for many nodes is tested: ./tests/run --install")
}

/// One answer as text: simple ones as they are, long ones without their length, lists line by line.
fn read_reply(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1)?;
    match (kind, rest.parse::<usize>()) {
        ("$", Ok(length)) => {
            let mut bytes = vec![0; length + 2];
            reader.read_exact(&mut bytes).ok()?;
            bytes.truncate(length);
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        ("*", Ok(count)) => {
            let items: Option<Vec<String>> = (0..count).map(|_| read_reply(reader)).collect();
            items.map(|items| items.join("\n"))
        }
        _ => Some(line.to_owned()),
    }
}

pub(crate) fn redis_url_at(port: u16) -> String {
    format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{port}")
}

/// A primary, and replicas that follow it.
pub(crate) fn replicated(replicas: usize) -> (Redis, Vec<Redis>) {
    let primary = Redis::start("");
    let follow = format!("replicaof 127.0.0.1 {}", primary.port);
    let replicas: Vec<_> = (0..replicas).map(|_| Redis::start(&follow)).collect();
    for replica in &replicas {
        replica.until("in step", |replica| replica.say(&["INFO", "replication"]).contains("master_link_status:up"));
    }
    (primary, replicas)
}

/// Three primaries, and a replica of each.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Redis>,
}

const NODES: usize = 6;
const SLOTS: usize = 16_384;

impl Cluster {
    pub(crate) fn start() -> Self {
        let start = |_| {
            let bus = free_port();
            Redis::start(&format!(
                "cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 2000\ncluster-config-file nodes.conf"
            ))
        };
        let cluster = Self { nodes: (0..NODES).map(start).collect() };
        let half = NODES / 2;
        for (at, primary) in cluster.nodes[..half].iter().enumerate() {
            let (first, last) = ((SLOTS * at / half).to_string(), (SLOTS * (at + 1) / half - 1).to_string());
            primary.say(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            primary.say(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
        }
        for other in &cluster.nodes[1..] {
            let bus = other.say(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().nth(1).unwrap();
            cluster.nodes[0].say(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string(), bus]);
        }
        for node in &cluster.nodes {
            node.until("all together", |node| node.say(&["CLUSTER", "NODES"]).lines().count() == NODES);
        }
        for (replica, primary) in cluster.nodes[half..].iter().zip(&cluster.nodes) {
            let id = primary.say(&["CLUSTER", "MYID"]);
            replica.until("a replica", |replica| replica.say(&["CLUSTER", "REPLICATE", &id]).starts_with("+OK"));
        }
        for node in &cluster.nodes {
            node.until("well", |node| {
                let info = node.say(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
            });
            node.until("in step", |node| {
                let info = node.say(&["INFO", "replication"]);
                info.contains("master_link_status:up") || info.contains("connected_slaves:1")
            });
            node.until("in sight of all replicas", |node| {
                node.say(&["CLUSTER", "SLOTS"]).lines().filter(|line| *line == "127.0.0.1").count() == NODES
            });
        }
        cluster
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }
}

/// Settings of a store that waits for machines with much else to do.
pub(crate) fn patient_redis<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> RedisStoreBuilder {
    let patience = Duration::from_secs(60);
    RedisStore::builder(urls).connect_timeout(patience).response_timeout(patience).replica_timeout(patience)
}
