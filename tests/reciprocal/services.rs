//! The two services of the example, on files, with a gate before the voice assistant: party B under SIGKILL.

use std::{fs, time::Duration};

use oauth_core::params::Params;

use super::{gate::Gate, *};

/// A service in a folder of its own.
struct Service {
    role: &'static str,
    port: u16,
    other: u16,
    folder: Folder,
    remote: Remote,
    program: Option<Program>,
    /// What it has told so far, and what was in its files whenever it ended.
    told: String,
    kept: String,
}

impl Service {
    fn new(role: &'static str, port: u16, other: u16) -> Self {
        let remote = Remote::new(plain_client(), format!("http://127.0.0.1:{port}"));
        Self {
            role,
            port,
            other,
            folder: Folder::new(),
            remote,
            program: None,
            told: String::new(),
            kept: String::new(),
        }
    }

    /// Starts it, telling everything that it can tell.
    fn start(&mut self) {
        let mut command = program("reciprocal");
        command.args([self.role, "--port", &self.port.to_string(), "--other", &self.other.to_string(), "--db"]);
        command.arg(self.folder.file()).env("RUST_LOG", "trace");
        let program = Program::start(command);
        assert_eq!(program.says("listening on "), self.remote.url);
        self.program = Some(program);
    }

    fn end(&mut self, signal: &str, code: Option<i32>) {
        let program = self.program.take().unwrap();
        program.signal(signal);
        let ended = program.ended();
        assert_eq!(ended.code, code, "{}", ended.stderr);
        self.told += &(ended.stdout + &ended.stderr);
        for file in fs::read_dir(self.folder.path()).unwrap() {
            self.kept += &String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap());
        }
    }

    /// SIGKILL: it has no say in this.
    fn kill(&mut self) {
        self.end("KILL", None);
    }

    /// Waits until this is what it says at `path`.
    async fn comes_to(&self, path: &str, body: &str) {
        let mut answer = self.remote.get(path).await;
        // More than a code can be in the hands of somebody who was killed.
        for _ in 0..2400 {
            if answer.body == body {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = self.remote.get(path).await;
        }
        panic!("{answer} instead of {body}");
    }

    async fn says(&self, path: &str, status: u16, body: &str) {
        let answer = self.remote.get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (status, body), "{path}");
    }
}

/// The user connects the two at the assistant: what was in the addresses on the way.
async fn connect(assistant: &Service) -> String {
    let mut visitor = Visitor::new(plain_client());
    let there = visitor.go(&format!("{}/connect", assistant.remote.url)).await;
    let back = visitor.go(there.answer.location()).await.answer.location().to_owned();
    let page = visitor.go(&back).await;
    // B has answered 200 to A.
    assert_eq!((page.answer.status.as_u16(), page.answer.body.as_str()), (200, "connected"));
    let query = back.split_once('?').unwrap().1;
    Params::parse(query).unwrap().get("code").unwrap().to_owned()
}

/// Whether anything in `text` looks like a code or a token of these servers, known to this test or not.
fn has_token(text: &str) -> bool {
    let starts = ["oac_", "oat_", "ort_"].into_iter().flat_map(|prefix| text.match_indices(prefix));
    let mut bodies = starts.map(|(at, prefix)| text.as_bytes()[at + prefix.len()..].iter().take(20));
    bodies.any(|mut body| body.len() == 20 && body.all(u8::is_ascii_alphanumeric))
}

// spec: TOK-54, TOK-57
#[tokio::test(flavor = "multi_thread")]
async fn the_music_service_of_the_example_redeems_after_its_end_what_it_has_answered_for() {
    let [a, b] = [free_port(), free_port()];
    let before_a = Gate::to(a);
    let (mut assistant, mut music) = (Service::new("assistant", a, b), Service::new("music", b, before_a.port));
    assistant.start();
    music.start();
    music.says("/held", 200, r#"{"scope":null}"#).await;
    // The music service cannot reach the assistant, and takes the code all the same.
    let first = connect(&assistant).await;
    music.says("/held", 200, r#"{"scope":null}"#).await;
    music.kill();
    before_a.open().await;
    assert!(before_a.seen().is_empty());
    music.start();
    music.comes_to("/held", r#"{"scope":"speaker:announce"}"#).await;
    let redeemed = before_a.seen();
    assert_eq!((redeemed.len(), &*redeemed[0].path, redeemed[0].status.as_u16()), (1, "/token", 200), "{redeemed:?}");

    // Each calls the other.
    music.says("/call/announce", 200, "announced").await;
    music.says("/call/volume", 403, "").await;
    assistant.says("/play", 200, "favorites").await;

    // Nothing of this is in memory alone.
    music.kill();
    assistant.kill();
    assistant.start();
    music.start();
    music.says("/held", 200, r#"{"scope":"speaker:announce"}"#).await;
    music.says("/call/announce", 200, "announced").await;

    let (codes, tokens) = (before_a.fields("code"), before_a.members("access_token"));
    assert_eq!((codes.len(), tokens.len()), (1, 1), "it was redeemed once");
    let secrets = [vec![first], codes, tokens, before_a.members("refresh_token")].concat();
    assert!(secrets.len() == 4 && secrets.iter().all(|secret| has_token(secret)), "{secrets:?}");
    for (service, other) in [(&mut assistant, "music-service"), (&mut music, "voice-assistant")] {
        service.end("TERM", Some(0));
        assert!(
            service.told.contains("TRACE") && service.kept.contains(other),
            "this is not where it speaks and writes"
        );
        for (place, text) in [("told", &service.told), ("kept", &service.kept)] {
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{} has {place} a secret", service.role);
            assert!(!has_token(text), "{} has {place} a token", service.role);
        }
    }
}
