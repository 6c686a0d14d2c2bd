//! One script, played.

use oauth_core::{
    claims::AccessTokenClaims,
    clock::UnixTime,
    engine::policy::{Resource, TokenFormat},
    server::{AuthorizationServerBuilder, Selection},
    store::memory::MemoryStore,
};
use oauth_tower::resource::{Issuer, RefusalKind, ResourceServer, StatusListPolicy};
use tokio::task::JoinHandle;

use super::{
    ACCESS, ANSWER_CACHE, APIS, ASKING, BESIDE_ONE, BESIDE_TWO, BY_JWT, BY_LIST, Flaw, LIST_GRACE, LIST_TTL,
    LOCAL_CACHE, PARTIES,
    ledger::{Expected, Outcome, Tally, Token},
    step::Step,
    unruly::{Mark, Unruly},
    upstream::Upstream,
};
use crate::support::*;

/// Who takes the tokens.
const NOTES: &str = "https://notes.example";

pub(super) struct Run<'t> {
    flaw: Flaw,
    nodes: [World; 2],
    bus: Unruly,
    upstream: Upstream,
    apis: Vec<ResourceServer>,
    tokens: Vec<Token>,
    /// Requests that have not been answered, and the numbers of their tokens.
    open: Vec<(usize, Expected, JoinHandle<Outcome>)>,
    /// Whether a store failed, or nobody could be asked.
    is_stormy: bool,
    tally: &'t mut Tally,
}

fn settings(flaw: Flaw) -> impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let scopes = "read write".parse().unwrap();
    let notes = Resource::new(NOTES).scopes(scopes).format(TokenFormat::Jwt);
    let notes = notes.introspection_caller(RESOURCE_SERVER.client_id());
    let ttl = LIST_TTL + u64::from(flaw == Flaw::LongerList);
    move |builder| {
        let builder = builder.resource(notes.clone()).lifetimes(|lifetimes| lifetimes.access = ACCESS);
        builder.status_lists(|lists| (lists.ttl, lists.grace) = (ttl, LIST_GRACE))
    }
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..60 {
        tokio::task::yield_now().await;
    }
}

impl<'t> Run<'t> {
    pub(super) async fn all(flaw: Flaw, steps: &[Step], tally: &'t mut Tally) -> Result<(), String> {
        let mut run = Self::new(flaw, tally).await;
        run.issue(true).await;
        for step in steps {
            run.step(step).await?;
            settle().await;
            run.answers().await?;
            run.tokens.iter_mut().for_each(|token| token.listen(&run.bus));
        }
        run.end().await
    }

    async fn new(flaw: Flaw, tally: &'t mut Tally) -> Self {
        let (store, set) = (MemoryStore::default(), settings(flaw));
        let nodes = [World::on(store.clone(), &set).await, World::on(store, &set).await];
        let bus = Unruly::new(PARTIES, flaw == Flaw::HidesCuts);
        for (number, node) in nodes.iter().enumerate() {
            tokio::spawn(node.server.follow(bus.connection(number)));
        }
        let upstream = Upstream::to(nodes.clone());
        let mut run = Self {
            flaw,
            nodes,
            bus,
            upstream,
            apis: Vec::new(),
            tokens: Vec::new(),
            open: Vec::new(),
            is_stormy: false,
            tally,
        };
        run.apis = (0..APIS).map(|number| run.api(number)).collect();
        settle().await;
        run
    }

