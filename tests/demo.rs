//! The demo, as a stranger would run it.

use std::{net::TcpListener, path::Path, process::Command};

use crate::support::{Folder, Program, Remote, Visitor, free_port, plain_client, program, unescape};

/// A demo that runs, and what it printed.
struct Demo {
    program: Program,
    url: String,
    password: String,
    /// The lines that are meant for a shell.
    shell: Vec<String>,
}

impl Demo {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let program = Program::start(command(folder, arguments));
        let url = program.says("listening on ");
        program.says("client: demo-client / ");
        program.says("public client: demo-app");
        let password = program.says("user: alice / ");
        let mut shell = Vec::new();
        loop {
            let line = program.line().unwrap();
            let last = line.contains("Ctrl-C");
            shell.extend(Some(line).filter(|line| line.contains("curl ")));
            if last {
                return Self { program, url, password, shell };
            }
        }
    }
}

/// A command that runs the demo where its files are in nobody's way.
fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = program("demo");
    command.args(arguments).current_dir(folder.path());
    command
}

/// Pastes `lines` into a shell: what it prints.
fn paste(lines: &[String], folder: &Path) -> String {
    let curl = Command::new("curl").arg("--version").output();
    assert!(curl.is_ok(), "curl is lacking, which the demo's lines call: ./tests/run --install");
    let output = Command::new("bash").arg("-c").arg(lines.join("\n")).current_dir(folder).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The statuses of the responses in what `curl -i` printed.
fn statuses(printed: &str) -> Vec<&str> {
    printed.split("HTTP/1.1 ").skip(1).filter_map(|response| response.split(' ').next()).collect()
}

#[test]
fn the_walk_takes_every_step_and_ends_with_0() {
    for store in ["oauth-demo.db", "memory:"] {
        let folder = Folder::new();
        let ended = Program::run(command(&folder, &["--walk", "--port", "0", "--db", store]));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
        let statuses: Vec<&str> =
            ended.stdout.lines().filter_map(|line| line.strip_prefix("    ")?.split(' ').next()).collect();
        let client = ["200", "200", "200", "200", "401", "200"];
        let person = ["303", "200", "303", "200", "303", "200", "200", "200", "200", "200", "401", "200", "400"];
        assert_eq!(statuses, [&client[..], &person].concat(), "{}", ended.stdout);
        assert_eq!(folder.path().join("oauth-demo.db").exists(), store != "memory:");
    }
}

#[test]
fn the_lines_it_prints_do_what_they_say_when_they_are_pasted_into_a_shell() {
    let folder = Folder::new();
    let demo = Demo::start(&folder, &["--port", "0"]);
    assert_eq!(demo.shell.len(), 5, "{:?}", demo.shell);
    let printed = paste(&demo.shell, folder.path());
    assert_eq!(statuses(&printed), ["200", "200", "200", "401"], "{printed}");
    assert!(printed.starts_with("oat_"), "{printed}");
    assert!(printed.contains("Kind of Blue") && printed.contains("\"active\":true"), "{printed}");
    let ended = demo.program.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn the_flow_in_the_browser_ends_with_a_token_and_lines_that_work() {
    let folder = Folder::new();
    let demo = Demo::start(&folder, &["--port", "0"]);
    let mut visitor = Visitor::new(plain_client());
    let url = format!("{}/demo", demo.url);
    let page = visitor.decide(&url, ("alice", &demo.password), "approve").await;
    assert_eq!((page.answer.status.as_u16(), page.url.path()), (200, "/demo/callback"), "{}", page.answer);
    let texts = page.answer.body.split('>').filter_map(|rest| rest.split('<').next());
    let lines: Vec<String> = texts.filter(|text| text.starts_with("curl ")).map(unescape).collect();
    // Who is it, refresh, revoke; and who is it now?
    let printed = paste(&[&lines[..], &lines[..1]].concat(), folder.path());
    assert_eq!(statuses(&printed), ["200", "200", "200", "401"], "{printed}");
    assert!(printed.contains("\"sub\":\"alice\""), "{printed}");

    // Who says no sends the app away without one.
    let page = visitor.go(&url).await;
    let page = visitor.press(&page, "deny", &[]).await;
    assert_eq!(page.answer.status, 400, "{}", page.answer);
    assert!(page.answer.body.contains("No token"), "{}", page.answer);
}

#[tokio::test]
async fn a_second_start_on_the_same_file_keeps_tokens_and_credentials() {
    let folder = Folder::new();
    let port = free_port().to_string();
    let arguments = ["--port", &port, "--db", "mine.db"];
    let first = Demo::start(&folder, &arguments);
    let token = paste(&first.shell[..1], folder.path()).trim().to_owned();
    let (url, password, shell) = (first.url.clone(), first.password.clone(), first.shell.clone());
    first.program.kill();

    let second = Demo::start(&folder, &arguments);
    assert_eq!((&second.url, &second.password, &second.shell), (&url, &password, &shell));
    let status = async || Remote::new(plain_client(), &url).call("/api/albums", &token).await.status;
    assert_eq!(status().await, 200);
    // The client that it printed before can still revoke it.
    let printed = paste(&[format!("TOKEN={token}"), shell[3].clone(), shell[4].clone()], folder.path());
    assert_eq!(statuses(&printed), ["200", "401"], "{printed}");
    // Another file knows nothing of it.
    second.program.kill();
    let _third = Demo::start(&folder, &["--port", &port, "--db", "other.db"]);
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn a_taken_port_is_left_alone_and_another_one_is_printed() {
    let folder = Folder::new();
    // Taken by us, or by somebody else already.
    let _taken = TcpListener::bind("127.0.0.1:8080");
    let demo = Demo::start(&folder, &[]);
    assert_ne!(demo.url, "http://127.0.0.1:8080");
    assert!(folder.path().join("oauth-demo.db").exists());
    assert_eq!(statuses(&paste(&demo.shell, folder.path())), ["200", "200", "200", "401"]);
    // Two of them may run, each with what it printed.
    let other = Demo::start(&Folder::new(), &[]);
    assert_ne!(demo.url, other.url);
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Program::run(command(&Folder::new(), &["--port", &port]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(&format!("--port {port}")), "{ended:?}");
}
