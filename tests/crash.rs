//! kill -9 under load, and a restart on the same file: nothing that was acknowledged is lost.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use tokio::{sync::Semaphore, task::JoinSet};

use crate::support::{
    ALBUMS, APP, Answer, Ask, CALLBACK, RESOURCE_SERVER, Reference, Remote, Tokens, Visitor, plain_client, redemption,
    response_at,
};

/// What a client knows of its grant, because the server has said so.
#[derive(Debug, Default)]
struct Grant {
    /// Every answer with tokens, the newest last.
    issued: Vec<Tokens>,
    /// Access tokens whose revocation was acknowledged.
    revoked: Vec<String>,
    ended: bool,
    /// What was asked last, if no answer came.
    unanswered: Option<Asked>,
}

/// What changes a grant.
#[derive(Clone, Debug)]
enum Asked {
    Refresh,
    RevokeAccess(String),
    RevokeGrant,
}

/// Clients of one server.
#[derive(Clone)]
struct Load {
    remote: Remote,
    /// One for each acknowledgement.
    acknowledged: Arc<Semaphore>,
}

const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_when_the_server_is_killed() {
    let reference = Reference::in_development("");
    let mut grants: Vec<Grant> = Vec::new();
    let mut server = reference.start();
    for round in 1..=3 {
        let load = Load::new(&reference);
        let mut clients: JoinSet<_> = (0..CLIENTS).map(|client| load.clone().run(client)).collect();
        let moment = 60 + u32::try_from(RandomState::new().hash_one(round) % 200).unwrap();
        tokio::select! {
            acknowledged = load.acknowledged.acquire_many(moment) => drop(acknowledged.unwrap()),
            client = clients.join_next() => panic!("a client gave up: {:?}", client.unwrap().err()),
        }
        server.kill();
        grants.extend(clients.join_all().await.into_iter().flatten());
        let cut = grants.iter().filter(|grant| grant.unanswered.is_some()).count();
        println!("round {round}: killed after {moment} acknowledgements; {} grants, {cut} cut short", grants.len());

        server = reference.start();
        is_intact(&reference);
        let load = Load::new(&reference);
        for (number, grant) in grants.iter_mut().enumerate() {
            load.check(grant, number % 2 == 0).await;
        }
    }
}

impl Load {
    fn new(reference: &Reference) -> Self {
        Self { remote: Remote::new(plain_client(), &reference.issuer), acknowledged: Arc::new(Semaphore::new(0)) }
    }

    /// One grant after the other, until the server is gone.
    async fn run(self, client: usize) -> Vec<Grant> {
        let mut grants = Vec::new();
        for number in client.. {
            let mut grant = Grant::default();
            let gone = self.live(&mut grant, number).await.is_err();
            // One whose code was never redeemed has nothing to lose.
            grants.extend(Some(grant).filter(|grant| !grant.issued.is_empty()));
            if gone {
                return grants;
            }
        }
        unreachable!()
    }

    /// The life of one grant: short or long, with all kinds of ends.
    async fn live(&self, grant: &mut Grant, number: usize) -> reqwest::Result<()> {
        let ask = Ask::of(APP).with("resource", ALBUMS);
        let page = Visitor::new(self.remote.http.clone()).try_go(&format!("{}{}", self.remote.url, ask.uri())).await?;
        let response = response_at(CALLBACK, page.answer.location());
        let redemption = redemption(response.get("code").unwrap());
        let answer = self.remote.try_post("/token", APP, &redemption).await?;
        self.acknowledge(grant, answer.tokens());
        for _ in 0..number % 4 {
            self.refresh(grant).await?;
        }
        if number.is_multiple_of(3) {
            let access = grant.newest().access.clone();
            self.revoke(grant, Asked::RevokeAccess(access.clone()), &access).await?;
            grant.revoked.push(access);
        }
        if number.is_multiple_of(5) {
            let refresh = grant.refresh_token(0).to_owned();
            self.revoke(grant, Asked::RevokeGrant, &refresh).await?;
            grant.ended = true;
        }
        Ok(())
    }

