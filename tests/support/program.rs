//! The programs, as processes of their own.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    iter,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, SystemTime},
};

/// How long a program may take to say or to do what it must. Only one that hangs takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed when the test is done with it.
pub(crate) struct Program {
    child: Child,
    ear: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Receiver<String>,
}

/// What a program that ended left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Self::spawn(command)
    }

    /// Starts one that is to be told things.
    pub(crate) fn listening(mut command: Command) -> Self {
        command.stdin(Stdio::piped());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (lines, complaints) = (lines_of(child.stdout.take().unwrap()), lines_of(child.stderr.take().unwrap()));
        Self { ear: child.stdin.take(), child, lines, complaints }
    }

    /// Tells it a line, and returns the next one that it says.
    #[track_caller]
    pub(crate) fn asked(&mut self, line: &str) -> String {
        // If it has ended, there is no answer either.
        drop(writeln!(self.ear.as_mut().unwrap(), "{line}"));
        self.line().unwrap_or_else(|| panic!("it ended: {}", self.complaints()))
    }

    /// Runs a program to its end.
    pub(crate) fn run(command: Command) -> Ended {
        Self::start(command).ended()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line on stdout that begins with `start`, and returns the rest of it.
    #[track_caller]
    pub(crate) fn says(&self, start: &str) -> String {
        loop {
            let line =
                self.line().unwrap_or_else(|| panic!("it ended without saying {start:?}: {}", self.complaints()));
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }

    /// SIGKILL: it has no say in this.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("bash").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// SIGTERM, and waits for its end.
    #[track_caller]
    pub(crate) fn terminate(self) -> Ended {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let stdout = self.rest(&self.lines);
        let stderr = self.rest(&self.complaints);
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// The next line on stdout; `None` when there will be no more.
    #[track_caller]
    pub(crate) fn line(&self) -> Option<String> {
        self.next(&self.lines)
    }

    #[track_caller]
    fn next(&self, from: &Receiver<String>) -> Option<String> {
        match from.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs: {}", self.complaints()),
        }
    }

    #[track_caller]
    fn rest(&self, from: &Receiver<String>) -> String {
        iter::from_fn(|| self.next(from)).map(|line| line + "\n").collect()
    }

    /// What it has said on stderr.
    fn complaints(&self) -> String {
        self.complaints.try_iter().collect::<Vec<_>>().join("\n")
    }
}

/// What comes out of `pipe`, however slowly anybody listens.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (say, lines) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(pipe).lines().map_while(Result::ok);
        // Whoever does not listen any more does not want to know.
        lines.try_for_each(|line| say.send(line))
    });
    lines
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A command that starts the program `name`, as the sources are now.
pub(crate) fn program(name: &str) -> Command {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(FOLDER.get_or_init(build).join(name));
    command.env_remove("RUST_LOG").env_remove("OAUTH_ADMIN_SECRET");
    command
}

/// Builds the programs beside this test, if they are older than what they are made of, and says where they are.
fn build() -> PathBuf {
    let test = env::current_exe().unwrap();
    // Tests are in `deps` of the folder of their profile, commands in the folder itself.
    let folder = test.parent().unwrap();
    let folder = if folder.ends_with("deps") { folder.parent().unwrap() } else { folder };
    let programs =
        ["demo", "authorization-server", "reciprocal", "resource-server", "web-client"].map(|name| folder.join(name));
    if programs.iter().all(|program| is_current(program)) {
        return folder.to_owned();
    }
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--package", "examples", "--bins", "--profile", profile]);
    cargo.arg("--target-dir").arg(folder.parent().unwrap()).current_dir(workspace());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{cargo:?}: {}", String::from_utf8_lossy(&output.stderr));
    folder.to_owned()
}

/// Whether `program` is newer than every file of this workspace that it is made of.
fn is_current(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    // What Cargo says it is made of: "PROGRAM: FILE FILE ...".
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, files)| files.trim_end());
    let sources = sources.replace("\\ ", "\0").split(' ').map(|file| file.replace('\0', " ")).collect::<Vec<_>>();
    let manifests = ["", "oauth-core", "oauth-tower", "oauth-axum-rs", "examples"];
    let manifests = manifests.map(|folder| workspace().join(folder).join("Cargo.toml"));
    let files = sources.iter().map(PathBuf::from).chain(manifests).chain([workspace().join("Cargo.lock")]);
    let changes: Option<Vec<SystemTime>> = files.map(|file| changed(&file)).collect();
    changed(program).zip(changes).is_some_and(|(program, changes)| changes.iter().all(|change| *change < program))
}

/// The root, wherever below it the test is.
pub(crate) fn workspace() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("tests/run").is_file()).unwrap()
}
