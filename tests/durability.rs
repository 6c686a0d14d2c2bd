//! An answer is an acknowledgement only if what it answers is on disk: the system calls of the server, in their order.

use std::{collections::HashSet, fs, path::PathBuf, process::Command, thread, time::Duration};

use crate::support::{Program, Reference, Remote, WEB, all_at_once, plain_client};

/// What matters of a system call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    /// Bytes for the write-ahead log were handed to the system.
    Written,
    /// They are on disk.
    Synced,
    /// An HTTP response with status 200 is sent.
    Answered,
}

/// How a record ends.
const EXIT: &str = "+++ exited with 0 +++";

/// A server whose system calls are recorded.
struct Traced {
    reference: Reference,
    server: Program,
    record: PathBuf,
}

impl Traced {
    /// Starts it, with more `arguments` for strace.
    fn start(arguments: &[&str]) -> Self {
        let strace = Command::new("strace").arg("-V").output();
        assert!(strace.is_ok(), "strace is lacking, which shows what is on disk: ./tests/run --install");
        let reference = Reference::in_development("");
        let record = reference.authority.file("calls");
        let server = reference.command();
        let mut command = Command::new("strace");
        // -D: the server is our child, and strace is not in between. -y: with the names of files.
        command.args(["-D", "-f", "-q", "-y", "-e", "signal=none"]).arg("-o").arg(&record);
        command.args(["-e", "trace=fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg"]).args(arguments);
        command.arg(server.get_program()).args(server.get_args());
        let server = reference.started_by(command);
        Self { reference, server, record }
    }

    fn remote(&self) -> Remote {
        Remote::new(plain_client(), &self.reference.issuer)
    }

    /// Ends the server: its calls that matter, from the first to the last.
    fn ended(self) -> Vec<Call> {
        let id = self.server.id().to_string();
        assert_eq!(self.server.terminate().code, Some(0));
        let exit =
            |line: &str| line.split_once(' ').is_some_and(|(process, rest)| process == id && rest.trim() == EXIT);
        // strace is a process of its own: it may still have to write this.
        for _ in 0..20_000 {
            let record = fs::read_to_string(&self.record).unwrap();
            if record.lines().any(exit) {
                return read(&record);
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("the record in {} has no end", self.record.display());
    }
}

/// Reads lines as `12 fdatasync(9</tmp/oauth.db-wal>) = 0`; a call in another's way is on two of them:
/// `12 fdatasync(9</tmp/oauth.db-wal> <unfinished ...>` and `12 <... fdatasync resumed>) = 0`.
fn read(record: &str) -> Vec<Call> {
    let mut syncing = HashSet::new();
    let mut calls = Vec::new();
    for line in record.lines() {
        let (thread, call) = line.split_once(' ').unwrap();
        let call = call.trim_start();
        let of_log = call.split_once('>').is_some_and(|(file, _)| file.ends_with("oauth.db-wal"));
        let resumed = call.starts_with("<... ") && syncing.remove(thread);
        if call.starts_with("pwrite64(") && of_log {
            calls.push(Call::Written);
        } else if (call.starts_with("fsync(") || call.starts_with("fdatasync(")) && of_log || resumed {
            match call.ends_with("<unfinished ...>") {
                true => drop(syncing.insert(thread)),
                false if call.contains("= 0") => calls.push(Call::Synced),
                false => panic!("{line}"),
            }
        } else if call.contains("\"HTTP/1.1 200 OK") {
            calls.push(Call::Answered);
        }
    }
    calls
}

fn count(calls: &[Call], wanted: Call) -> usize {
    calls.iter().filter(|call| **call == wanted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_on_disk_before_it_is_acknowledged() {
    let traced = Traced::start(&[]);
    let remote = traced.remote();
    let mut acknowledged = 0;
    for _ in 0..15 {
        let tokens = remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
        remote.revoke(WEB, &tokens.access).await.is_revoked();
        acknowledged += 2;
    }
    let calls = traced.ended();
    println!("{acknowledged} writes, one after the other: {} fsyncs", count(&calls, Call::Synced));
    assert_eq!(count(&calls, Call::Answered), acknowledged);
    let first = calls.iter().position(|call| *call == Call::Answered).unwrap();
    // Before the first there is the schema, and housekeeping is still about.
    for (number, since) in calls.split(|call| *call == Call::Answered).take(acknowledged).enumerate().skip(1) {
        assert!(since.contains(&Call::Written), "answer {number} of {calls:?}");
        assert_eq!(since.last(), Some(&Call::Synced), "answer {number} of {calls:?}");
    }
    assert!(count(&calls[first..], Call::Synced) >= acknowledged - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_come_together_share_an_fsync() {
    // A disk on which each takes a while, so that others come together meanwhile.
    let traced = Traced::start(&["-e", "inject=fsync,fdatasync:delay_exit=5000"]);
    let remote = traced.remote();
    let client = |_| {
        let remote = remote.clone();
        async move {
            for _ in 0..8 {
                remote.token(WEB, &[("grant_type", "client_credentials")]).await.tokens();
            }
        }
    };
    let clients = all_at_once(32, client).await.len();
    let calls = traced.ended();
    let (answers, first) =
        (count(&calls, Call::Answered), calls.iter().position(|call| *call == Call::Answered).unwrap());
    let syncs = count(&calls[first..], Call::Synced);
    println!("{answers} writes, {clients} at a time: {syncs} fsyncs");
    assert_eq!(answers, 8 * clients);
    assert!(syncs * 2 < answers, "{syncs} fsyncs for {answers} acknowledged writes");
}
