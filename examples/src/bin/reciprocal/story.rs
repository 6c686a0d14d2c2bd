//! The story, step by step: each is done over HTTP, and is held to what it says.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use examples::say;

use crate::{
    Failure,
    browser::{Browser, Page},
};

/// How long a service may take for what it does by itself.
const PATIENCE: u32 = 300;
const MOMENT: Duration = Duration::from_millis(100);

/// Tells it.
pub(crate) async fn tell() -> Result<(), Failure> {
    let [assistant, music] = free_ports()?;
    let mut story = Story {
        _assistant: Service::start("assistant", assistant, music)?,
        _music: Service::start("music", music, assistant)?,
        assistant: format!("http://127.0.0.1:{assistant}"),
        music: format!("http://127.0.0.1:{music}"),
        browser: Browser::new()?,
        step: 0,
    };
    story.connection().await?;
    story.more().await?;
    story.fewer().await?;
    say("Every step did what it says.");
    Ok(())
}

struct Story {
    _assistant: Service,
    _music: Service,
    assistant: String,
    music: String,
    browser: Browser,
    step: u32,
}

impl Story {
    async fn connection(&mut self) -> Result<(), Failure> {
        let page = self.browser.go(&format!("{}/connect", self.assistant)).await?;
        for (part, at) in [("/authorize", &self.music), ("/callback", &self.assistant), ("/consent", &self.assistant)] {
            if !page.way.iter().any(|url| url.starts_with(&**at) && url.ends_with(part)) {
                return Err(format!("the way to {part} was not taken: {:?}", page.way).into());
            }
        }
        self.saw(
            "The user connects the two, at the assistant: there, at the music service, and back",
            &page,
            200,
            "connected",
        )?;
        self.holds("The music service redeems the code of the assistant", "speaker:announce").await?;
        self.calls("The assistant calls the music service", &self.assistant.clone(), "/play", 200, "favorites").await?;
        let music = self.music.clone();
        self.calls("The music service calls the assistant", &music, "/call/announce", 200, "announced").await?;
        self.calls("and may do no more than the user has agreed to", &music, "/call/volume", 403, "").await
    }

    async fn more(&mut self) -> Result<(), Failure> {
        self.update("speaker:announce speaker:volume").await?;
        let music = self.music.clone();
        self.calls("It may set the volume now", &music, "/call/volume", 200, "louder").await?;
        self.calls("and announce", &music, "/call/announce", 200, "announced").await?;
        self.calls("but not with the token from before, which it has revoked", &music, "/call-before/announce", 401, "")
            .await
    }

    async fn fewer(&mut self) -> Result<(), Failure> {
        self.update("speaker:volume").await?;
        let music = self.music.clone();
        self.calls("It may still set the volume", &music, "/call/volume", 200, "louder").await?;
        self.calls("and not announce any more", &music, "/call/announce", 403, "").await?;
        self.calls("not even with the token from before", &music, "/call-before/announce", 401, "").await
    }

    /// A later reciprocal grant takes the place of the one before.
    async fn update(&mut self, scope: &str) -> Result<(), Failure> {
        let page = self.browser.post(&format!("{}/update", self.assistant), ("scope", scope)).await?;
        self.saw(&format!("The user allows the music service {scope}"), &page, 200, "")?;
        self.holds("The music service redeems the new code", scope).await
    }

    /// Waits until the music service has tokens with this scope.
    async fn holds(&mut self, what: &str, scope: &str) -> Result<(), Failure> {
        let expected = format!("{{\"scope\":\"{scope}\"}}");
        let url = format!("{}/held", self.music);
        self.comes_to(what, &url, 200, &expected).await
    }

    async fn calls(&mut self, what: &str, at: &str, path: &str, status: u16, text: &str) -> Result<(), Failure> {
        self.comes_to(what, &format!("{at}{path}"), status, text).await
    }

    /// What is done in the background takes a moment.
    async fn comes_to(&mut self, what: &str, url: &str, status: u16, text: &str) -> Result<(), Failure> {
        let mut page = self.browser.go(url).await?;
        for _ in 0..PATIENCE {
            if page.status == status && page.text.contains(text) {
                break;
            }
            tokio::time::sleep(MOMENT).await;
            page = self.browser.go(url).await?;
        }
        self.saw(what, &page, status, text)
    }

    fn saw(&mut self, what: &str, page: &Page, status: u16, text: &str) -> Result<(), Failure> {
        self.step += 1;
        say(format_args!(
            "{:>2}. {what}: {} {}",
            self.step,
            page.status,
            if text.is_empty() { "" } else { &page.text }
        ));
        match page.status == status && page.text.contains(text) {
            true => Ok(()),
            false => Err(format!("{what}: {} instead of {status} {text}: {}", page.status, page.text).into()),
        }
    }
}

/// One of the services, as a process of its own, which ends with the story.
struct Service(Child);

impl Service {
    fn start(role: &str, port: u16, other: u16) -> Result<Self, Failure> {
        let mut command = Command::new(env::current_exe()?);
        command.args([role, "--port", &port.to_string(), "--other", &other.to_string()]);
        let mut service = Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let mut line = String::new();
        if let Some(stdout) = service.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if !line.starts_with("listening on ") {
            return Err(format!("the {role} did not start").into());
        }
        say(format_args!("    The {role} is process {}, {}", service.0.id(), line.trim_end()));
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Two ports that nobody listens on.
fn free_ports() -> Result<[u16; 2], Failure> {
    let listeners = [TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?];
    let [first, second] = &listeners;
    Ok([first.local_addr()?.port(), second.local_addr()?.port()])
}
