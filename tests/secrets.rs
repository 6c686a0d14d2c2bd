//! What is secret stays so: in the store, in events, in `Debug` output, in errors; and cannot be
//! guessed.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use oauth_core::{
    client::{Client, ClientSecret, GrantType},
    clock::{Random, RandomError, SystemRandom},
    engine::{interaction::Approval, policy::Lifetimes},
    secret::{RootSecret, Secret},
    server::{AuthorizationServer, AuthorizationServerBuilder},
    store::Clients,
    token::{Prefixes, TokenCodec, TokenKind, TokenResponse, TokenType},
};

use crate::support::*;

/// A life with every kind of secret in it, and what a watcher may see meanwhile.
struct Life {
    secrets: Vec<String>,
    answers: Vec<Answer>,
}

impl Life {
    async fn of(w: &World) -> Self {
        let mut life = Self { secrets: vec![VERIFIER.into(), PASSWORD.into()], answers: Vec::new() };
        life.sign_in(w).await;
        life.use_tokens(w).await;
        life.fail(w).await;
        for caller in [WEB, FORM, AUDITOR] {
            if let Caller::Basic(_, secret) | Caller::Post(_, secret) = caller {
                life.secrets.push(secret.into());
            }
        }
        life
    }

    /// The browser's side: cookies, the id and the form tokens of an interaction that still waits.
    async fn sign_in(&mut self, w: &World) {
        let mut browser = Browser::new(w);
        let (page, consent) = browser.consent(&Ask::of(APP)).await;
        let form = fields_of(&consent, "approve");
        self.secrets.extend(form.into_iter().filter(|(name, _)| name != "action").map(|(_, value)| value));
        self.secrets.extend(browser.cookies.values().cloned());
        self.secrets.push(page.split_once("id=").unwrap().1.to_owned());
    }

    /// The client's side: a stored client with a generated secret, a code that waits, one that was
    /// redeemed, a token that was rotated with its retry pair, and a JWT.
    async fn use_tokens(&mut self, w: &World) {
        let (secret, kept) = ClientSecret::generate(&SystemRandom).unwrap();
        let stored = Client::builder("stored").secret(kept).grant_type(GrantType::CLIENT_CREDENTIALS);
        w.store.put_client(stored.build().unwrap()).await.unwrap();
        let params = [("grant_type", "client_credentials"), ("resource", JWT_API)];
        let mut request = post("/token", Caller::Nobody, &params);
        request.headers_mut().insert("authorization", basic(&format!("stored:{}", secret.expose())).parse().unwrap());
        let jwt = w.send(request).await.tokens().access;
        let (waiting, used) = (w.code(APP).await, w.code(APP).await);
        let first = w.redeem(APP, &used).await.tokens();
        let second = w.refresh(APP, first.refresh.as_ref().unwrap()).await.tokens();
        self.secrets.extend([secret.expose().to_owned(), jwt.rsplit_once('.').unwrap().1.to_owned(), waiting, used]);
        self.secrets.extend([first.access, first.refresh.unwrap(), second.access, second.refresh.unwrap()]);
    }

    /// Everything that can go wrong with every secret so far.
    async fn fail(&mut self, w: &World) {
        for down in [false, true] {
            w.store.set_down(down);
            for secret in self.secrets.clone() {
                for answer in [
                    w.redeem(WEB, &secret).await,
                    w.refresh(OTHER_APP, &secret).await,
                    w.redeem(Caller::Nobody, &secret).await,
                    w.token(WEB, &[("grant_type", &secret), (&secret, "1"), (&secret, "2")]).await,
                    w.token(WEB, &[("grant_type", "client_credentials"), ("scope", &secret)]).await,
                    w.token(Caller::Nobody, &[("client_id", "form"), ("client_secret", &secret)]).await,
                    w.revoke(WEB, &secret).await,
                    w.introspect(APP, &secret).await,
                    w.get(&format!("/authorize?client_id=nobody&client_secret={secret}")).await,
                    w.get(&Ask::of(APP).with("redirect_uri", &secret).uri()).await,
                    w.get(&format!("/interaction?id={secret}")).await,
                ] {
                    assert!(answer.status != 200 || answer.body.is_empty(), "{answer}");
                    self.answers.push(answer);
                }
            }
        }
        w.store.set_down(false);
    }
}

// spec: SEC-06, AUZ-12
#[tokio::test]
async fn a_dump_of_the_store_holds_no_credential() {
    let w = on_sqlite().await;
    let life = Life::of(&w).await;
    let files =
        fs::read_dir(w.folder.as_ref().unwrap().path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let dump: Vec<u8> = files.collect::<Vec<_>>().concat();
    let holds = |needle: &[u8]| dump.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"alice") && holds(CALLBACK.as_bytes()), "not the store that was used");
    for secret in &life.secrets {
        assert!(!holds(secret.as_bytes()), "the text of {secret}");
        if let Some(body) = body_of(secret) {
            // The grant's id and the generation are known to all; what follows them is not.
            assert!(holds(&body[..16]) && !holds(&body[24..40]) && !holds(&body[40..56]), "the bytes of {secret}");
        }
    }
    let p256_private_key = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
    assert!(!holds(p256_private_key) && !holds(World::root().expose()));
}

/// The bytes of an opaque token.
fn body_of(token: &str) -> Option<Vec<u8>> {
    let digits = token.strip_prefix("oa").or(token.strip_prefix("or"))?.get(2..101)?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'Z' => digit - b'A' + 10,
        _ => digit - b'a' + 36,
    };
    let word = |digits: &[u8]| digits.iter().fold(0_u64, |word, digit| word * 62 + u64::from(value(*digit)));
    Some(digits.as_bytes().chunks(11).flat_map(|digits| word(digits).to_be_bytes()).collect())
}