    /// A new process of an API.
    fn api(&self, number: usize) -> ResourceServer {
        let seconds = std::time::Duration::from_secs;
        let local = |node: usize| Issuer::local(self.nodes[node].server.clone()).cache_for(seconds(LOCAL_CACHE));
        let longer = u64::from(self.flaw == Flaw::RemembersLonger);
        let issuer: Issuer = match number {
            BESIDE_ONE => local(0).into(),
            BESIDE_TWO => local(1).into(),
            ASKING => Issuer::introspection(ISSUER, format!("{ISSUER}/introspect"))
                .client_basic("api", "api-secret-1Lm8")
                .client_as_subject()
                .cache_for(seconds(ANSWER_CACHE + longer))
                .into(),
            BY_LIST => Issuer::jwt(ISSUER).status_list(StatusListPolicy::Required).into(),
            _ => Issuer::jwt(ISSUER).status_list(StatusListPolicy::Off).into(),
        };
        let most = if self.flaw == Flaw::Forgets { 0 } else { 1_000 };
        let builder = ResourceServer::builder(NOTES).issuer(issuer).http(self.upstream.client()).skew(0);
        let api = builder.clock(self.nodes[0].clock.clone()).remembered_revocations(most).build().unwrap();
        if number != BESIDE_ONE && number != BESIDE_TWO {
            tokio::spawn(api.follow(self.bus.connection(number)));
        }
        api
    }

    fn now(&self) -> UnixTime {
        self.nodes[0].server.now()
    }

    fn wait(&self, seconds: u64) {
        self.nodes.iter().for_each(|node| node.clock.advance(seconds));
    }

