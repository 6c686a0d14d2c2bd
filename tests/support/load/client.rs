//! One client: it asks one node after the other, and lives one grant after the other.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Instant,
};

use futures_util::future::join;
use http::StatusCode;

use super::{Life, Load, Memory, Outage, PATIENCE, PAUSE, Tally};
use crate::support::{
    ALBUMS, APP, Answer, Ask, CALLBACK, Caller, RESOURCE_SERVER, Remote, Visitor, WEB, redemption, response_at,
};

pub(super) struct Client {
    load: Load,
    number: usize,
    /// Whose turn it is among the nodes.
    turn: AtomicUsize,
}

impl Client {
    pub(super) fn new(load: &Load, number: usize) -> Self {
        Self { load: load.clone(), number, turn: AtomicUsize::new(number) }
    }

    /// One grant after the other, of all kinds, until told to stop.
    pub(super) async fn run(self) -> Vec<Life> {
        let mut lives = Vec::new();
        for round in 0_usize.. {
            if self.load.shared.stop.load(Relaxed) {
                return lives;
            }
            let turn = round / 4;
            let life = match (self.number + round) % 4 {
                0 => self.live_alone(turn).await,
                1 => self.live_raced().await,
                _ => self.live_long(turn).await,
            };
            match life {
                Ok(life) if self.load.shared.memory == Memory::Everything => lives.push(life),
                Ok(_) => {}
                Err(Outage) => tokio::time::sleep(PAUSE).await,
            }
        }
        unreachable!()
    }

    /// A client that acts for itself.
    async fn live_alone(&self, turn: usize) -> Result<Life, Outage> {
        let answer = self.insist("/token", WEB, &[("grant_type", "client_credentials")]).await?;
        let mut life = Life::new(WEB, None);
        self.issue(&mut life, &answer)?;
        self.is_active(&life.newest().access, true).await?;
        if turn.is_multiple_of(2) {
            self.revoke_access(&mut life).await?;
        }
        Ok(life)
    }

    /// A code that two present at once, at two nodes if there are as many: nobody has it for long.
    async fn live_raced(&self) -> Result<Life, Outage> {
        let code = self.code().await?;
        let redemption = redemption(&code);
        let (one, two) =
            join(self.ask("/token", APP, &redemption, false), self.ask("/token", APP, &redemption, false)).await;
        self.tally().raced.fetch_add(1, Relaxed);
        let (mut life, mut refused) = (Life::new(APP, Some(code.clone())), 0);
        for answer in [&one, &two].into_iter().flatten() {
            match answer.status {
                StatusCode::OK => self.issue(&mut life, answer)?,
                StatusCode::BAD_REQUEST => refused += 1,
                _ => return Err(self.complain(answer, "to a code")),
            }
        }
        if life.issued.len() > 1 {
            self.tally().complain(format!("a code was redeemed twice: {life:?}"));
        }
        if refused > 1 {
            self.tally().complain("a good code was refused to everyone".to_owned());
        }
        if life.issued.is_empty() {
            return Err(Outage);
        }
        // Whoever comes second ends it for the first (OAuth 2.1 section 4.1.3).
        life.ended = (refused == 1).then_some(true);
        Ok(life)
    }

    /// A code, and a chain of refresh tokens, with some kind of end.
    async fn live_long(&self, turn: usize) -> Result<Life, Outage> {
        let code = self.code().await?;
        let answer = self.ask("/token", APP, &redemption(&code), false).await?;
        let mut life = Life::new(APP, Some(code));
        self.issue(&mut life, &answer)?;
        for _ in 0..1 + (self.number + turn) % 3 {
            self.refresh(&mut life).await?;
        }
        self.is_active(&life.newest().access, true).await?;
        match turn % 3 {
            0 => self.revoke_access(&mut life).await?,
            1 => {
                let refresh = life.refresh_token(0).to_owned();
                self.revoke(&refresh).await?;
                life.ended = Some(true);
                self.is_active(&life.newest().access, false).await?;
            }
            _ => {}
        }
        Ok(life)
    }