// spec: SEC-07
#[tokio::test]
async fn no_secret_is_in_an_event_an_error_or_debug_output() {
    on_every_store(async |w| {
        let life = Life::of(&w).await;
        assert!(w.events.count("fault") > 10 && w.events.count("client_authentication_failed") > 10);
        let mut browser = Browser::new(&w);
        let id = browser.begin(&Ask::of(APP)).await;
        let interaction = browser.interaction(&id).await.unwrap();
        let mut seen = vec![w.store.shown(), w.events.all().join("\n"), format!("{:?}{interaction:?}", w.server)];
        seen.extend(life.answers.iter().map(Answer::to_string));
        let builder = AuthorizationServer::builder(ISSUER).root_secret(World::root());
        seen.push(format!("{:?}", registered().into_iter().fold(builder, AuthorizationServerBuilder::client)));
        let secrets = life.secrets.iter().map(|text| Secret::new(text.as_str()));
        seen.extend(secrets.map(|secret| format!("{:?}", TokenResponse::new(secret, TokenType::Bearer, 300))));
        for text in &seen {
            for secret in life.secrets.iter().map(String::as_str).chain(["7, 7, 7, 7"]) {
                assert_eq!(text.find(secret), None, "{secret}");
            }
        }
    })
    .await;
}

/// Counts what is drawn, and fails on demand.
#[derive(Clone, Debug, Default)]
struct Draws {
    drawn: Arc<Mutex<Vec<usize>>>,
    dry: Arc<AtomicBool>,
}

impl Draws {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.drawn.lock().unwrap())
    }
}

impl Random for Draws {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if self.dry.load(Ordering::Relaxed) {
            return Err(RandomError);
        }
        self.drawn.lock().unwrap().push(bytes.len());
        SystemRandom.fill(bytes)
    }
}

// spec: SEC-06, AUZ-29
#[tokio::test]
async fn every_secret_is_drawn_from_the_csprng_in_full() {
    let draws = Draws::default();
    let w = on_memory_with(|builder| builder.random(draws.clone())).await;
    draws.take();
    let mut browser = Browser::new(&w);
    let id = browser.begin(&Ask::of(APP)).await;
    assert_eq!(draws.take(), [32, 32], "the interaction and the browser");
    let interaction = browser.interaction(&id).await.unwrap();
    let answer = interaction.approve(Approval::new("alice")).await.unwrap().unwrap();
    assert_eq!(draws.take(), [16, 32], "the grant and its code");
    let code = response_at(CALLBACK, answer.location().unwrap()).get("code").unwrap().to_owned();
    w.redeem(APP, &code).await.tokens();
    assert_eq!(draws.take(), [32, 32], "the access token and the refresh token");
}

// spec: SEC-06
#[tokio::test]
async fn without_randomness_nothing_is_handed_out() {
    let draws = Draws::default();
    on_every_store_with(
        |builder| builder.random(draws.clone()),
        async |w| {
            let (code, refresh) = (w.code(APP).await, w.tokens(APP).await.refresh.unwrap());
            draws.dry.store(true, Ordering::Relaxed);
            w.redeem(APP, &code).await.is_unavailable();
            w.refresh(APP, &refresh).await.is_unavailable();
            w.token(WEB, &[("grant_type", "client_credentials")]).await.is_unavailable();
            w.get(&Ask::of(APP).uri()).await.is_error_redirect("server_error");
            draws.dry.store(false, Ordering::Relaxed);
            w.redeem(APP, &code).await.tokens();
            w.refresh(APP, &refresh).await.tokens();
        },
    )
    .await;
}

// spec: SEC-08, SEC-23
#[tokio::test]
async fn an_access_token_lives_an_hour_or_less_by_default_and_says_so() {
    let documented = Lifetimes::default();
    assert!(documented.access <= 3600);
    let w = on_memory().await;
    let first = w.redeem(APP, &w.code(APP).await).await;
    let refresh = first.tokens().refresh.unwrap();
    let jwt = w.token(WEB, &[("grant_type", "client_credentials"), ("resource", JWT_API)]).await;
    for answer in [first, w.refresh(APP, &refresh).await, w.refresh(APP, &refresh).await, jwt] {
        assert_eq!(answer.member("expires_in"), documented.access);
    }
}

// spec: SEC-22
#[tokio::test]
async fn junk_is_refused_before_the_store_is_asked() {
    on_every_store(async |w| {
        let (code, tokens) = (w.code(APP).await, w.tokens(APP).await);
        let refresh = tokens.refresh.unwrap();
        let foreign = TokenCodec::new(&RootSecret::new([8; 32]), ISSUER, Prefixes::default());
        let grant = World::codec().read(TokenKind::Code, &code).unwrap().grant;
        let forge = |kind| foreign.mint(kind, grant, 0, &SystemRandom).unwrap().text.expose().to_owned();
        let forged = [TokenKind::Access, TokenKind::Refresh, TokenKind::Code].map(forge);
        let bent = [&code, &tokens.access, &refresh].map(|token| token.replacen('_', "_0", 1));
        let calls = w.store.calls();
        for junk in forged.iter().chain(&bent).map(String::as_str).chain(["", "x", "oat_", "eyJ.e30.x", "\u{1F980}"]) {
            assert_ne!(w.redeem(APP, junk).await.status, 200);
            assert_ne!(w.refresh(APP, junk).await.status, 200);
            w.revoke(APP, junk).await;
            w.introspect(AUDITOR, junk).await;
            assert!(w.server.validate_access(junk).await.unwrap().is_none());
        }
        assert_eq!(w.store.calls(), calls);
        w.redeem(APP, &code).await.tokens();
        assert!(w.lives(&tokens.access).await);
    })
    .await;
}