    async fn refresh(&self, grant: &mut Grant) -> reqwest::Result<()> {
        grant.unanswered = Some(Asked::Refresh);
        let params = [("grant_type", "refresh_token"), ("refresh_token", grant.refresh_token(0))];
        let answer = self.remote.try_post("/token", APP, &params).await?;
        self.acknowledge(grant, answer.tokens());
        Ok(())
    }

    async fn revoke(&self, grant: &mut Grant, asked: Asked, token: &str) -> reqwest::Result<()> {
        grant.unanswered = Some(asked);
        self.remote.try_post("/revoke", APP, &[("token", token)]).await?.is_revoked();
        grant.unanswered = None;
        self.acknowledged.add_permits(1);
        Ok(())
    }

    fn acknowledge(&self, grant: &mut Grant, tokens: Tokens) {
        grant.issued.push(tokens);
        grant.unanswered = None;
        self.acknowledged.add_permits(1);
    }

    /// That everything is as the client was told, or as it might have been told.
    async fn check(&self, grant: &mut Grant, end: bool) {
        let retry = self.settle(grant).await;
        for access in grant.issued.iter().map(|tokens| &tokens.access) {
            let revoked = grant.ended || grant.revoked.contains(access);
            assert_eq!(self.is_active(access).await, !revoked, "{access}: {grant:?}");
        }
        if grant.ended {
            return self.present(grant, 0).await.is_refused(400, "invalid_grant");
        }
        if !retry && grant.issued.len() > 1 {
            // The one before has been replaced, and by this very token.
            let again = self.present(grant, 1).await.tokens();
            assert_eq!(again.refresh, grant.newest().refresh, "{grant:?}");
            let revoked = grant.revoked.contains(&grant.newest().access);
            assert_eq!(again.access != grant.newest().access, revoked, "{grant:?}");
        }
        self.renew(grant).await;
        if end {
            // With its successor in use, the one of before is stolen goods.
            self.renew(grant).await;
            self.present(grant, 2).await.is_refused(400, "invalid_grant");
            grant.ended = true;
        }
    }

    /// Finds out what came of a request without an answer. Whether the newest refresh token is about to be presented
    /// for the second time.
    async fn settle(&self, grant: &mut Grant) -> bool {
        match grant.unanswered.take() {
            Some(Asked::Refresh) => return true,
            Some(Asked::RevokeAccess(access)) if !self.is_active(&access).await => grant.revoked.push(access),
            Some(Asked::RevokeGrant) => {
                // All of it ended or nothing, as the tokens will show.
                let answer = self.present(grant, 0).await;
                grant.ended = answer.status == 400;
                if !grant.ended {
                    self.acknowledge(grant, answer.tokens());
                }
            }
            Some(Asked::RevokeAccess(_)) | None => {}
        }
        false
    }

    /// The newest refresh token works.
    async fn renew(&self, grant: &mut Grant) {
        let answer = self.present(grant, 0).await;
        self.acknowledge(grant, answer.tokens());
    }

    /// Presents the refresh token that is `back` generations old.
    async fn present(&self, grant: &Grant, back: usize) -> Answer {
        self.remote.refresh(APP, grant.refresh_token(back)).await
    }

    async fn is_active(&self, access: &str) -> bool {
        self.remote.introspect(RESOURCE_SERVER, access).await.member("active") == true
    }
}

impl Grant {
    fn newest(&self) -> &Tokens {
        self.issued.last().unwrap()
    }

    fn refresh_token(&self, back: usize) -> &str {
        self.issued[self.issued.len() - 1 - back].refresh.as_deref().unwrap()
    }
}

/// The file is whole.
fn is_intact(reference: &Reference) {
    let database = rusqlite::Connection::open(reference.authority.file("oauth.db")).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
