//! A real browser: Debian's Chromium, driven through its chromedriver, with a profile of its own. It knows two hosts,
//! those of a [`Site`], and no way to any other.

mod axe;
mod look;
mod person;
mod site;
mod webdriver;
mod witness;

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use self::{
    person::{BACKSPACE, ENTER, SHIFT_TAB, SPACE, TAB},
    site::{APP_HOME, Site, url_of},
};
use self::{webdriver::Session, witness::Witness};
use super::{Folder, Program, free_port};

const CHROMIUM: &str = "/usr/bin/chromium";

/// One takes some hundred megabytes, and most of two processors.
static SEATS: Semaphore = Semaphore::const_new(3);

/// A running browser with one window. It ends with the test, however that ends.
pub(crate) struct Chromium {
    session: Session,
    witness: Witness,
    _driver: Program,
    _profile: Folder,
    _seat: SemaphorePermit<'static>,
}

/// What may be different from one browser to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// Its user has switched scripts off.
    pub(crate) without_scripts: bool,
    /// The size of text that its user likes, in pixels: 16 if nothing is said.
    pub(crate) text: Option<u8>,
}

impl Chromium {
    /// One that reaches these ports of this machine as those hosts, and nothing else.
    async fn start(hosts: &[(&str, u16)], habits: Habits) -> Self {
        assert!(Path::new(CHROMIUM).exists(), "chromium is lacking: ./tests/run --install");
        let seat = SEATS.acquire().await.unwrap();
        let profile = Folder::new();
        let port = free_port();
        let mut driver = Command::new("chromedriver");
        driver.args([&*format!("--port={port}"), "--log-level=SEVERE"]).env("TMPDIR", profile.path());
        let driver = Program::start(driver);
        driver.says("ChromeDriver was started successfully");
        let session = Session::begin(port, &capabilities(&arguments(&profile, hosts), habits)).await;
        Self { session, witness: Witness::default(), _driver: driver, _profile: profile, _seat: seat }
    }
}

/// Sends nothing anywhere by itself, and keeps everything in its profile.
fn arguments(profile: &Folder, hosts: &[(&str, u16)]) -> Vec<String> {
    let mapped = hosts.iter().map(|(host, port)| format!("MAP {host} 127.0.0.1:{port}"));
    let rules = mapped.chain(["MAP * ~NOTFOUND".into(), "EXCLUDE 127.0.0.1".into()]).collect::<Vec<_>>().join(",");
    let quiet = "headless disable-gpu disable-quic no-first-run disable-background-networking disable-sync \
                 disable-component-update disable-default-apps disable-extensions disable-dev-shm-usage \
                 force-color-profile=srgb password-store=basic no-proxy-server";
    let mut arguments: Vec<String> = quiet.split_whitespace().map(|flag| format!("--{flag}")).collect();
    arguments.push(format!("--host-resolver-rules={rules}"));
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    // Chromium's own sandbox cannot be had as root.
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}

fn capabilities(arguments: &[String], habits: Habits) -> Value {
    let scripts = if habits.without_scripts { 2 } else { 1 };
    let mut preferences = json!({
        "profile.managed_default_content_settings.javascript": scripts,
        "credentials_enable_service": false,
    });
    if let Some(text) = habits.text {
        preferences["webkit.webprefs.default_font_size"] = text.into();
    }
    json!({
        "browserName": "chrome",
        // The authority of a test is known to no browser.
        "acceptInsecureCerts": true,
        "pageLoadStrategy": "normal",
        "timeouts": { "pageLoad": 60_000, "script": 60_000, "implicit": 0 },
        "goog:chromeOptions": { "binary": CHROMIUM, "args": arguments, "prefs": preferences },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    })
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Before the driver is killed: it is the driver that stops the browser.
        self.session.end();
    }
}