    /// A code that was just approved.
    async fn code(&self) -> Result<String, Outage> {
        let node = self.node();
        let ask = Ask::of(APP).with("resource", ALBUMS);
        let began = Instant::now();
        let page = Visitor::new(node.http.clone()).try_go(&format!("{}{}", node.url, ask.uri())).await;
        (self.load.shared.heard)(began.elapsed());
        let answer = match page {
            Ok(page) => page.answer,
            Err(_) => return Err(self.broken()),
        };
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(self.unavailable(&answer));
        }
        if answer.status != StatusCode::SEE_OTHER || !answer.location().starts_with(CALLBACK) {
            return Err(self.complain(&answer, "to an authorization request"));
        }
        let response = response_at(CALLBACK, answer.location());
        match (response.get("code"), response.get("error")) {
            (Some(code), _) => {
                self.acknowledge();
                Ok(code.to_owned())
            }
            // Browsers do not show a status to the client: it is told so (OAuth 2.1 section 4.1.2.1).
            (_, Some("temporarily_unavailable" | "server_error")) => {
                self.tally().unavailable.fetch_add(1, Relaxed);
                Err(Outage)
            }
            _ => Err(self.complain(&answer, "to an authorization request")),
        }
    }

    async fn refresh(&self, life: &mut Life) -> Result<(), Outage> {
        let params = [("grant_type", "refresh_token"), ("refresh_token", life.refresh_token(0))];
        let answer = self.insist("/token", APP, &params).await?;
        self.issue(life, &answer)
    }

    async fn revoke_access(&self, life: &mut Life) -> Result<(), Outage> {
        let access = life.newest().access.clone();
        let params = [("token", access.as_str())];
        let answer = self.insist("/revoke", life.caller, &params).await?;
        self.acknowledged(&answer, "to a revocation")?;
        self.is_active(&access, false).await?;
        life.revoked.push(access);
        Ok(())
    }

    async fn revoke(&self, token: &str) -> Result<(), Outage> {
        let answer = self.insist("/revoke", APP, &[("token", token)]).await?;
        self.acknowledged(&answer, "to a revocation")
    }

    /// Asks some node whether a token is as it must be.
    async fn is_active(&self, access: &str, expected: bool) -> Result<(), Outage> {
        let answer = self.insist("/introspect", RESOURCE_SERVER, &[("token", access)]).await?;
        self.acknowledged(&answer, "to an introspection")?;
        if (answer.member("active") == true) != expected {
            self.tally().complain(format!("{access} should be active: {expected}"));
        }
        Ok(())
    }

    fn issue(&self, life: &mut Life, answer: &Answer) -> Result<(), Outage> {
        self.acknowledged(answer, "to a grant")?;
        life.issued.push(answer.tokens());
        Ok(())
    }

    fn acknowledged(&self, answer: &Answer, to: &str) -> Result<(), Outage> {
        if answer.status != StatusCode::OK {
            return Err(self.complain(answer, to));
        }
        self.acknowledge();
        Ok(())
    }

    fn acknowledge(&self) {
        self.tally().acknowledged.fetch_add(1, Relaxed);
        if let Some(own) = self.load.shared.progress.get(self.number) {
            own.fetch_add(1, Relaxed);
        }
    }

    /// Asks one node after the other until one says something.
    async fn insist(&self, path: &str, caller: Caller, params: &[(&str, &str)]) -> Result<Answer, Outage> {
        let began = Instant::now();
        let mut again = false;
        while began.elapsed() < PATIENCE {
            if let Ok(answer) = self.ask(path, caller, params, again).await {
                return Ok(answer);
            }
            again = true;
            tokio::time::sleep(PAUSE).await;
        }
        self.tally().complain(format!("{path} has not recovered in {PATIENCE:?}"));
        Err(Outage)
    }

    async fn ask(&self, path: &str, caller: Caller, params: &[(&str, &str)], again: bool) -> Result<Answer, Outage> {
        let retries = params.iter().any(|(name, _)| *name == "refresh_token");
        self.tally().retried.fetch_add(u64::from(again && retries), Relaxed);
        let began = Instant::now();
        let answer = self.node().try_post(path, caller, params).await;
        (self.load.shared.heard)(began.elapsed());
        match answer {
            Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => Err(self.unavailable(&answer)),
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.broken()),
        }
    }

    /// 503, which says when to ask again.
    fn unavailable(&self, answer: &Answer) -> Outage {
        self.tally().unavailable.fetch_add(1, Relaxed);
        if answer.header("retry-after").parse::<u32>().is_err() {
            self.tally().complain(format!("503 without Retry-After: {answer}"));
        }
        Outage
    }

    fn broken(&self) -> Outage {
        self.tally().broken.fetch_add(1, Relaxed);
        Outage
    }

    fn complain(&self, answer: &Answer, to: &str) -> Outage {
        self.tally().complain(format!("{to}: {answer}"));
        Outage
    }

    fn tally(&self) -> &Tally {
        &self.load.shared.tally
    }

    /// The nodes take turns.
    pub(super) fn node(&self) -> &Remote {
        &self.load.nodes[self.turn.fetch_add(1, Relaxed) % self.load.nodes.len()]
    }
}
