//! A process that serves, and how many tokens it issues.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use oauth_core::jwt::Jws;

use super::forms::{Form, LIFETIME, SCOPE};
use crate::client::{Connection, block_on};

/// So many connections keep it busy.
const CONNECTIONS: usize = 32;

/// How it says that it serves.
const LISTENING: &str = "listening on ";

/// A server in a process of its own. It ends with this value.
pub struct Server {
    process: Child,
    orders: ChildStdin,
    said: BufReader<ChildStdout>,
    address: SocketAddr,
    request: Vec<u8>,
}

/// What came of one turn.
pub struct Round {
    pub done: usize,
    /// The processor's time, of all threads of the process.
    pub used: Duration,
    pub wall: Duration,
    /// What it took, outside the turn, to forget the tokens again.
    pub swept: Duration,
}

impl Server {
    pub fn start(command: &mut Command, form: Form) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let orders = process.stdin.take().expect("piped");
        let said = BufReader::new(process.stdout.take().expect("piped"));
        let address = ([127, 0, 0, 1], 0).into();
        let mut server = Self { process, orders, said, address, request: form.request() };
        server.address = server.says(LISTENING).parse().expect("an address");
        server
    }

    /// Keeps it busy for so long, and then lets it forget what it has issued.
    pub fn round(&mut self, duration: Duration) -> Round {
        let (done, used, wall) = block_on(async {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                connections.push(Connection::open(self.address, &self.request).await);
            }
            let (before, started) = (self.time(), Instant::now());
            let asking = connections.into_iter().map(|connection| connection.ask(&self.request, started + duration));
            let done: usize = futures_util::future::join_all(asking).await.into_iter().sum();
            (done, self.time() - before, started.elapsed())
        });
        let before = self.time();
        writeln!(self.orders, "sweep").expect("it listens");
        self.says("swept");
        Round { done, used, wall, swept: self.time() - before }
    }

    /// Whether it issues what it is asked for.
    pub fn check(&self, form: Form) {
        let response = block_on(async { Connection::open(self.address, &self.request).await });
        let body = response.body();
        let token: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        let access = token["access_token"].as_str().expect("a token");
        let alg = Jws::parse(access).ok().map(|jws| jws.alg());
        assert_eq!(alg, form.algorithm(), "{token}");
        assert_eq!((&token["scope"], &token["expires_in"]), (&SCOPE.into(), &LIFETIME.into()), "{token}");
    }

    /// What stands behind `start` in the next line that begins so.
    fn says(&mut self, start: &str) -> String {
        let mut line = String::new();
        while self.said.read_line(&mut line).expect("a line") > 0 {
            if let Some(rest) = line.trim_end().strip_prefix(start) {
                return rest.to_owned();
            }
            line.clear();
        }
        panic!("it has ended without saying \"{start}\"");
    }

    /// The processor's time that all its threads have used.
    fn time(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("it runs");
        let of_task = |path| fs::read_to_string(path).ok()?.split(' ').next()?.parse::<u64>().ok();
        let nanoseconds = tasks.flatten().filter_map(|task| of_task(task.path().join("schedstat")));
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What all turns came to.
#[derive(Default)]
pub struct Rates {
    pub per_second: Vec<f64>,
    busy: Vec<f64>,
    sweep: Vec<f64>,
}

impl Rates {
    pub fn push(&mut self, round: Round) {
        let done = round.done as f64;
        self.per_second.push(done / round.used.as_secs_f64());
        self.busy.push(round.used.as_secs_f64() / round.wall.as_secs_f64());
        self.sweep.push(round.swept.as_secs_f64() * 1e6 / done);
    }

    /// Tokens per second of the processor's time.
    pub fn rate(&self) -> f64 {
        median(&self.per_second)
    }

    /// Which share of the wall clock it was busy.
    pub fn busy(&self) -> f64 {
        median(&self.busy)
    }

    /// Microseconds to forget one token.
    pub fn sweep(&self) -> f64 {
        median(&self.sweep)
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