    /// The number of a token, counted from the newest.
    fn newest(&self, token: usize) -> Option<usize> {
        self.tokens.len().checked_sub(token + 1)
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::Issue { signs_in } => self.issue(signs_in).await,
            Step::Use { api, token } => self.take(api, token),
            Step::UseAll { token } => (0..APIS).for_each(|api| self.take(api, token)),
            Step::Revoke { node, token, whole } => self.revoke(node, token, whole).await,
            Step::RevokeAll { node } => self.revoke_all(node).await,
            Step::Wait { seconds } => self.wait(seconds),
            Step::Deliver { party, which } => self.bus.deliver(party, which),
            Step::Repeat { party, which } => self.bus.repeat(party, which),
            Step::Lose { party, which } => self.bus.lose(party, which),
            Step::DeliverAll { party } => self.bus.deliver_all(party),
            Step::Cut { party } => self.bus.cut(party),
            Step::Mend { party } => return self.mend(party).await,
            Step::Store { node, down } => {
                self.nodes[node].store.set_down(down);
                self.is_stormy |= down;
            }
            Step::LoseAnswer { node, verb } => {
                self.nodes[node].store.lose_the_answer_of(["revoke_grant", "revoke_access"][verb]);
            }
            Step::Upstream { down } => {
                self.upstream.set_down(down);
                self.is_stormy |= down;
            }
            Step::Answers { flow } => self.upstream.set_flows(flow),
            Step::Restart { api } => self.restart(api),
        }
        Ok(())
    }

    async fn issue(&mut self, signs_in: bool) {
        let node = &self.nodes[0];
        let mut texts = Vec::new();
        if signs_in && !self.is_stormy {
            let code = node.code_for(&Ask::of(WEB).with("resource", NOTES)).await;
            let first = node.redeem(WEB, &code).await.tokens();
            texts.push(first.access);
            texts.push(node.refresh(WEB, &first.refresh.unwrap()).await.tokens().access);
        } else {
            let answer = node.token(WEB, &[("grant_type", "client_credentials"), ("resource", NOTES)]).await;
            if answer.status == 200 {
                texts.push(answer.tokens().access);
            }
        }
        for text in texts {
            // It was just issued: if nobody can say whose it is, it is nobody's.
            if let Ok(Some(valid)) = node.server.validate_access(&text).await {
                let AccessTokenClaims { exp, .. } = valid.claims;
                self.tokens.push(Token::new(text, valid.grant, exp));
            }
        }
    }

    /// Takes a token to an API.
    fn take(&mut self, api: usize, token: usize) {
        let Some(number) = self.newest(token) else { return };
        let token = &self.tokens[number];
        let expected = token.expected(api, self.now(), self.is_stormy);
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, format!("Bearer {}", token.text).parse().unwrap());
        let api = self.apis[api].clone();
        let request = async move {
            match api.validate_headers(&headers).await {
                Ok(_) => Outcome::Accepted,
                Err(refusal) if matches!(refusal.kind(), RefusalKind::Unavailable { .. }) => Outcome::Unknown,
                Err(_) => Outcome::Refused,
            }
        };
        self.open.push((number, expected, tokio::spawn(request)));
    }

    /// Looks at the answers that have come.
    async fn answers(&mut self) -> Result<(), String> {
        let (done, open) =
            std::mem::take(&mut self.open).into_iter().partition(|(_, _, request)| request.is_finished());
        self.open = open;
        for (number, expected, request) in Vec::from_iter::<Vec<_>>(done) {
            let (outcome, now) = (request.await.unwrap(), self.now());
            let token = &mut self.tokens[number];
            expected.check(outcome, token, now)?;
            self.tally.count(expected.api, outcome, token.revoked.is_some_and(|at| at <= expected.came));
            if outcome == Outcome::Refused && expected.came < token.exp {
                token.was_refused(expected.api);
            }
        }
        Ok(())
    }

    async fn revoke(&mut self, node: usize, token: usize, whole: bool) {
        let Some(number) = self.newest(token) else { return };
        let (text, grant) = (self.tokens[number].text.clone(), self.tokens[number].grant);
        let from = self.marks();
        let server = &self.nodes[node];
        let is_done = if whole {
            server.server.revoke_grant(grant).await.is_ok()
        } else {
            server.revoke(WEB, &text).await.status == 200
        };
        settle().await;
        self.revoked(node, is_done, &from, |one| if whole { one.grant == grant } else { one.text == text });
    }

    async fn revoke_all(&mut self, node: usize) {
        let from = self.marks();
        let before = self.now().saturating_add(1);
        let mut all = self.nodes[node].server.revoke_all(Selection::IssuedBefore(before)).unwrap();
        let mut is_done = true;
        while let Some(step) = all.next().await {
            is_done = step.is_ok();
            if !is_done {
                break;
            }
        }
        settle().await;
        self.revoked(node, is_done, &from, |_| true);
        // What is granted in the rest of this second is dead.
        self.wait(1);
    }

    fn marks(&self) -> [Option<Mark>; PARTIES] {
        std::array::from_fn(|party| self.bus.mark(party))
    }

    fn revoked(&mut self, node: usize, is_done: bool, from: &[Option<Mark>; PARTIES], which: impl Fn(&Token) -> bool) {
        let (now, to) = (self.now(), self.marks());
        let said = std::array::from_fn(|party| (from[party], to[party]));
        for token in self.tokens.iter_mut().filter(|token| which(token)) {
            // Of what has ended already, nothing is said again.
            let is_first = !std::mem::replace(&mut token.doubtful, true);
            if is_done {
                token.revoke(node, now, is_first.then_some(said));
            }
        }
    }

    /// Whoever listens again has dropped what it had remembered.
    async fn mend(&mut self, party: usize) -> Result<(), String> {
        if self.bus.is_up(party) {
            return Ok(());
        }
        self.bus.mend(party);
        settle().await;
        if !self.bus.is_listening(party) {
            return Err(format!("party {party} does not listen again"));
        }
        if party != BY_LIST && party != BY_JWT {
            self.forgot(party);
        }
        Ok(())
    }

    fn restart(&mut self, api: usize) {
        self.apis[api] = self.api(api);
        if api == BY_LIST || api == BY_JWT {
            // It knows nothing of what was revoked before.
            self.tokens.iter_mut().for_each(|token| token.forgets(api));
        } else {
            self.forgot(api);
        }
    }

    /// An API asks anew about every token that was revoked.
    fn forgot(&mut self, api: usize) {
        let revoked = self.tokens.iter_mut().filter(|token| token.revoked.is_some());
        revoked.for_each(|token| token.settled[api] = true);
    }

    /// All is well again, and whoever was waiting is answered.
    async fn end(mut self) -> Result<(), String> {
        self.upstream.set_flows(true);
        self.upstream.set_down(false);
        for node in &self.nodes {
            node.store.set_down(false);
            node.store.calm();
        }
        settle().await;
        self.answers().await?;
        if let Some((number, expected, _)) = self.open.first() {
            return Err(format!("token {number} was never answered: {expected:?}"));
        }
        Ok(())
    }
}
